import { Socket } from 'node:net'
import pg from 'pg'
import type { PostgresTarget } from '../../domain/database-target.ts'
import { type ConnectionManner, clientConfig } from './connection.ts'
import { goesOver, isTheStatements, Unreachable } from './lost.ts'
import { patience } from './patience.ts'
import { refusalOf } from './refusal.ts'

// Full jitter (aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter): a server that comes back after an hour
// must not meet every connection of every node in one moment.
const firstBackoffMs = 100
const longestBackoffMs = 2_000
// As long as the answer to a publish may take in all is 2 s.
const longestWaitMs = 1_500
// A host that is silent may be gone with its machine, or far away: the next is asked beside it.
const silentHostMs = 400

interface Waiting {
  readonly resolve: (client: pg.Client) => void
  readonly reject: (error: unknown) => void
  /** It is not to be told any more that there was none. */
  readonly served: () => void
  /** It has been told that there was none. */
  over: boolean
}

/** A few connections to whichever of the target's hosts is the primary; each is one caller's at a time. */
export class Connections {
  readonly #target: PostgresTarget
  readonly #manner: ConnectionManner
  readonly #most: number
  readonly #idle: pg.Client[] = []
  readonly #waiting: Waiting[] = []
  #open = 0
  /** Where the primary was found last. */
  #host = 0
  #failures = 0
  #notBefore = 0
  #lastError: unknown = null
  #closed = false

  constructor(target: PostgresTarget, manner: ConnectionManner, most: number) {
    this.#target = target
    this.#manner = manner
    this.#most = most
  }

  /** Lends a connection for as long as `work` takes. Throws Unreachable at once while connecting is being given a rest. */
  async with<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
    const client = await this.#acquire()
    try {
      const result = await work(client)
      this.#release(client)
      return result
    } catch (error) {
      if (isTheStatements(error)) this.#release(client)
      else this.#discard(client)
      throw error
    }
  }

  /** Opens all there may be, so that who comes first need not wait for it. What fails is tried again by whoever needs it. */
  async ready(): Promise<void> {
    const opened = await Promise.allSettled(Array.from({ length: this.#most }, () => this.#acquire()))
    for (const one of opened) if (one.status === 'fulfilled') this.#release(one.value)
  }

  /** A connection that its caller keeps, and ends. */
  async own(): Promise<pg.Client> {
    return this.#connect()
  }

  async close(): Promise<void> {
    this.#closed = true
    for (const { reject, served } of this.#waiting.splice(0)) {
      served()
      reject(new Unreachable('the store is closed'))
    }
    await Promise.all(this.#idle.splice(0).map((client) => client.end().catch(() => {})))
  }

  async #acquire(): Promise<pg.Client> {
    if (this.#closed) throw new Unreachable('the store is closed')
    const idle = this.#idle.pop()
    if (idle !== undefined) return idle
    if (this.#open >= this.#most) return this.#wait()
    this.#open += 1
    try {
      return await this.#connect()
    } catch (error) {
      this.#open -= 1
      for (const { reject, served } of this.#waiting.splice(0)) {
        served()
        reject(error)
      }
      throw error
    }
  }

  #wait(): Promise<pg.Client> {
    return new Promise((resolve, reject) => {
      const served = patience.after(longestWaitMs, () => {
        const at = this.#waiting.indexOf(waiting)
        if (at >= 0) this.#waiting.splice(at, 1)
        waiting.over = true
        reject(new Unreachable(`all ${this.#most} connections to the database were busy for ${longestWaitMs} ms`))
      })
      const waiting: Waiting = { resolve, reject, served, over: false }
      this.#waiting.push(waiting)
    })
  }

  #release(client: pg.Client): void {
    if (this.#closed || gone.has(client)) {
      this.#discard(client)
      return
    }
    const next = this.#waiting.shift()
    if (next === undefined) {
      this.#idle.push(client)
      return
    }
    next.served()
    next.resolve(client)
  }

  /** Nobody can tell what stands on it: the server takes back what was not committed. */
  #discard(client: pg.Client): void {
    this.#open -= 1
    client.end().catch(() => {})
    const next = this.#waiting.shift()
    // Its time goes on: what it has waited is not given to the connecting.
    if (next !== undefined) void this.#acquireFor(next)
  }

  async #acquireFor(waiting: Waiting): Promise<void> {
    try {
      const client = await this.#acquire()
      if (waiting.over) this.#release(client)
      else waiting.resolve(client)
    } catch (error) {
      waiting.reject(error)
    }
    waiting.served()
  }

  async #connect(): Promise<pg.Client> {
    if (performance.now() < this.#notBefore)
      throw new Unreachable('the database could not be reached a moment ago', this.#lastError)
    const refusals: string[] = []
    const client = await this.#connectToPrimary(refusals)
    if (client !== null) {
      this.#failures = 0
      return client
    }
    this.#failures += 1
    const most = Math.min(longestBackoffMs, firstBackoffMs * 2 ** this.#failures)
    this.#notBefore = performance.now() + Math.random() * most
    throw new Unreachable(`the database cannot be reached: ${refusals.join('; ')}`, this.#lastError)
  }

  /** Asks one host after the other, from where the primary was last; a silent one does not keep the next waiting. */
  #connectToPrimary(refusals: string[]): Promise<pg.Client | null> {
    const { hosts, tls } = this.#target
    return new Promise((resolve) => {
      const underWay = new Set<Socket>()
      let most = hosts.length
      let begun = 0
      let refused = 0
      let found = false
      const over = patience.after(longestWaitMs, () => {
        most = begun
        for (const socket of underWay) socket.destroy(new Error('timeout expired'))
      })
      const end = (client: pg.Client | null): void => {
        over()
        resolve(client)
      }
      const begin = (): void => {
        const at = (this.#host + begun) % hosts.length
        const host = hosts[at]
        if (found || begun === most || host === undefined) return
        begun += 1
        const socket = new Socket()
        underWay.add(socket)
        const impatience = setTimeout(begin, silentHostMs)
        this.#connectTo(host, socket)
          .then((client) => {
            if (found) return client.end().catch(() => {})
            found = true
            this.#host = at
            underWay.delete(socket)
            for (const silent of underWay) silent.destroy()
            end(client)
          })
          .catch((error: unknown) => {
            this.#lastError = error
            const refusal = refusalOf(error, tls)
            refusals.push(hosts.length === 1 ? refusal : `${host.host}:${host.port}: ${refusal}`)
            refused += 1
            if (refused === most) end(null)
            else begin()
          })
          .finally(() => {
            clearTimeout(impatience)
            underWay.delete(socket)
          })
      }
      begin()
    })
  }

  /** Throws what the host says of it. */
  async #connectTo(host: PostgresTarget['hosts'][number], socket: Socket): Promise<pg.Client> {
    const config = clientConfig(this.#target, host, this.#manner)
    const client = new pg.Client({ ...config, stream: () => socket })
    goesOver(client, socket)
    // Also while nobody uses it: an idle connection that the server ends must not be lent again.
    const lost = (): void => {
      gone.add(client)
      const at = this.#idle.indexOf(client)
      if (at < 0) return
      this.#idle.splice(at, 1)
      this.#open -= 1
    }
    client.on('error', lost)
    client.on('end', lost)
    try {
      await client.connect()
      const { rows } = await client.query<{ standby: number }>('select pg_is_in_recovery() as standby')
      if (rows[0]?.standby === 1) throw new Error(`${host.host}:${host.port} is a standby`)
      return client
    } catch (error) {
      client.end().catch(() => {})
      throw error
    }
  }
}

const gone = new WeakSet<pg.Client>()
