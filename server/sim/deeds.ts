import type { MessageId, Millis } from '../src/domain/ids.ts'
import { Problem } from '../src/domain/problem.ts'
import type { NewFact } from '../src/engine/plan.ts'
import { resend } from '../src/manage/attempts.ts'
import { cancelMessage } from '../src/manage/cancel.ts'
import { patchEndpoint, pauseEndpoint } from '../src/manage/endpoints.ts'
import type { Fleet } from './fleet.ts'
import type { Life } from './life.ts'
import { type Model, short } from './model.ts'
import type { SimulatedNode } from './node.ts'
import { applicationIdOf, type Deed, type EndpointPlan, environmentId, type Step } from './scenario.ts'

type PublishDeed = Extract<Deed, { kind: 'publish' }>

const publishAgainMs: Millis = 500
const letGoAgainMs: Millis = 600
const goOnMs: Millis = 1_500
// What the store may do to a caller, and what another caller may.
const usual: readonly string[] = [
  'unavailable',
  'changed-meanwhile',
  'event-id-taken',
  'endpoint-disabled',
  'not-found',
]

/** What people and publishers do, and what becomes of it. */
export class Deeds {
  readonly #model: Model
  readonly #fleet: Fleet
  readonly #published: { readonly id: MessageId; readonly application: number }[] = []
  /** Calls that nodes have not answered yet. */
  readonly #open = new Set<{ readonly life: Life }>()
  #names = 0

  constructor(model: Model, fleet: Fleet) {
    this.#model = model
    this.#fleet = fleet
  }

  get areDone(): boolean {
    return [...this.#open].every(({ life }) => life.dead)
  }

  /** Each at its time; and at the end, all that was stopped is let go. */
  plan(): void {
    const { timeline, scenario } = this.#model
    for (const step of scenario.steps) timeline.after(step.at, null, () => this.#do(step))
    timeline.after(scenario.calmAt, null, () => this.#calm())
  }

  #calm(): void {
    const { scenario } = this.#model
    this.#model.note(() => 'all is calm')
    this.#fleet.calm()
    for (const plan of scenario.endpoints) this.#letGo(plan)
    this.#goOn()
  }

  /** A breaker is each node's own, and closes when that has something to probe with: traffic goes on until all have. */
  #goOn(): void {
    const { scenario, tables, timeline } = this.#model
    const one = { kind: 'publish', count: 1, together: false, orderingKey: null, named: true } as const
    for (const application of scenario.applicationRates.keys()) {
      for (let place = 0; place < scenario.nodes; place++) {
        this.#publish({ ...one, application, deliverAfter: null, expiresAfter: null }, place, timeline.now)
      }
    }
    const look = (): void => {
      const isOpen = [...tables.endpoints.values()].some(({ breakerOpenedAt }) => breakerOpenedAt !== null)
      if (isOpen) this.#goOn()
      else timeline.after(goOnMs, null, look)
    }
    timeline.after(goOnMs, null, look)
  }

  #do(step: Step): void {
    const { node: place } = step
    switch (step.kind) {
      case 'publish':
        this.#publish(step, place, this.#model.timeline.now)
        break
      case 'crash':
        this.#fleet.crash(place)
        break
      case 'restart':
        this.#fleet.start(place)
        break
      case 'stop':
        this.#fleet.stop(place)
        break
      case 'sleep':
        this.#fleet.sleep(place, step.ms)
        break
      case 'clock':
        this.#fleet.clock(place, step.ms)
        break
      default:
        this.#ask(step, place)
    }
  }

  /** People's. */
  #ask(
    deed: Exclude<Deed, { kind: 'publish' | 'crash' | 'restart' | 'stop' | 'sleep' | 'clock' }>,
    place: number,
  ): void {
    const { scenario } = this.#model
    if (deed.kind === 'cancel') {
      const message = this.#published[deed.nth % this.#published.length]
      if (message === undefined) return
      this.#model.canceled.add(message.id)
      this.#call(place, `cancel ${short(message.id)}`, async ({ manage }, life) => {
        await cancelMessage(manage, environmentId, applicationIdOf(message.application), message.id)
        this.#model.cancels.push({ messageId: message.id, by: life, at: this.#model.timeline.now })
      })
      return
    }
    const plan = scenario.endpoints[deed.endpoint % scenario.endpoints.length]
    if (plan === undefined) return
    const { id, applicationId } = plan
    const what = `${deed.kind} ${short(id)}`
    switch (deed.kind) {
      case 'resend': {
        const ofIt = this.#published.filter(({ application }) => applicationIdOf(application) === applicationId)
        const message = ofIt[deed.nth % ofIt.length]
        if (message === undefined) return
        this.#call(place, `${what} ${short(message.id)}`, ({ manage }) =>
          resend(manage, environmentId, applicationId, message.id, id),
        )
        return
      }
      case 'pause':
      case 'resume':
        this.#call(place, what, ({ manage }) =>
          pauseEndpoint(manage, environmentId, applicationId, id, deed.kind === 'pause'),
        )
        return
      case 'disable':
      case 'enable':
        this.#call(place, what, ({ manage }) =>
          patchEndpoint(manage, environmentId, applicationId, id, { disabled: deed.kind === 'disable' }),
        )
        return
      case 'rate':
        this.#call(place, what, ({ manage }) =>
          patchEndpoint(manage, environmentId, applicationId, id, { throttleRate: deed.perSecond }),
        )
    }
  }

  /** Until it is done: at the end somebody sees to it. */
  #letGo(plan: EndpointPlan): void {
    const { id, applicationId } = plan
    const { tables, timeline } = this.#model
    const row = tables.endpoints.get(id)
    // What was asked for before may be done only now: looked at until the end.
    timeline.after(letGoAgainMs, null, () => this.#letGo(plan))
    if (row?.disabledBecause == null && row?.pausedAt == null) return
    this.#call(0, `let go ${short(id)}`, async ({ manage }) => {
      await pauseEndpoint(manage, environmentId, applicationId, id, false)
      await patchEndpoint(manage, environmentId, applicationId, id, { disabled: false })
    })
  }

  #publish(deed: PublishDeed, place: number, since: Millis): void {
    const facts = Array.from({ length: deed.count }, () => this.#factOf(deed))
    if (deed.together) {
      this.#publishTogether(deed, place, facts)
      return
    }
    for (const fact of facts) this.#publishOne(deed, place, fact, since)
  }

  #publishOne(deed: PublishDeed, place: number, fact: NewFact, since: Millis): void {
    const { timeline } = this.#model
    this.#call(place, 'publish', async ({ publish }) => {
      const { message } = await publish(environmentId, applicationIdOf(deed.application), fact)
      this.#accepted(deed, message.id)
    }).then((how) => {
      const isTaken = how === 'event-id-taken'
      if (isTaken || how === 'done') return
      if (!deed.named || (timeline.elapsed < this.#model.scenario.calmAt && timeline.now > since + 3 * publishAgainMs))
        return
      timeline.after(publishAgainMs, null, () => this.#publishOne(deed, place + 1, fact, since))
    })
  }

  #publishTogether(deed: PublishDeed, place: number, facts: readonly NewFact[]): void {
    this.#call(place, `publish ${facts.length}`, async ({ publishAll }) => {
      const answers = await publishAll(environmentId, applicationIdOf(deed.application), facts, null)
      for (const answer of answers) if ('message' in answer) this.#accepted(deed, answer.message.id)
    })
  }

  #accepted({ application }: PublishDeed, id: MessageId): void {
    this.#published.push({ id, application })
    this.#model.note(() => `accepted ${short(id)}`)
    if (!this.#model.tables.messages.has(id)) this.#model.violated('settles', `${id} was accepted and is not stored`)
  }

  #factOf({ orderingKey, named, deliverAfter, expiresAfter }: PublishDeed): NewFact {
    const { now } = this.#model.timeline
    this.#names += 1
    return {
      ...{ eventType: 'invoice.paid', channels: null, tags: null, contentType: null, orderingKey },
      eventId: named ? `e${this.#names}` : null,
      payload: `{"n":${this.#names}}`,
      deliverAt: deliverAfter === null ? null : now + deliverAfter,
      expiresAt: expiresAfter === null ? null : now + expiresAfter,
    }
  }

  /** Calls a node, as HTTP would. Resolves to how it went; never, where the node dies on the way. */
  async #call(
    place: number,
    what: string,
    work: (node: SimulatedNode, life: Life) => Promise<unknown>,
  ): Promise<string> {
    const called = this.#fleet.serving(place)
    if (called === null) return 'nobody'
    const { life, node } = called
    const call = { life }
    this.#open.add(call)
    try {
      // One that sleeps hears of it when it wakes up.
      await new Promise<void>((resolve) => this.#model.timeline.after(0, life, resolve, 0.2))
      this.#model.note(() => `${life.name} is asked to ${what}`)
      await work(node, life)
      return 'done'
    } catch (error) {
      if (error instanceof Problem && usual.includes(error.code)) return error.code
      this.#model.violated('defect', `${life.name}, asked to ${what}: ${error instanceof Error ? error.stack : error}`)
      return 'defect'
    } finally {
      this.#open.delete(call)
    }
  }
}
