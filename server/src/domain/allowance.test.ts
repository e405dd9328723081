import assert from 'node:assert/strict'
import { test } from 'node:test'
import { spend } from './allowance.ts'

function tries(perSecond: number, moments: readonly number[]): readonly (number | string)[] {
  let usedUpAt = 0
  return moments.map((now) => {
    const spent = spend(usedUpAt, now, perSecond)
    if (spent.kind === 'refused') return `wait ${Math.round(spent.waitMs)}`
    usedUpAt = spent.usedUpAt
    return spent.left
  })
}

test("one second's worth may come at once, and after that one for each its share of a second", () => {
  assert.deepEqual(tries(3, [5_000, 5_000, 5_000, 5_000]), [2, 1, 0, 'wait 333'])
  assert.deepEqual(tries(3, [5_000, 5_000, 5_000, 5_334, 5_334, 5_667]), [2, 1, 0, 0, 'wait 333', 0])
})

test('what is not used is saved up for one second and no more', () => {
  assert.deepEqual(tries(2, [0, 60_000, 60_000, 60_000]), [1, 1, 0, 'wait 500'])
})

test('what is refused costs nothing: who comes back when told is taken', () => {
  assert.deepEqual(tries(1, [0, 10, 20, 30, 1_000]), [0, 'wait 990', 'wait 980', 'wait 970', 0])
})

test('over any length of time no more is taken than the rate allows', () => {
  const taken = tries(
    7,
    Array.from({ length: 100_000 }, (_, ms) => 1_000_000 + ms),
  ).filter((one) => typeof one === 'number')
  assert.equal(taken.length, 7 + 7 * 100 - 1)
})
