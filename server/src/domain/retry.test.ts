import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Outcome } from './outcome.ts'
import { defaultRetryPolicy, nextStep, type RetryPolicy } from './retry.ts'

const hour = 3_600_000
const answer = { durationMs: 12, response: '', responseCut: false }
const refused = (status: number, retryAfterMs: number | null = null): Outcome => ({
  kind: 'refused',
  status,
  retryAfterMs,
  ...answer,
})
const unreachable: Outcome = { kind: 'unreachable', reason: 'timeout', detail: 'no answer in 15 s', durationMs: 15_000 }
const delivered: Outcome = { kind: 'delivered', status: 204, ...answer }

const failures = fc.oneof(
  fc.constant(unreachable),
  fc
    .tuple(fc.integer({ min: 300, max: 599 }), fc.option(fc.integer({ min: 0, max: 100 * hour })))
    .filter(([status]) => status !== 410)
    .map(([status, retryAfterMs]) => refused(status, retryAfterMs)),
)
const policies: fc.Arbitrary<RetryPolicy> = fc.record({
  delaysMs: fc.array(fc.integer({ min: 0, max: 48 * hour }), { maxLength: 12 }),
  retryOn: fc.constant(defaultRetryPolicy.retryOn),
  jitter: fc.double({ min: 0, max: 1, noNaN: true }),
})
const moments = fc.integer({ min: 0, max: 4e12 })
const dice = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })

/** The moments of all tries when each fails at once. */
function tries(policy: RetryPolicy, outcome: Outcome, start: number, random: number): number[] {
  const moments = [start]
  for (;;) {
    const step = nextStep(moments.length, outcome, policy, moments.at(-1) ?? start, random)
    if (step.kind !== 'retry') {
      assert.equal(step.kind, 'give-up')
      return moments
    }
    moments.push(step.dueAt)
  }
}

test('the default schedule makes ten tries, the last 75 h 35 min 5 s after the first', () => {
  const moments = tries({ ...defaultRetryPolicy, jitter: 0 }, unreachable, 1_000, 0.7)
  assert.equal(moments.length, 10)
  assert.equal((moments.at(-1) ?? 0) - 1_000, (75 * 3_600 + 35 * 60 + 5) * 1_000)
})

test('the default schedule waits 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h when the dice fall in the middle', () => {
  const moments = tries(defaultRetryPolicy, refused(500), 0, 0.5)
  const waits = moments.slice(1).map((at, n) => at - (moments[n] ?? 0))
  assert.deepEqual(
    waits,
    [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400].map((s) => s * 1_000),
  )
})

test('the default jitter spreads a wait over 80 % to 120 % of it', () => {
  assert.deepEqual(nextStep(2, unreachable, defaultRetryPolicy, 0, 0), { kind: 'retry', dueAt: 240_000 })
  const latest = nextStep(2, unreachable, defaultRetryPolicy, 0, 1 - Number.EPSILON)
  assert.deepEqual(latest, { kind: 'retry', dueAt: 360_000 })
})

test('a success finishes the delivery, however many tries it took', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 50 }), policies, moments, dice, (attempts, policy, now, random) => {
      assert.deepEqual(nextStep(attempts, delivered, policy, now, random), { kind: 'finish' })
    }),
  )
})

test('a 410 disables the endpoint at once, with retries left and with a Retry-After', () => {
  for (const outcome of [refused(410), refused(410, 60_000)]) {
    assert.deepEqual(nextStep(1, outcome, defaultRetryPolicy, 0, 0.5), { kind: 'disable-endpoint', because: 'gone' })
  }
})

test('no other failure disables an endpoint, and redirects are failures', () => {
  for (const status of [301, 302, 304, 307, 308, 400, 401, 404, 409, 411, 429, 500, 503]) {
    assert.equal(nextStep(1, refused(status), defaultRetryPolicy, 0, 0.5).kind, 'retry', String(status))
  }
})

test('every failing delivery is retried exactly as often as the schedule is long, then given up', () => {
  fc.assert(
    fc.property(policies, failures, moments, dice, (policy, outcome, start, random) => {
      assert.equal(tries(policy, outcome, start, random).length, policy.delaysMs.length + 1)
    }),
  )
})

test('a retry is due at a whole millisecond, within the jitter of its wait, unless the receiver asked for longer', () => {
  fc.assert(
    fc.property(policies, failures, moments, dice, fc.nat(11), (policy, outcome, now, random, at) => {
      const delay = policy.delaysMs[at]
      fc.pre(delay !== undefined)
      const step = nextStep(at + 1, outcome, policy, now, random)
      assert.ok(step.kind === 'retry')
      const wait = step.dueAt - now
      const asked = outcome.kind === 'refused' ? Math.min(outcome.retryAfterMs ?? 0, 24 * hour) : 0
      assert.ok(Number.isSafeInteger(step.dueAt))
      assert.ok(wait >= asked, 'never earlier than asked')
      assert.ok(wait >= Math.floor(delay * (1 - policy.jitter)), 'not before the jitter allows')
      assert.ok(wait <= Math.max(asked, Math.ceil(delay * (1 + policy.jitter))), 'not later than either')
    }),
  )
})

test('a receiver that asks for a week is asked again after a day', () => {
  assert.deepEqual(nextStep(1, refused(503, 7 * 24 * hour), defaultRetryPolicy, 0, 0.5), {
    kind: 'retry',
    dueAt: 24 * hour,
  })
})

test('a caller that forgot to count this attempt is told, instead of the message being dropped', () => {
  assert.throws(() => nextStep(0, unreachable, defaultRetryPolicy, 0, 0.5), RangeError)
})
