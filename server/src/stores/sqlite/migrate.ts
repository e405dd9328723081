import type { DatabaseSync } from 'node:sqlite'
import {
  type AppliedStep,
  failedStep,
  type Migrated,
  readAppliedStep,
  readSteps,
  type Step,
  thisVersion,
  usableSchema,
} from '../migrations.ts'

const folder = new URL('./migrations/', import.meta.url)

export const sqliteSteps = (): readonly Step[] => readSteps(folder)

/** What the database has noted, oldest first; nothing where it is empty. Changes nothing. */
export function sqliteApplied(database: DatabaseSync): readonly AppliedStep[] {
  if (columnsOf(database, 'schema_step').length === 0) return []
  return database.prepare('select * from schema_step order by number').all().map(readAppliedStep)
}

/**
 * Brings the schema to this program's version, forward only, each step in a transaction of its own. However many do so
 * at once, each step is done by one, and the others find it done. Throws SchemaError when the database is too new, or a step fails.
 */
export function migrate(database: DatabaseSync, steps: readonly Step[] = sqliteSteps()): Migrated {
  const applied: Step[] = []
  for (;;) {
    const { pending, newer } = usableSchema(steps, sqliteApplied(database))
    if (pending.length === 0) return { applied, newer }
    const step = applyNext(database, steps)
    if (step !== null) applied.push(step)
  }
}

/** Applies what is the first pending step when its turn comes. Returns null when others have applied them all. */
function applyNext(database: DatabaseSync, steps: readonly Step[]): Step | null {
  database.exec('begin immediate')
  try {
    const [step] = usableSchema(steps, sqliteApplied(database)).pending
    if (step !== undefined) apply(database, step)
    database.exec('commit')
    return step ?? null
  } catch (error) {
    if (database.isTransaction) database.exec('rollback')
    throw error
  }
}

function apply(database: DatabaseSync, step: Step): void {
  makeTable(database)
  try {
    database.exec(step.sql)
  } catch (error) {
    throw failedStep(step, error)
  }
  database
    .prepare(
      `insert into schema_step (number, name, at, breaking, version)
       values (?, ?, cast(unixepoch('subsec') * 1000 as integer), ?, ?)`,
    )
    .run(step.number, step.name, step.breaking ? 1 : 0, thisVersion)
}

function makeTable(database: DatabaseSync): void {
  database.exec(
    'create table if not exists schema_step (number integer primary key, name text not null, at integer not null)',
  )
  // What the table did not have at first.
  const columns = columnsOf(database, 'schema_step')
  if (!columns.includes('breaking'))
    database.exec('alter table schema_step add column breaking integer not null default 1')
  if (!columns.includes('version')) database.exec("alter table schema_step add column version text not null default ''")
}

const columnsOf = (database: DatabaseSync, table: string): readonly string[] =>
  database
    .prepare('select name from pragma_table_info(?)')
    .all(table)
    .map(({ name }) => String(name))
