import { type Changed, changedOf } from '../domain/change.ts'
import type { Millis } from '../domain/ids.ts'
import type { Store } from '../ports/store.ts'
import type { Timer, World } from '../ports/world.ts'
import type { Claimer } from './claimer.ts'
import type { Dispatcher } from './dispatch.ts'
import type { Fleet } from './fleet.ts'
import type { HotDelivery } from './lane.ts'
import type { Retention } from './retention.ts'

const lookForDrainedMs: Millis = 1_000
const lookForChangesMs: Millis = 500
const sweepStep = 2_000
const leases = 'leases'
const lookForExpiredMs: Millis = 60_000
// A step may delete all over an index that is not in order of time: a few milliseconds in front of a commit.
const expiredStep = 500
// Whole requests: a step may free as many megabytes.
const quarantineStep = 50
// A node that does not ask for this long reads everything anew.
const changesKeptMs: Millis = 600_000
const retentionMs: Millis = 60_000
// So long a background task that was made through another node may wait for the one that runs them.
const lookForTasksMs: Millis = 1_000

/**
 * What is done now and then. Each node closes its breakers, renews its leases and notices what others changed; what is over
 * is removed by the one that leads.
 */
export class Chores {
  readonly #store: Store
  readonly #world: World
  readonly #dispatcher: Dispatcher
  readonly #claimer: Claimer
  readonly #retention: Retention
  readonly #fleet: Fleet
  readonly #wakeTasks: () => void
  readonly #quarantineAge: Millis
  readonly #changedElsewhere: (changed: readonly Changed[]) => void
  readonly #timers = new Map<string, Timer>()
  #seenChange: number | null = null
  #stopped = false
  #ended = false
  #sweeping = false
  /** The renewal that was asked for last. */
  #renewed: Promise<void> = Promise.resolve()

  constructor(parts: {
    store: Store
    world: World
    dispatcher: Dispatcher
    claimer: Claimer
    retention: Retention
    fleet: Fleet
    /** There may be background tasks that another node has made. */
    wakeTasks: () => void
    /** How long refused requests of sources are kept. */
    quarantineAge: Millis
    /** Another process has changed these: what is in memory of them may be stale. */
    changedElsewhere: (changed: readonly Changed[]) => void
  }) {
    this.#store = parts.store
    this.#world = parts.world
    this.#dispatcher = parts.dispatcher
    this.#claimer = parts.claimer
    this.#retention = parts.retention
    this.#fleet = parts.fleet
    this.#wakeTasks = parts.wakeTasks
    this.#quarantineAge = parts.quarantineAge
    this.#changedElsewhere = parts.changedElsewhere
  }

  async start(): Promise<void> {
    this.#seenChange = (await this.#store.changes.since(null)).number
    this.#store.onChange(() => this.#noticeChanges().catch(() => {}))
    this.#every('changes', lookForChangesMs, () => this.#noticeChanges())
    this.#every('breakers', lookForDrainedMs, async () => this.#dispatcher.closeDrained())
    // Clocks may be a quarter of a lease ahead of the database's, and as much behind: to another node a lease may be over when
    // half of it is left here. So it is renewed before that, with a twelfth of it for the way; and has three chances.
    const { leaseMs } = this.#dispatcher
    this.#every(leases, leaseMs / 6, () => this.#renewLeases((leaseMs * 3) / 4))
    this.#everyWhileLeading('expired', lookForExpiredMs, () => this.#sweepExpired())
    this.#everyWhileLeading('retention', retentionMs, () => this.#retention.run())
    this.#every('tasks', lookForTasksMs, async () => {
      if (this.#fleet.leads && this.#fleet.alive > 1) this.#wakeTasks()
    })
    if (this.#fleet.leads) this.lead()
  }

  /** What only one node does is this one's to do from now on. */
  lead(): void {
    this.sweep()
    this.#wakeTasks()
  }

  /** Does no more than renew the leases of what is still on the wire, until `end`: others must not send it as well. */
  stop(): void {
    this.#stopped = true
    this.#retention.stop()
    for (const [name, timer] of this.#timers) if (name !== leases) timer.cancel()
  }

  end(): void {
    this.#ended = true
    this.#timers.get(leases)?.cancel()
  }

  /** Something was deleted: its waiting deliveries are removed, in steps that let commits through. */
  sweep(): void {
    if (this.#sweeping || !this.#goesOn) return
    this.#sweeping = true
    const step = async (): Promise<void> => {
      while (this.#goesOn && (await this.#store.road.sweepDeleted(sweepStep)) === sweepStep);
    }
    step()
      .catch(() => {}) // The next deletion, or the next start, sweeps again.
      .finally(() => {
        this.#sweeping = false
      })
  }

  /** With what only the leader does. */
  get #goesOn(): boolean {
    return !this.#stopped && this.#fleet.leads
  }

  #everyWhileLeading(name: string, ms: Millis, work: () => Promise<void>): void {
    this.#every(name, ms, async () => {
      if (await this.#fleet.stillLeads()) await work()
    })
  }

  #every(name: string, ms: Millis, work: () => Promise<void>): void {
    const again = (): void => {
      if (name === leases ? this.#ended : this.#stopped) return
      this.#timers.set(
        name,
        this.#world.after(ms, () => {
          work()
            .catch(() => {}) // The store does not answer: the committer says so in the log, here it is tried again.
            .finally(again)
        }),
      )
    }
    again()
  }

  /** What has ended by itself is only in the way. */
  async #sweepExpired(): Promise<void> {
    const { portalTokens, answers, sources, quarantine, changes } = this.#store
    const now = this.#world.now()
    while (this.#goesOn && (await portalTokens.sweepExpired(now, expiredStep)) === expiredStep);
    while (this.#goesOn && (await answers.sweepLapsed(now, expiredStep)) === expiredStep);
    while (this.#goesOn && (await sources.sweepTokens(now, expiredStep)) === expiredStep);
    await changes.sweep(changesKeptMs)
    await this.#fleet.sweep()
    const tooOld = now - this.#quarantineAge
    while (this.#goesOn && (await quarantine.sweep(tooOld, quarantineStep)) === quarantineStep);
  }

  async #noticeChanges(): Promise<void> {
    const { number, scopes } = await this.#store.changes.since(this.#seenChange)
    this.#seenChange = number
    if (scopes?.length === 0) return
    this.#changedElsewhere(changedOf(scopes))
    // It may have been a deletion, and this node be the one that removes what waits.
    this.sweep()
    this.#claimer.wake()
  }

  /** Asks the store about all that is held here: what is not any more is let go. */
  renewAll(): Promise<void> {
    return this.#renewLeases(Number.POSITIVE_INFINITY)
  }

  /** One after the other: an older one that is late at the store would take back what a newer has been promised. */
  #renewLeases(endingWithin: Millis): Promise<void> {
    const renewal = () => this.#renew(endingWithin)
    this.#renewed = this.#renewed.then(renewal, renewal)
    return this.#renewed
  }

  async #renew(endingWithin: Millis): Promise<void> {
    const now = this.#world.now()
    const soon = this.#dispatcher.leasedBefore(now + endingWithin)
    if (soon.length === 0) return
    const until = now + this.#dispatcher.leaseMs
    const keys = soon.map(({ message, lane }) => ({ messageId: message.id, endpointId: lane.endpointId }))
    const lost = new Set(
      (await this.#store.road.renew(this.#dispatcher.lease, until, keys)).map(
        ({ messageId, endpointId }) => `${messageId} ${endpointId}`,
      ),
    )
    const isLost = ({ message, lane }: HotDelivery): boolean => lost.has(`${message.id} ${lane.endpointId}`)
    for (const delivery of soon) if (!isLost(delivery)) delivery.leasedUntil = until
    if (lost.size > 0) this.#dispatcher.lost(soon.filter(isLost))
  }
}
