import type { Trigger } from '../domain/attempt.ts'
import { type Breaker, closed, drainRate, reopened, unlearned } from '../domain/breaker.ts'
import { expiresAt } from '../domain/expiry.ts'
import type { Wait } from '../domain/explain.ts'
import type { ApplicationId, EndpointId, MessageId, Millis } from '../domain/ids.ts'
import { mayStillSend } from '../domain/lease.ts'
import { paced } from '../domain/rate.ts'
import { firstWindow, type Window } from '../domain/window.ts'
import type { NewMessage } from '../ports/store.ts'
import type { Timer } from '../ports/world.ts'
import type { Destination } from './directory.ts'
import { Fifo } from './fifo.ts'

// Payload characters in one request, however many messages an endpoint wants in it.
const mostBatchCharacters = 1024 * 1024

/** A delivery that this process holds in memory, under its lease. */
export interface HotDelivery {
  readonly lane: Lane
  readonly message: NewMessage
  /** Tries before this one. */
  readonly attempts: number
  readonly trigger: Trigger
  /** Null: not in any order. */
  readonly orderKey: string | null
  /** Straight from its acceptance, not from the store: its latency is the road's. */
  readonly fresh: boolean
  /** When it came to wait here: batches are not held up longer than they may be. */
  readonly since: Millis
  leasedUntil: Millis
  /** Its content was expunged: not sent any more, and what a receiver says to one under way is not kept. */
  expunged: boolean
  /** Canceled while under way, or its content expunged: not tried again, in whatever order it stands. */
  canceled: boolean
  /** It is being settled without being sent, or is already out: nobody is to touch it where it still stands in a queue. */
  taken: boolean
  /** Another node holds it, while the try that was made here is still under way: that settles nothing any more. */
  lost: boolean
  /** Its place in memory is free again. */
  dropped: boolean
}

/** Everything hot for one endpoint, and its gates. Only the dispatcher, and what it calls, touches it. */
export class Lane {
  readonly endpointId: EndpointId
  readonly applicationId: ApplicationId
  readonly waiting = new Fifo<HotDelivery>()
  /** Every delivery that is waiting, in flight, or finished and not yet on disk. */
  readonly hot = new Map<MessageId, HotDelivery>()
  /** Null: not known now (new, or changed by somebody); nothing is sent until it is read again. */
  destination: Destination | null = null
  /** Of the endpoint, when it was last read. */
  revision = 0
  failingSince: Millis | null = null
  window: Window
  breaker: Breaker = closed
  /** From when the rate lets the next one go. */
  pacedUntil: Millis = 0
  inFlight = 0
  /** How many are in `hot`, and how many places are reserved. */
  held = 0
  /** Payload characters of those. */
  heldCharacters = 0
  /** The store may hold more for this endpoint: new deliveries go behind them, not past them. */
  moreInStore = false
  /** The round of the claim in which that was last seen. */
  moreSinceRound = 0
  /** A claim passed it over though something of it is due: to be looked for when it can take more. */
  passedOver = false
  inRing = false
  reopening: Timer | null = null
  readonly #usualCap: number
  #throttleRate = 0

  constructor(endpointId: EndpointId, applicationId: ApplicationId, inFlightCap: number) {
    this.endpointId = endpointId
    this.applicationId = applicationId
    this.#usualCap = inFlightCap
    this.window = firstWindow(inFlightCap)
  }

  /** Forgetting it now would change nothing. */
  atRest(now: Millis): boolean {
    const idle = this.held === 0 && !this.moreInStore && this.pacedUntil <= now
    return idle && this.window.failuresInRow === 0 && this.breaker.kind === 'closed'
  }

  /** Requests that may ever be in flight to it. */
  get inFlightCap(): number {
    return this.destination?.control.maxInFlight ?? this.#usualCap
  }

  /** Deliveries a second; 0: as many as ever. */
  rate(now: Millis): number {
    if (this.destination === null) return 0
    const { throttleRate } = this.destination.control
    if (this.breaker.kind !== 'draining') return throttleRate
    const draining = drainRate(this.breaker.from, now, this.destination.control) ?? 0
    return throttleRate === 0 || draining === 0 ? throttleRate || draining : Math.min(throttleRate, draining)
  }

  /**
   * From when the next request may go; infinite: when something has happened that nobody can date. `most`: how many may be
   * held for it, see `HotMemory`.
   */
  opensAt(most: () => number): Millis {
    if (this.breaker.kind === 'probing') return Number.POSITIVE_INFINITY
    // An open breaker is gentler than any window, and says itself when it wants to know.
    const gate = this.breaker.kind === 'open' ? this.breaker.probeAt : this.window.opensAt
    return Math.max(gate, this.pacedUntil, this.#batchFullAt(most))
  }

  /** What the first that waits here waits for. */
  waitNow(now: Millis): Wait {
    const { breaker, window, pacedUntil } = this
    if (breaker.kind === 'open') return { for: 'breaker', until: breaker.probeAt }
    if (breaker.kind === 'probing') return { for: 'breaker', until: null }
    if (window.opensAt > now) return { for: 'turn', until: window.opensAt }
    if (pacedUntil > now) return { for: 'rate', until: pacedUntil }
    const fullAt = this.#batchFullAt(() => Number.POSITIVE_INFINITY)
    return fullAt > now ? { for: 'batch', until: fullAt } : { for: 'turn', until: null }
  }

  /**
   * What goes out next, in one request; null: nothing that waited is to be sent any more. `expire` gets what comes too
   * late, `lapse` what others may hold by now.
   */
  take(
    destination: Destination,
    now: Millis,
    leaseMs: Millis,
    expire: (delivery: HotDelivery, url: string) => void,
    lapse: (delivery: HotDelivery) => void,
  ): readonly [HotDelivery, ...HotDelivery[]] | null {
    const { batchSize, deliverWithin } = destination.control
    const most = this.breaker.kind === 'open' ? 1 : batchSize
    const taken: HotDelivery[] = []
    let characters = 0
    while (taken.length < most) {
      const next = this.waiting.first
      if (next === undefined) break
      if (taken.length > 0 && characters + next.message.payload.length > mostBatchCharacters) break
      this.waiting.shift()
      if (next.taken) continue
      next.taken = true
      if (!mayStillSend(next.leasedUntil, now, leaseMs)) {
        lapse(next)
        continue
      }
      if (expiresAt(next.message, deliverWithin, next.trigger) <= now) {
        expire(next, destination.url)
        continue
      }
      characters += next.message.payload.length
      taken.push(next)
    }
    const [first, ...rest] = taken
    return first === undefined ? null : [first, ...rest]
  }

  /** So many messages go out now, and as many nodes share its rate. */
  spend(messages: number, nodes: number, now: Millis): void {
    const rate = this.rate(now)
    if (rate > 0) this.pacedUntil = paced(this.pacedUntil, now, rate / (messages * nodes))
  }

  /**
   * What the endpoint is now. What was learned about its receiver before it was changed counts no longer; as long as it
   * was not, this lane knows better than the store, which is a commit behind.
   */
  adopt(destination: Destination): void {
    const { revision, control, breakerOpenedAt } = destination
    // The same once more, or a reading that was overtaken by a newer one.
    if (destination === this.destination || revision < this.revision) return
    if (revision !== this.revision) {
      this.revision = revision
      this.failingSince = destination.failingSince
      this.breaker = breakerOpenedAt === null ? unlearned(this.breaker) : reopened(breakerOpenedAt, control)
      if (this.window.failuresInRow > 0) this.window = firstWindow(this.#usualCap)
    } else if (!control.breaker && (this.breaker.kind === 'open' || this.breaker.kind === 'probing')) {
      this.breaker = reopened(this.breaker.since, control)
    }
    // A debt at the old rate is none at the new one.
    if (this.destination === null && control.throttleRate !== this.#throttleRate) this.pacedUntil = 0
    this.#throttleRate = control.throttleRate
    this.destination = destination
  }

  /** Closes a breaker whose draining is over though nobody sends any more. Returns since when it was open; null: it is not over. */
  closeDrained(now: Millis): Millis | null {
    const { breaker, destination } = this
    if (breaker.kind !== 'draining' || destination === null) return null
    if (drainRate(breaker.from, now, destination.control) !== null) return null
    this.breaker = closed
    destination.breakerOpenedAt = null
    return breaker.since
  }

  /** Calls off the look that was to be taken at its gates. */
  keepShut(): void {
    this.reopening?.cancel()
    this.reopening = null
  }

  #batchFullAt(most: () => number): Millis {
    if (this.destination === null) return 0
    const { batchSize, ordering } = this.destination.control
    // In one order for all, nobody can join the first.
    if (batchSize <= this.waiting.size || ordering === 'endpoint') return 0
    // As many as may be held are as many as will come: of what waits in the store, nothing is fetched before half of them are gone.
    if (this.moreInStore ? this.held > most() / 2 : this.held >= most()) return 0
    const first = this.waiting.first
    return first === undefined ? 0 : first.since + this.destination.control.batchWait
  }
}
