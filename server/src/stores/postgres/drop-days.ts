import type pg from 'pg'
import { type ApplicationId, firstIdAt, type MessageId, type Millis, timeOfId } from '../../domain/ids.ts'
import type { Removed } from '../../ports/store.ts'
import { type Db, first } from '../db.ts'
import { endWaiting } from '../queries/waiting.ts'
import { dayMs, dropPartition, type Partition, partitions } from './partitions.ts'

// One step, which a commit may have to wait behind.
const stepRows = 500

const waitingOnDay = `
  select distinct message_id from (
    select message_id from delivery where message_id >= :from and message_id < :below and lease is null
    order by message_id limit :limit) as waiting`

const leasedOnDay = `
  select 1 as found from delivery where message_id >= :from and message_id < :below and lease is not null limit 1`

const keysOnDay = `
  select application_id, event_id, id from message
  where id >= :from and id < :below and event_id is not null and (application_id, event_id, id) > (:application, :event, :id)
  order by application_id, event_id, id limit :limit`

const deleteKeys = `
  delete from event_key
  where (application_id, event_id) in (select value->>0, value->>1 from @each(:rows))
    and message_id in (select value->>2 from @each(:rows))`

interface Day {
  readonly from: MessageId
  readonly below: MessageId
}

/**
 * Drops the days of which every message is older than `before`, with their attempts: what waits of them leaves the queue
 * first, and what their eventIds keep taken becomes free. A day with a delivery under lease is left for the next time.
 */
export async function dropDays(client: pg.ClientBase, db: Db, before: MessageId, now: Millis): Promise<Removed> {
  const removed = { messages: 0, attempts: 0, payloads: 0, deliveries: 0 }
  const old = (await partitions(client)).filter(({ day }) => (day + 1) * dayMs <= timeOfId(before))
  for (const [number, its] of Map.groupBy(old, ({ day }) => day)) {
    const day: Day = { from: firstIdAt('message', number * dayMs), below: firstIdAt('message', (number + 1) * dayMs) }
    if (await first(db, leasedOnDay, { ...day })) continue
    removed.deliveries += await endAll(db, day, now)
    if (its.some(({ table }) => table === 'message')) await freeEventIds(db, day)
    for (const partition of its) {
      removed[partition.table === 'message' ? 'messages' : 'attempts'] += await rowsOf(client, partition)
      await dropPartition(client, partition)
    }
  }
  return removed
}

async function endAll(db: Db, day: Day, now: Millis): Promise<number> {
  let all = 0
  for (;;) {
    const waiting = await db.all<{ message_id: MessageId }>(waitingOnDay, { ...day, limit: stepRows })
    if (waiting.length === 0) return all
    const rows = JSON.stringify(waiting.map((row) => [row.message_id]))
    const { ended } = await db.transaction(() => endWaiting(db, rows, now, null, stepRows))
    // Claimed meanwhile: they are under lease, and dropped with their day all the same once they are settled.
    if (ended === 0) return all
    all += ended
  }
}

async function freeEventIds(db: Db, day: Day): Promise<void> {
  let place = { application: '', event: '', id: '' }
  for (;;) {
    const rows = await db.all<{ application_id: ApplicationId; event_id: string; id: MessageId }>(keysOnDay, {
      ...{ ...day, ...place, limit: stepRows },
    })
    const last = rows.at(-1)
    if (last === undefined) return
    const keys = JSON.stringify(rows.map((row) => [row.application_id, row.event_id, row.id]))
    await db.run(deleteKeys, { rows: keys })
    place = { application: last.application_id, event: last.event_id, id: last.id }
  }
}

const rowsOf = async (client: pg.ClientBase, { name }: Partition): Promise<number> =>
  Number((await client.query<{ rows: number }>(`select count(*) as rows from ${name}`)).rows[0]?.rows ?? 0)
