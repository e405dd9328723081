import { DatabaseSync, type StatementSync } from 'node:sqlite'
import type { Db, SqlParameters, SqlRow } from '../db.ts'
import type { Role } from './thread.ts'

// What the shared SQL leaves to the engine. jsonb_each (SQLite 3.51), not json_each: that one prints each row as text, which
// every column that is read from it looks up again. Inserting a message of 2 kB takes 17 µs instead of 29, one of 300 bytes
// 6 instead of 16 (48 rows of 16 columns, 2026-11).
const inSqlite = (sql: string): string =>
  sql
    .replaceAll(/@each\(([^)]*)\)/g, 'jsonb_each($1)')
    .replaceAll('@skip_locked', '')
    .replaceAll(/@exactly\(([^)]*)\)/g, '= $1')
    .replaceAll(/ @in\(\w+\)/g, '')
    .replaceAll(/@among\(([^)]*)\)/g, 'in (select value->>0 from jsonb_each($1))')
    .replaceAll('@now_ms', "cast(unixepoch('subsec') * 1000 as integer)")

// 16 MiB of pages hold the ends of the tables and indexes, which is where the queue lives (SQLite: negative is KiB).
const writerCache = -16 * 1024
const readerCache = -8 * 1024
/** How long a statement waits for another process that is writing. */
export const busyTimeoutMs = 5_000

/**
 * Opens a connection for the thread that calls: SQLite answers at once, so its promises are already settled.
 * WAL with `synchronous=FULL`: a commit that returned survives a pulled plug (sqlite.org/pragma.html#pragma_synchronous).
 */
export function openConnection(
  path: string,
  role: Role,
  origin: string,
): Db & { close(): void; readonly database: DatabaseSync } {
  const database = new DatabaseSync(path, { timeout: busyTimeoutMs })
  // The log is copied into the database by the reader's thread (`checkpoint`), not by whichever commit finds it long.
  if (role === 'writer')
    database.exec('pragma journal_mode = wal; pragma synchronous = full; pragma wal_autocheckpoint = 0')
  // What is removed is written over with zeros, also where it stood before a row was moved. Queue and inserts cost the
  // same with it (40,000 messages in commits of 100, all four tables: 0.51 s either way, medians of 4, 2026-11).
  if (role === 'writer') database.exec('pragma secure_delete = on')
  // Not opened read-only: a checkpoint writes.
  else database.exec('pragma query_only = on')
  database.exec(`pragma cache_size = ${role === 'writer' ? writerCache : readerCache}; pragma temp_store = memory`)
  const statements = new Map<string, StatementSync>()
  const prepared = (sql: string): StatementSync => {
    const known = statements.get(sql)
    if (known) return known
    const statement = database.prepare(inSqlite(sql))
    statements.set(sql, statement)
    return statement
  }
  // Of the transaction: what nobody awaited must not be half of it.
  let failure: { readonly error: unknown } | null = null
  const noting = <T>(ask: () => T): T => {
    try {
      return ask()
    } catch (error) {
      failure ??= { error }
      throw error
    }
  }
  const noneFailed = (): void => {
    if (failure !== null) throw failure.error
  }
  return {
    origin,
    database,
    async all<Row extends SqlRow>(sql: string, parameters: SqlParameters = {}) {
      return noting(() => prepared(sql).all(parameters) as Row[])
    },
    async run(sql, parameters = {}) {
      return noting(() => Number(prepared(sql).run(parameters).changes))
    },
    async transaction(work) {
      prepared('begin immediate').run()
      failure = null
      try {
        const result = await work()
        noneFailed()
        prepared('commit').run()
        return result
      } catch (error) {
        // A failed commit may have rolled back by itself (sqlite.org/lang_transaction.html, "Response To Errors").
        if (database.isTransaction) prepared('rollback').run()
        throw error
      }
    },
    async hold() {},
    async vouch() {},
    close: () => database.close(),
  }
}
