import type { AttemptId, EndpointId, MessageId, Millis } from '../../domain/ids.ts'

/** Messages accepted from `since` to before `until`. */
interface Accepted {
  readonly since: Millis
  readonly until: Millis
}

/**
 * Counts messages at one endpoint by where they stand, up to `limit` rows at a time, so that other reads come between.
 * `next`: where to go on; null: that was all.
 */
export interface TallyStore {
  /** Those that are settled, each counted at its last attempt. */
  settled(
    endpointId: EndpointId,
    span: Accepted,
    after: AttemptId | '',
    limit: number,
  ): Promise<{
    readonly delivered: number
    readonly failed: number
    readonly canceled: number
    readonly next: AttemptId | null
  }>
  /** Those that wait: `pending` for their first try, `sending` for a further one. */
  waiting(
    endpointId: EndpointId,
    span: Accepted,
    after: QueuePlace | null,
    limit: number,
  ): Promise<{ readonly pending: number; readonly sending: number; readonly next: QueuePlace | null }>
}

/** A place in an endpoint's queue, which is in order of due time. */
export interface QueuePlace {
  readonly dueAt: Millis
  readonly messageId: MessageId
}
