import type { Ended } from '../domain/attempt.ts'
import { probing } from '../domain/breaker.ts'
import type { ApplicationId, EndpointId, LeaseId, MessageId, Millis } from '../domain/ids.ts'
import { afterFailure, afterSuccess } from '../domain/window.ts'
import type { ClaimedDelivery, HealthTurn, NewMessage, ReleasedDelivery, RoadStore } from '../ports/store.ts'
import type { World } from '../ports/world.ts'
import { ApplicationPaces } from './application-pace.ts'
import type { Destination, Directory } from './directory.ts'
import { Fifo } from './fifo.ts'
import { type DispatchLimits, HotMemory } from './hot-memory.ts'
import { HotMessages } from './hot-messages.ts'
import type { HotDelivery, Lane } from './lane.ts'
import { Lanes } from './lanes.ts'
import type { Observer } from './observer.ts'

export interface DispatchParts {
  readonly world: World
  readonly store: RoadStore
  readonly directory: Directory
  readonly observer: Observer
  readonly lease: LeaseId
  readonly limits: DispatchLimits
  /** How many nodes share every rate; null: not known now, so nothing that has a rate may be sent. */
  readonly sharers: () => number | null
  /** Whether what is held here still is: nobody can have taken this node for dead, and what it holds from it. */
  readonly heard: () => boolean
  readonly deliver: Deliver
  /** Has it written, and told, that an endpoint turned without a try. */
  readonly turned: (destination: Destination, turn: HealthTurn) => void
  /** Settles a delivery that is not sent, and calls `onDisk` when that is written. */
  readonly end: (delivery: HotDelivery, url: string, ended: Ended, onDisk: () => void) => void
  /** Resolves when every outcome that is known now is on disk. */
  readonly written: () => Promise<void>
}

/** Messages that go out in one request: one, but for endpoints that ask for batches. */
export interface Sending {
  readonly deliveries: readonly [HotDelivery, ...HotDelivery[]]
  readonly destination: Destination
  /** Sent to find out whether the receiver is back. */
  readonly probe: boolean
}

/** Sends and has the outcome recorded; calls `onOutcome` when the wire is free, `onDisk` for each when it is written. */
export type Deliver = (
  sending: Sending,
  onOutcome: (succeeded: boolean) => void,
  onDisk: (delivery: HotDelivery, disabled: boolean) => void,
) => void

// How much must have become free before a claim that found none is worth repeating.
const roomShare = 1 / 16

/** Holds what is hot, and lets it go as the gates allow: in turn, each endpoint within its own window. */
export class Dispatcher {
  readonly #parts: DispatchParts
  readonly #lanes: Lanes
  readonly #ring = new Fifo<Lane>()
  readonly #memory: HotMemory
  readonly #paces: ApplicationPaces
  /** What is held here, by message. */
  readonly messages: HotMessages
  readonly #expire = (delivery: HotDelivery, url: string): void => this.#end(delivery, url, 'expired')
  readonly #lapse = (delivery: HotDelivery): void => {
    this.#disown(delivery)
    this.#noteMore(delivery.lane)
    // If nobody else has taken it, it is due.
    this.wake()
  }
  #round = 0
  /** Of what was settled since the claim that is under way began: tries before that, by message and endpoint. */
  #settledMeanwhile: Map<string, number> | null = null
  #roomWanted = false
  #inFlight = 0
  #stopped = false
  #drained: (() => void)[] = []
  /** Set by the claimer: there may be work in the store, and room for it. */
  wake: () => void = () => {}

  constructor(parts: DispatchParts) {
    this.#parts = parts
    const { directory, world, limits } = parts
    this.#lanes = new Lanes({ directory, world, inFlightCap: limits.endpointInFlight })
    this.#memory = new HotMemory(limits)
    this.#paces = new ApplicationPaces(world, (lane) => {
      this.#toRing(lane)
      this.#pump()
    })
    this.messages = new HotMessages({
      lanes: this.#lanes,
      paces: this.#paces,
      world,
      end: (...ending) => this.#end(...ending),
      written: parts.written,
    })
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
    return this.#memory.deliveries
  }

  /** Deliveries that could still be taken into memory. */
  get room(): number {
    return this.#stopped ? 0 : this.#memory.room
  }

  /** Keeps a place for a delivery (its payload of so many characters) that is about to be stored; false: no room, it must wait in the store. */
  reserve(destination: Destination, characters: number): boolean {
    const lane = this.#lanes.of(destination.id, destination.applicationId)
    lane.adopt(destination)
    if (destination.paused || lane.moreInStore || this.room === 0 || lane.held >= this.#most(lane)) {
      this.#noteMore(lane)
      return false
    }
    this.#memory.reserve(lane, characters)
    return true
  }

  unreserve(destination: Destination, characters: number): void {
    this.#memory.unreserve(this.#lanes.of(destination.id, destination.applicationId), characters)
  }

  /** A delivery that was just stored, into the place reserved for it. */
  admitFresh(destination: Destination, message: NewMessage): void {
    const lane = this.#lanes.of(destination.id, destination.applicationId)
    // Its commit took longer than its lease: the claim was there first.
    if (lane.hot.has(message.id)) {
      this.unreserve(destination, message.payload.length)
      return
    }
    this.#enqueue({
      lane,
      message,
      attempts: 0,
      trigger: 'scheduled',
      orderKey: null,
      fresh: true,
      since: message.acceptedAt,
      leasedUntil: message.acceptedAt + this.leaseMs,
      expunged: false,
      canceled: false,
      ...{ taken: false, lost: false, dropped: false },
    })
    this.#pump()
  }

  /** Deliveries that were claimed from the store. `moreOf`: endpoints of which the store holds more that is due. */
  admitClaimed(claimed: readonly ClaimedDelivery[], leasedUntil: Millis, moreOf: ReadonlySet<EndpointId>): void {
    const since = this.#parts.world.now()
    for (const { endpointId, applicationId, message, attempts, trigger, orderKey } of claimed) {
      const lane = this.#lanes.of(endpointId, applicationId)
      // The machine slept past the lease, and what was claimed is what is held here: one of it is enough. But what others
      // tried meanwhile is another try, which the one that is still under way here does not settle.
      const held = lane.hot.get(message.id)
      // Nor is it sent again where it was written down after the claim took it, and before the claim was here.
      if (attempts <= (this.#settledMeanwhile?.get(keyOf(message.id, endpointId)) ?? -1)) continue
      if (held?.attempts === attempts) {
        held.leasedUntil = leasedUntil
        held.lost = false
        continue
      }
      if (held) this.#disown(held)
      if (moreOf.has(endpointId)) this.#noteMore(lane)
      this.#memory.reserve(lane, message.payload.length)
      const state = { fresh: false, since, leasedUntil, expunged: false, canceled: false }
      this.#enqueue({
        ...{ lane, message, attempts, trigger, orderKey, ...state },
        ...{ taken: false, lost: false, dropped: false },
      })
    }
    this.#pump()
  }

  /** A claim is under way, until `endClaim`: the store may have taken what is settled here before that is heard of. */
  beginClaim(): void {
    this.#settledMeanwhile = new Map()
  }

  endClaim(): void {
    this.#settledMeanwhile = null
  }

  /** The claim starts a new round through the endpoints. */
  beginRound(): void {
    this.#round += 1
    for (const lane of this.#lanes.all()) lane.passedOver = false
  }

  /** Something of these is due that the claim left, as they could not take it when it began. */
  passedOver(endpointIds: readonly EndpointId[]): void {
    for (const endpointId of endpointIds) {
      const lane = this.#lanes.find(endpointId)
      if (lane === undefined || isClosed(lane)) continue
      lane.passedOver = true
      // What it held may have been settled meanwhile.
      if (this.#wanted(lane) > 0) this.wake()
    }
  }

  /** The claim has been everywhere but at `skipped`: what it did not report as having more has no more. */
  endRound(skipped: ReadonlySet<EndpointId>): void {
    for (const lane of this.#lanes.all()) {
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
    return this.#memory.newcomersMost
  }

  /** Of which endpoints fewer than `share` should be taken: little trusted, full already, or still busy with what they hold. */
  shares(share: number): Map<EndpointId, number> {
    const shares = new Map<EndpointId, number>()
    for (const lane of this.#lanes.all()) {
      const wanted = isClosed(lane) ? 0 : this.#wanted(lane)
      if (wanted < share) shares.set(lane.endpointId, wanted)
    }
    return shares
  }

  /** Somebody changed this application or its endpoints: what we knew of them no longer counts. */
  changed(applicationId: ApplicationId): void {
    this.#lanes.unlearn(applicationId)
    for (const lane of this.#lanes.ofApplication(applicationId)) {
      if (lane.waiting.size === 0) continue
      this.#learn(applicationId)
      return
    }
  }

  changedAll(): void {
    for (const applicationId of this.#lanes.applications) this.changed(applicationId)
  }

  /** A pause is over: what was kept in the store meanwhile goes before what is new. */
  resumed(endpointId: EndpointId, applicationId: ApplicationId): void {
    this.#noteMore(this.#lanes.of(endpointId, applicationId))
  }

  /** Another node has changed this application or its endpoints; what it held back may go before what is new. */
  changedElsewhere(applicationId: ApplicationId): void {
    for (const lane of this.#lanes.ofApplication(applicationId)) this.#noteMore(lane)
    this.changed(applicationId)
  }

  changedAllElsewhere(): void {
    for (const applicationId of this.#lanes.applications) this.changedElsewhere(applicationId)
  }

  /** An open breaker lets its probe go now. */
  probe(endpointId: EndpointId): void {
    const lane = this.#lanes.find(endpointId)
    if (lane?.breaker.kind !== 'open') return
    lane.breaker = { ...lane.breaker, probeAt: 0 }
    lane.keepShut()
    this.#toRing(lane)
    this.#pump()
  }

  /** Breakers whose draining is over close, also where nothing is sent any more; and rates that nobody uses are forgotten. */
  closeDrained(): void {
    const now = this.#parts.world.now()
    this.#paces.forgetUnused(now)
    for (const lane of this.#lanes.all()) {
      const since = lane.closeDrained(now)
      if (since === null || lane.destination === null) continue
      this.#parts.turned(lane.destination, { kind: 'breaker-closed', endpointId: lane.endpointId, since })
    }
  }

  /** Others share the rates now, or this node is heard again: who was held may go. */
  shared(): void {
    for (const lane of this.#lanes.all()) if (lane.waiting.size > 0) this.#toRing(lane)
    this.#pump()
  }

  /** Deliveries whose lease ends before `before`; the caller renews them. */
  leasedBefore(before: Millis): HotDelivery[] {
    const ending: HotDelivery[] = []
    for (const lane of this.#lanes.all()) {
      for (const delivery of lane.hot.values())
        if (!delivery.lost && delivery.leasedUntil < before) ending.push(delivery)
    }
    return ending
  }

  /** Other nodes hold these now: what waits of them is not sent from here, and what is under way settles nothing. */
  lost(deliveries: readonly HotDelivery[]): void {
    for (const delivery of deliveries) {
      if (delivery.taken) delivery.lost = true
      else this.#disown(delivery)
    }
  }

  /** Takes nothing more in, sends nothing more; resolves when nothing is in flight. */
  stop(): Promise<void> {
    this.#stopped = true
    for (const lane of this.#lanes.all()) lane.keepShut()
    this.#paces.stop()
    if (this.#inFlight === 0) return Promise.resolve()
    return new Promise((resolve) => this.#drained.push(resolve))
  }

  #most(lane: Lane): number {
    return this.#memory.most(lane, this.#parts.world.now())
  }

  /** A healthy endpoint is fetched more for in good time; one that fails, when what it holds is through. */
  #wantsMore(lane: Lane): boolean {
    return lane.held === 0 || (lane.window.opensAt === 0 && lane.held <= this.#most(lane) / 2)
  }

  /** The same for what is in flight: the more of it all endpoints have together, the less each may have. */
  #hasTurn(lane: Lane): boolean {
    const width = Math.min(lane.window.width, lane.inFlightCap)
    return lane.inFlight < width * (1 - this.#inFlight / this.#parts.limits.globalInFlight)
  }

  #wanted(lane: Lane): number {
    return this.#wantsMore(lane) ? Math.max(0, this.#most(lane) - lane.held) : 0
  }

  #noteMore(lane: Lane): void {
    lane.moreInStore = true
    lane.moreSinceRound = this.#round
  }

  #enqueue(delivery: HotDelivery): void {
    this.#memory.fill(delivery)
    delivery.lane.waiting.push(delivery)
    this.#toRing(delivery.lane)
  }

  #toRing(lane: Lane): void {
    if (lane.inRing) return
    lane.inRing = true
    this.#ring.push(lane)
  }

  #pump(): void {
    while (!this.#stopped && this.#inFlight < this.#parts.limits.globalInFlight) {
      const lane = this.#ring.shift()
      if (!lane) return
      lane.inRing = false
      // Looked at for each: a machine that sleeps in the middle of this wakes up with leases that are over.
      const now = this.#parts.world.now()
      const nodes = this.#parts.sharers()
      if (!this.#mayGo(lane, nodes, now) || lane.destination === null) continue
      const deliveries = lane.take(lane.destination, now, this.leaseMs, this.#expire, this.#lapse)
      if (deliveries !== null) this.#send(deliveries, lane, lane.destination, nodes ?? 1, now)
      if (lane.waiting.size > 0 && this.#hasTurn(lane)) this.#toRing(lane)
    }
  }

  #mayGo(lane: Lane, nodes: number | null, now: Millis): boolean {
    if (lane.waiting.size === 0) return false
    if (lane.destination === null) {
      this.#learn(lane.applicationId)
      return false
    }
    if (lane.destination.disabledBecause !== null || lane.destination.paused) {
      this.#giveBack(lane, 0)
      return false
    }
    if (!this.#hasTurn(lane)) return false
    if (!this.#parts.heard()) {
      this.#trim(lane, now)
      return false
    }
    const opensAt = lane.opensAt(() => this.#most(lane))
    if (opensAt > now) {
      this.#reopen(lane, opensAt, now)
      this.#trim(lane, now)
      return false
    }
    if (nodes === null && (lane.rate(now) > 0 || lane.destination.applicationRate > 0)) {
      this.#trim(lane, now)
      return false
    }
    if (this.#paces.mayGo(lane, lane.destination.applicationRate, now)) return true
    this.#trim(lane, now)
    return false
  }

  /** What came from the store before the endpoint's rate was known may be far more than it can send soon. */
  #trim(lane: Lane, now: Millis): void {
    const most = this.#memory.mostPaced(lane, now)
    if (lane.waiting.size > 2 * most) this.#giveBack(lane, most)
  }

  #reopen(lane: Lane, at: Millis, now: Millis): void {
    if (at === Number.POSITIVE_INFINITY) return
    lane.reopening ??= this.#parts.world.after(at - now, () => {
      lane.reopening = null
      this.#toRing(lane)
      this.#pump()
    })
  }

  #end(delivery: HotDelivery, url: string, ended: Ended, settled: () => void = () => {}): void {
    this.#parts.end(delivery, url, ended, () => {
      this.#settled(delivery)
      this.#lookForMore(delivery.lane, delivery.orderKey !== null)
      settled()
    })
  }

  #send(deliveries: Sending['deliveries'], lane: Lane, destination: Destination, nodes: number, now: Millis): void {
    const probe = lane.breaker.kind === 'open'
    if (probe) lane.breaker = probing(lane.breaker)
    lane.spend(deliveries.length, nodes, now)
    this.#paces.spend(lane, deliveries.length, destination.applicationRate, nodes, now)
    lane.inFlight += 1
    this.#inFlight += 1
    this.#parts.deliver(
      { deliveries, destination, probe },
      (succeeded) => {
        lane.inFlight -= 1
        this.#inFlight -= 1
        this.#adjust(lane, succeeded)
        if (lane.waiting.size > 0) this.#toRing(lane)
        this.#pump()
        if (this.#inFlight === 0) for (const resolve of this.#drained.splice(0)) resolve()
      },
      (delivery, disabled) => {
        this.#settled(delivery)
        if (disabled) {
          // Only now is it in the store: whoever reads it anew reads the truth.
          this.#parts.directory.forget(lane.applicationId)
          this.changed(lane.applicationId)
        }
        this.#lookForMore(lane, delivery.orderKey !== null)
      },
    )
  }

  /** `promoted`: the next of an order has become due in the store. */
  #lookForMore(lane: Lane, promoted: boolean): void {
    if (promoted || ((lane.moreInStore || lane.passedOver) && this.#wantsMore(lane))) this.wake()
  }

  #adjust(lane: Lane, succeeded: boolean): void {
    const before = lane.window
    lane.window = succeeded ? afterSuccess(before, lane.inFlightCap) : afterFailure(before, this.#parts.world.now())
    if (before.opensAt === 0 && lane.window.opensAt > 0)
      this.#parts.observer.slowed(lane.endpointId, lane.window.failuresInRow)
    // Others can use the memory better than one that is down to a request at a time.
    const shut = lane.breaker.kind === 'open' || (!succeeded && lane.window.width === 1)
    const most = shut ? this.#most(lane) : lane.held
    if (lane.held > most) this.#giveBack(lane, most)
    if (before.opensAt > 0 && lane.window.opensAt === 0) {
      this.#parts.observer.slowed(lane.endpointId, 0)
      lane.keepShut()
      if (lane.moreInStore || lane.passedOver) this.wake()
    }
  }

  #settled(delivery: HotDelivery): void {
    this.#settledMeanwhile?.set(keyOf(delivery.message.id, delivery.lane.endpointId), delivery.attempts)
    this.#drop(delivery)
  }

  /** What becomes of it is not for this node to say any more. */
  #disown(delivery: HotDelivery): void {
    delivery.taken = true
    this.#drop(delivery)
  }

  #drop(delivery: HotDelivery): void {
    if (delivery.dropped) return
    delivery.dropped = true
    this.#memory.drop(delivery)
    if (this.#roomWanted && this.room >= this.#parts.limits.hotDeliveries * roomShare) {
      this.#roomWanted = false
      this.wake()
    }
  }

  /** Lets what waits here wait in the store instead, but for the first ones. */
  #giveBack(lane: Lane, keep: number): void {
    const waiting = lane.waiting.drain().filter(({ taken }) => !taken)
    for (const delivery of waiting.slice(0, keep)) lane.waiting.push(delivery)
    const given = waiting.slice(keep)
    if (given.length === 0) return
    const now = this.#parts.world.now()
    // Those not tried yet keep the place that their acceptance gave them: what came later is not to overtake them.
    const released: ReleasedDelivery[] = given.map(({ message, attempts }) => ({
      messageId: message.id,
      endpointId: lane.endpointId,
      dueAt: attempts === 0 ? Math.min(now, message.deliverAt ?? message.acceptedAt) : now,
    }))
    this.#noteMore(lane)
    // A failure here costs nothing but time: the leases lapse and the deliveries come back by themselves.
    void this.#parts.store.release(this.lease, released).catch(() => {})
    for (const delivery of given) this.#drop(delivery)
  }

  /** Has the lanes that wait for it learn what their endpoints are now. */
  #learn(applicationId: ApplicationId): void {
    if (this.#stopped) return
    this.#lanes.learn(
      applicationId,
      (delivery) => this.#drop(delivery),
      () => {
        for (const lane of this.#lanes.ofApplication(applicationId)) if (lane.waiting.size > 0) this.#toRing(lane)
        this.#pump()
      },
    )
  }
}

const isClosed = ({ destination }: Lane): boolean =>
  destination !== null && (destination.paused || destination.disabledBecause !== null)

const keyOf = (messageId: MessageId, endpointId: EndpointId): string => `${messageId} ${endpointId}`
