import assert from 'node:assert/strict'
import { test } from 'node:test'
import { backoff } from './backoff.ts'

test('what fails is left alone for longer each time, but never for less than 100 ms or more than two seconds', () => {
  const longest = [1, 2, 3, 4, 5, 6, 60].map((failures) => Math.round(backoff(failures, 0.999_999)))
  assert.deepEqual(longest, [200, 400, 800, 1_600, 2_000, 2_000, 2_000])
  for (const failures of [1, 5, 60]) assert.equal(backoff(failures, 0), 100)
})

test('those who failed together come back at moments spread over the whole of the wait', () => {
  assert.deepEqual(
    [0, 0.25, 0.5, 0.75].map((random) => backoff(60, random)),
    [100, 575, 1_050, 1_525],
  )
})
