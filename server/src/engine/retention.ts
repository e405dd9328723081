import { whyEnded } from '../domain/attempt.ts'
import { type Control, controlOf } from '../domain/control.ts'
import type { ApplicationId, EndpointId, MessageId, Millis, makeIds } from '../domain/ids.ts'
import { deletedBefore, keptFrom, type Retained, retained } from '../domain/retention.ts'
import type { Ending, KeptApplication, Removed, Store } from '../ports/store.ts'
import type { World } from '../ports/world.ts'
import type { Observer } from './observer.ts'

const applicationsPage = 500
// After each step the store is left to others for as many times as long.
const restAfterStep = 3

/**
 * Removes what is past its time: messages with their attempts, payloads, what was deleted and is referred to by nothing.
 * One step of the store at a time, so that a commit waits behind one step at most, and a rest after each.
 */
export class Retention {
  readonly #store: Store
  readonly #world: World
  readonly #newId: ReturnType<typeof makeIds>
  readonly #control: Control
  readonly #observer: Observer
  readonly #leads: () => boolean
  #stopped = false
  #removed: Removed = { messages: 0, attempts: 0, payloads: 0, deliveries: 0 }

  constructor(parts: {
    store: Store
    world: World
    newId: ReturnType<typeof makeIds>
    control: Control
    observer: Observer
    /** Whether it is this node's to do. */
    leads: () => boolean
  }) {
    this.#store = parts.store
    this.#world = parts.world
    this.#newId = parts.newId
    this.#control = parts.control
    this.#observer = parts.observer
    this.#leads = parts.leads
  }

  stop(): void {
    this.#stopped = true
  }

  get #goesOn(): boolean {
    return !this.#stopped && this.#leads()
  }

  /** Once over everything. Not to be called again before it has resolved. */
  async run(): Promise<void> {
    const startedAt = this.#world.now()
    this.#removed = { messages: 0, attempts: 0, payloads: 0, deliveries: 0 }
    try {
      await this.#store.retention.prepare(this.#world.now())
      await this.#wipeLapsed()
      await this.#goThroughApplications()
      await this.#deleteEndpoints()
    } catch (error) {
      if (this.#goesOn) this.#observer.retentionFailed(error)
    }
    if (Object.values(this.#removed).some((count) => count > 0))
      this.#observer.removed(this.#removed, this.#world.now() - startedAt)
  }

  async #goThroughApplications(): Promise<void> {
    const environments = new Map((await this.#store.environments.list()).map((row) => [row.id, row.settings.control]))
    const kept: { readonly oldest: MessageId | null; readonly dropBefore: MessageId | null }[] = []
    for (let after: ApplicationId | '' | null = ''; after !== null && this.#goesOn; ) {
      const page: readonly KeptApplication[] = await this.#store.retention.applications(after, applicationsPage)
      for (const application of page) {
        const control = controlOf(this.#control, environments.get(application.environmentId) ?? {}, application.control)
        const { deletedAt, oldest } = application
        const plan = retained(control, deletedAt, this.#world.now(), this.#store.retention.grain)
        if (oldest !== null) kept.push({ oldest, dropBefore: plan.dropBefore })
        await this.#goThrough(application, plan)
      }
      after = page.length === applicationsPage ? (page.at(-1)?.id ?? null) : null
    }
    if (!this.#goesOn) return
    const now = this.#world.now()
    await this.#step(async () => ({
      removed: await this.#store.retention.dropOlder(keptFrom(kept, now), now),
      result: null,
    }))
  }

  async #goThrough(
    { id, deletedAt, oldest, unwiped }: KeptApplication,
    { deleteBefore, wipeBefore }: Retained,
  ): Promise<void> {
    if (deleteBefore !== null && oldest !== null && oldest < deleteBefore) {
      for (let above: MessageId | '' | null = ''; above !== null && this.#goesOn; ) {
        const from: MessageId | '' = above
        above = await this.#step(async () => {
          const { removed, last } = await this.#store.retention.deleteMessages(
            id,
            from,
            deleteBefore,
            this.#world.now(),
          )
          return { removed, result: last }
        })
      }
    }
    if (wipeBefore !== null && unwiped !== null && unwiped < wipeBefore) {
      for (let more = true; more && this.#goesOn; ) {
        more = await this.#step(async () => {
          const step = await this.#store.retention.wipePayloads(id, wipeBefore, this.#ending())
          return { removed: step.removed, result: step.more }
        })
      }
    }
    if (deletedAt !== null && deleteBefore !== null && this.#goesOn) await this.#store.retention.deleteApplication(id)
  }

  async #wipeLapsed(): Promise<void> {
    for (let more = true; more && this.#goesOn; ) {
      more = await this.#step(async () => {
        const step = await this.#store.retention.wipeLapsed(this.#ending())
        return { removed: step.removed, result: step.more }
      })
    }
  }

  async #deleteEndpoints(): Promise<void> {
    const before = deletedBefore(this.#world.now())
    for (let after: EndpointId | '' | null = ''; after !== null && this.#goesOn; ) {
      after = await this.#store.retention.deleteEndpoints(after, before)
    }
  }

  #ending(): Ending {
    const at = this.#world.now()
    return { ended: 'expired', response: whyEnded.expired, at, id: this.#newId('attempt') }
  }

  async #step<Result>(work: () => Promise<{ readonly removed: Removed; readonly result: Result }>): Promise<Result> {
    const startedAt = this.#world.now()
    const { removed, result } = await work()
    const { messages, attempts, payloads, deliveries } = this.#removed
    this.#removed = {
      messages: messages + removed.messages,
      attempts: attempts + removed.attempts,
      payloads: payloads + removed.payloads,
      deliveries: deliveries + removed.deliveries,
    }
    const took: Millis = this.#world.now() - startedAt
    if (took > 0) await new Promise<void>((resolve) => this.#world.after(took * restAfterStep, resolve))
    return result
  }
}
