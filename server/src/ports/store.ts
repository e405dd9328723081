import type { Application } from '../domain/application.ts'
import type { Attempt, Ended, Trigger } from '../domain/attempt.ts'
import type { ControlPart } from '../domain/control.ts'
import type { DisabledBecause, Endpoint } from '../domain/endpoint.ts'
import type { Environment } from '../domain/environment.ts'
import type { EventType } from '../domain/event-type.ts'
import type { FirstPublish, RepeatableAsk } from '../domain/idempotency.ts'
import type {
  ApplicationId,
  AttemptId,
  EndpointId,
  EnvironmentId,
  KeyId,
  LeaseId,
  MessageId,
  Millis,
} from '../domain/ids.ts'
import type { ApiKey } from '../domain/key.ts'
import type { Message } from '../domain/message.ts'
import type { PageSearch } from '../domain/page.ts'
import type { PortalToken } from '../domain/portal.ts'
import type { SealedText } from '../domain/seal.ts'
import type { TallyStore } from './tally-store.ts'
import type { TaskStore } from './task-store.ts'

/** Where everything is kept. Every promise that resolves to a change means: on disk. */
export interface Store {
  readonly road: RoadStore
  readonly environments: EnvironmentStore
  readonly keys: KeyStore
  readonly portalTokens: PortalTokenStore
  readonly applications: ApplicationStore
  readonly endpoints: EndpointStore
  readonly eventTypes: EventTypeStore
  readonly messages: MessageStore
  readonly attempts: AttemptStore
  readonly expunge: ExpungeStore
  readonly retention: RetentionStore
  readonly tasks: TaskStore
  readonly answers: AnswerStore
  readonly tallies: TallyStore
  /** Resolves when the store answers; rejects when it does not. */
  ping(): Promise<void>
  /** Grows when another process has changed the database; what was read before may be stale. */
  changesOfOthers(): Promise<number>
  close(): Promise<void>
}

/** What the fast road needs: few calls, many rows each. */
export interface RoadStore {
  /** One transaction: all of it is on disk when this resolves, or none of it. */
  commit(batch: CommitBatch): Promise<CommitResult>
  /** Takes due deliveries under `lease` until `until`, a few from each endpoint in turn. */
  claim(ask: ClaimAsk): Promise<Claimed>
  /** Moves the due time of deliveries that are still ours, so that nobody else takes them. */
  renew(lease: LeaseId, until: Millis, deliveries: readonly DeliveryKey[]): Promise<void>
  /** Gives deliveries back, for anyone, each due when it says. */
  release(lease: LeaseId, deliveries: readonly ReleasedDelivery[]): Promise<void>
  /** Gives all of this lease back, due at once. */
  releaseAll(lease: LeaseId, now: Millis): Promise<void>
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
  /** Deliveries that are not settled, hot ones included. Exact up to `most`: counting on would cost more than it tells. */
  backlog(most: number): Promise<number>
}

export interface DeliveryKey {
  readonly messageId: MessageId
  readonly endpointId: EndpointId
}

/** Why a message was not sent to an endpoint of its application, where nobody could tell later. */
export type Unsent = 'disabled' | `filter: ${string}`

export interface ReleasedDelivery extends DeliveryKey {
  readonly dueAt: Millis
}

export interface NewMessage extends Message {
  readonly payload: string
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

/** Operational webhooks, ready to be stored with the fact they tell of. */
export interface Told {
  readonly messages: readonly NewMessage[]
  readonly deliveries: readonly NewDelivery[]
}

/** What happens to a delivery after an attempt. Holds only while the delivery is still under our lease. */
export type Settlement = DeliveryKey & {
  readonly orderKey?: string | null
} /** `wipeIn`: its application, if the payload is to go when this was the last delivery of its message. */ & (
    | { readonly kind: 'finish'; readonly wipeIn?: ApplicationId }
    /** `outOfOrder`: those behind it need not wait for it any more. */
    | { readonly kind: 'retry'; readonly dueAt: Millis; readonly attempts: number; readonly outOfOrder?: boolean }
    /** Kept without a due time, until somebody resends it. */
    | { readonly kind: 'park'; readonly attempts: number }
  )

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
  /** Until when their `eventId` is taken; those not named keep it as long as they are kept. */
  readonly eventIdsUntil?: ReadonlyMap<MessageId, Millis>
  /** Of those messages whose publishers named an `Idempotency-Key`. */
  readonly publishKeys?: readonly PublishKey[]
  readonly deliveries: readonly NewDelivery[]
  readonly attempts: readonly Attempt[]
  readonly settlements: readonly Settlement[]
  readonly turns: readonly HealthTurn[]
}

export interface CommitResult {
  /** Messages that were not stored because their `eventId` was taken: theirs → the first message's id. */
  readonly taken: ReadonlyMap<MessageId, MessageId>
  /** Messages that were not stored because their `Idempotency-Key` was used before: theirs → the first. */
  readonly repeated: ReadonlyMap<MessageId, FirstPublish>
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
  /** Payload characters after which no more is taken: counts alone do not bound memory. */
  readonly characters: number
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
  /** The earliest later due time among the endpoints visited; null: none. */
  readonly nextDueAt: Millis | null
}

export interface EnvironmentStore {
  /** The environment of this name, made if there is none. */
  ensure(environment: Environment): Promise<Environment>
  /** Only if the stored revision is `row.revision - 1`. */
  update(row: Environment): Promise<'done' | 'stale'>
  find(id: EnvironmentId): Promise<Environment | null>
  byName(name: string): Promise<Environment | null>
  list(): Promise<readonly Environment[]>
}

export interface KeyStore {
  insert(key: ApiKey): Promise<void>
  byHash(hash: string): Promise<ApiKey | null>
  list(environmentId: EnvironmentId | null): Promise<readonly ApiKey[]>
  /** False: no such key. Revoking twice keeps the first moment. */
  revoke(id: KeyId, at: Millis): Promise<boolean>
}

export interface PortalTokenStore {
  insert(token: PortalToken): Promise<void>
  /** Expired ones too; none of a deleted application. */
  byHash(hash: string): Promise<PortalToken | null>
  end(hash: string, at: Millis): Promise<void>
  /**
   * Up to `limit` tokens of an application that would live longer end at `at`; `sessionIds` null: of any session or none.
   * Resolves to how many there were.
   */
  endAll(applicationId: ApplicationId, sessionIds: readonly string[] | null, at: Millis, limit: number): Promise<number>
  /** Removes up to `limit` that ended before `at`; resolves to how many there were. */
  sweepExpired(at: Millis, limit: number): Promise<number>
}

/** An answer to a POST that named an `Idempotency-Key`. */
export interface KeptAnswer extends RepeatableAsk {
  readonly status: number
  readonly sealedBody: SealedText | null
  readonly startedAt: Millis
  readonly until: Millis
}

export interface AnswerStore {
  find(id: string): Promise<KeptAnswer | null>
  /** In the place of one that has lapsed. */
  keep(answer: KeptAnswer): Promise<void>
  /** Removes up to `limit` answers and publish keys whose time is over; resolves to how many there were. */
  sweepLapsed(now: Millis, limit: number): Promise<number>
}

/** `stale`: the row was changed since it was read; read again and decide again. */
export type WriteResult = 'done' | 'uid-taken' | 'stale'

export interface ApplicationStore {
  insert(row: Application): Promise<'done' | 'uid-taken'>
  /** Only if the stored revision is `row.revision - 1`. */
  update(row: Application): Promise<WriteResult>
  /**
   * With its endpoints; their waiting deliveries are swept afterwards. `told` is stored in the same transaction.
   * `ifRevision`: only if it still has that one.
   */
  delete(id: ApplicationId, at: Millis, told?: Told | null, ifRevision?: number): Promise<'done' | 'stale'>
  /** Of the customers' applications. */
  find(environmentId: EnvironmentId, idOrUid: string): Promise<Application | null>
  /** Whatever it is for. */
  byId(id: ApplicationId): Promise<Application | null>
  /** The one whose messages are operational webhooks; null: nobody has asked for them yet. */
  operational(environmentId: EnvironmentId): Promise<Application | null>
  /** As `operational`; made from this row where there is none. */
  ensureOperational(row: Application): Promise<Application>
  list(
    environmentId: EnvironmentId,
    filter: { readonly withEndpointsOnly: boolean },
    search: PageSearch,
  ): Promise<readonly Application[]>
}

export interface EndpointStore {
  /** `told`, here and below, is stored in the same transaction, if there is a change. */
  insert(row: Endpoint, told?: Told | null): Promise<'done' | 'uid-taken'>
  update(row: Endpoint, told?: Told | null): Promise<WriteResult>
  /** `ifRevision`: only if it still has that one. */
  delete(id: EndpointId, at: Millis, told?: Told | null, ifRevision?: number): Promise<'done' | 'stale'>
  find(applicationId: ApplicationId, idOrUid: string): Promise<Endpoint | null>
  list(applicationId: ApplicationId, search: PageSearch): Promise<readonly Endpoint[]>
  /** All that are not deleted: what a message is matched against. */
  all(applicationId: ApplicationId): Promise<readonly Endpoint[]>
  /** One of all there are, deleted ones too; null: there is none. Tells whether what is sealed can be opened. */
  any(): Promise<Endpoint | null>
}

/** An event type that was published; nothing is said about whether it is declared. */
export interface SeenEventType {
  readonly environmentId: EnvironmentId
  readonly name: string
  /** For the first time. */
  readonly seenAt: Millis
}

export interface EventTypeStore {
  insert(row: EventType): Promise<'done' | 'name-taken'>
  update(row: EventType): Promise<'done' | 'stale'>
  /**
   * Many at once, and beside them an environment (null: none), in one transaction: a row of revision 1 must not be there
   * yet, any other only changes the one before it. `stale`: nothing was written.
   */
  writeAll(rows: readonly EventType[], environment: Environment | null): Promise<'done' | 'stale'>
  /** `ifRevision`: only if it still has that one. */
  expunge(environmentId: EnvironmentId, name: string, ifRevision?: number): Promise<'done' | 'stale'>
  /** Keeps the first time each was seen; of one environment about 10,000. */
  noteSeen(rows: readonly SeenEventType[]): Promise<void>
  /** Those that were seen and are not declared, or are archived. */
  undeclared(
    environmentId: EnvironmentId,
    search: PageSearch,
  ): Promise<readonly (SeenEventType & { readonly archived: boolean })[]>
  find(environmentId: EnvironmentId, name: string): Promise<EventType | null>
  list(
    environmentId: EnvironmentId,
    filter: { readonly includeArchived: boolean },
    search: PageSearch,
  ): Promise<readonly EventType[]>
}

export interface MessageFilter {
  readonly channel: string | null
  readonly tag: string | null
  readonly eventTypes: readonly string[] | null
  readonly before: Millis | null
  readonly after: Millis | null
}

export interface MessageStore {
  /** By id or by the caller's `eventId`. */
  find(applicationId: ApplicationId, idOrEventId: string, withPayload: boolean): Promise<Message | null>
  /** See `NewMessage.unsent`. */
  unsent(applicationId: ApplicationId, id: MessageId): Promise<Readonly<Record<EndpointId, Unsent>>>
  list(
    applicationId: ApplicationId,
    filter: MessageFilter,
    withPayload: boolean,
    search: PageSearch,
  ): Promise<readonly Message[]>
}

/** Why a delivery has no due time: others with the same order key come first, or it is kept until somebody resends it. */
export type Held = 'behind' | 'parked'

/** Where a message stands at an endpoint: waiting (for its first or a further try), or settled by its last attempt. */
export type DeliveryState =
  | { readonly kind: 'waiting'; readonly attempts: number; readonly dueAt: Millis; readonly held: Held | null }
  | { readonly kind: 'delivered' }
  | { readonly kind: 'failed' }
  /** Ended without being sent: canceled or expired. */
  | { readonly kind: 'canceled' }

export interface AttemptFilter extends MessageFilter {
  readonly settled: 'delivered' | 'failed' | 'canceled' | null
  /** 0 none, 100, 200 … 500. */
  readonly statusCodeClass: number | null
  readonly endpointId: EndpointId | null
}

export interface AttemptStore {
  find(messageId: MessageId, attemptId: AttemptId): Promise<Attempt | null>
  listByEndpoint(
    endpointId: EndpointId,
    filter: AttemptFilter,
    search: PageSearch,
  ): Promise<readonly { readonly attempt: Attempt; readonly message: Message | null }[]>
  listByMessage(messageId: MessageId, filter: AttemptFilter, search: PageSearch): Promise<readonly Attempt[]>
  /** The endpoints a message has been sent to or is waiting for, in order of their ids. */
  destinations(
    messageId: MessageId,
    search: PageSearch,
  ): Promise<readonly { readonly endpoint: Endpoint; readonly state: DeliveryState }[]>
  /** The messages an endpoint has seen, by latest attempt; `cursor` is that attempt's id. */
  attemptedMessages(
    endpointId: EndpointId,
    filter: MessageFilter & { readonly state: DeliveryState['kind'] | null },
    withPayload: boolean,
    search: PageSearch,
  ): Promise<readonly { readonly message: Message; readonly state: DeliveryState; readonly cursor: AttemptId }[]>
}

/** How what waits is ended without being sent: the attempt each leaves says so. `id`: one made now; theirs are like it. */
export interface Ending {
  readonly ended: Ended
  readonly response: string
  readonly at: Millis
  readonly id: AttemptId
}

/**
 * Removing content: payloads, and what receivers answered to them. In steps of a few milliseconds each, which others'
 * commits go between; whoever calls repeats them.
 */
export interface ExpungeStore {
  /**
   * Takes the content of some of these messages and of their attempts; what waits to be delivered of them is
   * ended, but for what is under lease.
   * `left`: those that need a further step; `wiped`: payloads removed in this one. Ids that are none are passed over.
   */
  messages(
    applicationId: ApplicationId,
    ids: readonly MessageId[],
    ending: Ending,
  ): Promise<{ readonly left: readonly MessageId[]; readonly wiped: number }>
  attempt(messageId: MessageId, attemptId: AttemptId): Promise<void>
  /** Messages of an application in order of age, beyond both ends. */
  idsBetween(
    applicationId: ApplicationId,
    above: MessageId | '',
    below: MessageId,
    limit: number,
  ): Promise<readonly MessageId[]>
  /**
   * Resolves when what was removed before is in no file of the database. False: a reader was always looking into the
   * log, so it could not be emptied; the content is gone for everyone who asks, but not for who reads the file's bytes.
   */
  forGood(): Promise<boolean>
}

/** How many rows, or payloads of rows that stay, a step has removed. */
export interface Removed {
  readonly messages: number
  readonly attempts: number
  readonly payloads: number
  /** Deliveries that were still waiting. */
  readonly deliveries: number
}

/** An application as retention looks at it; deleted ones too. */
export interface KeptApplication {
  readonly id: ApplicationId
  readonly environmentId: EnvironmentId
  readonly control: ControlPart
  readonly deletedAt: Millis | null
  readonly oldest: MessageId | null
  /** The oldest message that `wipePayloads` has not passed. */
  readonly unwiped: MessageId | null
}

/** Removing what is past its time, in steps of a few milliseconds each, which others' commits go between. */
export interface RetentionStore {
  /** By id. */
  applications(after: ApplicationId | '', limit: number): Promise<readonly KeptApplication[]>
  /**
   * Removes some messages with their attempts and what waits of them, oldest first; those that are being sent stay.
   * `last`: where to go on, null when there are none left.
   */
  deleteMessages(
    applicationId: ApplicationId,
    above: MessageId | '',
    before: MessageId,
    now: Millis,
  ): Promise<{ readonly removed: Removed; readonly last: MessageId | '' | null }>
  /** Removes some payloads, going on where it stopped the last time. What waits of them is ended. */
  wipePayloads(
    applicationId: ApplicationId,
    before: MessageId,
    ending: Ending,
  ): Promise<{ readonly removed: Removed; readonly more: boolean }>
  /** Removes some payloads that were to be kept until then at most. What waits of them is ended. */
  wipeLapsed(ending: Ending): Promise<{ readonly removed: Removed; readonly more: boolean }>
  /** Removes some deleted endpoints that nothing refers to. Resolves to where to go on; null: through. */
  deleteEndpoints(after: EndpointId | '', deletedBefore: Millis): Promise<EndpointId | null>
  /** Removes a deleted application, unless it has messages or endpoints left. */
  deleteApplication(id: ApplicationId): Promise<boolean>
}
