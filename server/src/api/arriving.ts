import type { Millis } from '../domain/ids.ts'
import type { World } from '../ports/world.ts'
import { BodyBytes } from './body-bytes.ts'

// Whoever takes longer makes room for others, where there is none. Silence alone does not tell: three strangers who sent some
// 20 MB each and then a byte now and then kept everybody out (2026-11).
const unhurriedMs: Millis = 1_000

/** A body that is being read, or was and is still held. */
export interface Arrival {
  readonly body: BodyBytes
  readonly since: Millis
  /** It is not held any more. */
  ended: boolean
  /** Called where it has to make room: turns its sender away. */
  letGo(): void
}

/** The bodies that are held at one moment, of all senders together. One may be large; very many are not held at once. */
export class Arriving {
  readonly #world: World
  readonly #mostBytes: number
  /** What is not all there yet. */
  readonly #coming = new Set<Arrival>()
  #bytes = 0

  constructor(world: World, mostBytes: number) {
    this.#world = world
    this.#mostBytes = mostBytes
  }

  begin(letGo: () => void): Arrival {
    return { body: new BodyBytes(), since: this.#world.now(), ended: false, letGo }
  }

  add(arrival: Arrival, piece: Buffer): void {
    if (arrival.body.length === 0) this.#coming.add(arrival)
    arrival.body.add(piece)
    this.#bytes += piece.length
  }

  /** All of it is there: it need not make room any more. */
  whole(arrival: Arrival): Buffer {
    this.#coming.delete(arrival)
    return arrival.body.whole()
  }

  /** It is not held any more, however often this is said. */
  end(arrival: Arrival): void {
    if (arrival.ended) return
    arrival.ended = true
    this.#coming.delete(arrival)
    this.#bytes -= arrival.body.length
    arrival.body.clear()
  }

  /** Whether more may be read; where need be, the largest of those that take their time are let go for it. */
  hasRoom(): boolean {
    while (this.#bytes > this.#mostBytes) {
      const largest = this.#largestUnhurried()
      if (largest === null) return false
      this.end(largest)
      largest.letGo()
    }
    return true
  }

  #largestUnhurried(): Arrival | null {
    const latest = this.#world.now() - unhurriedMs
    let found: Arrival | null = null
    for (const arrival of this.#coming) {
      if (arrival.since > latest) continue
      if (arrival.body.length > (found?.body.length ?? 0)) found = arrival
    }
    return found
  }
}
