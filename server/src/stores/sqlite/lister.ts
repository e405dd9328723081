import { ListTurns } from '../queries/list-turns.ts'
import { type Thread, unavailable } from './thread-calls.ts'

type Lists = Pick<Thread, 'call' | 'terminate'>

/** Long lists, one at a time. Its thread is started for the first of them. */
export class Lister {
  readonly #start: () => Lists
  readonly #turns = new ListTurns(1)
  #thread: Lists | null = null
  #closed = false

  constructor(start: () => Lists) {
    this.#start = start
  }

  /** Throws Problem `unavailable` where others' lists take too long. */
  call<Result>(noun: string, method: string, parameters: readonly unknown[]): Promise<Result> {
    return this.#turns.during(async () => {
      if (this.#closed) throw unavailable('closed')
      this.#thread ??= this.#start()
      return await this.#thread.call<Result>(noun, method, parameters)
    })
  }

  /** Does something while no list is under way, whose statement would hold on to what the log has. */
  without<Result>(work: () => Promise<Result>): Promise<Result> {
    return this.#turns.during(work, Number.POSITIVE_INFINITY)
  }

  /** Without waiting for lists: they only read. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#thread?.terminate()
    await this.without(async () => {})
  }
}
