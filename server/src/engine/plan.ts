import type { Unsent } from '../domain/delivery.ts'
import type { EndpointId, MessageId, Millis, makeIds } from '../domain/ids.ts'
import type { Duplicate, PayloadEncoding, ReceivedRequest } from '../domain/inbound.ts'
import { matches } from '../domain/match.ts'
import { orderKeyOf } from '../domain/order.ts'
import type { NewDelivery, NewMessage } from '../ports/store.ts'
import type { World } from '../ports/world.ts'
import type { Destination, Routes } from './directory.ts'
import type { Dispatcher } from './dispatch.ts'
import type { PlannedMessage } from './group-commit.ts'
import type { Vetted } from './vetting.ts'

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
  readonly expiresAt?: Millis | null
  /** Of a fact that came to a source. */
  readonly received?: Received
}

/** What a third party's request brings along beside what it tells. */
interface Received {
  readonly request: ReceivedRequest
  readonly encoding: PayloadEncoding
  /** How it is noted where its `eventId` is taken. */
  readonly asDuplicate: Duplicate
  /** How long its `eventId` stays taken. */
  readonly duplicateWindow: Millis
}

/** A message about to be stored. */
export interface Plan extends PlannedMessage {
  /** Those that a place in memory is kept for: from there they go to the wire, already claimed by their own insert. */
  readonly hot: readonly Destination[]
}

/**
 * Decides who gets a fact, and how each gets it. `only`: this endpoint and no other, whatever it wants to get.
 * `refusedBy`: endpoints whose filter does not want it, and why.
 */
export function makePlan({
  world,
  newId,
  dispatcher,
}: {
  readonly world: World
  readonly newId: ReturnType<typeof makeIds>
  readonly dispatcher: Dispatcher
}): (routes: Routes, fact: NewFact, only: EndpointId | undefined, refusedBy: Vetted['refusedBy']) => Plan {
  return ({ application, control, destinations, version }, fact, only, refusedBy) => {
    const acceptedAt = world.now()
    const { orderingKey = null, expiresAt = null, received } = fact
    // What is to be delivered in the past is to be delivered now.
    const deliverAt = fact.deliverAt != null && fact.deliverAt > acceptedAt ? fact.deliverAt : null
    const message: NewMessage = {
      id: newId('message') as MessageId,
      applicationId: application.id,
      eventType: fact.eventType,
      eventId: fact.eventId,
      channels: fact.channels,
      tags: fact.tags,
      contentType: fact.contentType,
      payload: fact.payload,
      acceptedAt,
      orderingKey,
      deliverAt,
      expiresAt,
      encoding: received?.encoding ?? null,
      request: received?.request ?? null,
      ...(fact.keepPayload === undefined ? {} : { payloadUntil: acceptedAt + fact.keepPayload }),
      ...(received === undefined ? {} : { asDuplicate: received.asDuplicate }),
    }
    const hot: Destination[] = []
    const deliveries: NewDelivery[] = []
    let unsent: Readonly<Record<EndpointId, Unsent>> | null = null
    for (const destination of destinations) {
      if (only === undefined) {
        const verdict = matches(destination, fact)
        if (verdict.kind === 'no') {
          // Tomorrow nobody could tell: type and channels can be looked up, a moment of being disabled cannot.
          if (verdict.because === 'disabled') unsent = { ...(unsent ?? {}), [destination.id]: 'disabled' }
          continue
        }
        const refused = refusedBy.get(destination.id)
        if (refused !== undefined) {
          unsent = { ...(unsent ?? {}), [destination.id]: refused }
          continue
        }
      } else if (destination.id !== only) continue
      const orderKey = orderKeyOf(destination.control, message)
      const reserved = orderKey === null && deliverAt === null && dispatcher.reserve(destination, fact.payload.length)
      if (reserved) hot.push(destination)
      deliveries.push({
        messageId: message.id,
        endpointId: destination.id,
        dueAt: reserved ? acceptedAt + dispatcher.leaseMs : (deliverAt ?? acceptedAt),
        lease: reserved ? dispatcher.lease : null,
        orderKey,
      })
    }
    const eventIdWindow = received?.duplicateWindow ?? control.eventIdWindow
    return {
      message: unsent === null ? message : { ...message, unsent },
      deliveries,
      version,
      hot,
      eventIdUntil: eventIdWindow === 0 ? null : acceptedAt + eventIdWindow,
    }
  }
}
