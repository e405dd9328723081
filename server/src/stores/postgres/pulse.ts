/** As long as a caller may be left without a word, less what the rest of an answer takes. */
const silentForMs = 1_500
const askAfterMs = 500
const lookEveryMs = 250

interface Watch {
  readonly since: number
  readonly lost: () => void
}

/**
 * Hears whether the database answers anybody of this process. A long list may take its time; whoever waits for a
 * database that says nothing at all is told so after 1.5 s. Where nothing is heard by itself, it is asked.
 */
export class Pulse {
  readonly #ask: () => Promise<unknown>
  readonly #watches = new Set<Watch>()
  #timer: NodeJS.Timeout | null = null
  #heardAt = 0
  #lookedAt = 0
  #asking = false

  /** `ask`: anything short, not on what is watched; it says `heard` by itself. */
  constructor(ask: () => Promise<unknown>) {
    this.#ask = ask
  }

  /** The database has said something. */
  heard(): void {
    this.#heardAt = performance.now()
  }

  /** Runs `work`; calls `lost`, once, when the database has fallen silent meanwhile. */
  async during<T>(work: () => Promise<T>, lost: () => void): Promise<T> {
    const watch: Watch = { since: performance.now(), lost }
    this.#watches.add(watch)
    if (this.#timer === null) {
      this.#lookedAt = watch.since
      this.#timer = setInterval(() => this.#look(), lookEveryMs)
    }
    try {
      return await work()
    } finally {
      this.#watches.delete(watch)
      if (this.#watches.size === 0) {
        if (this.#timer !== null) clearInterval(this.#timer)
        this.#timer = null
      }
    }
  }

  #look(): void {
    const now = performance.now()
    // Who was suspended, or busy, heard nothing for that long: what has come meanwhile is read after this.
    if (now - this.#lookedAt > 2 * lookEveryMs) this.#heardAt = now
    this.#lookedAt = now
    for (const watch of this.#watches) {
      const silentMs = now - Math.max(watch.since, this.#heardAt)
      if (silentMs >= askAfterMs) this.#askOnce()
      if (silentMs < silentForMs) continue
      this.#watches.delete(watch)
      watch.lost()
    }
  }

  #askOnce(): void {
    if (this.#asking) return
    this.#asking = true
    this.#ask()
      .catch(() => {})
      .finally(() => {
        this.#asking = false
      })
  }
}
