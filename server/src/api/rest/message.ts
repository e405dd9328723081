import { type BulkExpungeContentsOut, operations } from '@posthorn/contract'
import type { FastifyInstance } from 'fastify'
import type { Millis } from '../../domain/ids.ts'
import type { Message } from '../../domain/message.ts'
import { isJsonText } from '../../domain/payload-text.ts'
import type { Fault } from '../../domain/problem.ts'
import type { Explained } from '../../manage/explain.ts'
import type { Manage } from '../../manage/manage.ts'
import type { MessageFilter } from '../../ports/store.ts'
import { done, ok, pageAnswer, serve } from '../route.ts'
import { pageAskOf } from './page-ask.ts'
import { timeOf, timeText } from './time.ts'

export interface FilterQuery {
  readonly channel?: string
  readonly tag?: string
  readonly event_types?: readonly string[]
  readonly before?: string
  readonly after?: string
}

export const messageFilterOf = (query: FilterQuery): MessageFilter => ({
  channel: query.channel ?? null,
  tag: query.tag ?? null,
  eventTypes: query.event_types ?? null,
  before: timeOf(query.before),
  after: timeOf(query.after),
})

export function messageRoutes(app: FastifyInstance, { messages }: Manage): void {
  serve(app, operations['v1.message.list'], async ({ params, query }, { principal, url }) => {
    const withContent = query.with_content ?? true
    const filter = messageFilterOf(query)
    const ask = pageAskOf(query, 'descending')
    const page = await messages.list(principal.environmentId, params.app_id, filter, withContent, ask)
    return pageAnswer(page, url, (row) => `{${messageMembers(row, withContent)}}`)
  })
  serve(app, operations['v1.message.precheck'], async ({ params, body }, { principal }) => {
    const { eventType, channels = null } = body
    const active = await messages.precheck(principal.environmentId, params.app_id, { eventType, channels })
    return ok(JSON.stringify({ active }))
  })
  serve(app, operations['v1.message.explain'], async ({ params }, { principal }) => {
    const rows = await messages.explain(principal.environmentId, params.app_id, params.msg_id)
    return ok(JSON.stringify({ data: rows.map(explained) }))
  })
  serve(app, operations['v1.message.cancel'], async ({ params }, { principal }) => {
    const canceled = await messages.cancel(principal.environmentId, params.app_id, params.msg_id)
    return ok(JSON.stringify({ canceled }))
  })
  serve(app, operations['v1.message.get'], async ({ params, query }, { principal }) => {
    const withContent = query.with_content ?? true
    const row = await messages.get(principal.environmentId, params.app_id, params.msg_id, withContent)
    return ok(`{${messageMembers(row, withContent)}}`)
  })
  serve(app, operations['v1.message.expunge-content'], async ({ params }, { principal }) => {
    await messages.expunge(principal.environmentId, params.app_id, params.msg_id)
    return done
  })
  serve(app, operations['v1.message.bulk-expunge-content'], async ({ params, body }, { principal }) => {
    const results = await messages.expungeMany(principal.environmentId, params.app_id, body.ids ?? [])
    const shown: BulkExpungeContentsOut = { results: Object.fromEntries(results) }
    return ok(JSON.stringify(shown))
  })
}

const explained = (row: Explained): Record<string, unknown> => {
  const { id, uid, url } = row.endpoint
  const common = { endpointId: id, endpointUid: uid, url, verdict: row.verdict }
  if (row.verdict === 'not-sent') return { ...common, because: row.because, detail: row.detail }
  const attempts = row.attempts.map((attempt) => ({
    id: attempt.id,
    ...{ ...(attempt.ended === null ? { succeeded: attempt.succeeded } : { ended: attempt.ended }) },
    responseStatusCode: attempt.statusCode,
    timestamp: timeText(attempt.startedAt),
  }))
  if (row.verdict === 'sent') return { ...common, result: row.result, attempts }
  const { wait } = row
  return {
    ...{ ...common, waitingFor: wait.for, ...(wait.node !== undefined && { nodeId: wait.node }), attempts },
    // Since ever (0) is what was asked for by hand; that it is due needs no date.
    until: wait.until === null || wait.until === 0 || !Number.isFinite(wait.until) ? null : timeText(wait.until),
  }
}

/**
 * The members of a message as JSON text, for the object they are to stand in. The payload is set in as it was spelled,
 * never printed from a parsed value. One that need not be JSON is shown as a string.
 */
export function messageMembers(message: Message, withContent: boolean): string {
  const { payload, encoding } = message
  const shown = withContent && payload !== null
  const text = !shown ? '{}' : isJsonText(message) ? payload : JSON.stringify(payload)
  return (
    `"id":"${message.id}","eventType":${JSON.stringify(message.eventType)},"eventId":${orNull(message.eventId)},` +
    `"payload":${text},${shown && encoding !== null ? `"payloadEncoding":"${encoding}",` : ''}"channels":${orNull(message.channels)},"tags":${orNull(message.tags)},` +
    `"timestamp":"${timeText(message.acceptedAt)}","deliverAt":${timeOrNull(message.deliverAt)},` +
    `"expiresAt":${timeOrNull(message.expiresAt)},"orderingKey":${orNull(message.orderingKey)}`
  )
}

const timeOrNull = (at: Millis | null): string => (at === null ? 'null' : `"${timeText(at)}"`)
const orNull = (value: unknown): string => (value === null ? 'null' : JSON.stringify(value))

/** The same of one that was accepted just now. */
export const acceptedMembers = (message: Message, warnings: readonly Fault[], withContent: boolean): string =>
  messageMembers(message, withContent) + (warnings.length === 0 ? '' : `,"warnings":${JSON.stringify(warnings)}`)
