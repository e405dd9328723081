import type { DatabaseSync } from 'node:sqlite'
import {
  type AppliedStep,
  failedStep,
  type Migrated,
  noteStep,
  readAppliedStep,
  readSteps,
  type Step,
  scriptOf,
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
  for (const statement of tableOf(database)) database.exec(statement)
  try {
    database.exec(step.sql)
  } catch (error) {
    throw failedStep(step, error)
  }
  database.exec(note(step))
}

const note = (step: Step): string => noteStep(step, "cast(unixepoch('subsec') * 1000 as integer)")

/** What `migrate` would run. Changes nothing. */
export const migrationScript = (database: DatabaseSync, steps: readonly Step[]): string =>
  scriptOf(tableOf(database), usableSchema(steps, sqliteApplied(database)).pending, note)

const table = `create table schema_step (
  number integer primary key,
  name text not null,
  at integer not null,
  breaking integer not null default 1,
  version text not null default ''
)`

/** What makes the table that notes the steps, or gives it what it did not have at first. */
function tableOf(database: DatabaseSync): readonly string[] {
  const columns = columnsOf(database, 'schema_step')
  if (columns.length === 0) return [table]
  const add = (column: string): string => `alter table schema_step add column ${column}`
  return [
    ...(columns.includes('breaking') ? [] : [add('breaking integer not null default 1')]),
    ...(columns.includes('version') ? [] : [add("version text not null default ''")]),
  ]
}

const columnsOf = (database: DatabaseSync, table: string): readonly string[] =>
  database
    .prepare('select name from pragma_table_info(?)')
    .all(table)
    .map(({ name }) => String(name))
