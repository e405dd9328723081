import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { usualControl } from './control.ts'
import { orderKeyOf, stepInOrder } from './order.ts'
import type { Step } from './retry.ts'

const retry: Step = { kind: 'retry', dueAt: 1_000 }
const again: Step = { kind: 'retry', dueAt: 9_000 }
const giveUp = (because: Extract<Step, { kind: 'give-up' }>['because']): Step => ({ kind: 'give-up', because })
const control = (headFailure: 'block' | 'skip' | 'park', headAttempts = 3) => ({ headFailure, headAttempts })
const notAsked = (): Step => assert.fail('the schedule has not ended')

test('without an order nobody waits; by key those wait that name one; by endpoint all do, for each other', () => {
  const [keyed, plain] = [
    { orderingKey: 'customer-1', deliverAt: null },
    { orderingKey: null, deliverAt: null },
  ]
  const keys = (ordering: 'none' | 'key' | 'endpoint') =>
    [keyed, plain].map((message) => orderKeyOf({ ...usualControl, ordering }, message))
  assert.deepEqual(keys('none'), [null, null])
  assert.deepEqual(keys('key'), ['customer-1', null])
  assert.deepEqual(keys('endpoint'), ['', ''])
})

test('a message with a moment of its own is in no order: it would hold up all behind it until then', () => {
  for (const ordering of ['key', 'endpoint'] as const) {
    assert.equal(orderKeyOf({ ordering }, { orderingKey: 'a', deliverAt: 1 }), null)
  }
})

test('block: a head keeps its place however often it fails, also when its schedule has ended', () => {
  for (const attempts of [1, 3, 100]) {
    assert.deepEqual(stepInOrder(retry, attempts, control('block'), notAsked), { ...retry, outOfOrder: false })
    assert.deepEqual(
      stepInOrder(giveUp('schedule'), attempts, control('block'), () => again),
      { ...again, outOfOrder: false },
    )
  }
})

test('block: what is not to be tried again, or comes too late, ends, and lets the others go', () => {
  for (const because of ['not-retried', 'too-late'] as const) {
    assert.deepEqual(stepInOrder(giveUp(because), 1, control('block'), notAsked), giveUp(because))
  }
  assert.deepEqual(
    stepInOrder(giveUp('schedule'), 1, control('block'), () => giveUp('too-late')),
    giveUp('too-late'),
  )
})

test('skip: from its Nth failure on a head is retried beside those behind it', () => {
  const outOfOrder = [1, 2, 3, 4].map((attempts) => stepInOrder(retry, attempts, control('skip'), notAsked))
  assert.deepEqual(
    outOfOrder.map((step) => step.kind === 'retry' && step.outOfOrder),
    [false, false, true, true],
  )
  assert.deepEqual(stepInOrder(giveUp('schedule'), 9, control('skip'), notAsked), giveUp('schedule'))
})

test('park: at its Nth failure a head is kept aside, also where nothing of its schedule is left', () => {
  assert.deepEqual(stepInOrder(retry, 2, control('park'), notAsked), { ...retry, outOfOrder: false })
  assert.deepEqual(stepInOrder(retry, 3, control('park'), notAsked), { kind: 'park' })
  for (const because of ['schedule', 'not-retried'] as const) {
    assert.deepEqual(stepInOrder(giveUp(because), 3, control('park'), notAsked), { kind: 'park' })
  }
})

test('park: what comes too late is not kept: nobody could send it', () => {
  assert.deepEqual(stepInOrder(giveUp('too-late'), 3, control('park'), notAsked), giveUp('too-late'))
})

test('what was delivered, and an endpoint that is gone, mean the same in any order', () => {
  const steps: readonly Step[] = [{ kind: 'finish' }, { kind: 'disable-endpoint', because: 'gone' }]
  fc.assert(
    fc.property(
      fc.constantFrom(...steps),
      fc.constantFrom<'block' | 'skip' | 'park'>('block', 'skip', 'park'),
      fc.integer({ min: 1, max: 50 }),
      fc.integer({ min: 1, max: 50 }),
      (step, headFailure, headAttempts, attempts) => {
        assert.equal(stepInOrder(step, attempts, control(headFailure, headAttempts), notAsked), step)
      },
    ),
  )
})
