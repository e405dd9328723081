import assert from 'node:assert/strict'
import { test } from 'node:test'
import { samples } from '../stores/conformance/samples.ts'
import type { Endpoint } from './endpoint.ts'
import { attemptFact, type Fact, factsOfChange, operationalEventTypes, wordingOf } from './operational.ts'

const endpoint = { id: 'ep_1', uid: 'mine', application: { id: 'app_1', uid: null } } as const
const at = Date.UTC(2026, 2, 1, 9)
const told = (fact: Fact): unknown => JSON.parse(wordingOf(fact).payload)
const names = { appId: 'app_1', appUid: null, endpointId: 'ep_1', endpointUid: 'mine' }

test('a message is told to be failing once, at its fourth failed try, and only while it will be tried again', () => {
  const retry = { kind: 'retry', dueAt: 0, outOfOrder: false } as const
  assert.deepEqual(
    [1, 2, 3, 4, 5, 6].map((attempts) => attemptFact(attempts, retry)),
    [null, null, null, 'message.attempt.failing', null, null],
  )
  assert.equal(attemptFact(4, { kind: 'give-up', because: 'schedule' }), 'message.attempt.exhausted')
})

test('a message is told to have recovered only where it was told to be failing', () => {
  assert.deepEqual(
    [1, 4, 5, 9].map((attempts) => attemptFact(attempts, { kind: 'finish' })),
    [null, null, 'message.attempt.recovered', 'message.attempt.recovered'],
  )
})

test('a message is exhausted when its schedule ends, and when one answer ends it', () => {
  assert.equal(attemptFact(1, { kind: 'give-up', because: 'schedule' }), 'message.attempt.exhausted')
  assert.equal(attemptFact(1, { kind: 'disable-endpoint', because: 'gone' }), 'message.attempt.exhausted')
})

test('facts are worded as receivers of this vocabulary read them', () => {
  assert.deepEqual(told({ kind: 'endpoint.created', endpoint }), { type: 'endpoint.created', data: names })
  assert.deepEqual(told({ kind: 'endpoint.disabled', endpoint, because: 'failing', failingSince: at }), {
    type: 'endpoint.disabled',
    data: { ...names, failSince: '2026-03-01T09:00:00.000Z', trigger: 'automatic', reason: 'failing' },
  })
  assert.deepEqual(told({ kind: 'endpoint.disabled', endpoint, because: 'owner', failingSince: null }), {
    type: 'endpoint.disabled',
    data: { ...names, failSince: null, trigger: 'manual', reason: 'owner' },
  })
  assert.deepEqual(
    told({
      ...{ kind: 'message.attempt.exhausted', endpoint, message: { id: 'msg_1', eventId: 'evt' } },
      lastAttempt: { id: 'atmpt_1', statusCode: 500, startedAt: at },
    }),
    {
      type: 'message.attempt.exhausted',
      data: {
        ...{ appId: 'app_1', appUid: null, msgId: 'msg_1', msgEventId: 'evt', endpointId: 'ep_1' },
        lastAttempt: { id: 'atmpt_1', responseStatusCode: 500, timestamp: '2026-03-01T09:00:00.000Z' },
      },
    },
  )
  assert.deepEqual(told({ kind: 'endpoint.breaker.opened', endpoint, since: at }), {
    type: 'endpoint.breaker.opened',
    data: { ...names, since: '2026-03-01T09:00:00.000Z' },
  })
  const task = { id: 'qtask_1', status: 'finished', task: 'endpoint.recover', data: { n: 1 } }
  assert.deepEqual(told({ kind: 'background_task.finished', task }), {
    type: 'background_task.finished',
    data: { taskId: 'qtask_1', status: 'finished', task: 'endpoint.recover', data: { n: 1 } },
  })
})

test('a change is told by what it really changed; that somebody pauses is nothing to tell', () => {
  const before = samples().endpoint('app_1')
  const kinds = (changes: Partial<Endpoint>, from: Endpoint = before) =>
    factsOfChange(from, { ...from, updatedAt: at, revision: 2, ...changes }, endpoint.application).map(
      ({ kind }) => kind,
    )
  assert.deepEqual(kinds({}), [])
  assert.deepEqual(kinds({ pausedAt: at, failingSince: null, breakerOpenedAt: null }), [])
  assert.deepEqual(kinds({ metadata: {}, control: {} }), [])
  assert.deepEqual(kinds({ metadata: { a: 'b' } }), ['endpoint.updated'])
  assert.deepEqual(kinds({ disabledBecause: 'owner' }), ['endpoint.disabled'])
  assert.deepEqual(
    kinds({ url: 'https://new.example/', disabledBecause: null }, { ...before, disabledBecause: 'gone' }),
    ['endpoint.updated', 'endpoint.enabled'],
  )
})

test('every name an operational endpoint may ask for is spelled as event types are', () => {
  for (const name of operationalEventTypes) assert.match(name, /^[a-z_]+(\.[a-z_]+)+$/)
  assert.equal(new Set(operationalEventTypes).size, operationalEventTypes.length)
})
