import assert from 'node:assert/strict'
import { test } from 'node:test'
import { timeFault } from './timestamps.ts'

const now = 1_000_000
const toleranceMs = 300_000
const faultOf = (age: number, sides: 'past' | 'both') => timeFault(now - age, now, sides, toleranceMs)

test('a time is good for exactly as long as is tolerated, and is told by how much it is off after that', () => {
  for (const sides of ['past', 'both'] as const) {
    assert.equal(faultOf(toleranceMs, sides), null)
    assert.deepEqual(faultOf(toleranceMs + 1, sides), { kind: 'stale', byMs: toleranceMs + 1 })
  }
  assert.equal(faultOf(-toleranceMs, 'both'), null)
  assert.deepEqual(faultOf(-toleranceMs - 1, 'both'), { kind: 'from-the-future', byMs: toleranceMs + 1 })
})

test('where a provider bounds the past alone, a clock that is fast refuses nothing', () => {
  assert.equal(faultOf(-toleranceMs - 1, 'past'), null)
})
