import type { Millis } from '../../domain/ids.ts'
import type { Thread } from './thread-calls.ts'
import { unavailable } from './thread-calls.ts'

// Callers are answered within two seconds, but for the one whose list it is.
const patienceMs: Millis = 1_500
// Each holds a request, and what it was asked with.
const mostWaiting = 1_000

type Lists = Pick<Thread, 'call' | 'terminate'>

/** Long lists, one at a time. Its thread is started for the first of them. */
export class Lister {
  readonly #start: () => Lists
  #thread: Lists | null = null
  #waiting = 0
  #closed = false
  /** Of all that was asked, and of who wants none of it under way. */
  #last: Promise<unknown> = Promise.resolve()

  constructor(start: () => Lists) {
    this.#start = start
  }

  /** Throws Problem `unavailable` where others' lists take too long. */
  async call<Result>(noun: string, method: string, parameters: readonly unknown[]): Promise<Result> {
    if (this.#waiting >= mostWaiting) throw busy()
    const since = performance.now()
    this.#waiting += 1
    return await this.#inTurn(() => {
      this.#waiting -= 1
      if (this.#closed) throw unavailable('closed')
      if (performance.now() - since > patienceMs) throw busy()
      this.#thread ??= this.#start()
      return this.#thread.call<Result>(noun, method, parameters)
    })
  }

  /** Does something while no list is under way, whose statement would hold on to what the log has. */
  without<Result>(work: () => Promise<Result>): Promise<Result> {
    return this.#inTurn(work)
  }

  /** Without waiting for lists: they only read. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#thread?.terminate()
    await this.#last
  }

  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const done = this.#last.then(work)
    this.#last = done.catch(() => {})
    return done
  }
}

const busy = () => unavailable('others ask for long lists')
