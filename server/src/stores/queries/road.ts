import type { Attempt } from '../../domain/attempt.ts'
import type { EndpointId, LeaseId, MessageId, Millis } from '../../domain/ids.ts'
import type { DeliveryKey, HeldDelivery, ReleasedDelivery } from '../../ports/store.ts'
import { type Db, first } from '../db.ts'
import { claim } from './claim.ts'
import { appendAttempts, commit, orderKeysOf, promote } from './commit.ts'
import { attemptRow } from './packed-batch.ts'

const keysOf = (deliveries: readonly DeliveryKey[]): string =>
  JSON.stringify(deliveries.map(({ messageId, endpointId }) => [messageId, endpointId]))

async function renew(
  db: Db,
  lease: LeaseId,
  until: Millis,
  deliveries: readonly DeliveryKey[],
): Promise<readonly DeliveryKey[]> {
  const renewed = await db.all<{ message_id: MessageId; endpoint_id: EndpointId }>(
    `update delivery set due_at = :until
     where lease = :lease and (message_id, endpoint_id) in (select value->>0, value->>1 from @each(:rows))
     returning message_id, endpoint_id`,
    { lease, until, rows: keysOf(deliveries) },
  )
  if (renewed.length === deliveries.length) return []
  const ours = new Set(renewed.map((row) => `${row.message_id} ${row.endpoint_id}`))
  return deliveries.filter(({ messageId, endpointId }) => !ours.has(`${messageId} ${endpointId}`))
}

async function release(db: Db, lease: LeaseId, deliveries: readonly ReleasedDelivery[]): Promise<void> {
  await db.run(
    `update delivery set due_at = cast(value->>2 as bigint), lease = null from @each(:rows)
     where delivery.message_id = value->>0 and delivery.endpoint_id = value->>1 and delivery.lease = :lease`,
    { lease, rows: JSON.stringify(deliveries.map((d) => [d.messageId, d.endpointId, d.dueAt])) },
  )
}

// Whoever was answering a POST is gone as well, so that it may be tried again.
const recover = async (db: Db, now: Millis): Promise<number> => {
  await db.run('delete from idempotency_key where status is null and message_id is null')
  return db.run('update delivery set due_at = :now, lease = null where lease is not null', { now })
}

// In steps, each of which can only go along one index: joined, the planner may begin with all deliveries there are.
const deletedWithDeliveries = `
  select id from endpoint
  where deleted_at is not null
    and (select due_at from delivery where endpoint_id @in(delivery_due) = endpoint.id order by due_at limit 1) is not null
  limit 1`

const deliveriesOf = `
  select message_id, endpoint_id from delivery where endpoint_id @in(delivery_due) = :endpoint order by due_at limit :limit`

const sweepDeleted = (db: Db, limit: number): Promise<number> =>
  db.transaction(async () => {
    let swept = 0
    while (swept < limit) {
      const endpoint = await first<{ id: EndpointId }>(db, deletedWithDeliveries)
      if (endpoint === null) break
      const rows = await db.all<{ message_id: MessageId; endpoint_id: EndpointId }>(deliveriesOf, {
        endpoint: endpoint.id,
        limit: limit - swept,
      })
      swept += await db.run(
        'delete from delivery where (message_id, endpoint_id) in (select value->>0, value->>1 from @each(:rows))',
        { rows: JSON.stringify(rows.map((row) => [row.message_id, row.endpoint_id])) },
      )
    }
    return swept
  })

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

const ordersOf = `
  select delivery.endpoint_id as endpoint_id, delivery.order_key as order_key
  from @each(:rows) join delivery on delivery.message_id = value->>0 and delivery.endpoint_id = value->>1
  where coalesce(delivery.order_key, '') <> ''`

async function end(db: Db, attempts: readonly Attempt[], now: Millis): Promise<number> {
  const rows = JSON.stringify(attempts.map((a) => [a.messageId, a.endpointId]))
  return db.transaction(async () => {
    const orders = await db.all<{ endpoint_id: EndpointId; order_key: string }>(ordersOf, { rows })
    if (orders.length > 0) await db.hold(orderKeysOf(orders.map((row) => [row.endpoint_id, row.order_key])))
    const ended = await db.all<{ message_id: MessageId; endpoint_id: EndpointId; order_key: string | null }>(
      `delete from delivery
       where lease is null and (message_id, endpoint_id) in (select value->>0, value->>1 from @each(:rows))
       returning message_id, endpoint_id, order_key`,
      { rows },
    )
    const keys = new Set(ended.map((row) => `${row.message_id} ${row.endpoint_id}`))
    const told = attempts.filter((a) => keys.has(`${a.messageId} ${a.endpointId}`))
    if (told.length > 0) await db.run(appendAttempts, { rows: JSON.stringify(told.map(attemptRow)) })
    const freed = ended.flatMap((row) => (row.order_key === null ? [] : [[row.endpoint_id, row.order_key]]))
    if (freed.length > 0) await promote(db, now, JSON.stringify(freed))
    return ended.length
  })
}

async function heldByOthers(
  db: Db,
  lease: LeaseId,
  messageIds: readonly MessageId[],
): Promise<readonly HeldDelivery[]> {
  const rows = await db.all<{ message_id: MessageId; endpoint_id: EndpointId; lease: LeaseId; due_at: number }>(
    `select delivery.message_id as message_id, delivery.endpoint_id as endpoint_id, delivery.lease as lease,
       delivery.due_at as due_at
     from @each(:rows) join delivery on delivery.message_id = value->>0
     where delivery.lease is not null and delivery.lease <> :lease`,
    { lease, rows: JSON.stringify(messageIds.map((id) => [id])) },
  )
  return rows.map((row) => ({
    ...{ messageId: row.message_id, endpointId: row.endpoint_id, lease: row.lease, dueAt: row.due_at },
  }))
}

async function backlog(db: Db, most: number): Promise<number> {
  const row = await first<{ rows: number }>(
    db,
    'select count(*) as rows from (select 1 from delivery limit :most) as counted_rows',
    { most },
  )
  return row?.rows ?? 0
}

/** As `RoadStore`, but a commit comes packed. */
export const road = {
  end,
  commit,
  claim,
  renew,
  release,
  recover,
  sweepDeleted,
  resend,
  heldByOthers,
  backlog,
}
