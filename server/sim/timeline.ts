// SIM: the real engine on a clock of its own, with a simulated store and simulated receivers, judged by a model. All that
// happens comes from one seed, in one thread, without a real timer or socket: a seed that fails once fails always. It knows
// domain, ports, engine and manage as `main.ts` wires them; no store, transport or framework.

import { nextTick } from 'node:process'
import type { Millis } from '../src/domain/ids.ts'

/** Whose turn an event is: it does not come while its owner sleeps, and not at all once that is dead. */
export interface Owner {
  readonly dead: boolean
  /** Until then nothing reaches it; what would have, comes afterwards, in order. */
  readonly asleepUntil: Millis
}

export interface Happening {
  cancel(): void
}

class Entry implements Happening {
  at: Millis
  /** In [0, 1): which of those of one millisecond comes first. */
  readonly tie: number
  readonly number: number
  readonly run: () => void
  readonly owner: Owner | null
  canceled = false

  constructor(at: Millis, tie: number, number: number, owner: Owner | null, run: () => void) {
    this.at = at
    this.tie = tie
    this.number = number
    this.run = run
    this.owner = owner
  }

  cancel(): void {
    this.canceled = true
  }
}

// In one millisecond: hundreds are usual where a burst of messages arrives.
const mostAtOnce = 20_000

const beginning = Date.UTC(2026, 0, 1)

const before = (a: Entry, b: Entry): boolean =>
  a.at !== b.at ? a.at < b.at : a.tie !== b.tie ? a.tie < b.tie : a.number < b.number

/** Everything that is still to happen, in order. The only clock there is. */
export class Timeline {
  readonly #heap: Entry[] = []
  #now: Millis = beginning
  #count = 0
  #happened = 0
  #inThisMoment = 0

  get now(): Millis {
    return this.#now
  }

  /** Since the beginning. */
  get elapsed(): Millis {
    return this.#now - beginning
  }

  /** Events so far. */
  get happened(): number {
    return this.#happened
  }

  /** `tie` 0.5: after half of what else happens in that millisecond, and behind what was planned before it. */
  after(delayMs: Millis, owner: Owner | null, run: () => void, tie = 0.5): Happening {
    // A clock shows whole milliseconds.
    const entry = new Entry(this.#now + Math.max(0, Math.ceil(delayMs)), tie, ++this.#count, owner, run)
    this.#push(entry)
    return entry
  }

  /**
   * Lets things happen, one after the other, until `over` says so or nothing is left. Between two of them all promises get
   * to their ends.
   */
  run(over: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const step = (): void => {
        try {
          const entry = over() ? undefined : this.#next()
          if (entry === undefined) {
            resolve()
            return
          }
          if (entry.at > this.#now) this.#inThisMoment = 0
          this.#inThisMoment += 1
          if (this.#inThisMoment > mostAtOnce)
            throw new Error('the clock stands still: something goes round in a circle')
          this.#now = Math.max(this.#now, entry.at)
          this.#happened += 1
          entry.run()
        } catch (error) {
          reject(error)
          return
        }
        queueMicrotask(whenQuiet)
      }
      // Node runs all ticks, then all microtasks, then looks for ticks again: one that a microtask asks for comes when none of
      // those is left. (A hundred times cheaper than a turn of the event loop.)
      const whenQuiet = (): void => nextTick(step)
      queueMicrotask(whenQuiet)
    })
  }

  #next(): Entry | undefined {
    for (;;) {
      const entry = this.#pop()
      if (entry === undefined) return undefined
      if (entry.canceled || entry.owner?.dead) continue
      const wakesAt = entry.owner?.asleepUntil ?? 0
      if (wakesAt <= Math.max(this.#now, entry.at)) return entry
      entry.at = wakesAt
      this.#push(entry)
    }
  }

  #push(entry: Entry): void {
    const heap = this.#heap
    let at = heap.push(entry) - 1
    while (at > 0) {
      const above = (at - 1) >> 1
      const parent = heap[above]
      if (parent === undefined || !before(entry, parent)) break
      heap[at] = parent
      at = above
    }
    heap[at] = entry
  }

  #pop(): Entry | undefined {
    const heap = this.#heap
    const first = heap[0]
    const last = heap.pop()
    if (first === undefined || last === undefined || first === last) return first
    let at = 0
    for (;;) {
      const left = 2 * at + 1
      const one = heap[left]
      if (one === undefined) break
      const other = heap[left + 1]
      const [child, next] = other !== undefined && before(other, one) ? [other, left + 1] : [one, left]
      if (!before(child, last)) break
      heap[at] = child
      at = next
    }
    heap[at] = last
    return first
  }
}
