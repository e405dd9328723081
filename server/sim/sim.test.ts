import assert from 'node:assert/strict'
import { test } from 'node:test'
import { drawScenario } from './draw.ts'
import { regressions } from './regressions.ts'
import { simulate } from './simulate.ts'

const traceOf = async (seed: number): Promise<readonly string[]> => {
  const lines: string[] = []
  const { events } = await simulate(drawScenario(seed), (line) => lines.push(line))
  return [...lines, `${events} events`]
}

test('the same seed is the same run, event by event', async () => {
  for (let seed = 1; seed <= 15; seed++) {
    const once = await traceOf(seed)
    assert.deepEqual(await traceOf(seed), once)
    assert.ok(once.length > 20, `seed ${seed} has ${once.length} lines`)
  }
})

test('of the first hundred seeds none breaks a rule', async () => {
  for (let seed = 1; seed <= 100; seed++) {
    const { violation } = await simulate(drawScenario(seed))
    assert.equal(violation, null, `npm run sim -- --seed ${seed} --trace`)
  }
})

test('seeds that broke a rule once do not break it any more', async () => {
  for (const { seed, was } of regressions) {
    const { violation } = await simulate(drawScenario(seed))
    assert.equal(violation, null, `npm run sim -- --seed ${seed} --trace (once: ${was})`)
  }
})
