import type { ClientBase } from 'pg'
import {
  type AppliedStep,
  failedStep,
  type Migrated,
  noteStep,
  readAppliedStep,
  readSteps,
  SchemaError,
  type Step,
  scriptOf,
  stepName,
  usableSchema,
} from '../migrations.ts'

const folder = new URL('./migrations/', import.meta.url)

export const postgresSteps = (): readonly Step[] => readSteps(folder)

// Of the transaction, not of the session: behind a pooler the next statement may have another session.
const oneAtATime = "select pg_advisory_xact_lock(hashtextextended('posthorn schema', 0))"

// The connections of the gateway give up soon and avoid scans; changing whole tables takes both.
const unhurried = `
  set local statement_timeout = 0; set local lock_timeout = 0; set local idle_in_transaction_session_timeout = 0;
  set local enable_seqscan = on; set local enable_hashjoin = on; set local enable_mergejoin = on`

const table = `create table if not exists schema_step (
  number bigint primary key,
  name text collate "C" not null,
  at bigint not null,
  breaking bigint not null default 1,
  version text collate "C" not null default ''
)`

/** What the database has noted, oldest first; nothing where it is empty. Changes nothing. */
export async function postgresApplied(client: ClientBase): Promise<readonly AppliedStep[]> {
  const { rows } = await client.query("select 1 where to_regclass('schema_step') is not null")
  return rows.length === 0 ? [] : readApplied(client)
}

const readApplied = async (client: ClientBase): Promise<readonly AppliedStep[]> =>
  (await client.query('select * from schema_step order by number')).rows.map(readAppliedStep)

/**
 * Brings the schema to this program's version, forward only, each step in a transaction of its own. However many do so at
 * once, each step is done by one, and the others find it done. Throws SchemaError when the database is too new, a step
 * fails, or one that is breaking would meet nodes of an older version.
 */
export async function migrate(client: ClientBase, steps: readonly Step[] = postgresSteps()): Promise<Migrated> {
  const applied: Step[] = []
  for (;;) {
    const { pending, newer } = usableSchema(steps, await postgresApplied(client))
    if (pending.length === 0) return { applied, newer }
    const step = await applyNext(client, steps)
    if (step !== null) applied.push(step)
  }
}

/** Applies what is the first pending step when its turn comes. Resolves to null when others have applied them all. */
async function applyNext(client: ClientBase, steps: readonly Step[]): Promise<Step | null> {
  await client.query('begin')
  try {
    await client.query(unhurried)
    await client.query(oneAtATime)
    // Made before it is asked for: a session that has waited for the turn may still believe that there is no such table.
    await client.query(table)
    const [step] = usableSchema(steps, await readApplied(client)).pending
    if (step?.breaking) await nobodyElse(client, step)
    if (step !== undefined) await apply(client, step)
    await client.query('commit')
    return step ?? null
  } catch (error) {
    // Where the connection is gone there is nothing to roll back, and the first error is the one to tell.
    await client.query('rollback').catch(() => {})
    throw error
  }
}

// A node says several times a minute that it lives (ports/store/node.ts); one that was killed is not waited for longer.
const aliveSeconds = 30

/** Nodes of an older version must not find their tables changed into what they do not know. */
async function nobodyElse(client: ClientBase, step: Step): Promise<void> {
  const alive = await aliveNodes(client)
  if (alive.length === 0) return
  throw new SchemaError(
    `The schema step ${stepName(step)} is pending, and no older Posthorn can work with the database after it. There are nodes that do: ${alive.join(', ')}. Stop them first; one that was killed counts for ${aliveSeconds} s.`,
  )
}

/** Names and versions of the nodes that were seen lately, for people. */
export async function aliveNodes(client: ClientBase): Promise<readonly string[]> {
  const there = await client.query("select 1 where to_regclass('node') is not null")
  if (there.rows.length === 0) return []
  const { rows } = await client.query<{ node: string }>(
    `select name || ' (' || version || ')' as node from node
     where seen_at > extract(epoch from clock_timestamp() - cast($1 as interval)) * 1000 order by id`,
    [`${aliveSeconds} s`],
  )
  return rows.map(({ node }) => node)
}

async function apply(client: ClientBase, step: Step): Promise<void> {
  try {
    await client.query(step.sql)
  } catch (error) {
    throw failedStep(step, error)
  }
  await client.query(note(step))
}

const note = (step: Step): string => noteStep(step, 'cast(extract(epoch from clock_timestamp()) * 1000 as bigint)')

/** What `migrate` would run. Changes nothing. */
export async function migrationScript(client: ClientBase, steps: readonly Step[]): Promise<string> {
  return scriptOf([table], usableSchema(steps, await postgresApplied(client)).pending, note)
}
