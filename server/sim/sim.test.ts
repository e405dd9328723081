import assert from 'node:assert/strict'
import { test } from 'node:test'
import { drawScenario } from './draw.ts'
import { mutants } from './mutants/mutants.ts'
import { applicationIdOf, endpointIdOf, type Scenario } from './scenario.ts'
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

test('a pause whose answer is lost holds at the node that was asked for it', async () => {
  const application = { applicationId: applicationIdOf(0), throttleRate: null, poisoned: 0 }
  const one = {
    ...application,
    id: endpointIdOf(0),
    control: { maxInFlight: 1 },
    spells: [{ from: 0, mood: 'slow' }],
  } as const
  const scenario: Scenario = {
    ...drawScenario(1),
    ...{ fleet: true, nodes: 1, clocks: [0], leaseMs: 5_000, endpoints: [one], applicationRates: [null] },
    ...{ endpointInFlight: 8, globalInFlight: 8, hotDeliveries: 100, calmAt: 8_000 },
    weather: [{ from: 600, until: 800, kind: 'answers-lost', node: null }],
    steps: [
      {
        ...{ at: 300, node: 0, kind: 'publish', application: 0, count: 40, together: true, orderingKey: null },
        ...{ named: false, deliverAfter: null, expiresAfter: null },
      },
      { at: 620, node: 0, kind: 'pause', endpoint: 0 },
    ],
  }
  for (let seed = 1; seed <= 10; seed++) {
    const { violation, sends } = await simulate({ ...scenario, seed })
    assert.equal(violation, null, `seed ${seed}`)
    assert.ok(sends >= 40)
  }
})

test('seeds that broke a rule once do not break it any more', async () => {
  for (const { foundBy: seed, name } of mutants) {
    if (seed === undefined) continue
    const { violation } = await simulate(drawScenario(seed))
    assert.equal(violation, null, `npm run sim -- --seed ${seed} --trace (once: ${name})`)
  }
})
