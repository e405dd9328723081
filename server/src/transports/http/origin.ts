import type { World } from '../../ports/world.ts'
import { Connection, type Open } from './connection.ts'
import type { Guard } from './guard.ts'
import { openSocket } from './opening.ts'
import type { Try } from './try.ts'

/**
 * The connections to one origin (scheme, host and port), a bounded number of them, and the tries that wait for one.
 * Connections are made here rather than by undici's Pool, because a try whose time is over must be able to leave: a
 * waiting one from the line, a connecting one with the socket it is opening. In a Pool neither can be found.
 */
export class Origin {
  readonly name: string
  readonly #most: number
  readonly #open: Open
  /** Used from the end: what was used last stays warm, the rest may grow cold and close. */
  readonly #idle: Connection[] = []
  readonly #waiting = new Set<Try>()
  #connections = 0
  #closed = false
  #session: Buffer | null = null

  constructor(name: string, most: number, guard: Guard, world: World) {
    this.name = name
    this.#most = most
    this.#open = (ask, done) => {
      const onSession = (session: Buffer) => {
        this.#session = session
      }
      return openSocket(guard, world, { ...ask, session: this.#session, onSession }, done)
    }
  }

  /** True while a try is under way or waits. */
  get busy(): boolean {
    return this.#connections > this.#idle.length || this.#waiting.size > 0
  }

  start(one: Try): void {
    const connection = this.#idle.pop()
    if (connection !== undefined) one.runOn(connection)
    else if (this.#connections < this.#most) this.startFresh(one)
    else this.#waiting.add(one)
  }

  /** Starts a try on a new connection, in the place of one that was just discarded. */
  startFresh(one: Try): void {
    this.#connections++
    one.runOn(new Connection(this.name, this.#open, this.#onLost))
  }

  /** Takes back a connection after a whole answer. */
  release(connection: Connection): void {
    const next = this.#next()
    if (this.#closed) this.drop(connection)
    else if (next !== undefined) next.runOn(connection)
    else this.#idle.push(connection)
  }

  /** Ends a connection that nobody should use again. */
  discard(connection: Connection): void {
    this.drop(connection)
    const next = this.#next()
    if (next !== undefined) this.startFresh(next)
  }

  /** The same, leaving its place to `startFresh`. */
  drop(connection: Connection): void {
    this.#connections--
    void connection.destroy()
  }

  leave(one: Try): void {
    this.#waiting.delete(one)
  }

  /** Ends idle connections and tries that wait for one; the connections in use end with their tries. */
  async close(): Promise<void> {
    this.#closed = true
    for (let one = this.#next(); one !== undefined; one = this.#next()) one.giveUp('connect', 'Posthorn is stopping')
    this.#connections -= this.#idle.length
    await Promise.all(this.#idle.splice(0).map((connection) => connection.destroy()))
  }

  #next(): Try | undefined {
    const [next] = this.#waiting
    if (next !== undefined) this.#waiting.delete(next)
    return next
  }

  #onLost = (connection: Connection): void => {
    const at = this.#idle.lastIndexOf(connection)
    if (at < 0) return
    this.#idle.splice(at, 1)
    this.drop(connection)
  }
}
