import { type MessageAttemptOut, operations } from '@posthorn/contract'
import type { FastifyInstance } from 'fastify'
import type { Attempt } from '../../domain/attempt.ts'
import type { DeliveryState } from '../../domain/delivery.ts'
import type { Message } from '../../domain/message.ts'
import { type Standing, standingOf } from '../../manage/attempts.ts'
import type { Manage } from '../../manage/manage.ts'
import type { AttemptFilter } from '../../ports/store.ts'
import { done, ok, pageAnswer, serve } from '../route.ts'
import { endpointShown } from './endpoint.ts'
import { type FilterQuery, messageFilterOf, messageMembers } from './message.ts'
import { pageAskOf } from './page-ask.ts'
import { timeText } from './time.ts'

const statuses = {
  delivered: { status: 0, statusText: 'success' },
  pending: { status: 1, statusText: 'pending' },
  failed: { status: 2, statusText: 'fail' },
  sending: { status: 3, statusText: 'sending' },
  canceled: { status: 4, statusText: 'canceled' },
} as const satisfies Record<Standing, { readonly status: number; readonly statusText: string }>

const standings: readonly Standing[] = ['delivered', 'pending', 'failed', 'sending', 'canceled']

interface AttemptQuery extends FilterQuery {
  readonly status?: number
  readonly status_code_class?: number
}

/** Null: nothing can pass. An attempt is over when it is kept, so it is neither pending nor sending. */
function attemptFilterOf(query: AttemptQuery): AttemptFilter | null {
  const standing = query.status === undefined ? null : standings[query.status]
  if (standing === undefined || standing === 'pending' || standing === 'sending') return null
  return {
    ...messageFilterOf(query),
    settled: standing,
    statusCodeClass: query.status_code_class ?? null,
    endpointId: null,
  }
}

const nothing = <Row>() => ({ rows: [] as readonly Row[], iterator: null, prevIterator: null, done: true })

export function attemptRoutes(app: FastifyInstance, { attempts, endpoints, messages }: Manage): void {
  serve(app, operations['v1.message-attempt.list-by-endpoint'], async ({ params, query }, { principal, url }) => {
    const { environmentId } = principal
    const { app_id, endpoint_id } = params
    const filter = attemptFilterOf(query)
    const ask = pageAskOf(query, 'descending')
    if (!filter) await endpoints.get(environmentId, app_id, endpoint_id)
    const page = filter
      ? await attempts.listByEndpoint(environmentId, app_id, endpoint_id, filter, ask)
      : nothing<{ readonly attempt: Attempt; readonly message: Message | null }>()
    return pageAnswer(page, url, ({ attempt, message }) =>
      json(attempt, query.with_content ?? true, query.with_msg ? message : null, query.expanded_statuses ?? true),
    )
  })
  serve(app, operations['v1.message-attempt.list-by-msg'], async ({ params, query }, { principal, url }) => {
    const { environmentId } = principal
    const { app_id, msg_id } = params
    const filter = attemptFilterOf(query)
    const ask = pageAskOf(query, 'descending')
    if (!filter) await messages.get(environmentId, app_id, msg_id, false)
    const page = filter
      ? await attempts.listByMessage(environmentId, app_id, msg_id, query.endpoint_id ?? null, filter, ask)
      : nothing<Attempt>()
    return pageAnswer(page, url, (row) => json(row, query.with_content ?? true, null, query.expanded_statuses ?? true))
  })
  serve(app, operations['v1.message-attempt.get'], async ({ params, query }, { principal }) => {
    const { app_id, msg_id, attempt_id } = params
    return ok(
      json(
        await attempts.get(principal.environmentId, app_id, msg_id, attempt_id),
        true,
        null,
        query.expanded_statuses ?? true,
      ),
    )
  })
  serve(app, operations['v1.message-attempt.expunge-content'], async ({ params }, { principal }) => {
    const { app_id, msg_id, attempt_id } = params
    await attempts.expunge(principal.environmentId, app_id, msg_id, attempt_id)
    return done
  })
  serve(
    app,
    operations['v1.message-attempt.list-attempted-messages'],
    async ({ params, query }, { principal, url }) => {
      const { environmentId } = principal
      const { app_id, endpoint_id } = params
      const withContent = query.with_content ?? true
      const ask = pageAskOf(query, 'descending')
      const show = ({ message, state }: { readonly message: Message; readonly state: DeliveryState }) =>
        `{${messageMembers(message, withContent)},${JSON.stringify(stateShown(state, query.expanded_statuses ?? true)).slice(1, -1)}}`
      const standing = query.status === undefined ? null : (standings[query.status] ?? null)
      const filter = messageFilterOf(query)
      const page = await attempts.attemptedMessages(
        environmentId,
        app_id,
        endpoint_id,
        filter,
        standing,
        withContent,
        ask,
      )
      return pageAnswer(page, url, show)
    },
  )
  serve(
    app,
    operations['v1.message-attempt.list-attempted-destinations'],
    async ({ params, query }, { principal, url }) => {
      const { app_id, msg_id } = params
      const ask = pageAskOf(query, 'ascending')
      const page = await attempts.attemptedDestinations(principal.environmentId, app_id, msg_id, ask)
      return pageAnswer(page, url, ({ endpoint, state }) =>
        JSON.stringify({ ...endpointShown(endpoint), ...stateShown(state, true) }),
      )
    },
  )
  serve(app, operations['v1.message-attempt.resend'], async ({ params }, { principal }) => {
    await attempts.resend(principal.environmentId, params.app_id, params.msg_id, params.endpoint_id)
    return { status: 202, json: '{}' }
  })
}

/** Who does not know `canceled` (4) is told `success`, as the clients' own server does: nothing more will come. */
const told = (standing: Standing, expanded: boolean) =>
  statuses[standing === 'canceled' && !expanded ? 'delivered' : standing]

const stateShown = (state: DeliveryState, expanded: boolean) => ({
  ...told(standingOf(state), expanded),
  // Due since ever (0) is what was asked for by hand: at once.
  nextAttempt: state.kind === 'waiting' && state.held === null && state.dueAt > 0 ? timeText(state.dueAt) : null,
})

function json(row: Attempt, withContent: boolean, message: Message | null, expanded: boolean): string {
  const shown: MessageAttemptOut = {
    id: row.id,
    msgId: row.messageId,
    endpointId: row.endpointId,
    url: row.url,
    ...told(row.ended !== null ? 'canceled' : row.succeeded ? 'delivered' : 'failed', expanded),
    responseStatusCode: row.statusCode,
    responseDurationMs: Math.round(row.durationMs),
    response: withContent ? row.response : '',
    triggerType: row.trigger === 'manual' ? 1 : 0,
    timestamp: timeText(row.startedAt),
  }
  const text = JSON.stringify(shown)
  return message === null ? text : `${text.slice(0, -1)},"msg":{${messageMembers(message, false)}}}`
}
