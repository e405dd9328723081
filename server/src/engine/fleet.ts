import {
  clockDifference,
  clockVerdict,
  type FleetTimes,
  fleetTimes,
  noShare,
  type RoundTrip,
  type Share,
  shareAfter,
  sharers,
} from '../domain/fleet.ts'
import type { Millis } from '../domain/ids.ts'
import type { NodeLife, NodeStore, SeenNode } from '../ports/store.ts'
import type { Timer, World } from '../ports/world.ts'
import type { FleetObserver } from './observer.ts'

// Enough for a median that one slow answer, and one that is slower still, do not move.
const tripsAtStart = 5
const tripsKept = 5
// Of a node that is alone nobody asks but people.
const aloneBeatEvery: Millis = 300_000
// A day after it was last seen nobody looks for it any more.
const forgottenAfter: Millis = 24 * 3_600_000

/** The chores that only one node does, all of them the same one. */
const chore = 'chores'

/** This node among the others: it is heard, it counts them, and it may be the one that does the chores. */
export class Fleet {
  readonly #store: NodeStore
  readonly #world: World
  readonly #node: NodeLife
  readonly #leaseMs: Millis
  readonly #alone: boolean
  readonly #observer: FleetObserver
  readonly #times: FleetTimes
  #share: Share = noShare
  /** It has come back, and may hold less than it believes. */
  #doubted = false
  #leadsUntil: Millis = Number.NEGATIVE_INFINITY
  #trips: readonly RoundTrip[] = []
  #clockSaid: ReturnType<typeof clockVerdict> = 'fine'
  #beating: Promise<void> | null = null
  #triedAt: Millis = Number.NEGATIVE_INFINITY
  #timer: Timer | null = null
  #stopped = false
  /** Others share the rates now, or a rate that was held may be used again. */
  onShare: () => void = () => {}
  /** The chores are this node's from now on. */
  onLead: () => void = () => {}
  /** Others may have taken this node for dead and ended, or taken over, what it held. It sends nothing until this is done. */
  onReturn: () => Promise<void> = async () => {}

  constructor(parts: {
    readonly store: NodeStore
    readonly world: World
    readonly node: NodeLife
    readonly leaseMs: Millis
    /** No other process can be at the database, and its clock is this one's. */
    readonly alone: boolean
    readonly observer: FleetObserver
  }) {
    this.#store = parts.store
    this.#world = parts.world
    this.#node = parts.node
    this.#leaseMs = parts.leaseMs
    this.#alone = parts.alone
    this.#observer = parts.observer
    this.#times = fleetTimes(parts.leaseMs)
  }

  /** Makes itself known. Throws when its clock cannot be used with the database's. */
  async join(): Promise<void> {
    for (let trip = 0; trip < (this.#alone ? 1 : tripsAtStart); trip++) await this.beat()
    const difference = this.clockDifference
    if (clockVerdict(difference, this.#leaseMs) === 'unusable') {
      await this.#store.leave(this.#node.id)
      throw new Error(
        `The clock of this machine is ${apart(difference)} the database's, and leases of ${this.#leaseMs / 1_000} s bear a quarter of that at most. Set both by NTP, or raise POSTHORN_LEASE_DURATION.`,
      )
    }
    this.#sleep(0)
  }

  /** How many nodes share every rate; null: not known now, so nothing that has a rate may be sent. */
  sharers(): number | null {
    if (this.#alone) return 1
    const now = this.#world.machineNow()
    const nodes = sharers(this.#share, now)
    // After a sleep somebody waits for the next heartbeat: it need not be long.
    if (nodes === null && now >= this.#share.until) this.#beatSoon(now)
    return nodes
  }

  /** Whether nobody can have taken it for dead: what it holds, it holds. After a sleep it is not, until `onReturn` is done. */
  get heard(): boolean {
    return this.#alone || (!this.#doubted && this.#world.machineNow() < this.#share.until)
  }

  /** As `leads`, for what is done seldom: where this node was not heard for a while, it is heard first. */
  async stillLeads(): Promise<boolean> {
    if (!this.leads) await this.beat()
    return this.leads
  }

  /** Whether this node does the chores. */
  get leads(): boolean {
    return !this.#stopped && (this.#alone || this.#world.machineNow() < this.#leadsUntil)
  }

  /** As last counted, this one included. */
  get alive(): number {
    return this.#alone ? 1 : this.#share.nodes
  }

  get id(): NodeLife['id'] {
    return this.#node.id
  }

  /** By how much this machine's clock is ahead of the database's. */
  get clockDifference(): Millis {
    return this.#alone ? 0 : clockDifference(this.#trips)
  }

  /** Writes a heartbeat: rejects when the store does not take it. */
  beat(): Promise<void> {
    this.#beating ??= this.#beat().finally(() => {
      this.#beating = null
    })
    return this.#beating
  }

  #beatSoon(now: Millis): void {
    if (this.#stopped || this.#beating !== null || now < this.#triedAt + this.#times.beatEvery / 10) return
    this.beat().catch(() => {})
  }

  async #beat(): Promise<void> {
    // The clock of the machine: it is held against the database's, and what a heartbeat is good for is counted on both.
    const now = this.#world.machineNow
    const sentAt = now()
    this.#triedAt = sentAt
    const heard = await this.#store.beat(this.#node, this.#times.aliveFor)
    this.#trips = [...this.#trips, { sentAt, answeredAt: now(), writtenAt: heard.now }].slice(-tripsKept)
    this.#noteClock()
    const before = sharers(this.#share, now())
    if (this.#share !== noShare && now() >= this.#share.until) this.#doubted = true
    this.#share = shareAfter(this.#share, heard.alive, sentAt, now(), this.#times)
    const from = now()
    const led = this.leads
    const leads = this.#alone || (await this.#store.lead(chore, this.#node.id, this.#times.leadFor))
    this.#leadsUntil = leads ? from + this.#times.leadFor : Number.NEGATIVE_INFINITY
    if (this.leads !== led) this.#observer.led(this.leads)
    if (this.leads && !led) this.onLead()
    const doubted = this.#doubted
    if (doubted) await this.onReturn()
    this.#doubted = false
    if (doubted || sharers(this.#share, now()) !== before) this.onShare()
  }

  /** Gives the chores to others and is gone. What has a rate must not be sent any more. */
  async leave(): Promise<void> {
    this.stop()
    // One that is still on its way would be heard after the farewell: others would share with a node that is gone.
    await this.#beating?.catch(() => {})
    await this.#store.leave(this.#node.id)
  }

  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
  }

  /** The nodes that live, this one among them. */
  async nodes(): Promise<readonly SeenNode[]> {
    if (!this.#alone) return this.#store.alive(this.#times.aliveFor)
    await this.beat()
    const own = (await this.#store.alive(aloneBeatEvery)).filter(({ id }) => id === this.id)
    return own.map((node) => ({ ...node, leads: this.leads }))
  }

  /** Forgets nodes that are long gone. */
  async sweep(): Promise<void> {
    await this.#store.sweep(forgottenAfter)
  }

  #sleep(tookMs: Millis): void {
    if (this.#stopped) return
    const every = this.#alone ? aloneBeatEvery : this.#times.beatEvery
    if (!this.#alone && this.#share.from > this.#world.machineNow()) this.#tellWhenOpen()
    this.#timer = this.#world.after(Math.max(every / 10, every - tookMs), () => {
      const startedAt = this.#world.machineNow()
      this.beat()
        .catch(() => {}) // The store does not answer: whoever commits says so in the log; rates are held meanwhile.
        .finally(() => this.#sleep(this.#world.machineNow() - startedAt))
    })
  }

  /**
   * A newcomer waits for a moment between two heartbeats, not for the next of them. Timers know nothing of the clock, which
   * may have been set back meanwhile: told too early, whoever asks is refused, and would ask no more.
   */
  #tellWhenOpen(): void {
    if (this.#stopped) return
    const opens = this.#share.from - this.#world.machineNow()
    if (opens > 0) this.#world.after(opens, () => this.#tellWhenOpen())
    else this.onShare()
  }

  #noteClock(): void {
    const verdict = clockVerdict(this.clockDifference, this.#leaseMs)
    // The first answers are not yet a median.
    if (verdict === this.#clockSaid || (!this.#alone && this.#trips.length < tripsAtStart)) return
    this.#clockSaid = verdict
    this.#observer.clock(verdict, this.clockDifference)
  }
}

const apart = (difference: Millis): string =>
  `${(Math.abs(difference) / 1_000).toFixed(1)} s ${difference > 0 ? 'ahead of' : 'behind'}`
