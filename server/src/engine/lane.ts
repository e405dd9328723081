import type { Trigger } from '../domain/attempt.ts'
import type { ApplicationId, EndpointId, MessageId, Millis } from '../domain/ids.ts'
import { firstWindow, type Window } from '../domain/window.ts'
import type { NewMessage } from '../ports/store.ts'
import type { Timer } from '../ports/world.ts'
import type { Destination } from './directory.ts'
import { Fifo } from './fifo.ts'

/** A delivery that this process holds in memory, under its lease. */
export interface HotDelivery {
  readonly lane: Lane
  readonly message: NewMessage
  /** Tries before this one. */
  readonly attempts: number
  readonly trigger: Trigger
  /** Straight from its acceptance, not from the store: its latency is the road's. */
  readonly fresh: boolean
  leasedUntil: Millis
  /** Its content was expunged: not sent any more, and what a receiver says to one under way is not kept. */
  expunged: boolean
}

/** Everything hot for one endpoint, and its gates. Only the dispatcher touches it. */
export class Lane {
  readonly endpointId: EndpointId
  readonly applicationId: ApplicationId
  readonly waiting = new Fifo<HotDelivery>()
  /** Every delivery that is waiting, in flight, or finished and not yet on disk. */
  readonly hot = new Map<MessageId, HotDelivery>()
  /** Null: not known now (new, or changed by somebody); nothing is sent until it is read again. */
  destination: Destination | null = null
  failingSince: Millis | null = null
  window: Window
  inFlight = 0
  /** How many are in `hot`, and how many places are reserved. */
  held = 0
  /** The store may hold more for this endpoint: new deliveries go behind them, not past them. */
  moreInStore = false
  /** The round of the claim in which that was last seen. */
  moreSinceRound = 0
  inRing = false
  reopening: Timer | null = null

  constructor(endpointId: EndpointId, applicationId: ApplicationId, inFlightCap: number) {
    this.endpointId = endpointId
    this.applicationId = applicationId
    this.window = firstWindow(inFlightCap)
  }

  get atRest(): boolean {
    return this.held === 0 && !this.moreInStore && this.window.failuresInRow === 0
  }
}
