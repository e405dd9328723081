import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { readDatabaseTarget } from '../../src/domain/database-target.ts'
import { makeIds } from '../../src/domain/ids.ts'
import { createKey } from '../../src/manage/keys.ts'
import { openStore } from '../../src/stores/open.ts'
import { realWorld as world } from '../../src/world.ts'

const bin = fileURLToPath(new URL('../../bin/posthorn.mjs', import.meta.url))

// Collects garbage when it is told to, and says what is left: only the process itself can.
const collector = `data:text/javascript,${encodeURIComponent(
  `process.on('SIGUSR2', () => { gc(); console.error('collected ' + JSON.stringify(process.memoryUsage())) })`,
)}`

/** Bytes after garbage was collected. */
export interface Weight {
  readonly rss: number
  /** Objects and buffers that are still held. */
  readonly held: number
}

/** A gateway as an operator runs it, on a fresh database on a real disk. */
export interface Gateway {
  readonly url: string
  /** An admin key of each environment that was asked for. */
  readonly keys: ReadonlyMap<string, string>
  /** What it logged of trouble, and said beside its log, since it was last asked. */
  complaints(): readonly string[]
  ended(): boolean
  /** Processor time of all its threads so far. */
  cpuMs(): number
  /** For how long its threads were ready to run and got no processor, in sum. */
  starvedMs(): number
  weigh(): Promise<Weight>
  stop(): Promise<void>
}

export async function startGateway(environments: readonly string[]): Promise<Gateway> {
  const folder = mkdtempSync(join(tmpdir(), 'posthorn-fuzz-'))
  const database = `sqlite:${join(folder, 'fuzz.db')}`
  const keys = await makeKeys(database, environments)
  const child = spawn(process.execPath, ['--expose-gc', '--import', collector, bin, 'serve'], {
    env: {
      PATH: process.env.PATH,
      POSTHORN_DATABASE: database,
      POSTHORN_MASTER_KEY: randomBytes(32).toString('hex'),
      POSTHORN_LISTEN: '127.0.0.1:0',
      POSTHORN_PUBLIC_URL: 'http://posthorn.test',
      POSTHORN_EGRESS_ALLOW: '127.0.0.0/8',
      POSTHORN_ATTEMPT_TIMEOUT: '1s',
      POSTHORN_RETRY_SCHEDULE: '1s,2s',
      POSTHORN_SHUTDOWN_GRACE: '1s',
      POSTHORN_LOG: 'json,info',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const orphaned = (): void => void child.kill('SIGKILL')
  process.once('exit', orphaned)
  let complaints: string[] = []
  let weighed: (text: string) => void = () => {}
  createInterface({ input: child.stderr }).on('line', (line) => {
    if (line.startsWith('collected ')) weighed(line.slice('collected '.length))
    else complaints.push(line)
  })
  const url = await listening(child, (line) => complaints.push(line))
  return {
    url,
    keys,
    complaints() {
      const told = complaints
      complaints = []
      return told
    },
    ended: () => child.exitCode !== null || child.signalCode !== null,
    cpuMs: () => cpuMsOf(child.pid ?? 0),
    starvedMs: () => starvedMsOf(child.pid ?? 0),
    async weigh() {
      const told = new Promise<string>((resolve) => {
        weighed = resolve
      })
      child.kill('SIGUSR2')
      const { rss, heapUsed, external } = JSON.parse(await told)
      return { rss, held: heapUsed + external }
    },
    async stop() {
      if (child.exitCode === null && child.signalCode === null) {
        const gone = once(child, 'exit')
        child.kill('SIGTERM')
        await gone
      }
      process.off('exit', orphaned)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Made before it starts: while it runs, the file is its own. */
async function makeKeys(database: string, environments: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const { store, close } = await openStore(readDatabaseTarget(database), 'command', {
    ...{ connections: 2, pooled: false, migrates: true },
  })
  const context = { store, world, newId: makeIds(world.now, world.randomBytes) }
  const keys = new Map<string, string>()
  for (const environment of environments) {
    keys.set(environment, (await createKey(context, { environment, name: 'fuzz', scopes: ['admin'] })).text)
  }
  await close()
  return keys
}

function listening(child: ChildProcess, complain: (line: string) => void): Promise<string> {
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the gateway ended with ${code} before it listened`)))
    if (child.stdout === null) return
    createInterface({ input: child.stdout }).on('line', (line) => {
      const { level, msg, url } = read(line)
      if (msg === 'posthorn is listening') resolve(String(url))
      if (Number(level) >= 50) complain(line)
    })
  })
}

function read(line: string): Readonly<Record<string, unknown>> {
  try {
    return Object(JSON.parse(line))
  } catch {
    return { level: 50 }
  }
}

const tickMs = 10 // USER_HZ is 100 on every Linux that Node runs on.

/** 0 where the system does not tell. */
function cpuMsOf(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
    return (Number(fields[11]) + Number(fields[12])) * tickMs
  } catch {
    return 0
  }
}

/** The second number of `schedstat` is nanoseconds in the run queue (kernel.org, "Scheduler Statistics"). 0 where there is none. */
function starvedMsOf(pid: number): number {
  try {
    const threads = readdirSync(`/proc/${pid}/task`).map((thread) =>
      readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' '),
    )
    return threads.reduce((sum, [, waited]) => sum + Number(waited) / 1e6, 0)
  } catch {
    return 0
  }
}
