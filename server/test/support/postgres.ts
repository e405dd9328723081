import { createHash, randomBytes } from 'node:crypto'
import pg from 'pg'
import { migrate, postgresSteps } from '../../src/stores/postgres/migrate.ts'
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
export async function bareDatabase(): Promise<TestDatabase> {
  const name = newName()
  await query(emptyNamed(name))
  return database(name)
}

/** A database with the current schema, in which nobody has written yet. Throws where there is no server. */
export async function freshDatabase(): Promise<TestDatabase> {
  const name = newName()
  template ??= makeTemplate()
  await query(`create database ${name} template ${await template} strategy file_copy`)
  return database(name)
}

let template: Promise<string> | null = null

/**
 * A copy takes 20 to 40 ms, the migration of an empty database 130 ms more (PostgreSQL 15, 2 cores, 2026-11). The name
 * holds the text of the steps, so a server that stays is never asked for an old schema; and whoever is first makes it.
 */
async function makeTemplate(): Promise<string> {
  const steps = postgresSteps()
  const name = `posthorn_test_schema_${createHash('sha256').update(JSON.stringify(steps)).digest('hex').slice(0, 16)}`
  const unfinished = `${name}_unfinished`
  const client = await (await pool()).connect()
  try {
    await client.query("select pg_advisory_lock(hashtextextended('posthorn test schema', 0))")
    const { rowCount } = await client.query('select from pg_database where datname = $1', [name])
    if (rowCount !== 0) return name
    await client.query(`drop database if exists ${unfinished} with (force)`)
    await client.query(emptyNamed(unfinished))
    const schema = new pg.Client({ connectionString: (await database(unfinished)).url })
    await schema.connect()
    await migrate(schema).finally(() => schema.end())
    await client.query(`alter database ${unfinished} rename to ${name}`)
    return name
  } finally {
    // With its session goes its lock.
    client.release(true)
  }
}

const emptyNamed = (name: string): string =>
  `create database ${name} template template0 ${unlikeOurs} strategy file_copy`

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

let administration: Promise<pg.Pool> | null = null

function pool(): Promise<pg.Pool> {
  administration ??= serverUrl().then((connectionString) =>
    new pg.Pool({ connectionString, max: 2, allowExitOnIdle: true }).on('error', () => {}),
  )
  return administration
}

async function query(sql: string): Promise<void> {
  await (await pool()).query(sql)
}
