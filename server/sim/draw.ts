import type { ControlPart } from '../src/domain/control.ts'
import type { Millis } from '../src/domain/ids.ts'
import { type Chance, chanceOf } from '../test/faults/chance.ts'
import {
  applicationIdOf,
  type Deed,
  type EndpointPlan,
  endpointIdOf,
  type Mood,
  type Scenario,
  type Spell,
  type Step,
  type Weather,
} from './scenario.ts'

// A seed is as large as it is for what it finds in a second: of half as many messages, in less time, 1.4 times as many fit in, but it
// takes 1.6 times as many of those to catch a mutant (2026-11; the geometric mean of 18, each tried four times).
/** How long things happen before all is calm. */
const longestMs: Millis = 5_000

/** What a seed comes to. Each part is drawn by a chance of its own, so that another draw here moves nothing there. */
export function drawScenario(seed: number): Scenario {
  const chance = chanceOf(seed, 'scenario')
  const fleet = chance.comesTrue(0.6)
  const nodes = fleet ? chance.between(2, 3) : 1
  const leaseMs = chance.of([2_000, 3_000, 4_000])
  const calmAt = chance.between(1_200, longestMs)
  const applications = chance.between(1, 2)
  const count = chance.between(1, 3)
  const endpoints = Array.from({ length: count }, (_, at) => drawEndpoint(seed, at, applications, leaseMs, calmAt))
  // Half a second of what clocks may be apart before anybody minds; each its own half of it.
  const stage: Stage = { fleet, nodes, applications, endpoints: count, calmAt, leaseMs }
  const steps = drawSteps(seed, stage)
  const clocks = Array.from({ length: nodes }, () => (fleet ? chance.between(-400, 400) : 0))
  return {
    ...{ seed, fleet, nodes, clocks, leaseMs, endpoints, calmAt, steps },
    endpointInFlight: chance.between(1, 12),
    globalInFlight: chance.between(2, 24),
    hotDeliveries: chance.between(4, 40),
    claim: { visits: chance.between(1, 4), deliveries: chance.between(2, 24) },
    commitsInFlight: chance.between(1, fleet ? 3 : 2),
    applicationRates: Array.from({ length: applications }, () =>
      chance.comesTrue(0.12) ? chance.between(15, 60) : null,
    ),
    weather: [...drawWeather(seed, stage), ...drawDoubt(seed, stage, steps)],
  }
}

function drawEndpoint(seed: number, at: number, applications: number, leaseMs: Millis, calmAt: Millis): EndpointPlan {
  const chance = chanceOf(seed, `endpoint ${at}`)
  const applicationId = applicationIdOf(at % applications)
  return {
    ...{
      id: endpointIdOf(at),
      applicationId,
      control: drawControl(chance, leaseMs),
      spells: drawSpells(chance, calmAt),
    },
    throttleRate: chance.comesTrue(0.25) ? chance.between(10, 80) : null,
    poisoned: chance.comesTrue(0.2) ? chance.between(1, 4) : 0,
  }
}

const retrySchedules: readonly [readonly Millis[], ...(readonly Millis[])[]] = [
  [100],
  [200, 600, 1_500],
  [300, 2_000],
  [50, 50, 50, 50, 50, 50],
]

function drawControl(chance: Chance, leaseMs: Millis): ControlPart {
  const ordered = chance.comesTrue(0.3)
  const batched = chance.comesTrue(0.15)
  return {
    retrySchedule: chance.of(retrySchedules),
    timeout: chance.between(500, leaseMs * 2),
    ...(chance.comesTrue(0.4) ? { maxInFlight: chance.between(1, 8) } : {}),
    ...(ordered
      ? {
          ordering: chance.of(['key', 'key', 'endpoint']),
          headFailure: chance.of(['block', 'skip', 'park']),
          headAttempts: chance.between(1, 3),
        }
      : {}),
    ...(batched ? { batchSize: chance.between(2, 5), batchWait: chance.between(0, 600) } : {}),
    ...(chance.comesTrue(0.1) ? { deliverWithin: 3_000 } : {}),
    breaker: chance.comesTrue(0.9),
    breakerProbe: chance.between(200, 800),
    breakerDrainRate: chance.of([50, 300, 600, 900]),
  }
}

function drawSpells(chance: Chance, calmAt: Millis): readonly Spell[] {
  const mood = (): Mood =>
    chance.of(['ok', 'ok', 'ok', 'slow', 'hangs', 'resets', 'busy', 'failing', 'failing', 'flapping', 'gone'])
  const moods = Array.from({ length: chance.between(1, 3) }, mood)
  return moods.map((one, at) => ({ from: Math.floor((at * calmAt) / moods.length), mood: one }))
}

function drawWeather(seed: number, { fleet, nodes, calmAt }: Stage): readonly Weather[] {
  const chance = chanceOf(seed, 'weather')
  if (chance.comesTrue(0.45)) return []
  return Array.from({ length: chance.between(1, 2) }, (): Weather => {
    const from = chance.between(0, calmAt - 500)
    const kind = fleet
      ? chance.of(['commits-fail', 'answers-lost', 'slow', 'claims-fail', 'away'])
      : chance.of(['commits-fail', 'slow', 'claims-fail', 'away'])
    const node = fleet && chance.comesTrue(0.6) ? chance.between(0, nodes - 1) : null
    return { from, until: Math.min(calmAt, from + chance.between(100, 2_000)), kind, node }
  })
}

/** Whoever closes an endpoint may not hear whether that was stored. */
function drawDoubt(seed: number, { fleet }: Stage, steps: readonly Step[]): readonly Weather[] {
  const chance = chanceOf(seed, 'doubt')
  return steps.flatMap(({ kind, at, node }): readonly Weather[] =>
    fleet && (kind === 'pause' || kind === 'disable') && chance.comesTrue(0.3)
      ? [{ from: at, until: at + 30, kind: 'answers-lost', node }]
      : [],
  )
}

interface Stage {
  readonly fleet: boolean
  readonly nodes: number
  readonly applications: number
  readonly endpoints: number
  readonly calmAt: Millis
  readonly leaseMs: Millis
}

function drawSteps(seed: number, stage: Stage): readonly Step[] {
  const chance = chanceOf(seed, 'steps')
  const { nodes, calmAt } = stage
  const at = (): Millis => chance.between(0, calmAt - 200)
  const node = (): number => chance.between(0, nodes - 1)
  const steps: Step[] = []
  let left = chance.between(10, 50)
  while (left > 0) {
    const count = Math.min(left, chance.comesTrue(0.3) ? chance.between(5, 30) : chance.between(1, 3))
    left -= count
    steps.push({ at: at(), node: node(), ...drawPublish(chance, stage, count) })
  }
  for (let mischief = chance.between(0, 6); mischief > 0; mischief--) {
    for (const step of drawMischief(chance, stage)) steps.push(step)
  }
  return steps.toSorted((a, b) => a.at - b.at)
}

const drawPublish = (chance: Chance, { applications }: Stage, count: number): Deed => ({
  kind: 'publish',
  application: chance.between(0, applications - 1),
  count,
  together: count > 1 && chance.comesTrue(0.4),
  orderingKey: chance.comesTrue(0.5) ? chance.of(['k1', 'k2']) : null,
  named: chance.comesTrue(0.4),
  deliverAfter: chance.comesTrue(0.08) ? chance.between(100, 2_000) : null,
  expiresAfter: chance.comesTrue(0.05) ? chance.between(500, 3_000) : null,
})

function drawMischief(chance: Chance, { nodes, endpoints, calmAt, leaseMs }: Stage): readonly Step[] {
  const at = chance.between(100, calmAt - 100)
  const later = Math.min(calmAt - 10, at + chance.between(100, 3_000))
  const node = chance.between(0, nodes - 1)
  const endpoint = chance.between(0, endpoints - 1)
  const nth = chance.between(0, 60)
  const kind = chance.of([
    'cancel',
    'cancel',
    'resend',
    'pause',
    'pause',
    'disable',
    'rate',
    'crash',
    'crash',
    'stop',
    'sleep',
    'sleep',
    'sleep',
    'sleep',
    'clock',
  ])
  switch (kind) {
    case 'cancel':
      return [{ at, node, kind, nth }]
    case 'resend':
      return [{ at, node, kind, nth, endpoint }]
    case 'pause':
      return [
        { at, node, kind, endpoint },
        { at: later, node: chance.between(0, nodes - 1), kind: 'resume', endpoint },
      ]
    case 'disable':
      return [
        { at, node, kind, endpoint },
        { at: later, node: chance.between(0, nodes - 1), kind: 'enable', endpoint },
      ]
    case 'rate':
      return [{ at, node, kind, endpoint, perSecond: chance.comesTrue(0.2) ? null : chance.between(10, 80) }]
    case 'crash':
    case 'stop':
      return [
        { at, node, kind },
        { at: later, node, kind: 'restart' },
      ]
    case 'sleep': {
      // Often longer than its leases last, and over before all is calm.
      const ms = Math.min(
        calmAt - 100,
        chance.comesTrue(0.4) ? chance.between(50, 900) : Math.ceil(leaseMs * (0.8 + chance.random())),
      )
      return [{ at: Math.min(at, calmAt - ms), node, kind, ms }]
    }
    case 'clock':
      return [{ at, node, kind, ms: chance.between(-100, 100) }]
  }
}
