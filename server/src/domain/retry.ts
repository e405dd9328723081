import type { Millis } from './ids.ts'
import type { Outcome } from './outcome.ts'

/** When to try again. `delaysMs[0]` is the wait after the first try; their number is the number of retries. */
export interface RetryPolicy {
  readonly delaysMs: readonly Millis[]
  /** Each wait is stretched or shortened by up to this share (0.2: ±20 %), so that failures do not come back in step. */
  readonly jitter: number
}

const seconds = 1_000
const minutes = 60 * seconds
const hours = 60 * minutes

/** Ten tries in 75 h 35 min 5 s. Standard Webhooks 1.0.0, the example schedule of "Deliverability and reliability". */
export const defaultRetryPolicy: RetryPolicy = {
  delaysMs: [
    5 * seconds,
    5 * minutes,
    30 * minutes,
    2 * hours,
    5 * hours,
    10 * hours,
    14 * hours,
    20 * hours,
    24 * hours,
  ],
  jitter: 0.2,
}

/** A receiver may ask us to wait, but not to keep its delivery for ever. */
const longestAskedMs = 24 * hours

/** What an attempt means for its delivery. */
export type Step =
  | { readonly kind: 'finish' }
  /** The receiver answered 410: it wants nothing any more. */
  | { readonly kind: 'disable-endpoint'; readonly because: 'gone' }
  /** The schedule has ended. */
  | { readonly kind: 'give-up' }
  | { readonly kind: 'retry'; readonly dueAt: Millis }

const finish: Step = { kind: 'finish' }
const gone: Step = { kind: 'disable-endpoint', because: 'gone' }
const giveUp: Step = { kind: 'give-up' }

/**
 * Decides what follows an attempt. `attemptsSoFar` counts this one, so it is at least 1. `random` is uniform in [0, 1).
 * `Retry-After` is respected with any status, up to 24 h: it can only lengthen a wait, and adds no try to the schedule.
 */
export function nextStep(
  attemptsSoFar: number,
  outcome: Outcome,
  policy: RetryPolicy,
  now: Millis,
  random: number,
): Step {
  // A count of 0 would find no delay and quietly drop the message.
  if (attemptsSoFar < 1) throw new RangeError(`attemptsSoFar counts this attempt; it cannot be ${attemptsSoFar}`)
  if (outcome.kind === 'delivered') return finish
  if (outcome.kind === 'refused' && outcome.status === 410) return gone
  const delay = policy.delaysMs[attemptsSoFar - 1]
  if (delay === undefined) return giveUp
  const jittered = delay * (1 + policy.jitter * (2 * random - 1))
  const asked = outcome.kind === 'refused' ? Math.min(outcome.retryAfterMs ?? 0, longestAskedMs) : 0
  return { kind: 'retry', dueAt: now + Math.ceil(Math.max(jittered, asked)) }
}
