import type { EndpointId, Millis } from '../domain/ids.ts'
import type { RoadStore } from '../ports/store.ts'
import type { Timer, World } from '../ports/world.ts'
import type { Dispatcher } from './dispatch.ts'
import type { ClaimObserver } from './observer.ts'

const mostShare = 128
const mostBytes = 4 * 1024 * 1024
// Nothing depends on this poll but work that another process put into the store.
const pollMs: Millis = 1_000
const storeDownMs: Millis = 500
// Where retries fall due one after the other, a claim of each would be a commit for each: those of this span share one.
const gatherMs: Millis = 20

/**
 * Fetches due deliveries from the store while there is room: retries, what did not fit into memory, what a dead process
 * left. It goes round the endpoints, a few deliveries each, so its cost and its fairness do not depend on any backlog.
 */
export class Claimer {
  readonly #store: RoadStore
  readonly #world: World
  readonly #dispatcher: Dispatcher
  readonly #observer: ClaimObserver
  #cursor: EndpointId | '' = ''
  #skipped = new Set<EndpointId>()
  #nextDueAt: Millis = Number.POSITIVE_INFINITY
  #tookAt: Millis = 0
  #timer: Timer | null = null
  #running: Promise<void> | null = null
  #again = false
  /** There was no room for what is due: whoever makes some says so. */
  #full = false
  #stopped = false

  constructor(store: RoadStore, world: World, dispatcher: Dispatcher, observer: ClaimObserver) {
    this.#store = store
    this.#world = world
    this.#dispatcher = dispatcher
    this.#observer = observer
    dispatcher.wake = () => this.wake()
  }

  /** There may be due work now. Cheap; many calls make one look. */
  wake(): void {
    if (this.#stopped) return
    this.#again = true
    this.#running ??= this.#run().finally(() => {
      this.#running = null
      if (this.#again) this.wake()
    })
  }

  /** A delivery was put back to be due then. */
  expect(dueAt: Millis): void {
    if (dueAt <= this.#world.now()) {
      this.wake()
    } else if (dueAt < this.#nextDueAt) {
      this.#nextDueAt = dueAt
      if (!this.#running) this.#sleep()
    }
  }

  /** Resolves when what is on its way from the store now has arrived. */
  async arrived(): Promise<void> {
    await this.#running
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#again = false
    this.#timer?.cancel()
    await this.#running
  }

  async #run(): Promise<void> {
    while (this.#again && !this.#stopped) {
      this.#again = false
      try {
        if (await this.#round()) this.#again = true
      } catch {
        // The store does not answer. Whoever commits says so in the log; here it only means: later.
        this.#nextDueAt = this.#world.now() + storeDownMs
        break
      }
    }
    this.#sleep()
  }

  /** Once round all endpoints, or until memory is full. Resolves to whether there is more of what it took. */
  async #round(): Promise<boolean> {
    if (this.#cursor === '') {
      this.#dispatcher.beginRound()
      this.#skipped.clear()
      this.#nextDueAt = Number.POSITIVE_INFINITY
    }
    const largest = this.#store.largestClaim
    let more = false
    do {
      const room = Math.min(this.#dispatcher.room, largest.deliveries)
      if (this.#stopped) return false
      this.#full = room === 0
      if (this.#full) {
        this.#dispatcher.wantRoom()
        return false
      }
      const now = this.#world.now()
      const until = now + this.#dispatcher.leaseMs
      const share = Math.min(mostShare, this.#dispatcher.newcomersShare)
      const shares = this.#dispatcher.shares(share)
      for (const [endpointId, wanted] of shares) if (wanted === 0) this.#skipped.add(endpointId)
      this.#dispatcher.beginClaim()
      try {
        const { deliveries, cursor, nextDueAt, moreOf, passedOver } = await this.#store.claim({
          ...{ now, until, lease: this.#dispatcher.lease, after: this.#cursor, visits: largest.visits },
          ...{ share, shares, room, bytes: mostBytes },
        })
        this.#cursor = cursor
        this.#nextDueAt = Math.min(this.#nextDueAt, nextDueAt ?? Number.POSITIVE_INFINITY)
        if (deliveries.length > 0) {
          more ||= moreOf.length > 0
          this.#tookAt = now
          this.#observer.claimed(deliveries.length, this.#world.now() - now)
          this.#dispatcher.admitClaimed(deliveries, until, new Set(moreOf))
        }
        this.#dispatcher.passedOver(passedOver)
      } finally {
        this.#dispatcher.endClaim()
      }
    } while (this.#cursor !== '')
    this.#dispatcher.endRound(this.#skipped)
    return more
  }

  #sleep(): void {
    this.#timer?.cancel()
    if (this.#stopped) return
    const now = this.#world.now()
    const dueAt = this.#full ? Number.POSITIVE_INFINITY : Math.max(this.#nextDueAt, this.#tookAt + gatherMs)
    this.#timer = this.#world.after(Math.min(pollMs, Math.max(0, dueAt - now)), () => this.wake())
  }
}
