import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  afterTry,
  type Breaker,
  type BreakerPolicy,
  closed,
  drainRate,
  probing,
  reopened,
  unlearned,
  unprobed,
} from './breaker.ts'
import { usualControl } from './control.ts'

const now = Date.UTC(2026, 0, 1)
const second = 1_000
const policy: BreakerPolicy = usualControl

/** Follows tries one second apart, none of them a probe. */
function follow(outcomes: readonly boolean[], given: BreakerPolicy = policy, from: Breaker = closed): Breaker {
  let breaker = from
  for (const [at, succeeded] of outcomes.entries()) {
    if (breaker.kind === 'open') return breaker
    breaker = afterTry(breaker, succeeded, false, now + at * second, given)
  }
  return breaker
}

const failures = (count: number): boolean[] => Array.from({ length: count }, () => false)

const opened = (at = now): Breaker & { kind: 'open' } => {
  const breaker = reopened(at, policy)
  assert.equal(breaker.kind, 'open')
  return breaker as Breaker & { kind: 'open' }
}

test('nineteen failures do not open it, the twentieth does, and the first probe is 5 s later', () => {
  assert.equal(follow(failures(19)).kind, 'closed')
  const at = now + 19 * second
  assert.deepEqual(follow(failures(20)), { kind: 'open', since: at, probeAt: at + 5 * second, wait: 5 * second })
})

test('what never fails is not even counted', () => {
  assert.equal(follow(Array.from({ length: 1_000 }, () => true)), closed)
})

test('one that fails less often than the share never opens, however its failures fall', () => {
  // Of every ten tries in a row at least five succeed, so of no stretch do seven in ten fail once twenty are counted.
  const ten = fc.shuffledSubarray([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], { minLength: 0, maxLength: 5 })
  fc.assert(
    fc.property(fc.array(ten, { minLength: 1, maxLength: 50 }), (tens) => {
      const outcomes = tens.flatMap((failing) => Array.from({ length: 10 }, (_, at) => !failing.includes(at)))
      assert.equal(follow(outcomes).kind, 'closed')
    }),
  )
})

test('long good health does not keep it shut: 50 tries are remembered, not thousands', () => {
  const good = [false, ...Array.from({ length: 5_000 }, () => true)]
  const opens = follow([...good, ...failures(200)])
  assert.equal(opens.kind, 'open')
  const tries = (opens as Breaker & { kind: 'open' }).since - (now + good.length * second)
  assert.ok(tries < 150 * second, `only after ${tries / second} failures`)
})

test('a success never opens it, however much failed before', () => {
  assert.equal(follow([...failures(15), true, true, true, true, true]).kind, 'closed')
  assert.equal(follow([...failures(15), true, true, true, true, true, false]).kind, 'open')
})

test("the share of failures that opens it is the policy's", () => {
  const everyThird = Array.from({ length: 60 }, (_, at) => at % 3 !== 0)
  assert.equal(follow(everyThird).kind, 'closed')
  assert.equal(follow(everyThird, { ...policy, breakerFailureRate: 0.3 }).kind, 'open')
})

test('while it is open no answer changes anything: those are to what was sent before', () => {
  const breaker = opened()
  for (const succeeded of [true, false]) assert.equal(afterTry(breaker, succeeded, false, now, policy), breaker)
})

test('while one probe is under way other answers change nothing', () => {
  const breaker = probing(opened())
  assert.equal(breaker.kind, 'probing')
  assert.equal(probing(breaker), breaker)
  for (const succeeded of [true, false]) assert.equal(afterTry(breaker, succeeded, false, now, policy), breaker)
})

test('each failed probe doubles the wait for the next, up to five minutes', () => {
  let breaker = follow(failures(20))
  const waits: number[] = []
  for (let probe = 0; probe < 10; probe++) {
    assert.equal(breaker.kind, 'open')
    const { probeAt, since } = breaker as Breaker & { kind: 'open' }
    breaker = afterTry(probing(breaker), false, true, probeAt, policy)
    assert.equal(breaker.kind, 'open')
    assert.equal((breaker as Breaker & { kind: 'open' }).since, since)
    waits.push(((breaker as Breaker & { kind: 'open' }).probeAt - probeAt) / second)
  }
  assert.deepEqual(waits, [10, 20, 40, 80, 160, 300, 300, 300, 300, 300])
})

test('a probe that came to nothing is made again at once', () => {
  assert.deepEqual(unprobed(probing(opened()), now), { ...opened(), probeAt: now })
})

test('a good probe drains at 10 a second, doubling every 5 s, until at 1,000 nothing is held', () => {
  const draining = afterTry(probing(opened()), true, true, now, policy)
  assert.deepEqual(draining, { kind: 'draining', since: now, from: now, tries: 0, failures: 0 })
  const rates = Array.from({ length: 9 }, (_, n) => drainRate(now, now + n * 5 * second, policy))
  assert.deepEqual(rates, [10, 20, 40, 80, 160, 320, 640, null, null])
  assert.equal(drainRate(now, now + 5 * second - 1, policy), 10)
  assert.equal(drainRate(now, now - second, policy), 10, 'a clock that was set back does not stop it')
})

test('it closes with the first try after that, and has forgotten its failures', () => {
  const draining = afterTry(probing(opened()), true, true, now, policy)
  assert.equal(afterTry(draining, true, false, now + 35 * second - 1, policy).kind, 'draining')
  assert.equal(afterTry(draining, true, false, now + 35 * second, policy), closed)
})

test('one that fails while draining opens again after five tries, as the same outage', () => {
  const draining = afterTry(probing(opened(now - 60 * second)), true, true, now, policy)
  assert.equal(follow(failures(4), policy, draining).kind, 'draining')
  const at = now + 4 * second
  assert.deepEqual(follow(failures(5), policy, draining), {
    ...{ kind: 'open', since: now - 60 * second, probeAt: at + 5 * second, wait: 5 * second },
  })
})

test('one that was open when the process ended is probed at once', () => {
  assert.deepEqual(opened(), { kind: 'open', since: now, probeAt: 0, wait: 5 * second })
})

test('of an endpoint that was changed nothing is held, and that it was open is taken back by the next try', () => {
  assert.equal(unlearned(follow(failures(5))), closed)
  const changed = unlearned(opened(now - second))
  assert.equal(drainRate((changed as Breaker & { kind: 'draining' }).from, now, policy), null)
  assert.deepEqual([changed.kind, afterTry(changed, true, false, now, policy)], ['draining', closed])
})

test('switched off, it never opens, and one that was open lets everything go and closes with the next try', () => {
  const off = { ...policy, breaker: false }
  assert.equal(follow(failures(500), off), closed)
  const released = reopened(now - second, off)
  assert.equal(released.kind, 'draining')
  assert.equal(drainRate((released as Breaker & { kind: 'draining' }).from, now, off), null)
  for (const open of [opened(), probing(opened()), released])
    assert.equal(afterTry(open, false, false, now, off), closed)
})
