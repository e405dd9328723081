import type { Attempt, Trigger } from '../../domain/attempt.ts'
import type { Unsent } from '../../domain/delivery.ts'
import type { DisabledBecause } from '../../domain/endpoint.ts'
import type { FirstPublish, RepeatableAsk } from '../../domain/idempotency.ts'
import type { ApplicationId, EndpointId, LeaseId, MessageId, Millis } from '../../domain/ids.ts'
import type { Duplicate } from '../../domain/inbound.ts'
import type { Message } from '../../domain/message.ts'

/** What the fast road needs: few calls, many rows each. */
export interface RoadStore {
  /** How many commits may be on their way at once, to some good. */
  readonly commitsInFlight: number
  /** What a claim may look at and take and still be over in a few milliseconds, since commits wait behind it. */
  readonly largestClaim: { readonly visits: number; readonly deliveries: number }
  /** One transaction: all of it is on disk when this resolves, or none of it (rejected, `stale` or `refused`). */
  commit(batch: CommitBatch): Promise<CommitResult>
  /** Takes due deliveries under `lease` until `until`, a few from each endpoint in turn. */
  claim(ask: ClaimAsk): Promise<Claimed>
  /** Moves the due time of deliveries that are still ours, so that nobody else takes them. Resolves to those that are not ours any more. */
  renew(lease: LeaseId, until: Millis, deliveries: readonly DeliveryKey[]): Promise<readonly DeliveryKey[]>
  /** Gives deliveries back, for anyone, each due when it says. */
  release(lease: LeaseId, deliveries: readonly ReleasedDelivery[]): Promise<void>
  /** At start, when no other process can be alive: every claimed delivery is due now. Resolves to how many. */
  recover(now: Millis): Promise<number>
  /** Removes up to `limit` deliveries of deleted endpoints; resolves to how many there were. */
  sweepDeleted(limit: number): Promise<number>
  /** Adds a delivery of a stored message, or makes its waiting one due, before all others of its endpoint. */
  resend(key: DeliveryKey): Promise<void>
  /**
   * Ends deliveries that nobody holds, each with the attempt that says so; makes those behind them due at `now`. Resolves
   * to how many there were.
   */
  end(attempts: readonly Attempt[], now: Millis): Promise<number>
  /** What is held of these messages under other leases than this one. */
  heldByOthers(lease: LeaseId, messageIds: readonly MessageId[]): Promise<readonly HeldDelivery[]>
  /** Deliveries that are not settled, hot ones included. Exact up to `most`: counting on would cost more than it tells. */
  backlog(most: number): Promise<number>
}

export interface DeliveryKey {
  readonly messageId: MessageId
  readonly endpointId: EndpointId
}

export interface ReleasedDelivery extends DeliveryKey {
  readonly dueAt: Millis
}

export interface HeldDelivery extends ReleasedDelivery {
  readonly lease: LeaseId
}

export interface NewMessage extends Message {
  readonly payload: string
  /** How it is noted with the message that has its `eventId` already, where there is one: it came to a source. */
  readonly asDuplicate?: Duplicate
  /** When its payload goes, where its publisher said so; otherwise that is its application's to say. */
  readonly payloadUntil?: Millis
  /** Endpoints of its application that it was not meant for, where nobody could tell later. */
  readonly unsent?: Readonly<Record<EndpointId, Unsent>>
}

/** A fresh delivery: leased to us and hot, or (lease null) left in the store for a later claim. */
export interface NewDelivery extends DeliveryKey {
  readonly dueAt: Millis
  readonly lease: LeaseId | null
  /** Not null: it waits for those before it with the same key, and is stored without a lease. */
  readonly orderKey?: string | null
}

/**
 * Operational webhooks, ready to be stored with the fact they tell of. They go to the endpoints that this node knows of,
 * which another may have changed half a second ago: nobody waits for an answer that promises more, and the fact must
 * not wait for its news.
 */
export interface Told {
  readonly messages: readonly NewMessage[]
  readonly deliveries: readonly NewDelivery[]
}

type WhatFollows =
  /** `wipeIn`: its application, if the payload is to go when this was the last delivery of its message. */
  | { readonly kind: 'finish'; readonly wipeIn?: ApplicationId }
  /** `outOfOrder`: those behind it need not wait for it any more. */
  | { readonly kind: 'retry'; readonly dueAt: Millis; readonly attempts: number; readonly outOfOrder?: boolean }
  /** Kept without a due time, until somebody resends it. */
  | { readonly kind: 'park'; readonly attempts: number }

/**
 * What happens to a delivery after an attempt. Holds only while the delivery is still under our lease, and was not tried by
 * others since: what another node took over, tried and put back may be ours again, while the old try is still under way.
 */
export type Settlement = DeliveryKey & {
  /** Tries before this one, as the delivery was claimed. */
  readonly tried: number
  readonly orderKey?: string | null
} & WhatFollows

/** An endpoint's turn for the better or worse; written only when it turns. */
export type HealthTurn =
  | { readonly kind: 'failing'; readonly endpointId: EndpointId; readonly since: Millis }
  | { readonly kind: 'healthy'; readonly endpointId: EndpointId }
  | {
      readonly kind: 'disable'
      readonly endpointId: EndpointId
      readonly because: DisabledBecause
      readonly at: Millis
    }
  | { readonly kind: 'breaker-opened'; readonly endpointId: EndpointId; readonly since: Millis }
  /** `since`: when it was opened. */
  | { readonly kind: 'breaker-closed'; readonly endpointId: EndpointId; readonly since: Millis }

export interface CommitBatch {
  readonly lease: LeaseId
  /** When what is promoted in its order becomes due. */
  readonly now: Millis
  readonly messages: readonly NewMessage[]
  /** What messages were matched against: both counts of `RoutesCounts` together, the lowest where they are of several. */
  readonly routes?: ReadonlyMap<ApplicationId, number>
  /** Until when their `eventId` is taken; those not named keep it as long as they are kept. */
  readonly eventIdsUntil?: ReadonlyMap<MessageId, Millis>
  /** Of those messages whose publishers named an `Idempotency-Key`. */
  readonly publishKeys?: readonly PublishKey[]
  readonly deliveries: readonly NewDelivery[]
  readonly attempts: readonly Attempt[]
  readonly settlements: readonly Settlement[]
  readonly turns: readonly HealthTurn[]
  /** Some of it was in a commit of which nobody knows what became: messages that are stored by now are left as they are. */
  readonly sentBefore?: boolean
}

export interface CommitResult {
  /**
   * Applications that are gone, or whose messages are to be matched against something else than they were. Where there
   * are any, nothing of the batch was stored.
   */
  readonly stale: ReadonlySet<ApplicationId>
  /** Messages that were not stored because their `eventId` was taken: theirs → the first message's id. */
  readonly taken: ReadonlyMap<MessageId, MessageId>
  /** Messages that were not stored because their `Idempotency-Key` was used before: theirs → the first. */
  readonly repeated: ReadonlyMap<MessageId, FirstPublish>
  /** Why something of the batch can never be kept, whoever sends it and when. Then nothing of the batch was stored. */
  readonly refused?: string
}

export interface PublishKey extends RepeatableAsk {
  readonly messageId: MessageId
  readonly acceptedAt: Millis
  readonly until: Millis
}

export interface ClaimAsk {
  readonly now: Millis
  readonly until: Millis
  readonly lease: LeaseId
  /** The ring goes on behind this endpoint; '' starts it anew. */
  readonly after: EndpointId | ''
  /** Endpoints looked at in one call. */
  readonly visits: number
  /** Deliveries taken from one endpoint. */
  readonly share: number
  /** Endpoints of which other numbers are taken; 0: they are passed over. */
  readonly shares: ReadonlyMap<EndpointId, number>
  /** Deliveries taken in all. */
  readonly room: number
  /** Of payloads, after which no more is taken: counts alone do not bound memory. */
  readonly bytes: number
}

export interface ClaimedDelivery extends DeliveryKey {
  readonly applicationId: ApplicationId
  readonly attempts: number
  readonly trigger: Trigger
  readonly orderKey: string | null
  readonly message: NewMessage
}

export interface Claimed {
  readonly deliveries: readonly ClaimedDelivery[]
  /** Where the ring stands; '' when it has come round. */
  readonly cursor: EndpointId | ''
  /** Endpoints of which the store may hold more that is due. */
  readonly moreOf: readonly EndpointId[]
  /** Endpoints of which something is due that was passed over. */
  readonly passedOver: readonly EndpointId[]
  /** The earliest later due time among the endpoints visited; null: none. */
  readonly nextDueAt: Millis | null
}
