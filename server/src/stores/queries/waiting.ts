import type { EndpointId, MessageId, Millis } from '../../domain/ids.ts'
import type { Ending } from '../../ports/store.ts'
import type { Db } from '../db.ts'
import { orderKeysOf, promote } from './commit.ts'

const waitingOf = `
  select delivery.message_id as message_id, delivery.endpoint_id as endpoint_id, delivery.order_key as order_key,
    delivery.trigger as trigger, coalesce(endpoint.url, '') as url
  from @each(:rows) join delivery on delivery.message_id = value->>0
  left join endpoint on endpoint.id = delivery.endpoint_id
  where delivery.lease is null limit :limit`

const removeWaiting = `
  delete from delivery
  where lease is null and (message_id, endpoint_id) in (select value->>0, value->>1 from @each(:rows))`

const appendEnded = `
  insert into attempt (id, message_id, endpoint_id, succeeded, trigger, url, status_code, duration_ms, response, response_cut, started_at, ended)
  select value->>2, value->>0, value->>1, 0, cast(value->>3 as bigint), value->>4, 0, 0, :response, 0, :now, :ended
  from @each(:rows) where true`

// An id begins with its kind (6 characters) and its place in time (11).
const placeInTime = 17
const idTail = 8

const ordersOf = `
  select delivery.endpoint_id as endpoint_id, delivery.order_key as order_key
  from @each(:rows) join delivery on delivery.message_id = value->>0 where coalesce(delivery.order_key, '') <> ''`

/** For `endWaiting` of these messages: before anything is written in its transaction. */
export async function holdWaiting(db: Db, rows: string): Promise<void> {
  const orders = await db.all<{ endpoint_id: EndpointId; order_key: string }>(ordersOf, { rows })
  if (orders.length > 0) await db.hold(orderKeysOf(orders.map((row) => [row.endpoint_id, row.order_key])))
}

/**
 * Takes up to `limit` deliveries of these messages (rows of ids) out of the queue; those under lease stay. With `ending`,
 * each leaves an attempt that says why. Whoever waited behind one of them is due. Belongs into a transaction.
 */
export async function endWaiting(
  db: Db,
  rows: string,
  now: Millis,
  ending: Ending | null,
  limit: number,
): Promise<{ readonly ended: number; readonly more: boolean }> {
  const waiting = await db.all<{
    message_id: MessageId
    endpoint_id: EndpointId
    order_key: string | null
    trigger: number
    url: string
  }>(waitingOf, { rows, limit })
  if (waiting.length === 0) return { ended: 0, more: false }
  // Each its own id, as message and endpoint are a pair that is there once.
  const place = ending?.id.slice(0, placeInTime) ?? ''
  const keys = JSON.stringify(
    waiting.map((row) => [
      row.message_id,
      row.endpoint_id,
      `${place}${row.endpoint_id.slice(-idTail)}${row.message_id.slice(-idTail)}`,
      row.trigger,
      row.url,
    ]),
  )
  if (ending) await db.run(appendEnded, { rows: keys, response: ending.response, now, ended: ending.ended })
  await db.run(removeWaiting, { rows: keys })
  const orders = waiting.flatMap((row) => (row.order_key === null ? [] : [[row.endpoint_id, row.order_key]]))
  if (orders.length > 0) await promote(db, now, JSON.stringify(orders))
  return { ended: waiting.length, more: waiting.length === limit }
}
