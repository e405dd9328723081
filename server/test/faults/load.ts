import { setTimeout as pause } from 'node:timers/promises'
import { type Chance, chanceOf } from './chance.ts'
import type { EndpointState, Fact, Ledger, Try } from './ledger.ts'
import type { FleetNode } from './node.ts'
import { hookPath } from './receiver.ts'

/** How long a caller waits for an answer. */
const callerPatienceMs = 4_000
/** After a 503: what a node rests at most before it connects again (2 s) and before it commits again (2 s), and as much again. */
const backWithinMs = 8_000
/** Deliveries a second to the endpoint `limited`. */
export const limitedRate = 20

interface LoadParts {
  readonly seed: number
  readonly nodes: readonly [FleetNode, ...FleetNode[]]
  readonly ledger: Ledger
  readonly key: string
  readonly receiverUrl: string
}

/** Those who publish and those who change endpoints, each through any node, as callers behind a load balancer do. */
export class Load {
  readonly #parts: LoadParts
  readonly #actors: Promise<void>[] = []
  #stopped = false
  #givenUp = false

  constructor(parts: LoadParts) {
    this.#parts = parts
  }

  /** Applications and the endpoints that stay. */
  async prepare(): Promise<void> {
    const chance = this.#chance('preparing')
    await this.#insist(chance, 'POST', '/api/v1/app?get_if_exists=true', {
      name: 'Shop',
      uid: 'shop',
      control: { breaker: false },
    })
    await this.#insist(chance, 'POST', '/api/v1/app?get_if_exists=true', {
      name: 'Desk',
      uid: 'desk',
      control: { breaker: false },
    })
    const state = (...eventTypes: string[]): EndpointState => ({ eventTypes, disabled: false, version: 1 })
    await this.#put(chance, 'shop', 'plain', state('plain'))
    await this.#put(chance, 'shop', 'every', state('plain', 'ordered', 'limited'))
    await this.#put(chance, 'shop', 'ordered', state('ordered'), { control: { ordering: 'key' } })
    await this.#put(chance, 'shop', 'limited', state('limited'), { throttleRate: limitedRate })
  }

  start(): void {
    for (let number = 0; number < 4; number++) this.#actors.push(this.#publishPlain(this.#chance(`plain ${number}`)))
    for (let number = 0; number < 4; number++) this.#actors.push(this.#publishInOrder(`key-${number}`))
    this.#actors.push(this.#publishLimited(), this.#change(), this.#publishToDesk())
  }

  /** Begins nothing more; resolves when all that was begun was answered, or the patience is over. */
  async stop(patienceMs: number): Promise<void> {
    this.#stopped = true
    const patience = setTimeout(() => {
      this.#givenUp = true
    }, patienceMs)
    await Promise.all(this.#actors)
    clearTimeout(patience)
  }

  /** One publish through each node, again when a 503 says so; resolves to those that did not take it. */
  async askEach(): Promise<readonly string[]> {
    const answers = await Promise.all(this.#parts.nodes.map((node) => this.#askUntilTaken(node)))
    return answers.filter((answer) => answer !== null)
  }

  async #askUntilTaken(node: FleetNode): Promise<string | null> {
    const fact = this.#parts.ledger.begin(plainFact('plain', null), 'asked of each')
    for (const givenUp = Date.now() + backWithinMs; ; ) {
      if (await this.#publishOnce(fact, node)) return null
      const last = fact.tries.at(-1)
      if (last?.became !== 503 || Date.now() > givenUp) return `${node.name}: ${String(last?.became)}`
      await pause(Number(last.retryAfter ?? 1) * 1_000)
    }
  }

  async #publishPlain(chance: Chance): Promise<void> {
    while (!this.#stopped) {
      const number = this.#parts.ledger.facts.length
      await this.#publish(plainFact('plain', chance.comesTrue(0.3) ? `event-${number}` : null), chance)
      await pause(chance.between(10, 60))
    }
  }

  async #publishInOrder(orderingKey: string): Promise<void> {
    const chance = this.#chance(orderingKey)
    while (!this.#stopped) {
      await this.#publish({ application: 'shop', eventType: 'ordered', orderingKey, eventId: null }, chance)
      await pause(chance.between(20, 120))
    }
  }

  /** All at once more than the rate lets through in a while: were nodes not to divide it, the backlog would show it. */
  async #publishLimited(): Promise<void> {
    const chance = this.#chance('limited')
    while (!this.#stopped) {
      const burst = Array.from({ length: 2 * limitedRate }, () => this.#publish(plainFact('limited', null), chance))
      await Promise.all([...burst, pause(chance.between(2_000, 3_000))])
    }
  }

  async #publishToDesk(): Promise<void> {
    const chance = this.#chance('desk')
    while (!this.#stopped) {
      await this.#publish(deskFact(chance.of(['desk.a', 'desk.b'])), chance)
      await pause(chance.between(20, 80))
    }
  }

  /** One change after the other, each followed by publishes through other nodes: they must go by it. */
  async #change(): Promise<void> {
    const chance = this.#chance('change')
    const there = new Map<string, EndpointState>()
    let made = 0
    while (!this.#stopped) {
      const [some, ...others] = there.keys()
      const name = some === undefined || (there.size < 4 && chance.comesTrue(0.3)) ? null : chance.of([some, ...others])
      const state = name === null ? undefined : there.get(name)
      if (name === null || state === undefined) {
        const made1 = { eventTypes: eventTypesOf(chance), disabled: chance.comesTrue(0.2), version: 1 }
        const uid = `desk-${made++}`
        there.set(uid, made1)
        await this.#put(chance, 'desk', uid, made1)
      } else if (chance.comesTrue(0.15)) {
        there.delete(name)
        await this.#delete(chance, 'desk', name)
      } else {
        const next = changed(state, chance)
        there.set(name, next)
        await this.#put(chance, 'desk', name, next)
      }
      await Promise.all([
        this.#publish(deskFact('desk.a'), this.#chance(`after change a ${made} ${there.size}`)),
        this.#publish(deskFact('desk.b'), this.#chance(`after change b ${made} ${there.size}`)),
      ])
      await pause(chance.between(50, 300))
    }
    // What waits for a disabled endpoint goes out when it is enabled.
    for (const [name, state] of there) await this.#put(chance, 'desk', name, { ...state, disabled: false })
  }

  /** Publishes until it is taken, each time through any node, always as the same ask. */
  async #publish(fact: Parameters<Ledger['begin']>[0], chance: Chance): Promise<void> {
    const one = this.#parts.ledger.begin(fact, 'x'.repeat(chance.comesTrue(0.05) ? 20_000 : chance.between(50, 800)))
    for (;;) {
      if (await this.#publishOnce(one, chance.of(this.#parts.nodes))) return
      if (this.#givenUp) return
      await pause(chance.between(50, 250))
    }
  }

  async #publishOnce(fact: Fact, node: FleetNode): Promise<boolean> {
    const { application, eventType, orderingKey, eventId, payload, number } = fact
    const labels = JSON.stringify({ eventType, orderingKey, eventId }).slice(0, -1)
    const body = `${labels},"payload":${payload}}`
    const { tried, text } = await this.#call(node, 'POST', `/api/v1/app/${application}/msg`, body, `fact-${number}`)
    fact.tries.push(tried)
    if (tried.became !== 202) return false
    fact.accepted = { at: tried.until, id: (JSON.parse(text) as { id: string }).id }
    return true
  }

  async #put(chance: Chance, application: string, uid: string, state: EndpointState, more: object = {}): Promise<void> {
    const { eventTypes, disabled, version } = state
    const url = `${this.#parts.receiverUrl}${hookPath(uid, version)}`
    const change = this.#parts.ledger.change(application, uid, state)
    await this.#insist(chance, 'PUT', `/api/v1/app/${application}/endpoint/${uid}`, {
      url,
      uid,
      eventTypes,
      disabled,
      ...more,
    })
    change.ackedAt = Date.now()
  }

  async #delete(chance: Chance, application: string, uid: string): Promise<void> {
    const change = this.#parts.ledger.change(application, uid, null)
    // 404: it was taken the time before, when the answer was lost.
    await this.#insist(chance, 'DELETE', `/api/v1/app/${application}/endpoint/${uid}`, undefined, [404])
    change.ackedAt = Date.now()
  }

  /** Asks any node until it is done. Only for what may be said twice. */
  async #insist(
    chance: Chance,
    method: string,
    path: string,
    body?: object,
    alsoGood: readonly number[] = [],
  ): Promise<void> {
    for (;;) {
      const text = body === undefined ? undefined : JSON.stringify(body)
      const { tried } = await this.#call(chance.of(this.#parts.nodes), method, path, text)
      const { became } = tried
      if (typeof became === 'number' && ((became >= 200 && became < 300) || alsoGood.includes(became))) return
      if (this.#givenUp) throw new Error(`${method} ${path} was not done in the end: ${became}`)
      await pause(chance.between(50, 250))
    }
  }

  async #call(
    node: FleetNode,
    method: string,
    path: string,
    body?: string,
    idempotencyKey?: string,
  ): Promise<{ readonly tried: Try; readonly text: string }> {
    const tried = this.#parts.ledger.try(`${method} ${path}`, node.name)
    let text = ''
    try {
      const answer = await fetch(`${node.url}${path}`, {
        method,
        headers: {
          authorization: `Bearer ${this.#parts.key}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...(idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey }),
        },
        ...(body === undefined ? {} : { body }),
        signal: AbortSignal.timeout(callerPatienceMs),
      })
      text = await answer.text()
      tried.became = answer.status
      tried.retryAfter = answer.headers.get('retry-after')
      if (answer.status >= 400 && answer.status !== 503) tried.said = text.slice(0, 400)
    } catch (error) {
      tried.became = reasonOf(error)
    }
    tried.until = Date.now()
    return { tried, text }
  }

  #chance(who: string): Chance {
    return chanceOf(this.#parts.seed, who)
  }
}

const plainFact = (eventType: string, eventId: string | null) => ({
  ...{ application: 'shop', eventType, eventId },
  orderingKey: null,
})

const deskFact = (eventType: string) => ({ application: 'desk', eventType, orderingKey: null, eventId: null })

const eventTypesOf = (chance: Chance): readonly string[] =>
  chance.of<readonly string[]>([['desk.a'], ['desk.b'], ['desk.a', 'desk.b']])

function changed(state: EndpointState, chance: Chance): EndpointState {
  switch (chance.of(['types', 'types', 'disabled', 'disabled', 'moved'])) {
    case 'types':
      return { ...state, eventTypes: eventTypesOf(chance) }
    case 'disabled':
      return { ...state, disabled: !state.disabled }
    default:
      return { ...state, version: state.version + 1 }
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const cause = error.cause
  const code = cause instanceof Error && 'code' in cause ? ` ${String(cause.code)}` : ''
  return `${error.name}: ${error.message}${code}`
}
