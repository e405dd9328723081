import type { Millis, NodeId } from '../../domain/ids.ts'
import type { NodeLife, NodeStore, SeenNode } from '../../ports/store.ts'
import { type Db, first } from '../db.ts'
import type { Queries } from './queries.ts'

async function beat(
  db: Db,
  { id, name, version }: NodeLife,
  aliveMs: Millis,
): Promise<{ readonly now: Millis; readonly alive: number }> {
  const [own] = await db.all<{ seen_at: number }>(
    // One look at the clock: a life begins with its first heartbeat.
    `insert into node (id, name, version, started_at, seen_at)
     select :id, :name, :version, at, at from (select @now_ms as at) as clock where true
     on conflict (id) do update set seen_at = excluded.seen_at returning seen_at`,
    { id, name, version },
  )
  if (!own) throw new Error(`the heartbeat of ${id} left no row`)
  const now = own.seen_at
  const alive = await first<{ nodes: number }>(
    db,
    'select count(*) as nodes from node where seen_at > cast(:deadAt as bigint) or id = :id',
    { deadAt: now - aliveMs, id },
  )
  return { now, alive: alive?.nodes ?? 1 }
}

const leave = (db: Db, id: NodeId): Promise<void> =>
  db.transaction(async () => {
    await resign(db, id)
    await db.run('delete from node where id = :id', { id })
  })

async function alive(db: Db, aliveMs: Millis): Promise<readonly SeenNode[]> {
  const rows = await db.all<{
    id: NodeId
    name: string
    version: string
    started_at: number
    seen_at: number
    chores: number
  }>(
    `select id, name, version, started_at, seen_at,
       (select count(*) from leader where leader.node_id = node.id and leader.until > @now_ms) as chores
     from node where seen_at > @now_ms - cast(:aliveMs as bigint) order by id`,
    { aliveMs },
  )
  return rows.map(({ id, name, version, started_at, seen_at, chores }) => ({
    ...{ id, name, version, startedAt: started_at, seenAt: seen_at, leads: chores > 0 },
  }))
}

const sweep = (db: Db, unseenMs: Millis): Promise<number> =>
  db.run('delete from node where seen_at < @now_ms - cast(:unseenMs as bigint)', { unseenMs })

async function lead(db: Db, chore: string, id: NodeId, forMs: Millis): Promise<boolean> {
  const rows = await db.all(
    `insert into leader (chore, node_id, until) values (:chore, :id, @now_ms + cast(:forMs as bigint))
     on conflict (chore) do update set node_id = excluded.node_id, until = excluded.until
     where leader.node_id = excluded.node_id or leader.until <= @now_ms
     returning node_id`,
    { chore, id, forMs },
  )
  return rows.length > 0
}

async function resign(db: Db, id: NodeId): Promise<void> {
  await db.run('delete from leader where node_id = :id', { id })
}

export const nodes = { beat, leave, alive, sweep, lead, resign } satisfies Queries<NodeStore>
