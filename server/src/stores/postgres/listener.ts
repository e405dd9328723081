import type pg from 'pg'
import type { Connections } from './connections.ts'

const againMs = 1_000

/**
 * A connection of its own that hears when a change is committed, by whatever node. What it misses while it is being
 * connected anew is found by asking: it only shortens the wait.
 */
export class Listener {
  readonly #connections: Connections
  readonly #heard: () => void
  #client: pg.Client | null = null
  #timer: NodeJS.Timeout | null = null
  #closed = false

  constructor(connections: Connections, heard: () => void) {
    this.#connections = connections
    this.#heard = heard
    void this.#listen()
  }

  async close(): Promise<void> {
    this.#closed = true
    if (this.#timer) clearTimeout(this.#timer)
    await this.#client?.end().catch(() => {})
  }

  async #listen(): Promise<void> {
    try {
      const client = await this.#connections.own()
      this.#client = client
      client.on('notification', this.#heard)
      client.once('end', () => this.#again())
      if (this.#closed) await client.end()
      else await client.query('listen posthorn_change')
    } catch {
      if (this.#client === null) this.#again()
      else this.#client.end().catch(() => {})
    }
  }

  #again(): void {
    this.#client = null
    if (this.#closed) return
    // With jitter: all nodes have lost theirs in the same moment.
    this.#timer = setTimeout(() => void this.#listen(), againMs * (0.5 + Math.random()))
    this.#timer.unref()
  }
}
