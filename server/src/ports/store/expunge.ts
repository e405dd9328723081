import type { Ended } from '../../domain/attempt.ts'
import type { ApplicationId, AttemptId, MessageId, Millis } from '../../domain/ids.ts'

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
