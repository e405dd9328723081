import type { Millis } from '../../domain/ids.ts'
import { Problem } from '../../domain/problem.ts'

/**
 * They may go through all that an application has, for somebody who looks for what is not there: neither publishes nor anybody's
 * key are to wait behind them.
 */
export const longLists: ReadonlySet<string> = new Set([
  ...['applications.list', 'attempts.attemptedMessages', 'attempts.listByEndpoint', 'attempts.listByMessage'],
  ...['endpoints.list', 'eventTypes.list', 'eventTypes.undeclared', 'messages.list', 'quarantine.list'],
  ...['received.list', 'sources.list', 'tasks.list'],
])

// Callers are answered within two seconds, but for the one whose list it is.
const patienceMs: Millis = 1_500
// Each holds a request, and what it was asked with.
const mostWaiting = 1_000

/** Lets so many long lists be looked up at once, and the others wait for their turn. */
export class ListTurns {
  readonly #most: number
  readonly #waiting: (() => void)[] = []
  #underWay = 0

  constructor(most: number) {
    this.#most = most
  }

  /** Throws Problem `unavailable` where others' lists take too long. */
  async during<Result>(work: () => Promise<Result>, patience: Millis = patienceMs): Promise<Result> {
    if (this.#waiting.length >= mostWaiting) throw busy()
    const since = performance.now()
    if (this.#underWay < this.#most) this.#underWay += 1
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
    try {
      if (performance.now() - since > patience) throw busy()
      return await work()
    } finally {
      const next = this.#waiting.shift()
      if (next === undefined) this.#underWay -= 1
      else next()
    }
  }
}

function busy(): Problem {
  const problem = new Problem('unavailable', 'Others ask for long lists; try again.', [], 1)
  problem.cause = new Error('store: others ask for long lists')
  return problem
}
