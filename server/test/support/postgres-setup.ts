// What `npm test` runs before and after all test files: at most one PostgreSQL for the whole run.
import { poolerMissing } from './pgbouncer.ts'
import { testPostgresVariable } from './postgres.ts'
import { findPostgres, oldestPostgres, type PostgresServer, startPostgresServer } from './postgres-server.ts'

let server: PostgresServer | null = null
let missing: string | null = null
let noPooler: string | null = null

export async function globalSetup(): Promise<void> {
  noPooler = poolerMissing()
  const said = process.env[testPostgresVariable] ?? ''
  const required = said === 'required' || process.env.POSTHORN_TEST_STORE === 'postgres'
  if (said === 'none') missing = `${testPostgresVariable}=none`
  if (said !== '' && said !== 'required') return
  const found = findPostgres()
  if ('bin' in found) {
    server = await startPostgresServer(found.bin)
    process.env[testPostgresVariable] = server.url
    return
  }
  if (required) throw new Error(`The tests on PostgreSQL have to run, but ${found.missing}. ${remedy}`)
  missing = found.missing
  process.env[testPostgresVariable] = 'none'
}

export async function globalTeardown(): Promise<void> {
  await server?.stop()
  // Here and not before the run, whose report would have carried it out of sight.
  if (noPooler !== null) console.log(noPooler)
  if (missing !== null) console.log(`The tests on PostgreSQL were skipped: ${missing}. ${remedy}`)
}

const remedy = `Install PostgreSQL ${oldestPostgres} or later (Debian: apt-get install postgresql), or name a server: ${testPostgresVariable}=postgres://user@host/database.`
