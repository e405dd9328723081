import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { healthAfter } from './health.ts'

const day = 86_400_000
const limit = 5 * day

test('the first failure starts the streak and later ones keep its first moment', () => {
  assert.deepEqual(healthAfter(null, false, 1_000, limit), { kind: 'failing', since: 1_000 })
  assert.deepEqual(healthAfter(1_000, false, 2_000, limit), { kind: 'none' })
})

test('one success ends the streak, even on the last day', () => {
  assert.deepEqual(healthAfter(0, true, limit - 1, limit), { kind: 'healthy' })
  assert.deepEqual(healthAfter(0, true, limit + day, limit), { kind: 'healthy' })
  assert.deepEqual(healthAfter(null, true, 1_000, limit), { kind: 'none' })
})

test('five days of nothing but failures disable, a millisecond less does not', () => {
  assert.deepEqual(healthAfter(1_000, false, 1_000 + limit - 1, limit), { kind: 'none' })
  assert.deepEqual(healthAfter(1_000, false, 1_000 + limit, limit), { kind: 'disable', because: 'failing' })
})

test('an endpoint is disabled exactly by the first failure that ends five days without a success', () => {
  const attempts = fc.array(fc.tuple(fc.integer({ min: 1, max: 3 * day }), fc.boolean()), { maxLength: 40 })
  fc.assert(
    fc.property(attempts, (steps) => {
      let now = 0
      let failingSince: number | null = null
      let firstFailure: number | null = null
      for (const [wait, succeeded] of steps) {
        now += wait
        const decision = healthAfter(failingSince, succeeded, now, limit)
        if (succeeded) firstFailure = null
        else firstFailure ??= now
        assert.equal(decision.kind === 'disable', firstFailure !== null && now - firstFailure >= limit)
        if (decision.kind === 'disable') return
        if (decision.kind === 'failing') failingSince = decision.since
        if (decision.kind === 'healthy') failingSince = null
        assert.equal(failingSince, firstFailure)
      }
    }),
  )
})
