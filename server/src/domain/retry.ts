import type { FailureClass } from './control.ts'
import type { Millis } from './ids.ts'
import type { Outcome } from './outcome.ts'

/** When to try again. `delaysMs[0]` is the wait after the first try; their number is the number of retries. */
export interface RetryPolicy {
  readonly delaysMs: readonly Millis[]
  /** What is tried again; other failures end the delivery. */
  readonly retryOn: readonly FailureClass[]
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
  retryOn: ['no-answer', '3xx', '4xx', '5xx'],
  jitter: 0.2,
}

/** A receiver may ask us to wait, but not to keep its delivery for ever. */
const longestAskedMs = 24 * hours

/** What an attempt means for its delivery. */
export type Step =
  | { readonly kind: 'finish' }
  /** The receiver answered 410: it wants nothing any more. */
  | { readonly kind: 'disable-endpoint'; readonly because: 'gone' }
  /** The schedule has ended, such failures are not tried again, or a retry would come too late. */
  | { readonly kind: 'give-up'; readonly because: 'schedule' | 'not-retried' | 'too-late' }
  | { readonly kind: 'retry'; readonly dueAt: Millis }

const finish: Step = { kind: 'finish' }
const gone: Step = { kind: 'disable-endpoint', because: 'gone' }
const giveUp: Step = { kind: 'give-up', because: 'schedule' }
const notRetried: Step = { kind: 'give-up', because: 'not-retried' }

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
  if (!policy.retryOn.includes(failureClassOf(outcome))) return notRetried
  const delay = policy.delaysMs[attemptsSoFar - 1]
  return delay === undefined ? giveUp : retryIn(delay, outcome, policy, now, random)
}

/** For one that must not be given up: its schedule's last wait, again and again. */
export const againAfter = (outcome: Outcome, policy: Omit<RetryPolicy, 'retryOn'>, now: Millis, random: number): Step =>
  retryIn(policy.delaysMs.at(-1) ?? longestAskedMs, outcome, policy, now, random)

/** An answer that is neither a success nor an error, such as 101, counts as the redirect it is not: nobody meant to retry it apart. */
function failureClassOf(outcome: Outcome): FailureClass {
  if (outcome.kind !== 'refused') return 'no-answer'
  return outcome.status >= 500 ? '5xx' : outcome.status >= 400 ? '4xx' : '3xx'
}

function retryIn(
  delay: Millis,
  outcome: Outcome,
  policy: Pick<RetryPolicy, 'jitter'>,
  now: Millis,
  random: number,
): Step {
  const jittered = delay * (1 + policy.jitter * (2 * random - 1))
  const asked = outcome.kind === 'refused' ? Math.min(outcome.retryAfterMs ?? 0, longestAskedMs) : 0
  return { kind: 'retry', dueAt: now + Math.ceil(Math.max(jittered, asked)) }
}
