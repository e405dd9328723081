import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RoundResult } from './round.ts'
import { run } from './run.ts'

const servedIn = ({ asked }: RoundResult): number => [...asked.values()].filter(({ served }) => served > 0).length

test('two seeds of hostile requests are answered as the document says, in time, by a process that does not grow', async (t) => {
  const { neighbour, rounds, growth } = await run({
    ...{ seeds: 2, first: 1, requests: 120 },
    tell: (seed, { slowestMs }) => t.diagnostic(`seed ${seed}: the slowest answer took ${Math.round(slowestMs)} ms`),
  })
  assert.deepEqual(
    [neighbour, ...rounds].flatMap(({ failures }) => failures),
    [],
  )
  assert.equal(growth, null)
  for (const round of rounds) {
    // Otherwise it would be about little more than 404s.
    assert.ok(servedIn(round) >= 25, `${servedIn(round)} operations were served`)
    assert.ok(round.asked.size >= 60, `${round.asked.size} operations were asked`)
  }
})
