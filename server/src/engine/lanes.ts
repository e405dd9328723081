import type { ApplicationId, EndpointId } from '../domain/ids.ts'
import type { World } from '../ports/world.ts'
import type { Directory } from './directory.ts'
import { type HotDelivery, Lane } from './lane.ts'

// Past this, lanes with nothing to do and nothing to remember make room for others.
const mostLanes = 20_000
const storeDownMs = 500

/** Every lane there is, by endpoint and by application, and how each comes to know its endpoint. */
export class Lanes {
  readonly #directory: Directory
  readonly #world: World
  readonly #inFlightCap: number
  readonly #byEndpoint = new Map<EndpointId, Lane>()
  readonly #byApplication = new Map<ApplicationId, Set<Lane>>()
  readonly #refreshing = new Set<ApplicationId>()
  /** Changed since their reading began: what it brings is already old. */
  readonly #outdated = new Set<ApplicationId>()
  #forgetAt = mostLanes

  constructor(parts: { readonly directory: Directory; readonly world: World; readonly inFlightCap: number }) {
    this.#directory = parts.directory
    this.#world = parts.world
    this.#inFlightCap = parts.inFlightCap
  }

  /** The lane of an endpoint, made if there is none. */
  of(endpointId: EndpointId, applicationId: ApplicationId): Lane {
    const known = this.#byEndpoint.get(endpointId)
    if (known) return known
    if (this.#byEndpoint.size >= this.#forgetAt) this.#forgetResting()
    const lane = new Lane(endpointId, applicationId, this.#inFlightCap)
    this.#byEndpoint.set(endpointId, lane)
    const siblings = this.#byApplication.get(applicationId) ?? new Set()
    siblings.add(lane)
    this.#byApplication.set(applicationId, siblings)
    return lane
  }

  find(endpointId: EndpointId): Lane | undefined {
    return this.#byEndpoint.get(endpointId)
  }

  all(): Iterable<Lane> {
    return this.#byEndpoint.values()
  }

  ofApplication(applicationId: ApplicationId): Iterable<Lane> {
    return this.#byApplication.get(applicationId) ?? []
  }

  get applications(): Iterable<ApplicationId> {
    return this.#byApplication.keys()
  }

  /** What was known of these endpoints no longer counts. */
  unlearn(applicationId: ApplicationId): void {
    if (this.#refreshing.has(applicationId)) this.#outdated.add(applicationId)
    for (const lane of this.ofApplication(applicationId)) {
      lane.destination = null
      lane.keepShut()
    }
  }

  /**
   * Reads the endpoints of an application anew. `orphaned` is called with what waits for one that is gone, `again` when
   * the lanes know, or when it is worth asking once more.
   */
  learn(applicationId: ApplicationId, orphaned: (delivery: HotDelivery) => void, again: () => void): void {
    if (this.#refreshing.has(applicationId)) return
    this.#refreshing.add(applicationId)
    const done = (): void => {
      this.#refreshing.delete(applicationId)
      again()
    }
    this.#directory.destinations(applicationId).then(
      (destinations) => {
        if (this.#outdated.delete(applicationId)) return done()
        const byId = new Map(destinations.map((destination) => [destination.id, destination]))
        for (const lane of this.ofApplication(applicationId)) {
          const destination = byId.get(lane.endpointId)
          if (destination) lane.adopt(destination)
          // Deleted: nobody wants these any more; their rows are swept. What is being settled is not ours to drop.
          else for (const delivery of lane.waiting.drain()) if (!delivery.taken) orphaned(delivery)
        }
        done()
      },
      () => {
        // The store does not answer now; it is asked again, and meanwhile the deliveries are safe where they are.
        this.#world.after(storeDownMs, done)
      },
    )
  }

  #forgetResting(): void {
    const now = this.#world.now()
    for (const lane of this.#byEndpoint.values()) {
      if (!lane.atRest(now)) continue
      this.#byEndpoint.delete(lane.endpointId)
      const siblings = this.#byApplication.get(lane.applicationId)
      siblings?.delete(lane)
      if (siblings?.size === 0) this.#byApplication.delete(lane.applicationId)
      // What the directory prepared may be older than what the lane knew of the endpoint's health.
      this.#directory.forget(lane.applicationId)
    }
    // Where few are at rest, looking again at each new one would cost more than the memory.
    this.#forgetAt = Math.max(mostLanes, Math.ceil(this.#byEndpoint.size * 1.25))
  }
}
