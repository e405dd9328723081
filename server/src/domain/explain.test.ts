import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Waiting } from './delivery.ts'
import { notSentBecause, type Wait, waitOf } from './explain.ts'

const now = 1_000
const stored: Waiting = { kind: 'waiting', attempts: 0, dueAt: now, held: null, lease: null }
const open = { disabledBecause: null, pausedAt: null, breakerOpenedAt: null }
const going = { pausedAt: null }
const paced: Wait = { for: 'rate', until: 1_500 }

test('what waits in the store waits for its moment, its next try, or its turn', () => {
  assert.deepEqual(waitOf({ ...stored, dueAt: 2_000 }, null, open, going, now), { for: 'schedule', until: 2_000 })
  assert.deepEqual(waitOf({ ...stored, dueAt: 2_000, attempts: 1 }, null, open, going, now), {
    for: 'retry',
    until: 2_000,
  })
  assert.deepEqual(waitOf({ ...stored, attempts: 1 }, null, open, going, now), { for: 'turn', until: null })
  assert.deepEqual(waitOf(stored, null, { ...open, breakerOpenedAt: 1 }, going, now), { for: 'breaker', until: null })
})

test('what another node holds waits for that node, whatever else is to be said of it', () => {
  const held: Waiting = { ...stored, dueAt: 31_000, lease: 'lease_1' }
  const disabled = { ...open, disabledBecause: 'owner' } as const
  for (const endpoint of [open, disabled]) {
    assert.deepEqual(waitOf(held, null, endpoint, going, now), { for: 'node', until: 31_000, node: 'node_1' })
  }
  assert.deepEqual(waitOf(held, paced, open, going, now), paced, 'but what is held here is known here')
})

test('what is held behind another or aside has no date, whatever its due time says', () => {
  const far = 9_999_999
  assert.deepEqual(waitOf({ ...stored, dueAt: far, held: 'behind' }, null, open, going, now), {
    for: 'order',
    until: null,
  })
  assert.deepEqual(waitOf({ ...stored, dueAt: far, held: 'parked' }, null, open, going, now), {
    for: 'parked',
    until: null,
  })
})

test('what is for the endpoint of a paused source waits for that, as for its own pause', () => {
  assert.deepEqual(waitOf(stored, null, open, { pausedAt: 1 }, now), { for: 'pause', until: null })
})

test('the process that holds a delivery knows better than the store what it waits for', () => {
  assert.deepEqual(waitOf({ ...stored, dueAt: 31_000 }, paced, open, going, now), paced)
})

test('the reason is the one that would have to go first: disabled, parked, paused, the order, then the rest', () => {
  const disabled = { ...open, disabledBecause: 'owner', pausedAt: 1, breakerOpenedAt: 1 } as const
  const paused = { ...open, pausedAt: 1, breakerOpenedAt: 1 }
  const behind: Waiting = { ...stored, held: 'behind' }
  const parked: Waiting = { ...stored, held: 'parked' }
  const reasons = [
    waitOf(parked, paced, disabled, going, now),
    waitOf(parked, paced, paused, going, now),
    waitOf(behind, paced, paused, going, now),
    waitOf(behind, paced, open, going, now),
    waitOf(stored, paced, open, going, now),
  ]
  assert.deepEqual(
    reasons.map((wait) => wait.for),
    ['disabled', 'parked', 'pause', 'order', 'rate'],
  )
  const underWay: Wait = { for: 'in-flight', until: null }
  assert.deepEqual(waitOf(behind, underWay, disabled, going, now), underWay, 'but what is under way is under way')
})

const endpoint = { eventTypes: null, channels: null, createdAt: 500, updatedAt: 500 }
const message = { eventType: 'invoice.paid', channels: null, acceptedAt: now }
const because = (changes: Partial<typeof endpoint> | object, noted?: 'disabled' | `filter: ${string}`) =>
  notSentBecause({ ...endpoint, ...changes }, message, noted)

test('a message that was not sent names the first reason there was', () => {
  assert.equal(because({ createdAt: 1_001 }).because, 'created-later')
  assert.equal(because({ eventTypes: ['user.*'] }).because, 'event-type')
  assert.equal(because({ channels: ['eu'] }).because, 'channel')
  assert.equal(because({ eventTypes: ['user.*'], channels: ['eu'] }).because, 'event-type')
})

test('what was written down at the acceptance counts more than what the endpoint is now', () => {
  assert.equal(because({ eventTypes: ['user.*'] }, 'disabled').because, 'disabled')
  assert.deepEqual(because({ createdAt: 1_001 }, 'filter: it is false'), { because: 'filter', detail: 'it is false' })
})

test('an endpoint that would get it by what it wants today was changed since', () => {
  const { because: why, detail } = because({})
  assert.equal(why, 'changed')
  assert.match(detail ?? '', /changed since/)
})
