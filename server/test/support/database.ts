import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync, type SQLInputValue, type SQLOutputValue } from 'node:sqlite'
import type { TestContext } from 'node:test'

type Row = Record<string, SQLOutputValue>

/** What is on disk, read (or changed) over a connection of its own, as another process would. */
export interface Database {
  rows(sql: string, ...values: SQLInputValue[]): readonly Row[]
  /** The first column of the first row, a number. */
  count(sql: string, ...values: SQLInputValue[]): number
  exec(sql: string): void
  close(): void
}

export function openDatabase(path: string): Database {
  const database = new DatabaseSync(path, { timeout: 5_000 })
  return {
    rows: (sql, ...values) => database.prepare(sql).all(...values),
    count: (sql, ...values) => Number(Object.values(database.prepare(sql).get(...values) ?? {})[0]),
    exec: (sql) => database.exec(sql),
    close: () => database.close(),
  }
}

/**
 * What another process would find if this one were killed now: a copy of the files as they are this moment. A commit
 * that is being written is in the copy in part, as after a kill. (Only if the write-ahead log were started anew between
 * the first file and the second could it be spoiled: that takes many megabytes.) Returns the path of the copy.
 */
export function asIfKilledNow(t: TestContext, path: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'posthorn-killed-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const copy = join(folder, 'copy.db')
  for (const suffix of ['', '-wal', '.key']) {
    if (existsSync(`${path}${suffix}`)) copyFileSync(`${path}${suffix}`, `${copy}${suffix}`)
  }
  return copy
}
