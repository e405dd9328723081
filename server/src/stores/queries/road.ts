import type { Attempt } from '../../domain/attempt.ts'
import type { FirstPublish } from '../../domain/idempotency.ts'
import type { EndpointId, LeaseId, MessageId, Millis } from '../../domain/ids.ts'
import type {
  ClaimAsk,
  Claimed,
  ClaimedDelivery,
  CommitBatch,
  CommitResult,
  DeliveryKey,
  NewMessage,
  ReleasedDelivery,
  Told,
} from '../../ports/store.ts'
import { type Db, first } from '../db.ts'
import { type MessageRow, messageColumns, messageOf } from './messages.ts'
import { claimPublishKeys, forgetPublishKeys, publishKeyRow } from './publish-keys.ts'

/**
 * A commit as it crosses to the store's thread: each kind of row as one JSON text, which is copied once and read by the
 * engine's own JSON functions. Empty texts are kinds without rows. Arrays, not records: half the bytes.
 */
export interface PackedBatch {
  readonly lease: LeaseId
  readonly messages: string
  readonly publishKeys: string
  readonly deliveries: string
  /** Messages with an `eventId`, and their deliveries: only these can find themselves already told. */
  readonly keyedMessages: string
  readonly keyedDeliveries: string
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
  m.orderingKey,
  m.deliverAt,
  m.expiresAt,
  m.payloadUntil ?? null,
  m.unsent === undefined ? null : JSON.stringify(m.unsent),
]

const noneRepeated: ReadonlyMap<MessageId, FirstPublish> = new Map()

const attemptRow = (a: Attempt): (string | number | null)[] => [
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

export function packBatch(batch: CommitBatch): PackedBatch {
  const keyed = batch.messages.filter((message) => message.eventId !== null)
  const applicationOf = new Map(keyed.map((message) => [message.id, message.applicationId]))
  const plain = keyed.length === 0 ? batch.messages : batch.messages.filter((message) => message.eventId === null)
  const deliveries = batch.deliveries.map((d) => [
    d.messageId,
    d.endpointId,
    d.orderKey == null ? d.dueAt : inNoTime,
    d.orderKey == null ? d.lease : null,
    applicationOf.get(d.messageId) ?? null,
    d.orderKey ?? null,
  ])
  const turns = batch.turns
  return {
    lease: batch.lease,
    messages: pack(plain.map(messageRow)),
    publishKeys: batch.publishKeys ? pack(batch.publishKeys.map(publishKeyRow)) : '',
    deliveries: pack(keyed.length === 0 ? deliveries : deliveries.filter((row) => row[4] === null)),
    keyedMessages: pack(keyed.map((m) => [...messageRow(m), batch.eventIdsUntil?.get(m.id) ?? inNoTime])),
    keyedDeliveries: keyed.length === 0 ? '' : pack(deliveries.filter((row) => row[4] !== null)),
    attempts: pack(batch.attempts.map(attemptRow)),
    finished: pack(batch.settlements.flatMap((s) => (s.kind === 'finish' ? [[s.messageId, s.endpointId]] : []))),
    retried: pack(
      batch.settlements.flatMap((s) =>
        s.kind === 'retry' ? [[s.messageId, s.endpointId, s.dueAt, s.attempts, s.outOfOrder === true ? 1 : 0]] : [],
      ),
    ),
    parked: pack(
      batch.settlements.flatMap((s) => (s.kind === 'park' ? [[s.messageId, s.endpointId, s.attempts]] : [])),
    ),
    delivered: pack(
      batch.settlements.flatMap((s) => (s.kind === 'finish' && s.wipeIn ? [[s.wipeIn, s.messageId]] : [])),
    ),
    ordered: pack(orderedLanes(batch)),
    failing: pack(turns.flatMap((t) => (t.kind === 'failing' ? [[t.endpointId, t.since]] : []))),
    healthy: pack(turns.flatMap((t) => (t.kind === 'healthy' ? [[t.endpointId]] : []))),
    disabled: pack(turns.flatMap((t) => (t.kind === 'disable' ? [[t.endpointId, t.because, t.at]] : []))),
    breakerOpened: pack(turns.flatMap((t) => (t.kind === 'breaker-opened' ? [[t.endpointId, t.since]] : []))),
    breakerClosed: pack(turns.flatMap((t) => (t.kind === 'breaker-closed' ? [[t.endpointId]] : []))),
    now: batch.now,
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

const insertedColumns = `id, application_id, event_type, event_id, channels, tags, content_type, payload, accepted_at,
  ordering_key, deliver_at, expires_at, payload_until, unsent`
const messageValues = `value->>0, value->>1, value->>2, value->>3, value->>4, value->>5, value->>6, value->>7, cast(value->>8 as bigint),
  value->>9, cast(value->>10 as bigint), cast(value->>11 as bigint), cast(value->>12 as bigint), value->>13`

const appendMessages = `
  insert into message (${insertedColumns}) select ${messageValues} from @each(:rows) where true`

// An eventId is taken for a window; what has lapsed by the time of the new message makes room for it.
const dropLapsedEventKeys = `
  delete from event_key
  where (application_id, event_id) in (select value->>1, value->>3 from @each(:rows))
    and until <= (select max(cast(value->>8 as bigint)) from @each(:rows))`

const appendEventKeys = `
  insert into event_key (application_id, event_id, message_id, until)
  select value->>1, value->>3, value->>0, cast(value->>14 as bigint) from @each(:rows) where true
  on conflict (application_id, event_id) do nothing`

const appendKeyedMessages = `${appendMessages}
  and exists (
    select 1 from event_key where application_id = value->>1 and event_id = value->>3 and message_id = value->>0)`

const takenBy = `
  select value->>0 as wanted, event_key.message_id as held_by
  from @each(:rows) join event_key on event_key.application_id = value->>1 and event_key.event_id = value->>3
  where event_key.message_id <> value->>0`

const appendDeliveries = `
  insert into delivery (message_id, endpoint_id, attempts, due_at, lease, trigger, order_key, held)
  select value->>0, value->>1, 0, cast(value->>2 as bigint), value->>3, 0, value->>5,
         case when value->>5 is null then null else 'behind' end
  from @each(:rows) where true`

const appendKeyedDeliveries = `${appendDeliveries}
  and exists (select 1 from message where message.application_id = value->>4 and message.id = value->>0)`

const appendAttempts = `
  insert into attempt (id, message_id, endpoint_id, succeeded, trigger, url, status_code, duration_ms, response, response_cut, started_at, ended)
  select value->>0, value->>1, value->>2, cast(value->>3 as bigint), cast(value->>4 as bigint), value->>5, cast(value->>6 as bigint),
         cast(value->>7 as bigint), value->>8, cast(value->>9 as bigint), cast(value->>10 as bigint), value->>11
  from @each(:rows) where true`

// Both only under the lease that claimed: a node whose lease was taken over settles nothing.
const finish = `
  delete from delivery
  where lease = :lease and (message_id, endpoint_id) in (select value->>0, value->>1 from @each(:rows))`

// Once nobody waits for it, and everybody it was sent to has got it.
const wipeDelivered = `
  update message set payload = null, payload_until = null from @each(:rows)
  where message.application_id = value->>0 and message.id = value->>1
    and not exists (select 1 from delivery where delivery.message_id = message.id)
    and not exists (
      select 1 from attempt
      where attempt.message_id = message.id and attempt.succeeded = 0 and not exists (
        select 1 from attempt as other
        where other.message_id = message.id and other.endpoint_id = attempt.endpoint_id and other.succeeded = 1))`

const retry = `
  update delivery
  set due_at = cast(value->>2 as bigint), attempts = cast(value->>3 as bigint), lease = null, trigger = 0,
      order_key = case when cast(value->>4 as bigint) = 1 then null else order_key end
  from @each(:rows)
  where delivery.message_id = value->>0 and delivery.endpoint_id = value->>1 and delivery.lease = :lease`

const park = `
  update delivery
  set due_at = ${inNoTime}, held = 'parked', attempts = cast(value->>2 as bigint), lease = null, trigger = 0, order_key = null
  from @each(:rows)
  where delivery.message_id = value->>0 and delivery.endpoint_id = value->>1 and delivery.lease = :lease`

// The first of each order becomes due, if it is not under way already. Message ids are in the order of acceptance.
export const promote = `
  update delivery set due_at = :now, held = null
  where held = 'behind' and (endpoint_id, order_key, message_id) in (
    select value->>0, value->>1,
           (select min(message_id) from delivery as first
            where first.endpoint_id = value->>0 and first.order_key = value->>1)
    from @each(:rows))`

// The streak keeps its first moment, whoever reports it.
const markFailing = `
  update endpoint set failing_since = coalesce(failing_since, cast(value->>1 as bigint))
  from @each(:rows) where endpoint.id = value->>0`

const markHealthy = `
  update endpoint set failing_since = null from @each(:rows) where endpoint.id = value->>0`

const openBreaker = `
  update endpoint set breaker_opened_at = cast(value->>1 as bigint) from @each(:rows) where endpoint.id = value->>0`

const closeBreaker = `
  update endpoint set breaker_opened_at = null from @each(:rows) where endpoint.id = value->>0`

const disable = `
  update endpoint
  set disabled_because = value->>1, updated_at = cast(value->>2 as bigint), revision = revision + 1
  from @each(:rows) where endpoint.id = value->>0 and disabled_because is null`

/** The batch without the rows of these messages: few ever repeat themselves, so only then are rows unpacked. */
function without(batch: PackedBatch, repeated: ReadonlyMap<MessageId, unknown>): PackedBatch {
  const sift = (rows: string): string =>
    rows === '' ? '' : pack((JSON.parse(rows) as [MessageId][]).filter(([messageId]) => !repeated.has(messageId)))
  return {
    ...batch,
    messages: sift(batch.messages),
    deliveries: sift(batch.deliveries),
    keyedMessages: sift(batch.keyedMessages),
    keyedDeliveries: sift(batch.keyedDeliveries),
  }
}

async function commit(db: Db, whole: PackedBatch): Promise<CommitResult> {
  return db.transaction(async () => {
    const repeated = whole.publishKeys === '' ? noneRepeated : await claimPublishKeys(db, whole.publishKeys)
    const batch = repeated.size === 0 ? whole : without(whole, repeated)
    const { lease } = batch
    const taken = new Map<MessageId, MessageId>()
    if (batch.messages !== '') await db.run(appendMessages, { rows: batch.messages })
    if (batch.deliveries !== '') await db.run(appendDeliveries, { rows: batch.deliveries })
    if (batch.keyedMessages !== '') {
      await db.run(dropLapsedEventKeys, { rows: batch.keyedMessages })
      await db.run(appendEventKeys, { rows: batch.keyedMessages })
      await db.run(appendKeyedMessages, { rows: batch.keyedMessages })
      if (batch.keyedDeliveries !== '') await db.run(appendKeyedDeliveries, { rows: batch.keyedDeliveries })
      for (const row of await db.all<{ wanted: MessageId; held_by: MessageId }>(takenBy, {
        rows: batch.keyedMessages,
      })) {
        taken.set(row.wanted, row.held_by)
      }
      if (taken.size > 0 && batch.publishKeys !== '') await forgetPublishKeys(db, batch.publishKeys, taken)
    }
    if (batch.attempts !== '') await db.run(appendAttempts, { rows: batch.attempts })
    if (batch.finished !== '') await db.run(finish, { lease, rows: batch.finished })
    if (batch.delivered !== '') await db.run(wipeDelivered, { rows: batch.delivered })
    if (batch.retried !== '') await db.run(retry, { lease, rows: batch.retried })
    if (batch.parked !== '') await db.run(park, { lease, rows: batch.parked })
    if (batch.ordered !== '') await db.run(promote, { now: batch.now, rows: batch.ordered })
    if (batch.breakerOpened !== '') await db.run(openBreaker, { rows: batch.breakerOpened })
    if (batch.breakerClosed !== '') await db.run(closeBreaker, { rows: batch.breakerClosed })
    if (batch.failing !== '') await db.run(markFailing, { rows: batch.failing })
    if (batch.healthy !== '') await db.run(markHealthy, { rows: batch.healthy })
    if (batch.disabled !== '') await db.run(disable, { rows: batch.disabled })
    return { taken, repeated }
  })
}

// Steps from endpoint to endpoint along the index, one seek each, however many deliveries each has waiting.
const ring = `
  with recursive ring (endpoint_id, visited) as (
    select (select min(endpoint_id) from delivery where endpoint_id > :after), 1
    union all
    select (select min(delivery.endpoint_id) from delivery where delivery.endpoint_id > ring.endpoint_id), visited + 1
    from ring where ring.endpoint_id is not null and visited < :visits
  )
  select endpoint_id,
         (select min(due_at) from delivery where delivery.endpoint_id = ring.endpoint_id) as first_due,
         (select min(due_at) from delivery where delivery.endpoint_id = ring.endpoint_id and due_at > :now) as next_due
  from ring`

// Deliveries of disabled and paused endpoints wait; those of deleted ones are taken too, to be thrown away.
const claimOfEndpoint = `
  with picked as materialized (
    select message_id from delivery
    where endpoint_id = :endpoint and due_at <= :now
      and not exists (
        select 1 from endpoint
        where id = :endpoint and (disabled_because is not null or paused_at is not null) and deleted_at is null
      )
    order by due_at, message_id limit :share @skip_locked
  )
  update delivery set due_at = :until, lease = :lease from picked
  where delivery.endpoint_id = :endpoint and delivery.message_id = picked.message_id
  returning delivery.message_id, attempts, trigger, order_key`

const messagesOfClaim = `
  select ${messageColumns(true)} from message
  where message.application_id = (select application_id from endpoint where id = :endpoint and deleted_at is null)
    and message.id in (select value->>0 from @each(:rows)) and message.payload is not null`

type SendableRow = MessageRow & { readonly payload: string }

async function claim(db: Db, ask: ClaimAsk): Promise<Claimed> {
  const visited = await db.all<{ endpoint_id: EndpointId | null; first_due: number | null; next_due: number | null }>(
    ring,
    {
      after: ask.after,
      visits: ask.visits,
      now: ask.now,
    },
  )
  const deliveries: ClaimedDelivery[] = []
  const moreOf: EndpointId[] = []
  let nextDueAt: Millis | null = null
  let cursor: EndpointId | '' = ''
  let characters = 0
  for (const { endpoint_id: endpointId, first_due, next_due } of visited) {
    if (endpointId === null) {
      cursor = ''
      break
    }
    // Full: go on behind the last endpoint that had its turn.
    if (deliveries.length >= ask.room || characters >= ask.characters) break
    cursor = endpointId
    if (next_due !== null) nextDueAt = Math.min(nextDueAt ?? next_due, next_due)
    const share = Math.min(ask.shares.get(endpointId) ?? ask.share, ask.room - deliveries.length)
    if (first_due === null || first_due > ask.now || share === 0) continue
    const taken = await claimOf(db, ask, endpointId, share, ask.characters - characters)
    deliveries.push(...taken.deliveries)
    characters += taken.characters
    if (taken.full) moreOf.push(endpointId)
  }
  return { deliveries, cursor, moreOf, nextDueAt }
}

// Taken in one step: how far a claim of megabyte payloads can overshoot the characters it was given.
const claimStep = 16

interface ClaimedOfEndpoint {
  readonly deliveries: readonly ClaimedDelivery[]
  readonly characters: number
  /** It stopped because it had enough, not because there was no more. */
  readonly full: boolean
}

const claimOf = (
  db: Db,
  ask: ClaimAsk,
  endpointId: EndpointId,
  share: number,
  mostCharacters: number,
): Promise<ClaimedOfEndpoint> =>
  db.transaction(async () => {
    const deliveries: ClaimedDelivery[] = []
    let characters = 0
    for (let left = share; left > 0 && characters < mostCharacters; left -= claimStep) {
      const step = Math.min(claimStep, left)
      const taken = await claimSome(db, ask, endpointId, step)
      for (const delivery of taken.deliveries) characters += delivery.message.payload.length
      deliveries.push(...taken.deliveries)
      if (taken.picked < step) return { deliveries, characters, full: false }
    }
    return { deliveries, characters, full: true }
  })

async function claimSome(
  db: Db,
  { now, until, lease }: ClaimAsk,
  endpointId: EndpointId,
  share: number,
): Promise<{ readonly deliveries: readonly ClaimedDelivery[]; readonly picked: number }> {
  const picked = await db.all<{
    message_id: MessageId
    attempts: number
    trigger: number
    order_key: string | null
  }>(claimOfEndpoint, {
    endpoint: endpointId,
    now,
    until,
    lease,
    share,
  })
  if (picked.length === 0) return { deliveries: [], picked: 0 }
  const rows = JSON.stringify(picked.map((row) => [row.message_id]))
  const messages = new Map<MessageId, SendableRow>()
  for (const row of await db.all<SendableRow>(messagesOfClaim, { rows, endpoint: endpointId }))
    messages.set(row.message_id, row)
  const deliveries: ClaimedDelivery[] = []
  const orphans: [MessageId, EndpointId][] = []
  const freed: [EndpointId, string][] = []
  for (const { message_id: messageId, attempts, trigger, order_key: orderKey } of picked) {
    const message = messages.get(messageId)
    if (!message) {
      orphans.push([messageId, endpointId])
      if (orderKey !== null) freed.push([endpointId, orderKey])
      continue
    }
    deliveries.push({
      messageId,
      endpointId,
      applicationId: message.application_id,
      attempts,
      trigger: trigger === 1 ? 'manual' : 'scheduled',
      orderKey,
      message: { ...messageOf(message), payload: message.payload },
    })
  }
  // The endpoint or the payload is gone: there is nothing to send, and nobody to send it to.
  if (orphans.length > 0) await db.run(finish, { lease, rows: JSON.stringify(orphans) })
  if (freed.length > 0) await db.run(promote, { now, rows: JSON.stringify(freed) })
  return { deliveries, picked: picked.length }
}

const keysOf = (deliveries: readonly DeliveryKey[]): string =>
  JSON.stringify(deliveries.map(({ messageId, endpointId }) => [messageId, endpointId]))

async function renew(db: Db, lease: LeaseId, until: Millis, deliveries: readonly DeliveryKey[]): Promise<void> {
  await db.run(
    `update delivery set due_at = :until
     where lease = :lease and (message_id, endpoint_id) in (select value->>0, value->>1 from @each(:rows))`,
    { lease, until, rows: keysOf(deliveries) },
  )
}

async function release(db: Db, lease: LeaseId, deliveries: readonly ReleasedDelivery[]): Promise<void> {
  await db.run(
    `update delivery set due_at = cast(value->>2 as bigint), lease = null from @each(:rows)
     where delivery.message_id = value->>0 and delivery.endpoint_id = value->>1 and delivery.lease = :lease`,
    { lease, rows: JSON.stringify(deliveries.map((d) => [d.messageId, d.endpointId, d.dueAt])) },
  )
}

async function releaseAll(db: Db, lease: LeaseId, now: Millis): Promise<void> {
  await db.run('update delivery set due_at = :now, lease = null where lease = :lease', { lease, now })
}

const recover = (db: Db, now: Millis): Promise<number> =>
  db.run('update delivery set due_at = :now, lease = null where lease is not null', { now })

const sweepDeleted = (db: Db, limit: number): Promise<number> =>
  db.run(
    `delete from delivery where (message_id, endpoint_id) in (
       select delivery.message_id, delivery.endpoint_id
       from endpoint join delivery on delivery.endpoint_id = endpoint.id
       where endpoint.deleted_at is not null limit :limit
     )`,
    { limit },
  )

async function resend(db: Db, key: DeliveryKey): Promise<void> {
  // A delivery that is under lease is being sent this moment: that is what was asked for. Due since ever: what somebody
  // is waiting for goes before whatever else waits.
  await db.run(
    `insert into delivery (message_id, endpoint_id, attempts, due_at, lease, trigger)
     values (:message, :endpoint, 0, 0, null, 1)
     on conflict (message_id, endpoint_id) do update set due_at = excluded.due_at, trigger = 1, held = null
     where delivery.lease is null`,
    { message: key.messageId, endpoint: key.endpointId },
  )
}

async function end(db: Db, attempts: readonly Attempt[], now: Millis): Promise<number> {
  return db.transaction(async () => {
    const ended = await db.all<{ message_id: MessageId; endpoint_id: EndpointId; order_key: string | null }>(
      `delete from delivery
       where lease is null and (message_id, endpoint_id) in (select value->>0, value->>1 from @each(:rows))
       returning message_id, endpoint_id, order_key`,
      { rows: JSON.stringify(attempts.map((a) => [a.messageId, a.endpointId])) },
    )
    const keys = new Set(ended.map((row) => `${row.message_id} ${row.endpoint_id}`))
    const told = attempts.filter((a) => keys.has(`${a.messageId} ${a.endpointId}`))
    if (told.length > 0) await db.run(appendAttempts, { rows: JSON.stringify(told.map(attemptRow)) })
    const freed = ended.flatMap((row) => (row.order_key === null ? [] : [[row.endpoint_id, row.order_key]]))
    if (freed.length > 0) await db.run(promote, { now, rows: JSON.stringify(freed) })
    return ended.length
  })
}

async function backlog(db: Db, most: number): Promise<number> {
  const row = await first<{ rows: number }>(
    db,
    'select count(*) as rows from (select 1 from delivery limit :most) as some',
    { most },
  )
  return row?.rows ?? 0
}

/** Puts what is told of a change into the change's own transaction. */
export async function appendTold(db: Db, told: Told | null): Promise<void> {
  if (told === null || told.messages.length === 0) return
  const nothing = { now: 0, attempts: [], settlements: [], turns: [] }
  const { messages, deliveries } = packBatch({ lease: 'lease_', ...told, ...nothing })
  await db.run(appendMessages, { rows: messages })
  if (deliveries !== '') await db.run(appendDeliveries, { rows: deliveries })
}

/** As `RoadStore`, but a commit comes packed. */
export const road = { end, commit, claim, renew, release, releaseAll, recover, sweepDeleted, resend, backlog }
