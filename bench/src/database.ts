import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { type Console, openSqliteConsole } from './console.ts'
import { openConsole, type PostgresServer, startPostgres } from './postgres.ts'
import { makeFolder, sizeOf } from './workspace.ts'

export type Engine = 'sqlite' | 'postgres'

/** A new database that gateways are started on. */
export interface Database extends AsyncDisposable {
  readonly engine: Engine
  /** As `POSTHORN_DATABASE` has it. */
  readonly url: string
  /** What all its nodes know. */
  readonly apiKey: string
  readonly masterKey: string
  bytes(): Promise<number>
  /** A look behind the gateway's back; with SQLite only while none is on it. */
  open(): Promise<Console>
  /** Of the engine's own processes: none with SQLite. Null where the kernel does not tell. */
  cpuMs(): number | null
}

/** Where new databases come from: one server for the whole run, started when it is first needed. */
export interface Databases extends AsyncDisposable {
  fresh(engine: Engine): Promise<Database>
}

export const engineNames = { sqlite: 'SQLite', postgres: 'PostgreSQL' } as const satisfies Record<Engine, string>

const makeKeys = () => ({
  apiKey: `bench_${randomBytes(24).toString('hex')}`,
  masterKey: randomBytes(32).toString('hex'),
})

function freshSqlite(): Database {
  const folder = makeFolder('database')
  const path = join(folder.path, 'posthorn.db')
  return {
    ...{ engine: 'sqlite', ...makeKeys() },
    url: `sqlite:${path}`,
    open: async () => openSqliteConsole(path),
    bytes: async () => sizeOf(folder.path),
    cpuMs: () => 0,
    [Symbol.asyncDispose]: async () => folder.remove(),
  }
}

/** An empty database of a server. */
export async function freshPostgres(server: PostgresServer, name: string): Promise<Database> {
  const url = await server.createDatabase(name)
  await server.checkpoint()
  return {
    ...{ engine: 'postgres', url, ...makeKeys() },
    async bytes() {
      await using console = await openConsole(url)
      const [row] = await console.rows<{ bytes: string }>('select pg_database_size(current_database()) as bytes')
      return Number(row?.bytes)
    },
    open: () => openConsole(url),
    cpuMs: () => server.cpuMs(),
    async [Symbol.asyncDispose]() {
      await server.dropDatabase(name)
      await server.checkpoint()
    },
  }
}

export function makeDatabases(): Databases {
  let server: Promise<PostgresServer> | null = null
  let made = 0
  return {
    async fresh(engine) {
      if (engine === 'sqlite') return freshSqlite()
      server ??= startPostgres()
      made += 1
      return freshPostgres(await server, `bench_${made}`)
    },
    async [Symbol.asyncDispose]() {
      await (await server)?.[Symbol.asyncDispose]()
    },
  }
}
