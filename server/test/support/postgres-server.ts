import { execFileSync, spawnSync } from 'node:child_process'
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { freePort, type WatchedServer, watchedServer } from './watched-server.ts'

/** Older ones lack what the store's SQL needs. */
export const oldestPostgres = 15

/** A PostgreSQL of ours alone: nothing in it outlives it. */
export interface PostgresServer {
  /** Of its superuser, to the database `postgres`, which holds nothing. */
  readonly url: string
  readonly port: number
  /** Where data, socket and log are; gone after the stop. */
  readonly folder: string
  /** Ends open connections and the server, and removes its folder. */
  stop(): Promise<void>
}

export interface PostgresServerOptions {
  /** Beside (and over) those for tests: `{ wal_level: 'logical' }`. */
  readonly settings?: Readonly<Record<string, string>>
}

/** The folder of the newest server binaries on this machine that we can use; otherwise why there is none. */
export function findPostgres(): { readonly bin: string } | { readonly missing: string } {
  const folders = [
    ...(process.env.PATH ?? '').split(delimiter),
    ...versionsUnder('/usr/lib/postgresql', 'bin'), // Debian, Ubuntu
    ...versionsUnder('/usr', 'bin', /^pgsql-(\d+)$/), // the packages of postgresql.org for RPM systems
    ...versionsUnder('/opt/homebrew/opt', 'bin', /^postgresql@(\d+)$/),
    ...pgConfigFolder(),
  ].filter((folder) => existsSync(join(folder, 'initdb')) && existsSync(join(folder, 'postgres')))
  const versions = new Map(folders.map((bin) => [bin, versionOf(bin)]))
  const bin = folders.find((folder) => (versions.get(folder) ?? 0) >= oldestPostgres)
  if (bin !== undefined) return { bin }
  const [old] = versions.values()
  return {
    missing:
      old === undefined
        ? 'no PostgreSQL is installed here'
        : `the PostgreSQL installed here is ${old}, and ${oldestPostgres} is the oldest that will do`,
  }
}

function versionsUnder(folder: string, below: string, name = /^(\d+)$/): readonly string[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .flatMap((entry) => {
      const version = name.exec(entry)?.[1]
      return version === undefined ? [] : [{ version: Number(version), path: join(folder, entry, below) }]
    })
    .sort((a, b) => b.version - a.version)
    .map(({ path }) => path)
}

const pgConfig = 'pg_config'

function pgConfigFolder(): readonly string[] {
  const asked = spawnSync(pgConfig, ['--bindir'], { encoding: 'utf8' })
  return asked.status === 0 ? [asked.stdout.trim()] : []
}

function versionOf(bin: string): number {
  const said = spawnSync(join(bin, 'postgres'), ['--version'], { encoding: 'utf8' }).stdout ?? ''
  return Number(/ (\d+)/.exec(said)?.[1] ?? 0)
}

// Nothing here is worth keeping, so nothing waits for a disk. And no vacuum by itself: what a test sees does not
// depend on when one came by.
const testSettings = {
  fsync: 'off',
  full_page_writes: 'off',
  synchronous_commit: 'off',
  autovacuum: 'off',
  shared_buffers: '32MB',
  max_connections: '300',
  max_wal_size: '256MB',
  listen_addresses: '127.0.0.1',
  timezone: 'UTC',
}

/** Makes and starts a server of ours, which ends with this process. Throws with what the server said. */
export async function startPostgresServer(
  bin: string,
  { settings = {} }: PostgresServerOptions = {},
): Promise<PostgresServer> {
  const folder = mkdtempSync(join(tmpdir(), 'posthorn-postgres-'))
  const owner = serverUser()
  if (owner !== null) chownSync(folder, owner.uid, owner.gid)
  const data = join(folder, 'data')
  execFileSync(
    join(bin, 'initdb'),
    ['--no-sync', '--no-instructions', '-A', 'trust', '-U', 'postgres', '--locale=C', '--encoding=UTF8', '-D', data],
    { ...owner, cwd: folder, stdio: 'pipe' },
  )
  for (let tries = 1; ; tries++) {
    const port = await freePort()
    const all = { ...testSettings, ...settings, port: String(port), unix_socket_directories: folder }
    const server = watchedServer(join(bin, 'postgres'), ['-D', data, ...flags(all)], { folder, user: owner })
    if (await ready(server, data))
      return { folder, port, url: `postgres://postgres@127.0.0.1:${port}/postgres`, stop: () => server.stop() }
    const log = server.log()
    // Somebody else may have taken the port between its being found and its being used.
    if (tries < 5 && log.includes('could not bind')) continue
    await server.stop()
    throw new Error(`PostgreSQL did not start:\n${log}`)
  }
}

const flags = (settings: Readonly<Record<string, string>>): readonly string[] =>
  Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])

/** Whether it takes connections; the last line of its pid file says so (PostgreSQL's miscadmin.h, LOCK_FILE_LINE_PM_STATUS). */
async function ready(server: WatchedServer, data: string): Promise<boolean> {
  const file = join(data, 'postmaster.pid')
  const givenUp = Date.now() + 30_000
  while (Date.now() < givenUp) {
    if (existsSync(file) && /^ready\s*$/m.test(readFileSync(file, 'utf8'))) return true
    if (/FATAL/.test(server.log())) return false
    if (server.ended()) return false
    await pause(20)
  }
  return false
}

/** PostgreSQL refuses to run as root: then it runs as the system's user for it, or as nobody. */
export function serverUser(): { readonly uid: number; readonly gid: number } | null {
  if (process.getuid?.() !== 0) return null
  const users = readFileSync('/etc/passwd', 'utf8').split('\n')
  for (const name of ['postgres', 'nobody']) {
    const [, , uid, gid] = users.find((line) => line.startsWith(`${name}:`))?.split(':') ?? []
    if (uid !== undefined && gid !== undefined) return { uid: Number(uid), gid: Number(gid) }
  }
  throw new Error('PostgreSQL does not run as root, and this system has neither a user postgres nor one called nobody.')
}
