import type { ControlPart } from '../../domain/control.ts'
import type { ApplicationId, EndpointId, EnvironmentId, MessageId, Millis } from '../../domain/ids.ts'
import type { Ending } from './expunge.ts'

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
  /** How much time's messages `dropOlder` takes together; 0: there is nothing that it could take. */
  readonly grain: Millis
  /** Makes room for the messages of the days to come, where they stand apart by time. */
  prepare(now: Millis): Promise<void>
  /** Drops, as wholes, stretches of time of which every message is older; attempts and what waits go with them. */
  dropOlder(before: MessageId, now: Millis): Promise<Removed>
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
