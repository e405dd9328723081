import { operations } from '@posthorn/contract'
import type { FastifyInstance } from 'fastify'
import type { Manage } from '../../manage/manage.ts'
import type { ReceivedMessage } from '../../ports/store.ts'
import { ok, pageAnswer, serve } from '../route.ts'
import { pageAskOf } from './page-ask.ts'
import { cameShown, contentMembers, seesCredentials } from './received-request.ts'
import { timeOf, timeText } from './time.ts'

/** Reading what sources have received. */
export function receivedRoutes(app: FastifyInstance, { received }: Manage): void {
  serve(app, operations['v1.ingest.message.list'], async ({ params, query }, { principal, url }) => {
    const filter = {
      ...{ eventTypes: query.event_types ?? null, before: timeOf(query.before), after: timeOf(query.after) },
    }
    const ask = pageAskOf(query, 'descending')
    const page = await received.list(principal.environmentId, params.source_id, filter, ask)
    return pageAnswer(page, url, (row) => JSON.stringify(receivedShown(row)))
  })
  serve(app, operations['v1.ingest.message.get'], async ({ params }, { principal }) => {
    const row = await received.get(principal.environmentId, params.source_id, params.msg_id)
    const { message, duplicate } = row
    const kept = message.payload === null ? null : { payload: message.payload, encoding: message.encoding }
    const latestDuplicate = duplicate && { ...duplicate, receivedAt: timeText(duplicate.receivedAt) }
    const shown = JSON.stringify({ ...receivedShown(row), latestDuplicate }).slice(1, -1)
    return ok(`{${shown},${contentMembers(message.request, kept, seesCredentials(principal))}}`)
  })
}

const receivedShown = ({ message, bytes, duplicates }: ReceivedMessage) => ({
  id: message.id,
  eventType: message.eventType,
  eventId: message.eventId,
  receivedAt: timeText(message.request?.receivedAt ?? message.acceptedAt),
  ...cameShown(message.request, bytes),
  verification: message.request?.verification ?? null,
  duplicates,
})
