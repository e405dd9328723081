import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  type ControlKey,
  type ControlPart,
  canSay,
  controlOf,
  resolveControl,
  saysInControl,
  usualControl,
} from './control.ts'

const parts: fc.Arbitrary<ControlPart> = fc.record(
  {
    retrySchedule: fc.array(fc.nat(100_000), { maxLength: 3 }),
    timeout: fc.nat(60_000),
    throttleRate: fc.nat(100),
    breaker: fc.boolean(),
    ordering: fc.constantFrom('none', 'key', 'endpoint'),
    deliverWithin: fc.nat(1_000),
  },
  { requiredKeys: [] },
)

test('the narrowest level that says something counts, each part for itself', () => {
  const resolved = resolveControl(
    usualControl,
    { timeout: 1, maxInFlight: 1, breaker: false },
    { timeout: 2, maxInFlight: 2 },
    { timeout: 3 },
  )
  assert.deepEqual(resolved.timeout, { value: 3, from: 'endpoint' })
  assert.deepEqual(resolved.maxInFlight, { value: 2, from: 'application' })
  assert.deepEqual(resolved.breaker, { value: false, from: 'environment' })
  assert.deepEqual(resolved.batchSize, { value: 1, from: 'server' })
})

test('0, false, and an empty schedule are said, not left out', () => {
  const wide = { throttleRate: 5, breaker: true, retrySchedule: [1_000] }
  const resolved = resolveControl(usualControl, wide, {}, { throttleRate: 0, breaker: false, retrySchedule: [] })
  assert.deepEqual(
    [resolved.throttleRate, resolved.breaker, resolved.retrySchedule],
    [
      { value: 0, from: 'endpoint' },
      { value: false, from: 'endpoint' },
      { value: [], from: 'endpoint' },
    ],
  )
})

test('an endpoint has no say in what is settled before there is one to ask', () => {
  const ofMessages = { eventIdWindow: 1, retention: 1, payloadRetention: 1, wipeDelivered: true }
  const keys = Object.keys(ofMessages) as (keyof typeof ofMessages)[]
  const resolved = resolveControl(usualControl, {}, { retention: 2 }, ofMessages)
  assert.deepEqual(
    keys.map((key) => resolved[key].from),
    ['server', 'application', 'server', 'server'],
  )
  const silent = (Object.keys(usualControl) as ControlKey[]).filter((key) => !canSay('endpoint', key))
  assert.deepEqual(silent.toSorted(), keys.toSorted())
})

test('a rate is said in the control of the environment only: elsewhere it has a field of its own', () => {
  assert.deepEqual(
    (['environment', 'application', 'endpoint'] as const).map((level) => saysInControl(level, 'throttleRate')),
    [true, false, false],
  )
})

test('what counts on the road is what is shown, whatever the levels say', () => {
  fc.assert(
    fc.property(parts, parts, parts, (environment, application, endpoint) => {
      const shown = resolveControl(usualControl, environment, application, endpoint)
      assert.deepEqual(
        controlOf(usualControl, environment, application, endpoint),
        Object.fromEntries(Object.entries(shown).map(([key, { value }]) => [key, value])),
      )
    }),
  )
})
