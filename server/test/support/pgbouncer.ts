// PGBOUNCER: the pooler that most PostgreSQLs stand behind, between a test and the server of the tests.

import { chownSync, existsSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { withoutPostgres } from './postgres.ts'
import { serverUser } from './postgres-server.ts'
import { freePort, watchedServer } from './watched-server.ts'

/** `required`: no PgBouncer is a failure. Else what needs one is skipped where there is none. */
const testPoolerVariable = 'POSTHORN_TEST_POOLER'

const noPooler = 'no PgBouncer is installed here'

/** Null where there is none. */
function findPgBouncer(): string | null {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin', '/opt/homebrew/bin']
  return folders.map((folder) => join(folder, 'pgbouncer')).find((path) => existsSync(path)) ?? null
}

export const poolerRequired = process.env[testPoolerVariable] === 'required'

/** For `{ skip: withoutPooler }`. */
export const withoutPooler: string | false =
  withoutPostgres || (findPgBouncer() === null && !poolerRequired ? noPooler : false)

/** What the end of a run says where the tests through a pooler were skipped; null: nothing. Throws where they have to run. */
export function poolerMissing(): string | null {
  if (findPgBouncer() !== null) return null
  const remedy = 'Install PgBouncer (Debian: apt-get install pgbouncer).'
  if (poolerRequired) throw new Error(`The tests through a pooler have to run, but ${noPooler}. ${remedy}`)
  return `The tests through a pooler were skipped: ${noPooler}. ${remedy}`
}

export interface Pooler {
  /** The same database, through it. */
  through(url: string): string
  stop(): Promise<void>
}

/**
 * Starts one that gives a server to a client for a transaction only, and has `size` of them for each database. Throws with
 * what it said.
 */
export async function startPgBouncer(url: string, { size }: { readonly size: number }): Promise<Pooler> {
  const program = findPgBouncer()
  if (program === null) throw new Error(`This test needs PgBouncer, but ${noPooler}.`)
  const { hostname, port: serverPort, username } = new URL(url)
  const folder = mkdtempSync(join(tmpdir(), 'posthorn-pgbouncer-'))
  const user = serverUser()
  if (user !== null) chownSync(folder, user.uid, user.gid)
  for (let tries = 1; ; tries++) {
    const port = await freePort()
    const settings = join(folder, 'pgbouncer.ini')
    // As Debian installs it, but for these. So what it does not know at the start of a connection is refused.
    writeFileSync(
      settings,
      `[databases]
* = host=${hostname} port=${serverPort || 5432} user=${username}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = ${size}
max_client_conn = 300
`,
    )
    const server = watchedServer(program, [settings], { folder, user })
    while (!/process up|FATAL|ERROR/.test(server.log()) && !server.ended()) await pause(10)
    if (server.log().includes('process up')) {
      return {
        through(url) {
          const through = new URL(url)
          through.host = `127.0.0.1:${port}`
          return through.href
        },
        stop: () => server.stop(),
      }
    }
    const said = server.log()
    await server.stop()
    if (tries >= 5 || !/in use/.test(said)) throw new Error(`PgBouncer did not start:\n${said}`)
  }
}
