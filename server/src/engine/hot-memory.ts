import type { Millis } from '../domain/ids.ts'
import { firstWindow } from '../domain/window.ts'
import type { HotDelivery, Lane } from './lane.ts'

export interface DispatchLimits {
  /** Requests in flight to one endpoint, where no level says otherwise. */
  readonly endpointInFlight: number
  /** Requests in flight in all. */
  readonly globalInFlight: number
  /** Deliveries held in memory in all; the rest waits in the store. */
  readonly hotDeliveries: number
  readonly leaseMs: Millis
}

// One endpoint's part of free memory: enough to keep it busy while the next ones are fetched.
const laneShare = 1 / 16
// Payload characters held hot in all; with small payloads the count of deliveries is reached first. With 16 MiB, and a quarter of
// them for one endpoint, 64 callers with 256 kB each had all but 12 go through the store: 23 deliveries a second, now 64 (2026-11).
const mostCharacters = 64 * 1024 * 1024
// One endpoint's part of what is free of them: a hung one, or a batch that fills, must not hold up all others.
const laneCharacterShare = 1 / 2

/** How much is held in memory, and how much of it each endpoint may have. */
export class HotMemory {
  readonly #limits: DispatchLimits
  readonly #laneCap: number
  #deliveries = 0
  #characters = 0

  constructor(limits: DispatchLimits) {
    this.#limits = limits
    this.#laneCap = Math.max(2 * limits.endpointInFlight, Math.floor(limits.hotDeliveries * laneShare))
  }

  get deliveries(): number {
    return this.#deliveries
  }

  /** Deliveries that could still be taken in. */
  get room(): number {
    return this.#characters > mostCharacters ? 0 : Math.max(0, this.#limits.hotDeliveries - this.#deliveries)
  }

  /** Keeps a place for a payload of so many characters, whose delivery is yet to come. */
  reserve(lane: Lane, characters: number): void {
    lane.held += 1
    lane.heldCharacters += characters
    this.#deliveries += 1
    this.#characters += characters
  }

  unreserve(lane: Lane, characters: number): void {
    lane.held -= 1
    lane.heldCharacters -= characters
    this.#deliveries -= 1
    this.#characters -= characters
  }

  /** Into a place that was reserved. */
  fill(delivery: HotDelivery): void {
    delivery.lane.hot.set(delivery.message.id, delivery)
  }

  drop(delivery: HotDelivery): void {
    delivery.lane.hot.delete(delivery.message.id)
    this.unreserve(delivery.lane, delivery.message.payload.length)
  }

  /**
   * Deliveries that may be held for an endpoint: in proportion to what it may have in flight, and to the memory that is
   * still free, payloads as large as those it holds. So each of many hung endpoints holds less, and the last of the
   * memory is never taken by one. One that is paced holds what it can send in the next two seconds; one whose breaker is open, a probe.
   */
  most(lane: Lane, now: Millis): number {
    if (lane.breaker.kind === 'open' || lane.breaker.kind === 'probing') return 1
    return Math.min(this.#mostAt(lane.window.width), this.#mostOfSize(lane), this.mostPaced(lane, now))
  }

  /** As many as the rates of an endpoint and of its application let go in the next two seconds. */
  mostPaced(lane: Lane, now: Millis): number {
    const shared = lane.destination?.applicationRate ?? 0
    const rate = Math.min(lane.rate(now) || Number.POSITIVE_INFINITY, shared || Number.POSITIVE_INFINITY)
    return Math.ceil(2 * rate)
  }

  /** The same for one of which nothing is known here. */
  get newcomersMost(): number {
    return this.#mostAt(firstWindow(this.#limits.endpointInFlight).width)
  }

  #mostAt(width: number): number {
    const share = Math.min(1, width / this.#limits.endpointInFlight)
    return Math.ceil(this.#laneCap * share * this.#free)
  }

  #mostOfSize({ held, heldCharacters, window }: Lane): number {
    if (heldCharacters === 0) return Number.POSITIVE_INFINITY
    const trusted = Math.min(1, window.width / firstWindow(this.#limits.endpointInFlight).width)
    return Math.ceil((mostCharacters * laneCharacterShare * trusted * this.#free * held) / heldCharacters)
  }

  get #free(): number {
    const taken = Math.max(this.#deliveries / this.#limits.hotDeliveries, this.#characters / mostCharacters)
    return Math.max(0, 1 - taken)
  }
}
