import type { Attempt } from '../../domain/attempt.ts'
import type { ApplicationId, EndpointId, LeaseId, MessageId, Millis } from '../../domain/ids.ts'
import type { CommitBatch, HealthTurn, NewMessage, Settlement } from '../../ports/store.ts'
import { publishKeyRow } from './publish-keys.ts'

/**
 * A commit as it crosses to the store's thread: each kind of row as one JSON text, which is copied once and read by the
 * engine's own JSON functions. Empty texts are kinds without rows. Arrays, not records: half the bytes.
 */
export interface PackedBatch {
  readonly lease: LeaseId
  /** Applications of messages, and what each was matched against. */
  readonly routes: string
  readonly messages: string
  /** Those that say more than most do. Apart, since each column that is read costs, at any speed. */
  readonly richMessages: string
  readonly publishKeys: string
  readonly deliveries: string
  /** Those that stand in an order. */
  readonly orderedDeliveries: string
  /**
   * Of messages with an `eventId`: only these can find themselves already told. Apart from their messages, since every
   * statement that reads a row reads it whole, payload and all.
   */
  readonly eventKeys: string
  /** Of those with an `eventId` that came to a source: how each would be noted as a duplicate of the first. */
  readonly received: string
  readonly attempts: string
  readonly finished: string
  readonly retried: string
  /** Deliveries that are kept without a due time. */
  readonly parked: string
  /** Finished by success, where payloads go with the last one. */
  readonly delivered: string
  /** New deliveries that stand in an order, and those whose end lets others go on: endpoint and key of each. */
  readonly ordered: string
  readonly failing: string
  readonly healthy: string
  readonly disabled: string
  readonly breakerOpened: string
  readonly breakerClosed: string
  readonly now: Millis
  /** See `CommitBatch.sentBefore`. */
  readonly sentBefore: boolean
}

/** The due time of what is held: behind another, or parked. Year 9999; an index knows no other "never". */
export const inNoTime: Millis = Date.UTC(9999, 11, 31, 23, 59, 59, 999)

const pack = (rows: readonly (readonly (string | number | null)[])[]): string =>
  rows.length === 0 ? '' : JSON.stringify(rows)
const list = (items: readonly string[] | null): string | null => (items === null ? null : JSON.stringify(items))

const messageRow = (m: NewMessage) => [
  m.id,
  m.applicationId,
  m.eventType,
  m.eventId,
  list(m.channels),
  list(m.tags),
  m.contentType,
  m.payload,
  m.acceptedAt,
]

const richRow = (m: NewMessage) => [
  ...messageRow(m),
  m.orderingKey,
  m.deliverAt,
  m.expiresAt,
  m.payloadUntil ?? null,
  m.unsent === undefined ? null : JSON.stringify(m.unsent),
  m.encoding,
  m.request === null ? null : JSON.stringify(m.request),
]

const isRich = (m: NewMessage): boolean =>
  m.orderingKey !== null ||
  m.deliverAt !== null ||
  m.expiresAt !== null ||
  m.payloadUntil !== undefined ||
  m.unsent !== undefined ||
  m.encoding !== null ||
  m.request !== null

export const attemptRow = (a: Attempt): (string | number | null)[] => [
  a.id,
  a.messageId,
  a.endpointId,
  a.succeeded ? 1 : 0,
  a.trigger === 'manual' ? 1 : 0,
  a.url,
  a.statusCode,
  a.durationMs,
  a.response,
  a.responseCut ? 1 : 0,
  a.startedAt,
  a.ended,
]

type Row = readonly (string | number | null)[]

/**
 * By these columns, and otherwise as they came. Of rows that are inserted unless they are there, two commits that bring the
 * same ones in two orders would wait for each other.
 */
const inOrder = <R extends Row>(rows: readonly R[], ...columns: readonly number[]): readonly R[] =>
  rows.toSorted((a, b) => {
    for (const column of columns) {
      const [left, right] = [String(a[column]), String(b[column])]
      if (left !== right) return left < right ? -1 : 1
    }
    return 0
  })

/** `latest`: a `Duplicate` as JSON. */
export type ReceivedRow = readonly [id: MessageId, applicationId: ApplicationId, latest: string]

export function packBatch(batch: CommitBatch): PackedBatch {
  return {
    lease: batch.lease,
    now: batch.now,
    sentBefore: batch.sentBefore === true,
    routes: pack([...(batch.routes ?? [])]),
    ...packMessages(batch),
    publishKeys: batch.publishKeys ? pack(inOrder(batch.publishKeys.map(publishKeyRow), 0)) : '',
    attempts: pack(batch.attempts.map(attemptRow)),
    ...packSettlements(batch.settlements),
    ordered: pack(orderedLanes(batch)),
    ...packTurns(batch.turns),
  }
}

function packMessages(
  batch: CommitBatch,
): Pick<PackedBatch, 'messages' | 'richMessages' | 'deliveries' | 'orderedDeliveries' | 'eventKeys' | 'received'> {
  const messages: Row[] = []
  const richMessages: Row[] = []
  const eventKeys: Row[] = []
  const received: ReceivedRow[] = []
  for (const message of batch.messages) {
    if (isRich(message)) richMessages.push(richRow(message))
    else messages.push(messageRow(message))
    if (message.eventId === null) continue
    const { id, applicationId, eventId, acceptedAt, asDuplicate } = message
    eventKeys.push([id, applicationId, eventId, acceptedAt, batch.eventIdsUntil?.get(id) ?? inNoTime])
    if (asDuplicate !== undefined) received.push([id, applicationId, JSON.stringify(asDuplicate)])
  }
  const deliveries: Row[] = []
  const orderedDeliveries: Row[] = []
  for (const { messageId, endpointId, dueAt, lease, orderKey = null } of batch.deliveries) {
    if (orderKey === null) deliveries.push([messageId, endpointId, dueAt, lease])
    else orderedDeliveries.push([messageId, endpointId, inNoTime, null, orderKey])
  }
  return {
    messages: pack(messages),
    richMessages: pack(richMessages),
    deliveries: pack(deliveries),
    orderedDeliveries: pack(orderedDeliveries),
    eventKeys: pack(inOrder(eventKeys, 2, 1)),
    received: pack(received),
  }
}

function packSettlements(
  settlements: readonly Settlement[],
): Pick<PackedBatch, 'finished' | 'retried' | 'parked' | 'delivered'> {
  const finished: Row[] = []
  const retried: Row[] = []
  const parked: Row[] = []
  const delivered: Row[] = []
  for (const s of settlements) {
    switch (s.kind) {
      case 'finish':
        finished.push([s.messageId, s.endpointId, s.tried])
        if (s.wipeIn) delivered.push([s.wipeIn, s.messageId])
        break
      case 'retry':
        retried.push([s.messageId, s.endpointId, s.tried, s.dueAt, s.attempts, s.outOfOrder === true ? 1 : 0])
        break
      case 'park':
        parked.push([s.messageId, s.endpointId, s.tried, s.attempts])
    }
  }
  return { finished: pack(finished), retried: pack(retried), parked: pack(parked), delivered: pack(delivered) }
}

function packTurns(
  turns: readonly HealthTurn[],
): Pick<PackedBatch, 'failing' | 'healthy' | 'disabled' | 'breakerOpened' | 'breakerClosed'> {
  return {
    failing: pack(turns.flatMap((t) => (t.kind === 'failing' ? [[t.endpointId, t.since]] : []))),
    healthy: pack(turns.flatMap((t) => (t.kind === 'healthy' ? [[t.endpointId]] : []))),
    disabled: pack(turns.flatMap((t) => (t.kind === 'disable' ? [[t.endpointId, t.because, t.at]] : []))),
    breakerOpened: pack(turns.flatMap((t) => (t.kind === 'breaker-opened' ? [[t.endpointId, t.since]] : []))),
    breakerClosed: pack(turns.flatMap((t) => (t.kind === 'breaker-closed' ? [[t.endpointId]] : []))),
  }
}

/** The orders in which somebody may have become the first: by coming, or by the end of the one before. */
function orderedLanes({ deliveries, settlements }: CommitBatch): (readonly [EndpointId, string])[] {
  const lanes = new Map<string, readonly [EndpointId, string]>()
  const add = (endpointId: EndpointId, orderKey: string): void => {
    lanes.set(`${endpointId} ${orderKey}`, [endpointId, orderKey])
  }
  for (const { endpointId, orderKey } of deliveries) if (orderKey != null) add(endpointId, orderKey)
  for (const settlement of settlements) {
    const keepsItsPlace = settlement.kind === 'retry' && settlement.outOfOrder !== true
    if (settlement.orderKey != null && !keepsItsPlace) add(settlement.endpointId, settlement.orderKey)
  }
  return [...lanes.values()]
}

/** The batch without the rows of these messages: few ever repeat themselves, so only then are rows unpacked. */
export function without(batch: PackedBatch, repeated: ReadonlyMap<MessageId, unknown>): PackedBatch {
  const sift = (rows: string): string =>
    rows === '' ? '' : pack((JSON.parse(rows) as [MessageId][]).filter(([messageId]) => !repeated.has(messageId)))
  return {
    ...batch,
    messages: sift(batch.messages),
    richMessages: sift(batch.richMessages),
    deliveries: sift(batch.deliveries),
    orderedDeliveries: sift(batch.orderedDeliveries),
    eventKeys: sift(batch.eventKeys),
  }
}
