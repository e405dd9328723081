import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mayStillSend } from './lease.ts'

test('what is leased for less than the second by which clocks may differ is left to others', () => {
  assert.equal(mayStillSend(31_001, 30_000, 30_000), true)
  assert.equal(mayStillSend(31_000, 30_000, 30_000), false)
  assert.equal(mayStillSend(29_000, 30_000, 30_000), false)
})

test('of a short lease a quarter is kept back, so that renewing it three times as it lasts is enough', () => {
  assert.equal(mayStillSend(30_501, 30_000, 2_000), true)
  assert.equal(mayStillSend(30_500, 30_000, 2_000), false)
})
