import type { Ended } from '../domain/attempt.ts'
import type { Wait } from '../domain/explain.ts'
import type { ApplicationId, EndpointId, MessageId, Millis } from '../domain/ids.ts'
import type { World } from '../ports/world.ts'
import type { ApplicationPaces } from './application-pace.ts'
import type { HotDelivery, Lane } from './lane.ts'
import type { Lanes } from './lanes.ts'

interface HotMessagesParts {
  readonly lanes: Lanes
  readonly paces: ApplicationPaces
  readonly world: World
  /** Settles one that is not sent, and calls `settled` when that is on disk. */
  readonly end: (delivery: HotDelivery, url: string, ended: Ended, settled: () => void) => void
  /** Resolves when every outcome that is known now is on disk. */
  readonly written: () => Promise<void>
}

/** What is held in memory of one message, at whichever endpoints: what somebody asks about it, or wants of it. */
export class HotMessages {
  readonly #parts: HotMessagesParts

  constructor(parts: HotMessagesParts) {
    this.#parts = parts
  }

  /**
   * The content of these messages is gone from the store: what waits here of them is canceled, and what is under way
   * keeps nothing of the answer. Resolves, when that is on disk, to whether any was here.
   */
  async expunge(applicationId: ApplicationId, messageIds: readonly MessageId[]): Promise<boolean> {
    let any = false
    for (const lane of this.#parts.lanes.ofApplication(applicationId)) {
      for (const id of messageIds) {
        const delivery = lane.hot.get(id)
        if (!delivery) continue
        delivery.expunged = true
        any = true
      }
    }
    if (any) await Promise.all(messageIds.map((id) => this.cancel(applicationId, id)))
    return any
  }

  /**
   * Takes what waits here of a message out of every queue, not to be sent. What is in flight ends as it ends, but is not
   * tried again. Resolves, when that is on disk, to how many waited. A failure that was known before, and had its delivery
   * put off, is in the store by then: there it waits as any other.
   */
  async cancel(applicationId: ApplicationId, messageId: MessageId): Promise<number> {
    const waiting: Promise<void>[] = []
    let taken = false
    for (const lane of this.#parts.lanes.ofApplication(applicationId)) {
      const delivery = lane.hot.get(messageId)
      if (delivery === undefined) continue
      delivery.canceled = true
      if (delivery.taken) {
        taken = true
        continue
      }
      delivery.taken = true
      const url = lane.destination?.url ?? ''
      waiting.push(new Promise((resolve) => this.#parts.end(delivery, url, 'canceled', resolve)))
    }
    await Promise.all(waiting)
    if (taken) await this.#parts.written()
    return waiting.length
  }

  /** What the deliveries of a message that are held here wait for. */
  waits(applicationId: ApplicationId, messageId: MessageId): ReadonlyMap<EndpointId, Wait> {
    const now = this.#parts.world.now()
    const waits = new Map<EndpointId, Wait>()
    for (const lane of this.#parts.lanes.ofApplication(applicationId)) {
      const delivery = lane.hot.get(messageId)
      if (delivery)
        waits.set(lane.endpointId, delivery.taken ? { for: 'in-flight', until: null } : this.#waitOf(lane, now))
    }
    return waits
  }

  #waitOf(lane: Lane, now: Millis): Wait {
    const wait = lane.waitNow(now)
    const until = this.#parts.paces.opensAt(lane.applicationId)
    return wait.for === 'turn' && wait.until === null && until > now ? { for: 'rate', until } : wait
  }
}
