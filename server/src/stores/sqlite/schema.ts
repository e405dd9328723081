import { closeSync, existsSync, openSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { type AppliedStep, type Migrated, type Schema, SchemaError, stepName, usableSchema } from '../migrations.ts'
import { holdAlone } from './alone.ts'
import { migrate, migrationScript, sqliteApplied, sqliteSteps } from './migrate.ts'
import { Unusable } from './unusable.ts'

/** The schema of a file, which need not be there yet. `held`: the caller has claimed it with `holdAlone`. */
export function sqliteSchema(path: string, held: boolean): Schema {
  const steps = sqliteSteps()
  const on = <T>(work: (database: DatabaseSync) => T): T => {
    const database = new DatabaseSync(path, { timeout: 5_000 })
    try {
      return work(database)
    } finally {
      database.close()
    }
  }
  const applied = (): readonly AppliedStep[] => (existsSync(path) ? on(sqliteApplied) : [])
  return {
    steps,
    applied: async () => applied(),
    async migrate(): Promise<Migrated> {
      const { pending, newer } = usableSchema(steps, applied())
      if (pending.length === 0) return { applied: [], newer }
      const breaking = pending.find((step) => step.breaking)
      const alone = held || breaking === undefined ? null : holdFor(path, stepName(breaking))
      try {
        makeFile(path)
        return on((database) => {
          database.exec('pragma journal_mode = wal; pragma synchronous = full')
          return migrate(database, steps)
        })
      } finally {
        alone?.release()
      }
    },
    script: async () =>
      existsSync(path)
        ? on((database) => migrationScript(database, steps))
        : migrationScript(new DatabaseSync(':memory:'), steps),
    close: async () => {},
  }
}

/** A running server must not find its tables changed into what it does not know. */
function holdFor(path: string, step: string): ReturnType<typeof holdAlone> {
  try {
    return holdAlone(path)
  } catch (error) {
    if (!existsSync(path)) throw error
    throw new SchemaError(
      `The schema step ${step} is pending, and no older Posthorn can work with the database after it. One is running on ${path}: stop it first.`,
      error,
    )
  }
}

/** Payloads are nobody else's business: made readable for its owner only, and SQLite gives its other files the same mode. */
export function makeFile(path: string): void {
  try {
    closeSync(openSync(path, 'a', 0o600))
  } catch (error) {
    throw new Unusable(`The database file ${path} cannot be opened: ${error instanceof Error ? error.message : error}`)
  }
}
