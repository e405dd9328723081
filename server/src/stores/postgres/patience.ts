const lookEveryMs = 100

interface Wait {
  leftMs: number
  readonly over: () => void
}

/**
 * Waits that count only the time in which this process could have heard an answer. A node that was suspended or busy for
 * two seconds has not waited two seconds for the database: what came meanwhile is read before anybody gives up. Coarse, to
 * 100 ms, and so cheap enough for every statement.
 */
export class Patience {
  readonly #waits = new Set<Wait>()
  #timer: NodeJS.Timeout | null = null
  #lookedAt = 0

  /** Calls `over` once, after `ms`; not any more when what it returns was called. */
  after(ms: number, over: () => void): () => void {
    if (this.#timer === null) {
      this.#lookedAt = performance.now()
      this.#timer = setInterval(() => this.#look(), lookEveryMs)
    }
    const wait: Wait = { leftMs: ms + this.#heardSinceLook(), over }
    this.#waits.add(wait)
    return () => {
      this.#waits.delete(wait)
    }
  }

  #look(): void {
    const heardMs = this.#heardSinceLook()
    this.#lookedAt = performance.now()
    if (this.#waits.size === 0 && this.#timer !== null) {
      clearInterval(this.#timer)
      this.#timer = null
    }
    for (const wait of this.#waits) {
      wait.leftMs -= heardMs
      // What the sockets hold is read between a timer and this.
      if (wait.leftMs <= 0) setImmediate(() => this.#giveUp(wait))
    }
  }

  #giveUp(wait: Wait): void {
    if (this.#waits.delete(wait)) wait.over()
  }

  #heardSinceLook(): number {
    return Math.min(performance.now() - this.#lookedAt, 2 * lookEveryMs)
  }
}

/** Of this process: all its connections wait by one timer. */
export const patience = new Patience()
