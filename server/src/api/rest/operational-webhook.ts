import {
  type OperationalWebhookEndpointOut,
  type OperationalWebhookEndpointUpsertIn,
  operations,
} from '@posthorn/contract'
import type { FastifyInstance } from 'fastify'
import type { Endpoint } from '../../domain/endpoint.ts'
import type { Manage } from '../../manage/manage.ts'
import type { OperationalWish } from '../../manage/operational-endpoints.ts'
import { created, done, ok, pageAnswer, serve, upserted } from '../route.ts'
import { usualGraceSeconds } from './endpoint.ts'
import { pageAskOf } from './page-ask.ts'
import { eventTypesOf, rateOf } from './renamed.ts'
import { timeText } from './time.ts'

/** What a body says; what it leaves out takes its default. */
const wish = (body: OperationalWebhookEndpointUpsertIn): OperationalWish => ({
  url: body.url,
  description: body.description ?? '',
  uid: body.uid,
  disabled: body.disabled ?? false,
  eventTypes: eventTypesOf(body) ?? null,
  throttleRate: rateOf(body) ?? null,
  metadata: body.metadata ?? {},
})

export function operationalWebhookRoutes(app: FastifyInstance, { operational }: Manage): void {
  serve(app, operations['v1.operational-webhook.endpoint.list'], async ({ query }, { principal, url }) =>
    pageAnswer(await operational.list(principal.environmentId, pageAskOf(query, 'ascending')), url, json),
  )
  serve(app, operations['v1.operational-webhook.endpoint.create'], async ({ body }, { principal }) => {
    const { secret = null, headers } = body
    return created(json(await operational.create(principal.environmentId, wish(body), secret, headers ?? {})))
  })
  serve(app, operations['v1.operational-webhook.endpoint.get'], async ({ params }, { principal }) =>
    ok(json(await operational.get(principal.environmentId, params.endpoint_id))),
  )
  serve(app, operations['v1.operational-webhook.endpoint.update'], async ({ params, body }, { principal, expect }) => {
    const { created, row } = await operational.replace(principal.environmentId, params.endpoint_id, wish(body), expect)
    return upserted(created, json(row))
  })
  serve(app, operations['v1.operational-webhook.endpoint.delete'], async ({ params }, { principal, expect }) => {
    await operational.delete(principal.environmentId, params.endpoint_id, expect)
    return done
  })
  serve(app, operations['v1.operational-webhook.endpoint.get-secret'], async ({ params }, { principal }) =>
    ok(JSON.stringify({ key: await operational.secret(principal.environmentId, params.endpoint_id) })),
  )
  serve(app, operations['v1.operational-webhook.endpoint.rotate-secret'], async ({ params, body }, { principal }) => {
    const graceMs = (body.gracePeriodSeconds ?? usualGraceSeconds) * 1000
    await operational.rotateSecret(principal.environmentId, params.endpoint_id, body.key ?? null, graceMs)
    return done
  })
  serve(app, operations['v1.operational-webhook.endpoint.get-headers'], async ({ params }, { principal }) =>
    ok(JSON.stringify(await operational.headers(principal.environmentId, params.endpoint_id))),
  )
  serve(
    app,
    operations['v1.operational-webhook.endpoint.update-headers'],
    async ({ params, body }, { principal, expect }) => {
      await operational.replaceHeaders(principal.environmentId, params.endpoint_id, body.headers, expect)
      return done
    },
  )
}

function json(row: Endpoint): string {
  const eventTypes = row.eventTypes === null ? null : [...row.eventTypes]
  const shown: OperationalWebhookEndpointOut = {
    ...{ id: row.id, uid: row.uid, url: row.url, description: row.description },
    ...{ disabled: row.disabledBecause !== null, eventTypes, filterTypes: eventTypes },
    ...{ throttleRate: row.throttleRate, rateLimit: row.throttleRate, metadata: { ...row.metadata } },
    ...{ createdAt: timeText(row.createdAt), updatedAt: timeText(row.updatedAt) },
  }
  return JSON.stringify(shown)
}
