import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EndpointId, MessageId } from './ids.ts'
import {
  type Candidate,
  looksPerStep,
  notBegun,
  type ReplayAsk,
  type ReplayVerdict,
  replayVerdict,
  restAfter,
  type Standing,
  sendsPerStep,
  sentOf,
  subscriptionsOf,
} from './task.ts'

const now = 1_000_000
const replay = { endpointId: 'ep_1' as EndpointId, since: 0, until: now, dryRun: false }
const recover: ReplayAsk = { kind: 'recover', ...replay }
const missing: ReplayAsk = { kind: 'replay-missing', ...replay }
const bulk = (picks: Partial<Extract<ReplayAsk, { kind: 'bulk-replay' }>> = {}): ReplayAsk => ({
  ...{ kind: 'bulk-replay', eventTypes: null, channel: null, tag: null, standing: null, statusCodeClass: null },
  ...replay,
  ...picks,
})
const any = { eventTypes: null, channels: null, control: { ordering: 'none', deliverWithin: 0 } } as const
const candidate = (standing: Standing, changes: Partial<Candidate> = {}): Candidate => ({
  ...{ messageId: 'msg_1' as MessageId, standing, statusCode: standing === 'never' ? null : 500, hasContent: true },
  ...{ eventType: 'a', channels: null, tags: null },
  ...{ orderingKey: null, acceptedAt: 500_000, deliverAt: null, expiresAt: null },
  ...changes,
})
const kinds = (ask: ReplayAsk): readonly string[] =>
  (['never', 'waiting', 'delivered', 'failed', 'canceled'] as const).map((standing) => {
    const verdict = replayVerdict(ask, any, candidate(standing), now)
    return verdict.kind === 'skip' ? verdict.because : verdict.kind
  })
const send: ReplayVerdict = { kind: 'send', dueAt: now, orderKey: null }

test('each kind of replay is about other standings, and none sends what waits', () => {
  //                              never   waiting    delivered failed  canceled
  assert.deepEqual(kinds(recover), ['pass', 'pass', 'pass', 'send', 'pass'])
  assert.deepEqual(kinds(missing), ['send', 'pass', 'pass', 'pass', 'pass'])
  assert.deepEqual(kinds(bulk()), ['pass', 'waiting', 'send', 'send', 'send'])
  assert.deepEqual(kinds(bulk({ standing: 'delivered' })), ['pass', 'pass', 'send', 'pass', 'pass'])
  assert.deepEqual(kinds(bulk({ standing: 'waiting' })), ['pass', 'waiting', 'pass', 'pass', 'pass'])
})

test('what an endpoint missed is what its filters let through today; what it was sent once it may have again', () => {
  const picky = { ...any, eventTypes: ['b.*'] }
  assert.deepEqual(replayVerdict(missing, picky, candidate('never'), now), { kind: 'pass' })
  assert.deepEqual(replayVerdict(missing, picky, candidate('never', { eventType: 'b.c' }), now), send)
  assert.deepEqual(replayVerdict(recover, picky, candidate('failed'), now), send)
  assert.deepEqual(replayVerdict(bulk(), picky, candidate('failed'), now), send)
})

test('a bulk replay takes what all of its picks let through, and the last answer counts by its class', () => {
  const one = candidate('failed', { channels: ['c'], tags: ['t'], statusCode: 503 })
  const verdict = (ask: ReplayAsk) => replayVerdict(ask, any, one, now).kind
  assert.equal(verdict(bulk({ eventTypes: ['a'], channel: 'c', tag: 't', statusCodeClass: 500 })), 'send')
  for (const wrong of [{ eventTypes: ['b'] }, { channel: 'd' }, { tag: 'c' }, { statusCodeClass: 400 }]) {
    assert.equal(verdict(bulk({ eventTypes: ['a'], channel: 'c', tag: 't', ...wrong })), 'pass', JSON.stringify(wrong))
  }
  const unanswered = candidate('failed', { statusCode: 0 })
  assert.equal(replayVerdict(bulk({ statusCodeClass: 0 }), any, unanswered, now).kind, 'send')
})

test('what cannot be sent is skipped with the reason: no content, or too late by the message or the endpoint', () => {
  const because = (changes: Partial<Candidate>, deliverWithin = 0) => {
    const endpoint = { ...any, control: { ...any.control, deliverWithin } }
    const verdict = replayVerdict(recover, endpoint, candidate('failed', changes), now)
    return verdict.kind === 'skip' ? verdict.because : verdict.kind
  }
  assert.equal(because({ hasContent: false }), 'contentGone')
  assert.equal(because({ expiresAt: now }), 'expired')
  assert.equal(because({ expiresAt: now + 1 }), 'send')
  assert.equal(because({}, 500_000), 'expired')
  assert.equal(because({}, 500_001), 'send')
})

test('a message with a moment of its own to come is not sent before it', () => {
  const later = candidate('never', { deliverAt: now + 5 })
  assert.deepEqual(replayVerdict(missing, any, later, now), { ...send, dueAt: now + 5 })
})

test('what is sent again takes its place in the order it is of', () => {
  const inOrder = (ordering: 'key' | 'endpoint') => ({ ...any, control: { ...any.control, ordering } })
  const keyed = candidate('failed', { orderingKey: 'k' })
  assert.deepEqual(replayVerdict(recover, inOrder('key'), keyed, now), { ...send, orderKey: 'k' })
  assert.deepEqual(replayVerdict(recover, inOrder('endpoint'), keyed, now), { ...send, orderKey: '' })
  assert.deepEqual(replayVerdict(recover, any, keyed, now), send)
})

test('any rate is kept: so many messages a step, and a rest for them', () => {
  for (const rate of [1, 7, 50, 1_000, 2_500, 10_000]) {
    const most = sendsPerStep(rate)
    assert.ok(most >= 1 && most <= 250, `${most} a step`)
    assert.equal(Math.round((most * 1_000) / restAfter(rate, most, most)), rate, 'messages a second')
  }
})

test('looking costs less than sending, but not nothing: one who finds nothing rests too', () => {
  assert.equal(restAfter(1_000, 0, 0), 0)
  assert.equal(restAfter(1_000, 0, looksPerStep(1_000)), 100)
  assert.ok(restAfter(1_000, 10, 100) > restAfter(1_000, 10, 10))
})

test('what came to wait between look and step counts as skipped, not as sent', () => {
  assert.deepEqual(sentOf(notBegun, 5, 5), { ...notBegun, done: 5 })
  assert.deepEqual(sentOf({ ...notBegun, skipped: { waiting: 1, expired: 2 } }, 5, 3), {
    ...notBegun,
    done: 3,
    skipped: { waiting: 3, expired: 2 },
  })
})

test('the event types of an application are those of all its endpoints, each once', () => {
  assert.deepEqual(subscriptionsOf([]), { explicit: [], hasCatchAll: false })
  assert.deepEqual(subscriptionsOf([['b', 'a'], null, ['a']]), { explicit: ['a', 'b'], hasCatchAll: true })
})
