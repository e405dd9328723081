import type { Attempt, Ended } from '../../domain/attempt.ts'
import type { DeliveryState, Held } from '../../domain/delivery.ts'
import type { Endpoint } from '../../domain/endpoint.ts'
import type { AttemptId, EndpointId, LeaseId, MessageId } from '../../domain/ids.ts'
import type { Message } from '../../domain/message.ts'
import type { PageSearch } from '../../domain/page.ts'
import type { AttemptFilter, AttemptStore, MessageFilter } from '../../ports/store.ts'
import { type Db, first } from '../db.ts'
import { type EndpointRow, endpointColumns, endpointOf } from './endpoints.ts'
import { messageFilterCondition, messageFilterParameters, passesEveryMessage } from './message-filter.ts'
import { type MessageRow, messageColumns, messageOf } from './messages.ts'
import { pageParameters, pagesBy, pageText, timedPageParameters } from './page.ts'
import type { Queries } from './queries.ts'

// Among the attempts of one message at one endpoint, the way is through the message: it has a few, an endpoint may have
// millions. Left to itself SQLite takes the endpoint's index; an expression is not in it.
const fewOf = (attempt: string): string => `(${attempt}.endpoint_id || '')`

/** How an attempt ended, as `settledCodes` has it. */
const settledAs = (attempt: string): string => `case when ${attempt}.ended is null then ${attempt}.succeeded else 2 end`

type AttemptRow = {
  readonly attempt_id: AttemptId
  readonly attempt_message_id: MessageId
  readonly attempt_endpoint_id: EndpointId
  readonly attempt_succeeded: 0 | 1
  readonly attempt_ended: Ended | null
  readonly attempt_trigger: 0 | 1
  readonly attempt_url: string
  readonly attempt_status_code: number
  readonly attempt_duration_ms: number
  readonly attempt_response: string
  readonly attempt_response_cut: 0 | 1
  readonly attempt_started_at: number
}

const attemptColumns = [
  ...(['id', 'message_id', 'endpoint_id', 'succeeded', 'trigger', 'url', 'status_code', 'duration_ms'] as const),
  ...(['response', 'response_cut', 'ended', 'started_at'] as const),
]
  .map((name) => `attempt.${name} as attempt_${name}`)
  .join(', ')

const attemptOf = (row: AttemptRow): Attempt => ({
  id: row.attempt_id,
  messageId: row.attempt_message_id,
  endpointId: row.attempt_endpoint_id,
  succeeded: row.attempt_succeeded === 1,
  ended: row.attempt_ended,
  trigger: row.attempt_trigger === 1 ? 'manual' : 'scheduled',
  url: row.attempt_url,
  statusCode: row.attempt_status_code,
  durationMs: row.attempt_duration_ms,
  response: row.attempt_response,
  responseCut: row.attempt_response_cut === 1,
  startedAt: row.attempt_started_at,
})

async function find(db: Db, messageId: MessageId, attemptId: AttemptId): Promise<Attempt | null> {
  const row = await first<AttemptRow>(
    db,
    `select ${attemptColumns} from attempt where attempt.message_id = :messageId and attempt.id = :attemptId`,
    { messageId, attemptId },
  )
  return row && attemptOf(row)
}

const settledCodes = { failed: 0, delivered: 1, canceled: 2 } as const

// Every attempt lies within the widest ranges, so the text needs no case for "any".
const attemptFilterCondition = `${settledAs('attempt')} between :settledFrom and :settledTo
  and attempt.status_code between :statusFrom and :statusTo
  and (cast(:filterEndpointId as text) is null or attempt.endpoint_id = :filterEndpointId)`

const attemptFilterParameters = ({ settled, statusCodeClass, endpointId }: AttemptFilter) => ({
  settledFrom: settled === null ? 0 : settledCodes[settled],
  settledTo: settled === null ? 2 : settledCodes[settled],
  statusFrom: statusCodeClass ?? 0,
  statusTo: (statusCodeClass ?? 900) + 99,
  filterEndpointId: endpointId,
})

const passesEveryAttempt = (filter: AttemptFilter): boolean =>
  filter.settled === null && filter.statusCodeClass === null && filter.endpointId === null && passesEveryMessage(filter)

// Messages are found by application and id; the way to the application is the endpoint.
const messageOfAttempt = `left join endpoint on endpoint.id = attempt.endpoint_id
  left join message on message.application_id = endpoint.application_id and message.id = attempt.message_id`

const attemptLists = (select: string, plainFrom: string, filteredFrom: string, where: string, id: string) => {
  const page = `${where} and ${id} > :above and ${id} < :below`
  return {
    all: pagesBy(id, `select ${select} from ${plainFrom} where ${page}`),
    filtered: pagesBy(
      id,
      `select ${select} from ${filteredFrom} where ${page} and ${attemptFilterCondition} and ${messageFilterCondition}`,
    ),
  }
}

const withMessage = `attempt ${messageOfAttempt}`
const endpointLists = attemptLists(
  `${attemptColumns}, ${messageColumns(false)}`,
  withMessage,
  withMessage,
  'attempt.endpoint_id = :endpointId',
  'attempt.id @in(attempt_endpoint)',
)
const messageLists = attemptLists(
  attemptColumns,
  'attempt',
  withMessage,
  'attempt.message_id = :messageId',
  'attempt.id',
)

type AbsentMessageRow = { readonly [K in keyof MessageRow]: null }
const isPresent = (row: MessageRow | AbsentMessageRow): row is MessageRow => row.message_id !== null

async function listByEndpoint(
  db: Db,
  endpointId: EndpointId,
  filter: AttemptFilter,
  search: PageSearch,
): Promise<readonly { readonly attempt: Attempt; readonly message: Message | null }[]> {
  const page = { endpointId, ...timedPageParameters('attempt', filter, search) }
  type Row = AttemptRow & (MessageRow | AbsentMessageRow)
  const rows = passesEveryAttempt(filter)
    ? await db.all<Row>(pageText(endpointLists.all, search), page)
    : await db.all<Row>(pageText(endpointLists.filtered, search), {
        ...page,
        ...attemptFilterParameters(filter),
        ...messageFilterParameters(filter),
      })
  return rows.map((row) => ({ attempt: attemptOf(row), message: isPresent(row) ? messageOf(row) : null }))
}

async function listByMessage(
  db: Db,
  messageId: MessageId,
  filter: AttemptFilter,
  search: PageSearch,
): Promise<readonly Attempt[]> {
  const page = { messageId, ...timedPageParameters('attempt', filter, search) }
  const rows = passesEveryAttempt(filter)
    ? await db.all<AttemptRow>(pageText(messageLists.all, search), page)
    : await db.all<AttemptRow>(pageText(messageLists.filtered, search), {
        ...page,
        ...attemptFilterParameters(filter),
        ...messageFilterParameters(filter),
      })
  return rows.map(attemptOf)
}

type StateRow = {
  readonly delivery_attempts: number | null
  readonly delivery_due_at: number | null
  readonly delivery_held: Held | null
  readonly delivery_lease: LeaseId | null
  /** Of the last attempt, as in `settledCodes`; null: there was none, so there is a delivery. */
  readonly last_settled: 0 | 1 | 2 | null
}

const stateOf = (row: StateRow): DeliveryState =>
  row.delivery_attempts !== null && row.delivery_due_at !== null
    ? {
        kind: 'waiting',
        attempts: row.delivery_attempts,
        dueAt: row.delivery_due_at,
        held: row.delivery_held,
        lease: row.delivery_lease,
      }
    : { kind: row.last_settled === 1 ? 'delivered' : row.last_settled === 2 ? 'canceled' : 'failed' }

// A deleted endpoint stays in sight for what it was sent; what still waits for it will be swept unsent and does not count.
const destinationPages = pagesBy(
  'endpoint.id',
  `with seen as (
     select endpoint_id from attempt where message_id = :messageId
     union
     select delivery.endpoint_id from delivery join endpoint on endpoint.id = delivery.endpoint_id
     where delivery.message_id = :messageId and endpoint.deleted_at is null)
   select ${endpointColumns}, delivery.attempts as delivery_attempts, delivery.due_at as delivery_due_at,
     delivery.held as delivery_held, delivery.lease as delivery_lease,
     (select ${settledAs('attempt')} from attempt
      where attempt.message_id = :messageId and ${fewOf('attempt')} = endpoint.id
      order by attempt.id desc limit 1) as last_settled
   from seen join endpoint on endpoint.id = seen.endpoint_id
   left join delivery on delivery.message_id = :messageId and delivery.endpoint_id = endpoint.id
     and endpoint.deleted_at is null
   where endpoint.id > :above and endpoint.id < :below`,
)

async function destinations(
  db: Db,
  messageId: MessageId,
  search: PageSearch,
): Promise<readonly { readonly endpoint: Endpoint; readonly state: DeliveryState }[]> {
  const rows = await db.all<EndpointRow & StateRow>(pageText(destinationPages, search), {
    messageId,
    ...pageParameters(search),
  })
  return rows.map((row) => ({ endpoint: endpointOf(row), state: stateOf(row) }))
}

type AttemptedRow = MessageRow & StateRow & { readonly cursor: AttemptId }

// An attempt stands for its message as long as no later one does. When a message is tried again it moves to the new end
// of the list: one who pages towards older ones may see a message once, never twice.
const attemptedTexts = (withPayload: boolean) =>
  pagesBy(
    'attempt.id @in(attempt_endpoint)',
    `select ${messageColumns(withPayload)}, delivery.attempts as delivery_attempts,
       delivery.due_at as delivery_due_at, delivery.held as delivery_held, delivery.lease as delivery_lease, ${settledAs('attempt')} as last_settled, attempt.id as cursor
     from attempt join endpoint on endpoint.id = attempt.endpoint_id
     join message on message.application_id = endpoint.application_id and message.id = attempt.message_id
     left join delivery on delivery.message_id = attempt.message_id and delivery.endpoint_id = attempt.endpoint_id
     where attempt.endpoint_id = :endpointId and attempt.id @in(attempt_endpoint) > :above
       and attempt.id @in(attempt_endpoint) < :below
       and not exists (
         select 1 from attempt as later where later.message_id = attempt.message_id
           and ${fewOf('later')} = attempt.endpoint_id and later.id > attempt.id)
       and (cast(:settledAs as bigint) is null
         or (delivery.message_id is null and ${settledAs('attempt')} = cast(:settledAs as bigint)))
       and message.id > :messagesAbove and message.id < :messagesBelow and ${messageFilterCondition}`,
  )
const attemptedPages = { withPayload: attemptedTexts(true), withoutPayload: attemptedTexts(false) }

/*
 * What waits is listed from the queue itself, attempted or not, in the order in which it is due: the index has that
 * order, so a page costs the same in front of a million waiting deliveries as of ten, and is found without walking
 * through an endpoint's settled history. A delivery that is claimed or fails again moves on towards the later end, as a
 * message moves on in the list above.
 */
const waitingTexts = (withPayload: boolean) => {
  const select = (compare: string) =>
    `select ${messageColumns(withPayload)}, delivery.attempts as delivery_attempts,
       delivery.due_at as delivery_due_at, delivery.held as delivery_held, delivery.lease as delivery_lease, null as last_settled
     from delivery join endpoint on endpoint.id = delivery.endpoint_id
     join message on message.application_id = endpoint.application_id and message.id = delivery.message_id
     where delivery.endpoint_id @in(delivery_due) = :endpointId and (delivery.due_at, delivery.message_id @in(delivery_due)) ${compare} (:beyondDue, :beyondId)
       and message.id > :messagesAbove and message.id < :messagesBelow and ${messageFilterCondition}`
  return {
    ascending: `${select('>')} order by delivery.due_at, delivery.message_id @in(delivery_due) limit :limit`,
    descending: `${select('<')} order by delivery.due_at desc, delivery.message_id @in(delivery_due) desc limit :limit`,
  }
}
const waitingPages = { withPayload: waitingTexts(true), withoutPayload: waitingTexts(false) }

// What waits may have no attempt yet; where its cursor stands in the queue is written in the shape of one.
const waitingCursor = (dueAt: number, messageId: MessageId): AttemptId => `atmpt_due_${dueAt}_${messageId}`
const readWaitingCursor = (cursor: string): { beyondDue: number; beyondId: string } | null => {
  const match = /^atmpt_due_(\d{1,15})_(msg_\w+)$/.exec(cursor)
  return match && { beyondDue: Number(match[1]), beyondId: match[2] ?? '' }
}

async function attemptedMessages(
  db: Db,
  endpointId: EndpointId,
  filter: MessageFilter & { readonly state: DeliveryState['kind'] | null },
  withPayload: boolean,
  search: PageSearch,
): Promise<readonly { readonly message: Message; readonly state: DeliveryState; readonly cursor: AttemptId }[]> {
  // The span is of the messages' own time, as in the list of messages.
  const span = timedPageParameters('message', filter, { beyond: null, descending: false, limit: search.limit })
  const among = {
    ...{ endpointId, messagesAbove: span.above, messagesBelow: span.below },
    ...messageFilterParameters(filter),
  }
  if (filter.state === 'waiting') {
    const start = search.descending
      ? { beyondDue: Number.MAX_SAFE_INTEGER, beyondId: '' }
      : { beyondDue: -1, beyondId: '' }
    // A cursor of the other list says nothing here: from the end.
    const beyond = (search.beyond === null ? null : readWaitingCursor(search.beyond)) ?? start
    const rows = await db.all<MessageRow & StateRow & { readonly delivery_due_at: number }>(
      pageText(withPayload ? waitingPages.withPayload : waitingPages.withoutPayload, search),
      { ...among, ...beyond, limit: search.limit },
    )
    return rows.map((row) => ({
      message: messageOf(row),
      state: stateOf(row),
      cursor: waitingCursor(row.delivery_due_at, row.message_id),
    }))
  }
  const rows = await db.all<AttemptedRow>(
    pageText(withPayload ? attemptedPages.withPayload : attemptedPages.withoutPayload, search),
    {
      ...among,
      ...pageParameters(search),
      settledAs: filter.state === null ? null : settledCodes[filter.state],
    },
  )
  return rows.map((row) => ({ message: messageOf(row), state: stateOf(row), cursor: row.cursor }))
}

export const attempts = {
  find,
  listByEndpoint,
  listByMessage,
  destinations,
  attemptedMessages,
} satisfies Queries<AttemptStore>
