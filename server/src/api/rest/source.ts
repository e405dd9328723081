import {
  type AppPortalAccessOut,
  type CapturedSecretsOut,
  type IngestSourceOut,
  operations,
  type RotateTokenOut,
} from '@posthorn/contract'
import type { FastifyInstance } from 'fastify'
import { capabilitiesOf } from '../../domain/portal.ts'
import type { Source } from '../../domain/source.ts'
import { valuesShown } from '../../domain/source-change.ts'
import type { Manage } from '../../manage/manage.ts'
import type { SourceRecord } from '../../manage/source-secrets.ts'
import { portalUrl } from '../portal-page.ts'
import { type Answer, created, done, ok, pageAnswer, serve, upserted } from '../route.ts'
import { controlShown } from './control.ts'
import { usualGraceSeconds } from './endpoint.ts'
import { pageAskOf } from './page-ask.ts'
import { sourcePatch, sourceWish } from './source-body.ts'
import { timeText } from './time.ts'

export function sourceRoutes(app: FastifyInstance, { sources, portalTokens }: Manage, publicUrl: string): void {
  const urlOf = (row: Source): string => `${publicUrl}/in/${sources.token(row)}`

  const shown = (row: Source, record: SourceRecord | null): IngestSourceOut => {
    const { settings } = row
    const { verifying, secrets, publicKey } = sources.standing(row)
    return {
      ...{ id: row.id, uid: row.uid, name: row.name, type: row.type },
      config: {
        ...valuesShown(settings, sources.preset(row)),
        ...(publicKey === null ? {} : { publicKey }),
        ...(settings.custom === null ? {} : { preset: settings.custom }),
      },
      ingestUrl: urlOf(row),
      metadata: { ...row.metadata },
      ...{ mode: settings.mode, state: settings.state, disabledAnswer: settings.disabledAnswer },
      publicUrl: settings.publicUrl,
      schemes: settings.schemes && [...settings.schemes],
      toleranceSeconds: settings.tolerance === null ? null : settings.tolerance / 1000,
      duplicateWindowSeconds: settings.duplicateWindow === null ? null : settings.duplicateWindow / 1000,
      allowedAddresses: settings.allowedAddresses && [...settings.allowedAddresses],
      ...{ schemas: settings.schemas, schemaCheck: settings.schemaCheck, ack: settings.ack ?? null },
      ...{ forwardChallenges: settings.forwardChallenges, control: controlShown(row.control) },
      throttleRate: row.throttleRate,
      secrets: secrets.map(({ id, name, from, until, captured, createdAt }) => ({
        ...{ id, name, from: timeOrNull(from), until: timeOrNull(until), captured, createdAt: timeText(createdAt) },
        ...(record === null ? {} : { lastUsedAt: timeOrNull(record.secretUses[id] ?? null) }),
      })),
      verifying,
      ...(record === null ? {} : shownRecord(record)),
      ...{ createdAt: timeText(row.createdAt), updatedAt: timeText(row.updatedAt) },
    }
  }

  /** By itself a source is shown with what has come of it; in a list that would be read anew for each. */
  const whole = async (row: Source): Promise<Pick<Answer, 'steady'> & { readonly json: string }> => ({
    json: JSON.stringify(shown(row, await sources.record(row))),
    // A request that comes in changes nothing that anybody could want to change.
    steady: JSON.stringify(shown(row, null)),
  })

  serve(app, operations['v1.ingest.source.list'], async ({ query }, { principal, url }) =>
    pageAnswer(await sources.list(principal.environmentId, pageAskOf(query, 'ascending')), url, (row) =>
      JSON.stringify(shown(row, null)),
    ),
  )
  serve(app, operations['v1.ingest.source.create'], async ({ body }, { principal }) => {
    const { json, steady } = await whole(await sources.create(principal.environmentId, sourceWish(body)))
    return { ...created(json), ...(steady === undefined ? {} : { steady }) }
  })
  serve(app, operations['v1.ingest.source.get'], async ({ params }, { principal }) => ({
    status: 200,
    ...(await whole(await sources.get(principal.environmentId, params.source_id))),
  }))
  serve(app, operations['v1.ingest.source.update'], async ({ params, body }, { principal, expect }) => {
    const { environmentId } = principal
    const { created, row } = await sources.replace(environmentId, params.source_id, sourceWish(body), expect)
    return upserted(created, (await whole(row)).json)
  })
  serve(app, operations['v1.ingest.source.patch'], async ({ params, body }, { principal, expect }) => ({
    status: 200,
    ...(await whole(await sources.patch(principal.environmentId, params.source_id, sourcePatch(body), expect))),
  }))
  serve(app, operations['v1.ingest.source.delete'], async ({ params }, { principal, expect }) => {
    await sources.delete(principal.environmentId, params.source_id, expect)
    return done
  })
  serve(app, operations['v1.ingest.source.rotate-token'], async ({ params }, { principal }) => {
    const row = await sources.rotateToken(principal.environmentId, params.source_id)
    return ok(JSON.stringify({ ingestUrl: urlOf(row) } satisfies RotateTokenOut))
  })
  serve(app, operations['v1.ingest.source.rotate-secret'], async ({ params, body }, { principal }) => {
    const { key, name = null, gracePeriodSeconds } = body
    const graceMs = (gracePeriodSeconds ?? usualGraceSeconds) * 1000
    const row = await sources.rotateSecret(principal.environmentId, params.source_id, key, name, graceMs)
    return { status: 200, json: (await whole(row)).json }
  })
  serve(app, operations['v1.ingest.source.captured-secrets'], async ({ params }, { principal }) => {
    const captured = await sources.captured(principal.environmentId, params.source_id)
    const data = captured.map(({ id, value, createdAt }) => ({ id, key: value, createdAt: timeText(createdAt) }))
    return ok(JSON.stringify({ data } satisfies CapturedSecretsOut))
  })
  serve(app, operations['v1.ingest.authentication.consumer-portal-access'], async ({ params, body }, { principal }) => {
    const { environmentId } = principal
    const { id } = await sources.get(environmentId, params.source_id)
    const { token, text } = await portalTokens.create(environmentId, id, {
      capabilities: capabilitiesOf(null, body.readOnly ?? false),
      ...{ featureFlags: [], sessionId: null },
      lifeMs: body.expiry == null ? null : body.expiry * 1000,
    })
    const url = portalUrl(publicUrl, text, token.applicationId)
    return ok(JSON.stringify({ url, token: text } satisfies AppPortalAccessOut))
  })
}

const timeOrNull = (at: number | null): string | null => (at === null ? null : timeText(at))

const shownRecord = ({
  handshakes,
  quarantined,
}: SourceRecord): Pick<IngestSourceOut, 'handshakes' | 'quarantined'> => ({
  handshakes: handshakes.map(({ name, succeededAt, failedAt, failure, successes, failures }) => ({
    ...{ name, succeededAt: timeOrNull(succeededAt), failedAt: timeOrNull(failedAt), failure, successes, failures },
  })),
  quarantined: { ...quarantined },
})
