import { createHash } from 'node:crypto'

/** One request as a receiver got it. */
interface Arrival {
  readonly id: string
  readonly hash: string
  /** Which life of the gateway sent it. */
  readonly life: string
}

const sha = (text: string | Uint8Array): string => createHash('sha256').update(text).digest('base64')

/** What the gateway has promised, and what came of it. */
export class Books {
  readonly #promised = new Map<string, string>()
  readonly #arrivals = new Map<string, Arrival[]>()
  readonly #excused = new Set<string>()

  /** Answered with 202. */
  promise(id: string, payload: string): void {
    this.#promised.set(id, sha(payload))
  }

  /** Came, and was answered 2xx. */
  arrive(id: string, body: Uint8Array, life: string): void {
    const arrival = { id, hash: sha(body), life }
    const before = this.#arrivals.get(id)
    if (before) before.push(arrival)
    else this.#arrivals.set(id, [arrival])
  }

  /** It may come twice: the sender has written down that a try of it came to nothing, as where no answer was heard in time. */
  excuse(id: string): void {
    this.#excused.add(id)
  }

  get promised(): number {
    return this.#promised.size
  }

  /** Of what was promised. */
  get delivered(): number {
    let count = 0
    for (const id of this.#promised.keys()) if (this.#arrivals.has(id)) count += 1
    return count
  }

  get lost(): readonly string[] {
    return [...this.#promised.keys()].filter((id) => !this.#arrivals.has(id))
  }

  /** Arrived with other bytes. */
  get changed(): readonly string[] {
    return [...this.#promised].flatMap(([id, hash]) =>
      (this.#arrivals.get(id) ?? []).some((one) => one.hash !== hash) ? [id] : [],
    )
  }

  /** Sent again by another life than the one that sent it first: it cannot have known. */
  get doubled(): readonly string[] {
    return [...this.#arrivals].flatMap(([id, all]) => (all.length > 1 && !this.#excused.has(id) ? [id] : []))
  }

  /** Sent again by the same life, though it had been taken. */
  get repeated(): readonly string[] {
    return [...this.#arrivals].flatMap(([id, all]) =>
      new Set(all.map(({ life }) => life)).size < all.length && !this.#excused.has(id) ? [id] : [],
    )
  }
}
