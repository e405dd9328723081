// ENGINE: the fast road — accept, dispatch, deliver, record. It knows ports and domain, and no engine, framework or
// wire: those are handed to it by main.

import { answersKeptMs, demandSameAsk, type RepeatableAsk } from '../domain/idempotency.ts'
import type { EndpointId, EnvironmentId, MessageId, Millis, makeIds } from '../domain/ids.ts'
import { matches } from '../domain/match.ts'
import type { Message } from '../domain/message.ts'
import { Problem } from '../domain/problem.ts'
import type { NewDelivery, NewMessage } from '../ports/store.ts'
import type { World } from '../ports/world.ts'
import type { Destination, Directory } from './directory.ts'
import type { Dispatcher } from './dispatch.ts'
import type { GroupCommit } from './group-commit.ts'
import type { Observer } from './observer.ts'

/** What a caller wants told. The payload is text the caller spelled; nobody parses and prints it again. */
export interface NewFact {
  readonly eventType: string
  readonly eventId: string | null
  readonly channels: readonly string[] | null
  readonly tags: readonly string[] | null
  readonly payload: string
  /** Null: `application/json`. */
  readonly contentType: string | null
  /** How long the payload is kept, where that is not for its application to say. */
  readonly keepPayload?: Millis | undefined
  /** See `Message`. */
  readonly orderingKey?: string | null
  readonly deliverAt?: Millis | null
}

/** `repeated`: the ask was answered before, with this message. */
export interface Accepted {
  readonly message: Message
  readonly repeated: boolean
}

/**
 * Accepts one fact: resolves when the message and every delivery of it are on disk. `only`: goes to this endpoint and no
 * other, whatever it wants to get. The same `ask` is accepted once.
 * Throws Problem `not-found`, `event-id-taken`, `idempotency-key-reused` or `unavailable`.
 */
export type Publish = (
  environmentId: EnvironmentId,
  applicationIdOrUid: string,
  fact: NewFact,
  options?: { readonly only?: EndpointId; readonly ask?: RepeatableAsk | null },
) => Promise<Accepted>

export interface AcceptParts {
  readonly world: World
  readonly newId: ReturnType<typeof makeIds>
  readonly directory: Directory
  readonly commits: GroupCommit
  readonly dispatcher: Dispatcher
  readonly observer: Observer
}

export function makePublish(parts: AcceptParts): Publish {
  const { world, newId, directory, commits, dispatcher, observer } = parts
  return async (environmentId, applicationIdOrUid, fact, { only, ask = null } = {}) => {
    const routes =
      directory.cached(environmentId, applicationIdOrUid) ?? (await directory.load(environmentId, applicationIdOrUid))
    if (!routes) throw new Problem('not-found', `No application '${applicationIdOrUid}' in this environment.`)

    const acceptedAt = world.now()
    const message: NewMessage = {
      id: newId('message') as MessageId,
      applicationId: routes.application.id,
      eventType: fact.eventType,
      eventId: fact.eventId,
      channels: fact.channels,
      tags: fact.tags,
      contentType: fact.contentType,
      payload: fact.payload,
      acceptedAt,
      ...(fact.keepPayload === undefined ? {} : { payloadUntil: acceptedAt + fact.keepPayload }),
      orderingKey: fact.orderingKey ?? null,
      deliverAt: fact.deliverAt ?? null,
      expiresAt: null,
    }
    // What has room in memory goes from there to the wire, already claimed by its own insert; the rest waits in the store.
    const hot: Destination[] = []
    const deliveries: NewDelivery[] = []
    for (const destination of routes.destinations) {
      if (only === undefined ? matches(destination, fact).kind !== 'yes' : destination.id !== only) continue
      const reserved = dispatcher.reserve(destination)
      if (reserved) hot.push(destination)
      deliveries.push({
        messageId: message.id,
        endpointId: destination.id,
        dueAt: reserved ? acceptedAt + dispatcher.leaseMs : acceptedAt,
        lease: reserved ? dispatcher.lease : null,
      })
    }
    const publishKey = ask && { ...ask, messageId: message.id, acceptedAt, until: acceptedAt + answersKeptMs }
    try {
      const kept = await commits.publish(message, deliveries, publishKey)
      if (kept.kind === 'event-id-taken') {
        throw new Problem('event-id-taken', `eventId '${fact.eventId}' was accepted before, as message ${kept.by}.`, [
          { pointer: '/eventId', message: `belongs to ${kept.by}` },
        ])
      }
      if (kept.kind === 'repeated') {
        if (ask) demandSameAsk(kept.first, ask)
        for (const destination of hot) dispatcher.unreserve(destination)
        const { messageId: id, acceptedAt } = kept.first
        return { message: { ...message, id, acceptedAt }, repeated: true }
      }
    } catch (error) {
      for (const destination of hot) dispatcher.unreserve(destination)
      throw error
    }
    for (const destination of hot) dispatcher.admitFresh(destination, message)
    if (hot.length < deliveries.length) dispatcher.wake()
    observer.accepted(message, deliveries.length, world.now() - acceptedAt)
    return { message, repeated: false }
  }
}
