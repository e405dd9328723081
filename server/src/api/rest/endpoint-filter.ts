import { type FilterTestOut, operations } from '@posthorn/contract'
import type { FastifyInstance } from 'fastify'
import { slicePayload } from '../../domain/payload.ts'
import type { FilterTrial } from '../../manage/filters.ts'
import type { Manage } from '../../manage/manage.ts'
import { textOf } from '../json.ts'
import { ok, serve } from '../route.ts'

export function endpointFilterRoute(app: FastifyInstance, { endpoints }: Manage): void {
  serve(app, operations['v1.endpoint.test-filter'], async ({ params, body }, caller) => {
    const { filter, eventType, channels = null, tags = null } = body
    const spelled = textOf(caller.body)
    const span = slicePayload(spelled)
    if (!span) throw new Error('a payload that was read is not there')
    // As it was spelled: a filter may be about an integer that a parse would round.
    const payload = spelled.slice(span.start, span.end)
    const facts = { eventType, channels, tags, contentType: null, payload }
    const { app_id, endpoint_id } = params
    return ok(json(await endpoints.tryFilter(caller.principal.environmentId, app_id, endpoint_id, filter, facts)))
  })
}

function json({ verdict, filter }: FilterTrial): string {
  const shown: FilterTestOut = {
    matches: verdict.kind === 'yes',
    because: verdict.kind === 'yes' ? null : verdict.because,
    filter: filter?.kind ?? null,
    reason: filter !== null && 'reason' in filter ? filter.reason : null,
  }
  return JSON.stringify(shown)
}
