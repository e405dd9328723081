import type { Millis } from '../domain/ids.ts'
import { pauseAfter } from '../domain/patience.ts'
import type { Undecided } from '../ports/judge.ts'
import type { World } from '../ports/world.ts'

// Whoever has more than that many costly texts at once is forgiven the oldest.
const mostTexts = 1_000

/** Texts that cost too much lately. They are not asked for a while, so that nobody else waits behind them. */
export class Costly {
  readonly #world: World
  readonly #blamed = new Map<string, { readonly times: number; readonly until: Millis }>()

  constructor(world: World) {
    this.#world = world
  }

  blame(text: string): void {
    const times = (this.#blamed.get(text)?.times ?? 0) + 1
    this.#blamed.delete(text)
    this.#blamed.set(text, { times, until: this.#world.now() + pauseAfter(times) })
    for (const oldest of this.#blamed.keys()) {
      if (this.#blamed.size <= mostTexts) break
      this.#blamed.delete(oldest)
    }
  }

  forgive(text: string): void {
    if (this.#blamed.size > 0) this.#blamed.delete(text)
  }

  /** What is said of a text that is not to be asked now; null: it may be. */
  verdict(text: string): Undecided | null {
    const until = this.#blamed.get(text)?.until
    if (until === undefined || until <= this.#world.now()) return null
    const reason = `took too much time or memory repeatedly, and is not tried before ${new Date(until).toISOString()}`
    return { kind: 'too-costly', reason }
  }
}
