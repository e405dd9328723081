import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { findPostgres, oldestPostgres, startPostgresServer } from './postgres-server.ts'

/** A database for one test. */
export interface TestDatabase {
  readonly url: string
  /** Whoever is still connected is thrown out. */
  drop(): Promise<void>
}

/** A server that is there (a URL whose user may create databases), `required`, `none`, or nothing: what is found. */
export const testPostgresVariable = 'POSTHORN_TEST_POSTGRES'

/** For `{ skip: withoutPostgres }`: false where there is one, or where there has to be one; else why there is none. */
export const withoutPostgres: string | false = whyNone()

function whyNone(): string | false {
  const said = process.env[testPostgresVariable] ?? ''
  if (said === 'none') return `${testPostgresVariable}=none`
  if (said !== '') return false
  const found = findPostgres()
  return 'missing' in found ? found.missing : false
}

/** An empty database, as an operator makes it before the first start. Throws where there is no server. */
async function bareDatabase(): Promise<TestDatabase> {
  const name = newName()
  await query(`create database ${name} template template0 ${unlikeOurs} strategy file_copy`)
  return database(name)
}

/** A database in which nobody has written yet; it may have the current schema already, which saves its migration. */
export function freshDatabase(): Promise<TestDatabase> {
  return bareDatabase()
}

// Not the order of bytes, in which ids are made: what relies on the database's own order shows.
const unlikeOurs = "encoding 'UTF8' locale_provider icu icu_locale 'en-US'"

const newName = (): string => `posthorn_test_${randomBytes(8).toString('hex')}`

async function database(name: string): Promise<TestDatabase> {
  const url = new URL(await serverUrl())
  url.pathname = `/${name}`
  return { url: url.href, drop: () => query(`drop database if exists ${name} with (force)`) }
}

let server: Promise<string> | null = null

/** The one for the whole run, if a run has one; else the first who asks starts it, and it ends with this process. */
function serverUrl(): Promise<string> {
  server ??= (async () => {
    const said = process.env[testPostgresVariable] ?? ''
    if (/^postgres/.test(said)) return said
    const found = findPostgres()
    if ('missing' in found)
      throw new Error(`This test needs PostgreSQL ${oldestPostgres} or later, but ${found.missing}.`)
    return (await startPostgresServer(found.bin)).url
  })()
  return server
}

let pool: pg.Pool | null = null

async function query(sql: string): Promise<void> {
  pool ??= new pg.Pool({ connectionString: await serverUrl(), max: 2, allowExitOnIdle: true }).on('error', () => {})
  await pool.query(sql)
}
