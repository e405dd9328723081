import { type RecallAsk, recallOf } from '../domain/change.ts'
import type { LeaseId, Millis } from '../domain/ids.ts'
import { leaseOf } from '../domain/lease.ts'
import type { DeliveryKey, HeldDelivery, Store } from '../ports/store.ts'
import type { World } from '../ports/world.ts'
import type { Fleet } from './fleet.ts'

// Nodes hear of a change within half a second, and write down what follows from it in the next commit.
const patienceMs: Millis = 1_000
const lookEveryMs: Millis = 50

/** What other nodes hold of a message, and are to let go of. Only they know what of it is on the wire this moment. */
export class Recall {
  readonly #store: Pick<Store, 'road' | 'changes'>
  readonly #world: World
  readonly #fleet: Pick<Fleet, 'nodes'>
  readonly #lease: LeaseId

  constructor(parts: {
    readonly store: Pick<Store, 'road' | 'changes'>
    readonly world: World
    readonly fleet: Pick<Fleet, 'nodes'>
    readonly lease: LeaseId
  }) {
    this.#store = parts.store
    this.#world = parts.world
    this.#fleet = parts.fleet
    this.#lease = parts.lease
  }

  /**
   * Has the other nodes let go of what they hold of these messages. Resolves, to what they held, when they have, or when
   * what is left is under way there. What is held by nodes that are not heard any more is put back into the store, due
   * when it would have been, for the caller to end.
   */
  async fromOthers(ask: RecallAsk): Promise<readonly DeliveryKey[]> {
    const { road, changes } = this.#store
    const held = await road.heldByOthers(this.#lease, ask.messageIds)
    if (held.length === 0) return held
    await changes.note(recallOf(ask))
    const deadline = this.#world.machineNow() + patienceMs
    for (let left = held; ; ) {
      left = await this.#ofLiving(left)
      if (left.length === 0 || this.#world.machineNow() >= deadline) return held
      await new Promise<void>((resolve) => this.#world.after(lookEveryMs, resolve))
      left = await road.heldByOthers(this.#lease, ask.messageIds)
    }
  }

  /** Those of which the node lives; the others are put back. */
  async #ofLiving(held: readonly HeldDelivery[]): Promise<readonly HeldDelivery[]> {
    if (held.length === 0) return held
    const living = new Set((await this.#fleet.nodes()).map(({ id }) => leaseOf(id)))
    const byDead = held.filter(({ lease }) => !living.has(lease))
    for (const lease of new Set(byDead.map((one) => one.lease))) {
      await this.#store.road.release(
        lease,
        byDead.filter((one) => one.lease === lease),
      )
    }
    return held.filter(({ lease }) => living.has(lease))
  }
}
