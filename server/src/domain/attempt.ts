import type { AttemptId, EndpointId, MessageId, Millis } from './ids.ts'

/** What set an attempt off: the schedule, or a person asking for a resend. */
export type Trigger = 'scheduled' | 'manual'

/** Why a delivery ended without being sent. */
export type Ended = 'canceled' | 'expired'

/** What stands in place of a receiver's answer. */
export const whyEnded = {
  canceled: 'Canceled before it was sent.',
  expired: 'Not delivered in time: not sent any more.',
} as const satisfies Record<Ended, string>

/** One try, kept. */
export interface Attempt {
  readonly id: AttemptId
  readonly messageId: MessageId
  readonly endpointId: EndpointId
  readonly succeeded: boolean
  /** Null: it was sent. Otherwise it was not, and `statusCode` is 0. */
  readonly ended: Ended | null
  readonly trigger: Trigger
  readonly url: string
  /** HTTP status; 0 where there was no answer. */
  readonly statusCode: number
  readonly durationMs: Millis
  /** The receiver's words, or ours when there were none. Cut at 16 KiB. */
  readonly response: string
  readonly responseCut: boolean
  readonly startedAt: Millis
}

/** What a delivery that ended without being sent leaves, so that nobody has to guess. */
export const endedAttempt = (
  known: Pick<Attempt, 'id' | 'messageId' | 'endpointId' | 'trigger' | 'url' | 'startedAt'>,
  ended: Ended,
): Attempt => ({
  ...known,
  ended,
  succeeded: false,
  statusCode: 0,
  durationMs: 0,
  response: whyEnded[ended],
  responseCut: false,
})
