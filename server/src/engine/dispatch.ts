import type { ApplicationId, EndpointId, LeaseId, MessageId, Millis } from '../domain/ids.ts'
import { afterFailure, afterSuccess, firstWindow, type Window } from '../domain/window.ts'
import type { ClaimedDelivery, DeliveryKey, NewMessage, RoadStore } from '../ports/store.ts'
import type { World } from '../ports/world.ts'
import type { Destination, Directory } from './directory.ts'
import { Fifo } from './fifo.ts'
import { type HotDelivery, Lane } from './lane.ts'
import type { Observer } from './observer.ts'

interface DispatchLimits {
  /** Requests in flight to one endpoint. */
  readonly endpointInFlight: number
  /** Requests in flight in all. */
  readonly globalInFlight: number
  /** Deliveries held in memory in all; the rest waits in the store. */
  readonly hotDeliveries: number
  readonly leaseMs: Millis
}

export interface DispatchParts {
  readonly world: World
  readonly store: RoadStore
  readonly directory: Directory
  readonly observer: Observer
  readonly lease: LeaseId
  readonly limits: DispatchLimits
  /** Sends one delivery and has its outcome recorded; calls `onOutcome` when the wire is free and `onDisk` when it is written. */
  readonly deliver: (
    delivery: HotDelivery,
    destination: Destination,
    onOutcome: (succeeded: boolean) => void,
    onDisk: (disabled: boolean) => void,
  ) => void
}

// One endpoint's part of free memory: enough to keep it busy while the next ones are fetched.
const laneShare = 1 / 16
// How much must have become free before a claim that found none is worth repeating.
const roomShare = 1 / 16
// Payload characters held hot in all; with small payloads the count of deliveries is reached first.
const mostHotCharacters = 16 * 1024 * 1024
const mostLanes = 20_000

/** Holds what is hot, and lets it go as the gates allow: in turn, each endpoint within its own window. */
export class Dispatcher {
  readonly #parts: DispatchParts
  readonly #lanes = new Map<EndpointId, Lane>()
  readonly #lanesOf = new Map<ApplicationId, Set<Lane>>()
  readonly #ring = new Fifo<Lane>()
  readonly #laneCap: number
  readonly #refreshing = new Set<ApplicationId>()
  /** Changed since their reading began: what it brings is already old. */
  readonly #outdated = new Set<ApplicationId>()
  #round = 0
  #roomWanted = false
  #hot = 0
  #hotCharacters = 0
  #inFlight = 0
  #stopped = false
  #drained: (() => void)[] = []
  /** Set by the claimer: there may be work in the store, and room for it. */
  wake: () => void = () => {}

  constructor(parts: DispatchParts) {
    this.#parts = parts
    this.#laneCap = Math.max(2 * parts.limits.endpointInFlight, Math.floor(parts.limits.hotDeliveries * laneShare))
  }

  get lease(): LeaseId {
    return this.#parts.lease
  }

  get leaseMs(): Millis {
    return this.#parts.limits.leaseMs
  }

  get inFlight(): number {
    return this.#inFlight
  }

  get hot(): number {
    return this.#hot
  }

  /** Deliveries that could still be taken into memory. */
  get room(): number {
    if (this.#stopped || this.#hotCharacters > mostHotCharacters) return 0
    return Math.max(0, this.#parts.limits.hotDeliveries - this.#hot)
  }

  /** Keeps a place for a delivery that is about to be stored; false: no room, it must wait in the store. */
  reserve(destination: Destination): boolean {
    const lane = this.#lane(destination.id, destination.applicationId)
    this.#adopt(lane, destination)
    if (lane.moreInStore || lane.held >= this.#most(lane) || this.room === 0) {
      this.#noteMore(lane)
      return false
    }
    lane.held += 1
    this.#hot += 1
    return true
  }

  unreserve(destination: Destination): void {
    const lane = this.#lane(destination.id, destination.applicationId)
    lane.held -= 1
    this.#hot -= 1
  }

  /** A delivery that was just stored, into the place reserved for it. */
  admitFresh(destination: Destination, message: NewMessage): void {
    const lane = this.#lane(destination.id, destination.applicationId)
    // Its commit took longer than its lease: the claim was there first.
    if (lane.hot.has(message.id)) {
      this.unreserve(destination)
      return
    }
    this.#enqueue({
      lane,
      message,
      attempts: 0,
      trigger: 'scheduled',
      fresh: true,
      leasedUntil: message.acceptedAt + this.leaseMs,
      expunged: false,
    })
    this.#pump()
  }

  /** Deliveries that were claimed from the store. `moreOf`: endpoints of which the store holds more that is due. */
  admitClaimed(claimed: readonly ClaimedDelivery[], leasedUntil: Millis, moreOf: ReadonlySet<EndpointId>): void {
    for (const { endpointId, applicationId, message, attempts, trigger } of claimed) {
      const lane = this.#lane(endpointId, applicationId)
      // The machine slept past the lease, and what was claimed is what is held here: one of it is enough.
      const held = lane.hot.get(message.id)
      if (held) {
        held.leasedUntil = leasedUntil
        continue
      }
      lane.held += 1
      if (moreOf.has(endpointId)) this.#noteMore(lane)
      this.#hot += 1
      this.#enqueue({ lane, message, attempts, trigger, fresh: false, leasedUntil, expunged: false })
    }
    this.#pump()
  }

  /** The claim starts a new round through the endpoints. */
  beginRound(): void {
    this.#round += 1
  }

  /** The claim has been everywhere but at `skipped`: what it did not report as having more has no more. */
  endRound(skipped: ReadonlySet<EndpointId>): void {
    for (const lane of this.#lanes.values()) {
      if (lane.moreInStore && lane.moreSinceRound < this.#round && !skipped.has(lane.endpointId))
        lane.moreInStore = false
    }
  }

  /** There was more to claim than room for it: `wake` is called when there is room again. */
  wantRoom(): void {
    this.#roomWanted = true
  }

  /** How many deliveries to take of an endpoint of which nothing is known here. */
  get newcomersShare(): number {
    return this.#mostAt(firstWindow(this.#parts.limits.endpointInFlight))
  }

  /** Of which endpoints fewer than `share` should be taken: little trusted, full already, or still busy with what they hold. */
  shares(share: number): Map<EndpointId, number> {
    const shares = new Map<EndpointId, number>()
    for (const lane of this.#lanes.values()) {
      const wanted = this.#wantsMore(lane) ? this.#most(lane) - lane.held : 0
      if (wanted < share) shares.set(lane.endpointId, Math.max(0, wanted))
    }
    return shares
  }

  /** Somebody changed this application or its endpoints: what we knew of them no longer counts. */
  changed(applicationId: ApplicationId): void {
    if (this.#refreshing.has(applicationId)) this.#outdated.add(applicationId)
    for (const lane of this.#lanesOf.get(applicationId) ?? []) {
      lane.destination = null
      if (lane.waiting.size > 0) this.#refresh(applicationId)
    }
  }

  changedAll(): void {
    for (const applicationId of this.#lanesOf.keys()) this.changed(applicationId)
  }

  /**
   * The content of these messages is gone from the store: what waits here of them is not sent, and what is under way
   * keeps nothing of the answer. Returns whether any was here.
   */
  expunge(applicationId: ApplicationId, messageIds: readonly MessageId[]): boolean {
    let any = false
    for (const lane of this.#lanesOf.get(applicationId) ?? []) {
      for (const id of messageIds) {
        const delivery = lane.hot.get(id)
        if (delivery) {
          delivery.expunged = true
          any = true
        }
      }
    }
    return any
  }

  /** Deliveries whose lease ends before `before`; the caller renews them. */
  leasedBefore(before: Millis): HotDelivery[] {
    const ending: HotDelivery[] = []
    for (const lane of this.#lanes.values()) {
      for (const delivery of lane.hot.values()) if (delivery.leasedUntil < before) ending.push(delivery)
    }
    return ending
  }

  /** Takes nothing more in, sends nothing more; resolves when nothing is in flight. */
  stop(): Promise<void> {
    this.#stopped = true
    for (const lane of this.#lanes.values()) lane.reopening?.cancel()
    if (this.#inFlight === 0) return Promise.resolve()
    return new Promise((resolve) => this.#drained.push(resolve))
  }

  /**
   * Deliveries that may be held for an endpoint: in proportion to what it may have in flight, and to the memory that is
   * still free. So each of many hung endpoints holds less, and the last of the memory is never taken by one.
   */
  #most(lane: Lane): number {
    return this.#mostAt(lane.window)
  }

  #mostAt({ width }: Window): number {
    const { endpointInFlight, hotDeliveries } = this.#parts.limits
    const free = Math.max(0, 1 - this.#hot / hotDeliveries)
    return Math.ceil(this.#laneCap * (width / endpointInFlight) * free)
  }

  /** A healthy endpoint is fetched more for in good time; one that fails, when what it holds is through. */
  #wantsMore(lane: Lane): boolean {
    return lane.held === 0 || (lane.window.opensAt === 0 && lane.held <= this.#most(lane) / 2)
  }

  /** The same for what is in flight: the more of it all endpoints have together, the less each may have. */
  #hasTurn(lane: Lane): boolean {
    return lane.inFlight < lane.window.width * (1 - this.#inFlight / this.#parts.limits.globalInFlight)
  }

  #noteMore(lane: Lane): void {
    lane.moreInStore = true
    lane.moreSinceRound = this.#round
  }

  #enqueue(delivery: HotDelivery): void {
    delivery.lane.hot.set(delivery.message.id, delivery)
    this.#hotCharacters += delivery.message.payload.length
    delivery.lane.waiting.push(delivery)
    this.#toRing(delivery.lane)
  }

  #toRing(lane: Lane): void {
    if (lane.inRing) return
    lane.inRing = true
    this.#ring.push(lane)
  }

  #pump(): void {
    const now = this.#parts.world.now()
    while (!this.#stopped && this.#inFlight < this.#parts.limits.globalInFlight) {
      const lane = this.#ring.shift()
      if (!lane) return
      lane.inRing = false
      if (!this.#mayGo(lane, now)) continue
      const delivery = lane.waiting.shift()
      if (!delivery || !lane.destination) continue
      if (delivery.expunged) {
        this.#drop(delivery)
        this.#toRing(lane)
        continue
      }
      this.#send(delivery, lane, lane.destination)
      if (lane.waiting.size > 0 && this.#hasTurn(lane)) this.#toRing(lane)
    }
  }

  #mayGo(lane: Lane, now: Millis): boolean {
    if (lane.waiting.size === 0) return false
    if (lane.destination === null) {
      this.#refresh(lane.applicationId)
      return false
    }
    if (lane.destination.disabledBecause !== null) {
      this.#giveBack(lane, 0)
      return false
    }
    if (!this.#hasTurn(lane)) return false
    if (lane.window.opensAt > now) {
      lane.reopening ??= this.#parts.world.after(lane.window.opensAt - now, () => {
        lane.reopening = null
        this.#toRing(lane)
        this.#pump()
      })
      return false
    }
    return true
  }

  #send(delivery: HotDelivery, lane: Lane, destination: Destination): void {
    lane.inFlight += 1
    this.#inFlight += 1
    this.#parts.deliver(
      delivery,
      destination,
      (succeeded) => {
        lane.inFlight -= 1
        this.#inFlight -= 1
        this.#adjust(lane, succeeded)
        if (lane.waiting.size > 0) this.#toRing(lane)
        this.#pump()
        if (this.#inFlight === 0) for (const resolve of this.#drained.splice(0)) resolve()
      },
      (disabled) => {
        this.#drop(delivery)
        if (disabled) {
          // Only now is it in the store: whoever reads it anew reads the truth.
          this.#parts.directory.forget(lane.applicationId)
          this.changed(lane.applicationId)
        }
        if (lane.moreInStore && this.#wantsMore(lane)) this.wake()
      },
    )
  }

  #adjust(lane: Lane, succeeded: boolean): void {
    const before = lane.window
    lane.window = succeeded
      ? afterSuccess(before, this.#parts.limits.endpointInFlight)
      : afterFailure(before, this.#parts.world.now())
    if (before.opensAt === 0 && lane.window.opensAt > 0)
      this.#parts.observer.slowed(lane.endpointId, lane.window.failuresInRow)
    // Others can use the memory better than one that is down to a request at a time.
    if (!succeeded && lane.window.width === 1 && lane.held > this.#most(lane)) this.#giveBack(lane, this.#most(lane))
    if (before.opensAt > 0 && lane.window.opensAt === 0) {
      this.#parts.observer.slowed(lane.endpointId, 0)
      lane.reopening?.cancel()
      lane.reopening = null
      if (lane.moreInStore) this.wake()
    }
  }

  #drop(delivery: HotDelivery): void {
    delivery.lane.hot.delete(delivery.message.id)
    this.#hotCharacters -= delivery.message.payload.length
    delivery.lane.held -= 1
    this.#hot -= 1
    if (this.#roomWanted && this.room >= this.#parts.limits.hotDeliveries * roomShare) {
      this.#roomWanted = false
      this.wake()
    }
  }

  /** Lets what waits here wait in the store instead, but for the first ones. */
  #giveBack(lane: Lane, keep: number): void {
    const waiting = lane.waiting.drain()
    for (const delivery of waiting.slice(0, keep)) lane.waiting.push(delivery)
    const given = waiting.slice(keep)
    if (given.length === 0) return
    const keys: DeliveryKey[] = given.map(({ message }) => ({ messageId: message.id, endpointId: lane.endpointId }))
    this.#noteMore(lane)
    // A failure here costs nothing but time: the leases lapse and the deliveries come back by themselves.
    void this.#parts.store.release(this.lease, this.#parts.world.now(), keys).catch(() => {})
    for (const delivery of given) this.#drop(delivery)
  }

  /** Reads the endpoints of an application anew for the lanes that wait for it. */
  #refresh(applicationId: ApplicationId): void {
    if (this.#refreshing.has(applicationId) || this.#stopped) return
    this.#refreshing.add(applicationId)
    const again = (): void => {
      this.#refreshing.delete(applicationId)
      for (const lane of this.#lanesOf.get(applicationId) ?? []) if (lane.waiting.size > 0) this.#toRing(lane)
      this.#pump()
    }
    this.#parts.directory.destinations(applicationId).then(
      (destinations) => {
        if (this.#outdated.delete(applicationId)) return again()
        const byId = new Map(destinations.map((destination) => [destination.id, destination]))
        for (const lane of this.#lanesOf.get(applicationId) ?? []) {
          const destination = byId.get(lane.endpointId)
          if (destination) {
            this.#adopt(lane, destination)
          } else {
            // Deleted: nobody wants these any more; their rows are swept.
            for (const delivery of lane.waiting.drain()) this.#drop(delivery)
          }
        }
        again()
      },
      () => {
        // The store does not answer now; it is asked again, and meanwhile the deliveries are safe where they are.
        this.#parts.world.after(500, again)
      },
    )
  }

  #adopt(lane: Lane, destination: Destination): void {
    if (lane.destination === null) lane.failingSince = destination.failingSince
    lane.destination = destination
  }

  #lane(endpointId: EndpointId, applicationId: ApplicationId): Lane {
    const known = this.#lanes.get(endpointId)
    if (known) return known
    if (this.#lanes.size >= mostLanes) this.#forgetResting()
    const lane = new Lane(endpointId, applicationId, this.#parts.limits.endpointInFlight)
    this.#lanes.set(endpointId, lane)
    const siblings = this.#lanesOf.get(applicationId) ?? new Set()
    siblings.add(lane)
    this.#lanesOf.set(applicationId, siblings)
    return lane
  }

  #forgetResting(): void {
    for (const lane of this.#lanes.values()) {
      if (!lane.atRest) continue
      this.#lanes.delete(lane.endpointId)
      this.#lanesOf.get(lane.applicationId)?.delete(lane)
      if (this.#lanesOf.get(lane.applicationId)?.size === 0) this.#lanesOf.delete(lane.applicationId)
      // What the directory prepared may be older than what the lane knew of the endpoint's health.
      this.#parts.directory.forget(lane.applicationId)
    }
  }
}
