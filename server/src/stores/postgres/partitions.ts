import type { ClientBase } from 'pg'
import { firstIdAt, type Millis, timeOfId } from '../../domain/ids.ts'

// Messages and attempts stand in one table a day: an insert goes to the end of small indexes, a page of a list stops at
// the first days that fill it, and what is past its retention is dropped at no cost. By the day of the *message* for both,
// so that a message and its attempts go together.
export const dayMs: Millis = 24 * 3_600_000
const tables = ['message', 'attempt'] as const
// Made ahead of time by whoever leads, so that no commit ever waits for one.
const daysAhead = 3

const dayOf = (at: Millis): number => Math.floor(at / dayMs)
const shownDay = (day: number): string => new Date(day * dayMs).toISOString().slice(0, 10).replaceAll('-', '')

/** The days for which messages are expected: from yesterday's, for clocks that differ, to a few ahead. */
export const expectedDays = (now: Millis): readonly number[] =>
  Array.from({ length: daysAhead + 2 }, (_, ahead) => dayOf(now) - 1 + ahead)

/** The days that these messages belong to. */
export const daysOfIds = (ids: readonly string[]): readonly number[] => [
  ...new Set(ids.map((id) => dayOf(timeOfId(id)))),
]

/**
 * Sees to it that there is a partition for each of these days. Attached, not created as one: that asks for no lock that a
 * running commit would have to wait for (postgresql.org/docs/current/sql-altertable.html, ATTACH PARTITION).
 */
export async function ensurePartitions(client: ClientBase, days: readonly number[]): Promise<void> {
  const there = new Set((await partitions(client)).map(({ name }) => name))
  const missing = days.filter((day) => tables.some((table) => !there.has(`${table}_${shownDay(day)}`)))
  for (const day of missing) {
    await client.query('begin')
    try {
      // Several nodes may find the same day missing.
      await client.query(`select pg_advisory_xact_lock(${partitionsLock})`)
      for (const table of tables) {
        const name = `${table}_${shownDay(day)}`
        if ((await partitions(client)).some((partition) => partition.name === name)) continue
        // One that was about to be dropped, by a node that was killed between the two steps.
        await client.query(`drop table if exists ${name}`)
        await client.query(`create table ${name} (like ${table} including defaults including constraints)`)
        await client.query(
          `alter table ${table} attach partition ${name} for values from ('${firstOf(day)}') to ('${firstOf(day + 1)}')`,
        )
      }
      await client.query('commit')
    } catch (error) {
      await client.query('rollback').catch(() => {})
      throw error
    }
  }
}

// 'posthorn partitions', as some number of 64 bits.
const partitionsLock = '8101850239812374'

const firstOf = (day: number): string => firstIdAt('message', day * dayMs)

/** One day of messages, or of their attempts. */
export interface Partition {
  readonly name: string
  readonly table: string
  readonly day: number
}

export async function partitions(client: ClientBase): Promise<readonly Partition[]> {
  const { rows } = await client.query<{ name: string; parent: string }>(
    `select child.relname as name, parent.relname as parent
     from pg_inherits join pg_class as child on child.oid = inhrelid join pg_class as parent on parent.oid = inhparent
     where parent.oid in (to_regclass('message'), to_regclass('attempt')) order by child.relname`,
  )
  return rows.flatMap(({ name, parent }) => {
    const [, y, m, d] = /_(\d{4})(\d{2})(\d{2})$/.exec(name) ?? []
    return y === undefined ? [] : [{ name, table: parent, day: Date.UTC(Number(y), Number(m) - 1, Number(d)) / dayMs }]
  })
}

/**
 * Drops one for good. Detached first, concurrently: nobody who reads or commits waits for it. Not within a transaction.
 */
export async function dropPartition(client: ClientBase, { name, table }: Partition): Promise<void> {
  await client.query(`alter table ${table} detach partition ${name} concurrently`).catch(async (error) => {
    // A detaching that was cut off must be brought to its end before anything else can be.
    await client.query(`alter table ${table} detach partition ${name} finalize`).catch(() => {
      throw error
    })
  })
  await client.query(`drop table ${name}`)
}

/** Whether a row could not be stored because its day has no partition yet; of which id, as far as the server says. */
export function missingDayOf(error: unknown): readonly number[] {
  if (!(error instanceof Error) || !('code' in error) || error.code !== '23514') return []
  if (!/no partition of relation/.test(error.message) || !('detail' in error)) return []
  const [, id] = /= \((\S+)\)/.exec(String(error.detail)) ?? []
  return id === undefined ? [] : daysOfIds([id])
}
