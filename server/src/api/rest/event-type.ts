import { type EventTypeOut, type EventTypePatch, type EventTypeUpsertIn, operations } from '@posthorn/contract'
import type { FastifyInstance } from 'fastify'
import type { EventType } from '../../domain/event-type.ts'
import type { EventTypeWish } from '../../manage/event-types.ts'
import type { Manage } from '../../manage/manage.ts'
import { flagsOf } from '../principal.ts'
import { created, done, ok, pageAnswer, serve, upserted } from '../route.ts'
import { pageAskOf } from './page-ask.ts'
import { timeText } from './time.ts'

// Older clients know one flag only; where both names are given, the newer one counts.
function flagsIn({ featureFlags, featureFlag }: EventTypePatch): readonly string[] | null | undefined {
  if (featureFlags !== undefined) return featureFlags
  return typeof featureFlag === 'string' ? [featureFlag] : featureFlag
}

/** What a body says about an event type; what it leaves out takes its default. */
export const eventTypeWish = (body: EventTypeUpsertIn): EventTypeWish => ({
  description: body.description,
  archived: body.archived ?? false,
  deprecated: body.deprecated ?? false,
  schemas: body.schemas ?? null,
  groupName: body.groupName ?? null,
  featureFlags: flagsIn(body) ?? null,
})

export function eventTypeRoutes(app: FastifyInstance, { eventTypes }: Manage): void {
  serve(app, operations['v1.event-type.list'], async ({ query }, { principal, url }) => {
    const filter = { includeArchived: query.include_archived ?? false }
    const flags = flagsOf(principal)
    const page = await eventTypes.list(principal.environmentId, filter, flags, pageAskOf(query, 'ascending'))
    return pageAnswer(page, url, (row) => json(row, query.with_content ?? false))
  })
  serve(app, operations['v1.event-type.create'], async ({ body }, { principal }) =>
    created(json(await eventTypes.create(principal.environmentId, body.name, eventTypeWish(body)))),
  )
  serve(app, operations['v1.event-type.get'], async ({ params }, { principal }) =>
    ok(json(await eventTypes.get(principal.environmentId, params.event_type_name, flagsOf(principal)))),
  )
  serve(app, operations['v1.event-type.update'], async ({ params, body }, { principal, expect }) => {
    const { created, row } = await eventTypes.replace(
      principal.environmentId,
      params.event_type_name,
      eventTypeWish(body),
      expect,
    )
    return upserted(created, json(row))
  })
  serve(app, operations['v1.event-type.patch'], async ({ params, body }, { principal, expect }) => {
    const { description, archived, deprecated, schemas, groupName } = body
    const patch = { description, archived, deprecated, schemas, groupName, featureFlags: flagsIn(body) }
    return ok(json(await eventTypes.patch(principal.environmentId, params.event_type_name, patch, expect)))
  })
  serve(app, operations['v1.event-type.delete'], async ({ params, query }, { principal, expect }) => {
    await eventTypes.delete(principal.environmentId, params.event_type_name, query.expunge ?? false, expect)
    return done
  })
}

/** An event type as it is shown wherever it appears. */
export const eventTypeShown = (row: EventType, withContent: boolean): EventTypeOut => ({
  name: row.name,
  description: row.description,
  archived: row.archived,
  deprecated: row.deprecated,
  schemas: withContent ? row.schemas : null,
  groupName: row.groupName,
  featureFlags: row.featureFlags === null ? null : [...row.featureFlags],
  featureFlag: row.featureFlags?.[0] ?? null,
  createdAt: timeText(row.createdAt),
  updatedAt: timeText(row.updatedAt),
})

const json = (row: EventType, withContent = true): string => JSON.stringify(eventTypeShown(row, withContent))
