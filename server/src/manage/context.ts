// MANAGE: the slow road — what people change, one file per noun. Reads, decides, writes, and tells the fast road that
// something is different now. It knows ports and domain, and nothing of HTTP.

import type { RecallAsk } from '../domain/change.ts'
import type { Control } from '../domain/control.ts'
import type { EgressAllow } from '../domain/egress.ts'
import type { Wait } from '../domain/explain.ts'
import type { ApplicationId, EndpointId, EnvironmentId, MessageId, makeIds } from '../domain/ids.ts'
import type { Fact } from '../domain/operational.ts'
import type { Judge } from '../ports/judge.ts'
import type { PresetBook } from '../ports/preset-book.ts'
import type { DeliveryKey, Store, Told } from '../ports/store.ts'
import type { World } from '../ports/world.ts'

export interface ManageContext {
  readonly store: Store
  readonly world: World
  readonly newId: ReturnType<typeof makeIds>
  /** 32 bytes: what secrets and headers are sealed under. */
  readonly masterKey: Uint8Array
  readonly egressAllow: EgressAllow
  /** What the server says about deliveries where no level below says otherwise. */
  readonly control: Control
  /** Operational webhooks of these facts, to be stored with them; null: nobody wants to hear. */
  told(environmentId: EnvironmentId, facts: readonly Fact[]): Promise<Told | null>
  readonly judge: Judge
  readonly presets: PresetBook
  /** The fast road must read this application anew. Called before the caller is answered. */
  changed(applicationId: ApplicationId): void
  /** The same for all applications of an environment. */
  changedEnvironment(environmentId: EnvironmentId): void
  /** The same for event types. */
  changedEventTypes(): void
  /** Takes the content of these messages from the store and the fast road. Resolves to how many payloads there were. */
  expunge(applicationId: ApplicationId, messageIds: readonly MessageId[]): Promise<number>
  /** There may be due work that was not there before. */
  wake(): void
  /** A background task was made or canceled. */
  wakeTasks(): void
  /** Lets go of what waits in memory of a message. Resolves, when that is on disk, to how many deliveries that were. */
  cancelHot(applicationId: ApplicationId, messageId: MessageId): Promise<number>
  /** Has other nodes let go of what they hold of messages, see `Recall.fromOthers`. Resolves to what they held. */
  recall(ask: RecallAsk): Promise<readonly DeliveryKey[]>
  /** What the deliveries of a message wait for that are in memory. */
  hotWaits(applicationId: ApplicationId, messageId: MessageId): ReadonlyMap<EndpointId, Wait>
  /** A pause is over: what it kept back goes before what is published from now on. */
  resumed(endpointId: EndpointId, applicationId: ApplicationId): void
  /** Somebody expects this endpoint to answer now: where its breaker is open, it is probed at once. */
  probe(endpointId: EndpointId): void
}
