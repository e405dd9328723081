import type { AnswerStore } from './store/answer.ts'
import type { ApplicationStore } from './store/application.ts'
import type { AttemptStore } from './store/attempt.ts'
import type { ChangeStore } from './store/change.ts'
import type { EndpointStore } from './store/endpoint.ts'
import type { EnvironmentStore } from './store/environment.ts'
import type { EventTypeStore } from './store/event-type.ts'
import type { ExpungeStore } from './store/expunge.ts'
import type { KeyStore } from './store/key.ts'
import type { MessageStore } from './store/message.ts'
import type { NodeStore } from './store/node.ts'
import type { PortalTokenStore } from './store/portal-token.ts'
import type { QuarantineStore } from './store/quarantine.ts'
import type { ReceivedStore } from './store/received.ts'
import type { RetentionStore } from './store/retention.ts'
import type { RoadStore } from './store/road.ts'
import type { SourceStore } from './store/source.ts'
import type { TallyStore } from './store/tally.ts'
import type { TaskStore } from './store/task.ts'

// The parts by noun; what imports them imports this file, so that there is one way to say it.
export type * from './store/answer.ts'
export type * from './store/application.ts'
export type * from './store/attempt.ts'
export type * from './store/change.ts'
export type * from './store/endpoint.ts'
export type * from './store/environment.ts'
export type * from './store/event-type.ts'
export type * from './store/expunge.ts'
export type * from './store/key.ts'
export type * from './store/message.ts'
export type * from './store/node.ts'
export type * from './store/portal-token.ts'
export type * from './store/quarantine.ts'
export type * from './store/received.ts'
export type * from './store/retention.ts'
export type * from './store/road.ts'
export type * from './store/source.ts'
export type * from './store/tally.ts'
export type * from './store/task.ts'

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
  readonly sources: SourceStore
  readonly quarantine: QuarantineStore
  readonly received: ReceivedStore
  readonly nodes: NodeStore
  readonly changes: ChangeStore
  /** Has `heard` called soon after something was changed, where the store can tell. Nothing may depend on it: see `changes`. */
  onChange(heard: () => void): void
  /** Resolves when the store answers; rejects when it does not. */
  ping(): Promise<void>
  close(): Promise<void>
}
