import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { freePorts } from '../faults/cluster.ts'
import { Books } from './books.ts'
import { Disk } from './disk.ts'
import { Load, Publisher } from './load.ts'
import { GatewayProcess } from './process.ts'
import { Receiver } from './receiver.ts'

export interface GatewayOptions {
  /** A disk of its own, of so many MiB; else a folder of the system's. */
  readonly diskMiB?: number
  readonly settings?: Readonly<Record<string, string>>
  /** What its process is run by, once there is a folder for it. */
  readonly wrapped?: (folder: string) => readonly string[]
}

const key = 'key-of-the-hardship-run'
const settleMs = 20_000
const drainMs = 120_000

const usual: Readonly<Record<string, string>> = {
  POSTHORN_API_KEY: key,
  POSTHORN_EGRESS_ALLOW: '127.0.0.0/8',
  POSTHORN_ATTEMPT_TIMEOUT: '3s',
  // Nothing is given up before a hardship is over, and soon tried again behind it.
  POSTHORN_RETRY_SCHEDULE: ['200ms', '400ms', ...Array.from({ length: 48 }, () => '2s')].join(','),
  POSTHORN_RETRY_JITTER: '0',
}

/**
 * A gateway with two customers. `shop`'s receiver takes everything at once, and load is published for it all the time;
 * `troubled`'s answers as the hardship says.
 */
export class Gateway {
  readonly shop: { readonly books: Books; readonly receiver: Receiver }
  readonly troubled: { readonly books: Books; readonly receiver: Receiver }
  readonly disk: Disk
  readonly url: string
  readonly load: Load
  readonly publisher = new Publisher(key)
  readonly #options: GatewayOptions
  #process: GatewayProcess | null = null
  #lives = 0
  #number = 0
  /** How often it was ended, by whoever tests it. */
  ended = 0

  private constructor(
    port: number,
    disk: Disk,
    shop: Gateway['shop'],
    troubled: Gateway['troubled'],
    options: GatewayOptions,
  ) {
    this.url = `http://127.0.0.1:${port}`
    this.disk = disk
    this.shop = shop
    this.troubled = troubled
    this.#options = options
    this.load = new Load((payload, idempotencyKey) =>
      this.publisher.publish(this.url, 'shop', shop.books, payload, idempotencyKey),
    )
  }

  static async open(options: GatewayOptions = {}): Promise<Gateway> {
    const disk = options.diskMiB === undefined ? Disk.folder(newFolder()) : Disk.mounted(newFolder(), options.diskMiB)
    const [shop, troubled] = [new Books(), new Books()]
    // The same in each of its lives.
    const [port = 0] = await freePorts(1)
    const gateway = new Gateway(
      port,
      disk,
      { books: shop, receiver: await Receiver.listen(shop) },
      { books: troubled, receiver: await Receiver.listen(troubled) },
      options,
    )
    await gateway.start()
    for (const [uid, { receiver }] of [
      ['shop', gateway.shop],
      ['troubled', gateway.troubled],
    ] as const) {
      await gateway.publisher.call(gateway.url, '/api/v1/app', { name: uid, uid })
      await gateway.newEndpoint(uid, `${receiver.url}/hook`)
    }
    return gateway
  }

  /** Rejects with what it said where it cannot. */
  async start(): Promise<void> {
    this.#lives += 1
    this.#process = await GatewayProcess.start(
      {
        ...usual,
        POSTHORN_DATABASE: `sqlite:${join(this.disk.folder, 'posthorn.db')}`,
        POSTHORN_LISTEN: this.url.slice('http://'.length),
        POSTHORN_PUBLIC_URL: `http://life-${this.#lives}.test`,
        ...this.#options.settings,
      },
      join(this.disk.outside, 'orders.json'),
      this.#options.wrapped?.(this.disk.outside),
    )
  }

  get process(): GatewayProcess {
    if (this.#process === null) throw new Error('the gateway was not started')
    return this.#process
  }

  get isAlive(): boolean {
    return this.process.isAlive
  }

  async kill(): Promise<void> {
    this.ended += 1
    await this.process.kill()
  }

  async stop(): Promise<void> {
    this.ended += 1
    await this.process.stop()
  }

  /** What the public door has to hold at most of a few senders at once, for a source that is not there. */
  async largeBodies(): Promise<void> {
    const body = Buffer.alloc(24 * 1024 * 1024, 'a')
    await Promise.all(
      [1, 2].map(async () => {
        const answer = await fetch(`${this.url}/in/token`, { method: 'POST', body })
        await answer.arrayBuffer()
      }),
    )
  }

  async newEndpoint(application: string, url: string): Promise<void> {
    await this.publisher.call(this.url, `/api/v1/app/${application}/endpoint`, { url })
  }

  /** Publishes for the customer in trouble. Resolves to the status; 0: no answer. */
  publishTroubled(): Promise<number> {
    this.#number += 1
    const payload = `{"troubled":${this.#number}}`
    return this.publisher.publish(this.url, 'troubled', this.troubled.books, payload, `troubled-${this.#number}`)
  }

  /** Waits until so many more were accepted and delivered than now: the road is open. Rejects where it takes too long. */
  async roadIsOpen(count = 50, withinMs = 60_000): Promise<void> {
    const { books } = this.shop
    const [promised, delivered] = [books.promised + count, books.delivered + count]
    await this.until(
      () => books.promised >= promised && books.delivered >= delivered,
      withinMs,
      () => {
        const more = [books.promised - promised + count, books.delivered - delivered + count]
        return `in ${withinMs / 1000} s only ${more.join(' accepted and ')} delivered, not ${count}`
      },
    )
  }

  /** Waits until nothing is accepted any more, and looks that it stays so for a while. */
  async roadIsClosed(): Promise<void> {
    await pause(500)
    const { promised } = this.shop.books
    await pause(1_000)
    if (this.shop.books.promised > promised)
      throw new Error(`${this.shop.books.promised - promised} were accepted meanwhile`)
  }

  /** Rejects where it does not become so in time, or the process ends meanwhile. */
  async until(isSo: () => boolean, withinMs: number, otherwise: () => string): Promise<void> {
    for (const until = performance.now() + withinMs; !isSo(); await pause(50)) {
      if (!this.isAlive) throw new Error(`the process ended with ${this.process.endedWith}`)
      if (performance.now() > until) throw new Error(otherwise())
    }
  }

  /** Waits for everything that was promised. Past its time what is missing is lost. */
  async drained(): Promise<void> {
    const books = [this.shop.books, this.troubled.books]
    for (const until = performance.now() + drainMs; performance.now() < until; await pause(100)) {
      if (!this.isAlive || books.every(({ lost }) => lost.length === 0)) return
    }
  }

  /** Notes of what came to the shop twice where the gateway had reason to send it again: on a busy machine we answer late. */
  async excuse(): Promise<void> {
    const { books } = this.shop
    for (const id of new Set([...books.doubled, ...books.repeated])) {
      if (await this.publisher.hasFailedTry(this.url, 'shop', id)) books.excuse(id)
    }
  }

  /** Bytes in memory after a collection, once they move no more: the least seen on the way. */
  async settledRss(): Promise<number> {
    const seen: number[] = []
    for (const until = performance.now() + settleMs; performance.now() < until; await pause(1_000)) {
      await this.process.order()
      seen.push(this.process.rssBytes)
      const last = seen.slice(-4)
      if (last.length === 4 && Math.max(...last) < Math.min(...last) * 1.01) break
    }
    return Math.min(...seen)
  }

  async close(): Promise<void> {
    await this.load.stop()
    if (this.#process?.isAlive) await this.#process.kill()
    await this.publisher.close()
    await Promise.all([this.shop.receiver.close(), this.troubled.receiver.close()])
    this.disk.remove()
  }
}

const newFolder = (): string => mkdtempSync(join(tmpdir(), 'posthorn-hardship-'))
