// Where a test's server keeps everything: a file, or a database of PostgreSQL, as POSTHORN_TEST_STORE says. A test names it by
// its URL, as an operator does.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { readDatabaseTarget } from '../../src/domain/database-target.ts'
import type { Millis } from '../../src/domain/ids.ts'
import { type OpenedStore, openStore } from '../../src/stores/open.ts'
import { freshDatabase, type TestDatabase } from './postgres.ts'
import { copyOfPostgres, openPostgres } from './postgres-database.ts'
import { copyOfSqlite, filesHolding, openSqlite, sqlitePath } from './sqlite-database.ts'

export { sqlitePath } from './sqlite-database.ts'

export type Value = string | number | bigint | null | Uint8Array
export type Row = Readonly<Record<string, unknown>>

/** What is kept, read (or changed) over a connection of its own, as another process would. `?` stands for a value. */
export interface Database {
  rows(sql: string, ...values: Value[]): Promise<readonly Row[]>
  /** The first column of the first row, a number. */
  count(sql: string, ...values: Value[]): Promise<number>
  exec(sql: string): Promise<void>
  /** From now on the engine takes no message and no attempt, as where the disk is full. */
  refuse(): Promise<void>
  /** It takes them again. */
  accept(): Promise<void>
  /** Nobody else can write a message until `letGo`. */
  hold(): Promise<void>
  letGo(): Promise<void>
  close(): Promise<void>
}

/** Where the whole-server tests run. */
export const testEngine: 'sqlite' | 'postgres' = engineOf(process.env.POSTHORN_TEST_STORE)

function engineOf(said = 'sqlite'): typeof testEngine {
  if (said === 'sqlite' || said === 'postgres') return said
  throw new Error(`POSTHORN_TEST_STORE must be sqlite or postgres, not ${said}.`)
}

/** What the engine says of a disk that is full. */
export const diskIsFull: RegExp = testEngine === 'postgres' ? /could not extend file/ : /database or disk is full/

/** For how long what a killed server held is nobody's: not at all on a file, which one has alone; else until its lease is over. */
export const heldAfterKillMs: Millis = testEngine === 'postgres' ? 30_000 : 0

/** For a test of what only a file has; `why` says what that is. */
export const onSqliteAlone = (why: string): { readonly skip: string | false } => ({
  skip: testEngine === 'sqlite' ? false : `on SQLite alone: ${why}`,
})

/** A database that no server has used yet. */
export async function newDatabase(): Promise<TestDatabase> {
  if (testEngine === 'postgres') return freshDatabase()
  const folder = mkdtempSync(join(tmpdir(), 'posthorn-test-'))
  return {
    url: `sqlite:${join(folder, 'test.db')}`,
    drop: async () => rmSync(folder, { recursive: true, force: true }),
  }
}

export const openDatabase = (url: string): Database =>
  testEngine === 'postgres' ? openPostgres(url) : openSqlite(sqlitePath(url))

const sharedKey = Buffer.alloc(32, 'master')

/** With which a server on it seals. */
export const masterKeyOn = (url: string): Uint8Array =>
  testEngine === 'postgres' ? sharedKey : Buffer.from(readFileSync(`${sqlitePath(url)}.key`, 'utf8').trim(), 'base64')

/** What a server on it has to be told, by the names of its variables: nodes that share a database share a key. */
export const settingsOn = (url: string): Readonly<Record<string, string>> => ({
  POSTHORN_DATABASE: url,
  ...(testEngine === 'postgres' ? { POSTHORN_MASTER_KEY: sharedKey.toString('base64') } : {}),
})

/** The same for a process that will be killed: what it held is its successor's at once on a file, after the lease else. */
export const settingsToKill = (url: string): Readonly<Record<string, string>> => ({
  ...settingsOn(url),
  // A lease is twice the attempt timeout at least.
  ...(testEngine === 'postgres' ? { POSTHORN_LEASE_DURATION: '5s', POSTHORN_ATTEMPT_TIMEOUT: '2s' } : {}),
})

/** Its store, as another process that delivers nothing opens it. */
export const openElsewhere = (url: string): Promise<OpenedStore> =>
  openStore(readDatabaseTarget(url), 'command', { connections: 2, pooled: false, migrates: false })

/** What another process would find if this one were killed now. Resolves to the URL of a copy; gone after the test. */
export async function asIfKilledNow(t: TestContext, url: string): Promise<string> {
  const copy = testEngine === 'postgres' ? await copyOfPostgres(url) : copyOfSqlite(sqlitePath(url))
  t.after(() => copy.drop())
  return copy.url
}

/**
 * Where in a database this text stands: in which of its files, whether SQLite would find it or not; in which tables of
 * PostgreSQL, whose files keep what was overwritten until a vacuum and in the write-ahead log beyond.
 */
export async function placesHolding(url: string, text: string): Promise<readonly string[]> {
  if (testEngine === 'sqlite') return filesHolding(sqlitePath(url), text)
  const database = openPostgres(url)
  try {
    return await database.tablesHolding(text)
  } finally {
    await database.close()
  }
}
