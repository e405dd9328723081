import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Database } from './database.ts'
import type { TestDatabase } from './postgres.ts'

/** The file that a URL of ours names. */
export function sqlitePath(url: string): string {
  if (!url.startsWith('sqlite:')) throw new Error(`${url} names no file: the test is about SQLite alone`)
  return url.slice('sqlite:'.length)
}

// SQLite's own words for a disk that is full; what the road must do is the same whatever the store's reason.
const full = "begin select raise(abort, 'database or disk is full'); end"

export function openSqlite(path: string): Database {
  const database = new DatabaseSync(path, { timeout: 5_000 })
  const exec = async (sql: string): Promise<void> => database.exec(sql)
  return {
    rows: async (sql, ...values) =>
      database
        .prepare(sql)
        .all(...values)
        .map((row) => ({ ...row })),
    count: async (sql, ...values) => Number(Object.values(database.prepare(sql).get(...values) ?? {})[0]),
    exec,
    refuse: () =>
      exec(`create trigger refuse_message before insert on message ${full};
        create trigger refuse_attempt before insert on attempt ${full}`),
    accept: () => exec('drop trigger refuse_message; drop trigger refuse_attempt'),
    hold: () => exec('begin immediate'),
    letGo: () => exec('commit'),
    close: async () => database.close(),
  }
}

/**
 * A copy of the files as they are this moment. A commit that is being written is in the copy in part, as after a kill.
 * (Only if the write-ahead log were started anew between the first file and the second could it be spoiled: that takes
 * many megabytes.)
 */
export function copyOfSqlite(path: string): TestDatabase {
  const folder = mkdtempSync(join(tmpdir(), 'posthorn-killed-'))
  const copy = join(folder, 'copy.db')
  for (const suffix of ['', '-wal', '.key']) {
    if (existsSync(`${path}${suffix}`)) copyFileSync(`${path}${suffix}`, `${copy}${suffix}`)
  }
  return { url: `sqlite:${copy}`, drop: async () => rmSync(folder, { recursive: true, force: true }) }
}

/** In which of a database's files these bytes stand. */
export function filesHolding(path: string, text: string | Uint8Array): readonly string[] {
  return ['', '-wal', '-shm', '-journal', '.lock', '.key'].filter((suffix) => {
    const file = `${path}${suffix}`
    return existsSync(file) && readFileSync(file).includes(text)
  })
}
