/** Finds all addresses of a host name; rejects as `dns.lookup` does. */
export type Resolve = (hostname: string) => Promise<readonly string[]>

// Of the 16 threads that look-ups have (bin/posthorn.mjs); deliveries and what is fetched for sources each have their own
// count. What is left is for names that answer: sixty names whose server was silent held up all others for as long as it
// was (`npm run hardship -- --only hanging-dns`, 2026-11).
const mostUntried = 6
const mostSlow = 3
// A name server that is asked again after 5 s, as by default, has not answered then.
const promptMs = 2_000
const mostNames = 10_000

interface Waiting {
  readonly hostname: string
  readonly resolve: (answer: Promise<readonly string[]>) => void
}

/**
 * Look-ups of names, one at a time for each. getaddrinfo takes a thread of a small pool for as long as it hangs, and cannot be
 * called off: names that took long when they were last looked up have only some of the threads, and so do those that were
 * never. A name that has answered at once, be it that there is no such name, waits for nobody.
 */
export class LookUps {
  readonly #resolve: Resolve
  readonly #now: () => number
  readonly #asking = new Map<string, Promise<readonly string[]>>()
  readonly #wasPrompt = new Map<string, boolean>()
  readonly #untried: Waiting[] = []
  readonly #slow: Waiting[] = []
  #running = { untried: 0, slow: 0 }

  /** `now`: milliseconds of a clock that is never set. */
  constructor(resolve: Resolve, now: () => number = () => performance.now()) {
    this.#resolve = resolve
    this.#now = now
  }

  /** An answer is not kept: whoever asks later is answered anew. */
  ask(hostname: string): Promise<readonly string[]> {
    const asked = this.#asking.get(hostname)
    if (asked !== undefined) return asked
    const wasPrompt = this.#wasPrompt.get(hostname)
    const answer = (wasPrompt === true ? this.#run(hostname) : this.#inTurn(hostname, wasPrompt === false)).finally(
      () => this.#asking.delete(hostname),
    )
    this.#asking.set(hostname, answer)
    return answer
  }

  #inTurn(hostname: string, isSlow: boolean): Promise<readonly string[]> {
    return new Promise((resolve) => {
      const queue = isSlow ? this.#slow : this.#untried
      queue.push({ hostname, resolve })
      this.#next()
    })
  }

  #next(): void {
    const { untried, slow } = this.#running
    if (untried < mostUntried) this.#begin(this.#untried.shift(), 'untried')
    if (slow < mostSlow) this.#begin(this.#slow.shift(), 'slow')
  }

  #begin(waiting: Waiting | undefined, kind: 'untried' | 'slow'): void {
    if (waiting === undefined) return
    this.#running[kind] += 1
    const answer = this.#run(waiting.hostname)
    waiting.resolve(answer)
    const ended = (): void => {
      this.#running[kind] -= 1
      this.#next()
    }
    answer.then(ended, ended)
  }

  async #run(hostname: string): Promise<readonly string[]> {
    const startedAt = this.#now()
    try {
      return await this.#resolve(hostname)
    } finally {
      this.#wasPrompt.delete(hostname)
      this.#wasPrompt.set(hostname, this.#now() - startedAt < promptMs)
      const [oldest] = this.#wasPrompt.keys()
      if (this.#wasPrompt.size > mostNames && oldest !== undefined) this.#wasPrompt.delete(oldest)
    }
  }
}
