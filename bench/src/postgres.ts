import { spawnSync } from 'node:child_process'
import { chownSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { Client } from 'pg'
import { type Child, freePort, startChild } from './child.ts'
import type { Console } from './console.ts'
import { findTool } from './tool.ts'
import { cpuMsOfFamily } from './usage.ts'
import { makeFolder } from './workspace.ts'

/** A private PostgreSQL with its data on a disk, started for one run of the bench. */
export interface PostgresServer extends AsyncDisposable {
  /** Makes an empty database; resolves to its URL. */
  createDatabase(name: string): Promise<string>
  dropDatabase(name: string): Promise<void>
  /** Writes what is due to the data files now, so that the next measurement does not pay for the one before. */
  checkpoint(): Promise<void>
  /** Of all its processes, also those that have ended. Null where the kernel does not tell. */
  cpuMs(): number | null
  /** How long its log is by now. */
  logBytes(): number
  /** What it has logged since its log was so long. */
  log(fromByte: number): string
}

// What docs/operate.md advises for PostgreSQL; all else is as the distribution has it, fsync and full_page_writes on.
export const advisedSettings: readonly string[] = [
  'shared_buffers=1GB',
  'max_wal_size=4GB',
  'checkpoint_timeout=15min',
  'wal_compression=lz4',
  'max_connections=200',
]

/** The folder of the newest PostgreSQL's programs: Debian keeps them out of everybody's PATH. */
export function postgresPrograms(): string {
  const debian = '/usr/lib/postgresql'
  const versions = (() => {
    try {
      return readdirSync(debian).toSorted((a, b) => Number(b) - Number(a))
    } catch {
      return []
    }
  })()
  const installed = versions.map((version) => join(debian, version, 'bin')).find((folder) => findIn(folder))
  const folder = installed ?? findTool('initdb')?.replace(/\/initdb$/, '')
  if (folder === undefined)
    throw new Error('PostgreSQL is not installed: apt-get install postgresql, or --database sqlite')
  return folder
}

const findIn = (folder: string): boolean => {
  try {
    return readdirSync(folder).includes('initdb')
  } catch {
    return false
  }
}

/** PostgreSQL refuses to run as root: then the system's own user for it does. */
function serverUser(): { readonly uid: number; readonly gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined
  const [, uid, gid] = /^postgres:[^:]*:(\d+):(\d+):/m.exec(readFileSync('/etc/passwd', 'utf8')) ?? []
  if (uid === undefined) throw new Error('PostgreSQL does not run as root, and there is no user postgres to run it as')
  return { uid: Number(uid), gid: Number(gid) }
}

/** `more`: settings of one question, beside those that are advised. */
export async function startPostgres(more: readonly string[] = []): Promise<PostgresServer> {
  const folder = makeFolder('postgres')
  const user = serverUser()
  if (user !== undefined) chownSync(folder.path, user.uid, user.gid)
  const data = join(folder.path, 'data')
  const bin = postgresPrograms()
  const made = spawnSync(
    join(bin, 'initdb'),
    ['-D', data, '-U', 'postgres', '-A', 'trust', '--locale=C.UTF-8', '--encoding=UTF8'],
    { ...user, cwd: folder.path, env: {}, encoding: 'utf8' },
  )
  if (made.status !== 0) throw new Error(`initdb: ${made.error?.message ?? made.stderr}`)
  const port = await freePort()
  const urlOf = (database: string) => `postgres://postgres@127.0.0.1:${port}/${database}`
  const child: Child = await startChild({
    name: 'postgres',
    command: join(bin, 'postgres'),
    args: [
      ...['-D', data, '-p', String(port), '-k', folder.path, '-c', 'listen_addresses=127.0.0.1'],
      ...[...advisedSettings, ...more].flatMap((setting) => ['-c', setting]),
    ],
    ...(user === undefined ? {} : { user }),
    // A fast shutdown: connections are ended, nothing is lost. SIGTERM would wait for them.
    stopSignal: 'SIGINT',
    folder: folder.path,
    ready: async () => {
      await using console = await openConsole(urlOf('postgres'))
      return (await console.rows('select 1')).length === 1
    },
  })
  const console = await openConsole(urlOf('postgres'))
  const log = join(folder.path, 'postgres.log')
  return {
    async createDatabase(name) {
      await console.run(`create database ${name}`)
      return urlOf(name)
    },
    dropDatabase: (name) => console.run(`drop database ${name} with (force)`),
    checkpoint: () => console.run('checkpoint'),
    cpuMs: () => cpuMsOfFamily(child.pid),
    logBytes: () => statSync(log).size,
    log: (fromByte) => readFileSync(log).subarray(fromByte).toString('utf8'),
    async [Symbol.asyncDispose]() {
      await console[Symbol.asyncDispose]()
      await child.stop()
      folder.remove()
    },
  }
}

export async function openConsole(url: string): Promise<Console> {
  const client = new Client({ connectionString: url, application_name: 'bench' })
  // What ends a connection is seen by the question that is asked on it.
  client.on('error', () => {})
  await client.connect()
  return {
    engine: 'postgres',
    async run(sql) {
      await client.query(sql)
    },
    async rows<Row>(sql: string) {
      const { rows } = await client.query(sql)
      return rows as Row[]
    },
    [Symbol.asyncDispose]: () => client.end(),
  }
}
