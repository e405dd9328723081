import type { Ask } from './protocol.ts'

/** What is asked, in turn by who asks: whoever asks for much waits for that, and not everybody else. */
export class Queue {
  /** In the order in which they have their turn; nobody without an ask. */
  readonly #lines = new Map<string, Ask[]>()

  /** Behind all else that the same one asks. */
  add(ask: Ask): void {
    const line = this.#lines.get(ask.asker)
    if (line === undefined) this.#lines.set(ask.asker, [ask])
    else line.push(ask)
  }

  /** The rest of one that has been begun: before all else that the same one asks. */
  putBack(ask: Ask): void {
    const line = this.#lines.get(ask.asker)
    if (line === undefined) this.#lines.set(ask.asker, [ask])
    else line.unshift(ask)
  }

  /** Takes what is next; whose it is has the last turn of all from now on. */
  take(): Ask | null {
    const [next] = this.#lines
    if (next === undefined) return null
    const [asker, line] = next
    const ask = line.shift() ?? null
    this.#lines.delete(asker)
    if (line.length > 0) this.#lines.set(asker, line)
    return ask
  }

  /** Whether anybody else waits. */
  hasOthers(asker: string): boolean {
    return this.#lines.size > (this.#lines.has(asker) ? 1 : 0)
  }
}
