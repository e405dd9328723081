// FAULTS: three real nodes on a PostgreSQL with a standby, under load, while everything that can go wrong does. `main.ts`
// runs seeds one after the other; `round.ts` is one of them, `verdict.ts` says what was broken. Nothing here imports the
// gateway: it is started and asked as any caller would, and its database is looked at from outside.
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFileSync,
  chownSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import pg from 'pg'

/** `fast` ends sessions and writes a checkpoint, `immediate` only ends, `kill` is SIGKILL: no goodbye at all. */
export type Ending = 'fast' | 'immediate' | 'kill'

const endings: Readonly<Record<Ending, NodeJS.Signals>> = { fast: 'SIGINT', immediate: 'SIGQUIT', kill: 'SIGKILL' }
const patienceMs = 120_000

const settings = {
  listen_addresses: '127.0.0.1',
  shared_buffers: '64MB',
  max_wal_size: '512MB',
  wal_keep_size: '128MB',
  wal_retrieve_retry_interval: '100ms',
  synchronous_commit: 'on',
  max_connections: '200',
  log_min_messages: 'fatal',
  timezone: 'UTC',
}

/** One server of the cluster: its port and its folder stay, whatever role it has. */
interface Server {
  readonly port: number
  readonly data: string
  running: Running | null
}

/** As whom the servers run, where we are root: PostgreSQL refuses to be. */
type Owner = { readonly uid: number; readonly gid: number } | null

interface Running {
  readonly pid: number
  readonly watchdog: ChildProcess
  readonly gone: Promise<unknown>
}

/**
 * A primary that forgets nothing (fsync is on) and a standby that has each commit before it is acknowledged. The
 * servers end with this process, however that ends.
 */
export class Cluster {
  readonly #bin: string
  readonly #folder: string
  readonly #owner: Owner
  readonly #servers: readonly [Server, Server]
  #primary: Server

  private constructor(bin: string, folder: string, owner: Owner, servers: readonly [Server, Server]) {
    this.#bin = bin
    this.#folder = folder
    this.#owner = owner
    this.#servers = servers
    this.#primary = servers[0]
  }

  /** `found`: where `initdb` is, or a link to it; what else it takes is where it really is. */
  static async start(found: string, owner: Owner): Promise<Cluster> {
    const bin = dirname(realpathSync(join(found, 'initdb')))
    const folder = mkdtempSync(join(tmpdir(), 'posthorn-faults-'))
    if (owner !== null) chownSync(folder, owner.uid, owner.gid)
    const [first, second] = await freePorts(2)
    if (first === undefined || second === undefined) throw new Error('no free port')
    const server = (port: number, name: string): Server => ({ port, data: join(folder, name), running: null })
    const cluster = new Cluster(bin, folder, owner, [server(first, 'a'), server(second, 'b')])
    const { data } = cluster.#primary
    const words = ['--no-sync', '--no-instructions', '-A', 'trust', '-U', 'postgres', '-E', 'UTF8', '-D', data]
    await cluster.#run('initdb', words)
    appendFileSync(join(data, 'postgresql.conf'), "include_if_exists = 'role.conf'\n")
    await cluster.#start(cluster.#primary)
    await cluster.repair()
    return cluster
  }

  /** Of both servers, in a fixed order. */
  get ports(): readonly [number, number] {
    return [this.#servers[0].port, this.#servers[1].port]
  }

  get primaryPort(): number {
    return this.#primary.port
  }

  /** Asks the primary, past every wire. */
  async ask<Row extends pg.QueryResultRow>(
    database: string,
    text: string,
    values: readonly unknown[] = [],
  ): Promise<readonly Row[]> {
    const client = new pg.Client({ host: '127.0.0.1', port: this.#primary.port, user: 'postgres', database })
    client.on('error', () => {})
    await client.connect()
    try {
      return (await client.query<Row>(text, [...values])).rows
    } finally {
      await client.end()
    }
  }

  /** Ends the primary and starts it again on the same data. */
  async restart(how: Exclude<Ending, 'kill'>, downMs: number): Promise<void> {
    await this.#end(this.#primary, how)
    await pause(downMs)
    await this.#start(this.#primary)
  }

  /** The primary dies and the standby takes over. Until the repair there is no other. */
  async failOver(how: Exclude<Ending, 'fast'>): Promise<void> {
    const standby = this.#standby
    await this.#end(this.#primary, how)
    // Nobody is left to wait for.
    this.#demandStandby(standby, false)
    await this.#run('pg_ctl', ['promote', '-D', standby.data, '-t', '30', '-s'])
    this.#primary = standby
  }

  /** The standby dies; until the repair no commit is acknowledged. */
  async loseStandby(): Promise<void> {
    await this.#end(this.#standby, 'immediate')
  }

  /** Makes the one that is not the primary its standby again, if it is not, and waits until no commit is without it. */
  async repair(): Promise<void> {
    const standby = this.#standby
    if (standby.running === null) {
      rmSync(standby.data, { recursive: true, force: true })
      const source = ['-h', '127.0.0.1', '-p', String(this.#primary.port), '-U', 'postgres']
      await this.#run('pg_basebackup', [...source, '--no-sync', '-c', 'fast', '-X', 'stream', '-R', '-D', standby.data])
      this.#demandStandby(standby, false)
      await this.#start(standby)
    }
    this.#demandStandby(this.#primary, true)
    await this.#run('pg_ctl', ['reload', '-D', this.#primary.data, '-s'])
    const states = "select sync_state from pg_stat_replication where sync_state in ('sync', 'quorum')"
    for (const givenUp = Date.now() + patienceMs; (await this.ask('postgres', states)).length === 0; ) {
      if (Date.now() > givenUp) throw new Error(`the standby does not follow:\n${this.#logOf(standby)}`)
      await pause(50)
    }
  }

  async stop(): Promise<void> {
    for (const server of this.#servers) await this.#end(server, 'immediate')
    rmSync(this.#folder, { recursive: true, force: true })
  }

  get #standby(): Server {
    return this.#servers[0] === this.#primary ? this.#servers[1] : this.#servers[0]
  }

  #demandStandby({ data }: Server, demanded: boolean): void {
    const path = join(data, 'role.conf')
    writeFileSync(path, `synchronous_standby_names = '${demanded ? '*' : ''}'\n`)
    if (this.#owner !== null) chownSync(path, this.#owner.uid, this.#owner.gid)
  }

  async #start(server: Server): Promise<void> {
    const log = `${server.data}.log`
    const all = { ...settings, port: String(server.port), unix_socket_directories: this.#folder }
    const flags = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])
    const words = [join(this.#bin, 'postgres'), log, '-D', server.data, ...flags]
    const watchdog = spawn('/bin/sh', ['-c', watchdogScript, 'posthorn-faults', ...words], {
      ...this.#owner,
      cwd: this.#folder,
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    })
    const gone = once(watchdog, 'exit')
    const pidFile = join(server.data, 'postmaster.pid')
    const givenUp = Date.now() + patienceMs
    // The last line of its pid file says so (PostgreSQL's miscadmin.h, LOCK_FILE_LINE_PM_STATUS).
    while (!existsSync(pidFile) || !/^(ready|standby)\s*$/m.test(readFileSync(pidFile, 'utf8'))) {
      if (watchdog.exitCode !== null || Date.now() > givenUp)
        throw new Error(`PostgreSQL does not start:\n${this.#logOf(server)}`)
      await pause(20)
    }
    const pid = Number(readFileSync(pidFile, 'utf8').split('\n', 1)[0])
    server.running = { pid, watchdog, gone }
  }

  async #end(server: Server, how: Ending): Promise<void> {
    const { running } = server
    if (running === null) return
    server.running = null
    process.kill(running.pid, endings[how])
    await running.gone
    running.watchdog.stdin?.destroy()
  }

  #logOf({ data }: Server): string {
    return existsSync(`${data}.log`) ? readFileSync(`${data}.log`, 'utf8').slice(-4_000) : ''
  }

  async #run(program: string, words: readonly string[]): Promise<void> {
    await promisify(execFile)(join(this.#bin, program), words, { ...this.#owner, cwd: this.#folder })
  }
}

// The other end of the pipe is in our process: when that is gone, so is the server.
const watchdogScript = `
trap : INT TERM HUP
server=$1; log=$2; shift 2
exec 3<&0
"$server" "$@" </dev/null >>"$log" 2>&1 &
pid=$!
{ cat <&3 >/dev/null; kill -QUIT $pid 2>/dev/null; } &
wait $pid
`

/** Ports of 127.0.0.1 that are free now. Servers that come and go on the same port cannot ask for any. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer())
  const ports: number[] = []
  for (const server of servers) {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    if (typeof address === 'object' && address !== null) ports.push(address.port)
  }
  for (const server of servers) {
    server.close()
    await once(server, 'close')
  }
  return ports
}
