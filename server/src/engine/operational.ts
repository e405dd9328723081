import type { EndpointId, EnvironmentId, MessageId, Millis, makeIds } from '../domain/ids.ts'
import { matches } from '../domain/match.ts'
import { type Fact, wordingOf } from '../domain/operational.ts'
import type { NewDelivery, NewMessage, Told } from '../ports/store.ts'
import type { World } from '../ports/world.ts'
import type { Directory, Routes } from './directory.ts'
import { InTurn } from './in-turn.ts'

const askAgainMs: Millis = 500

/** Turns facts into operational webhooks: messages of the environment's own application, to be stored with the facts. */
export class Teller {
  readonly #world: World
  readonly #newId: ReturnType<typeof makeIds>
  readonly #directory: Directory
  /** The turns of an endpoint are written in their order, also where for one of them the store must be asked whom to tell. */
  readonly inTurn = new InTurn<EndpointId>()

  constructor(parts: { world: World; newId: ReturnType<typeof makeIds>; directory: Directory }) {
    this.#world = parts.world
    this.#newId = parts.newId
    this.#directory = parts.directory
  }

  /** Null: nobody wants to hear of these. Undefined: not known without asking the store. */
  toldAtOnce(environmentId: EnvironmentId, facts: readonly Fact[]): Told | null | undefined {
    const routes = this.#directory.cachedOperational(environmentId)
    return routes && this.#told(routes, facts)
  }

  /** As `toldAtOnce`, from the store if need be. */
  async told(environmentId: EnvironmentId, facts: readonly Fact[]): Promise<Told | null> {
    const known = this.#directory.cachedOperational(environmentId)
    const routes = known === undefined ? await this.#directory.loadOperational(environmentId) : known
    return routes && this.#told(routes, facts)
  }

  /** As `told`, for what has happened already: while the store does not answer it goes on asking. */
  async toldInTheEnd(environmentId: EnvironmentId, facts: readonly Fact[]): Promise<Told | null> {
    for (;;) {
      try {
        return await this.told(environmentId, facts)
      } catch {
        await new Promise<void>((resolve) => this.#world.after(askAgainMs, resolve))
      }
    }
  }

  #told({ application, destinations }: Routes, facts: readonly Fact[]): Told | null {
    const messages: NewMessage[] = []
    const deliveries: NewDelivery[] = []
    const now = this.#world.now()
    for (const fact of facts) {
      const { eventType, payload } = wordingOf(fact)
      const wanting = destinations.filter(
        (destination) => matches(destination, { eventType, channels: null }).kind === 'yes',
      )
      if (wanting.length === 0) continue
      const id: MessageId = this.#newId('message')
      messages.push({
        ...{ id, applicationId: application.id, eventType, eventId: null, channels: null, tags: null },
        ...{
          contentType: null,
          payload,
          acceptedAt: now,
          orderingKey: null,
          deliverAt: null,
          expiresAt: null,
          encoding: null,
          request: null,
        },
      })
      for (const { id: endpointId } of wanting) deliveries.push({ messageId: id, endpointId, dueAt: now, lease: null })
    }
    return messages.length === 0 ? null : { messages, deliveries }
  }
}
