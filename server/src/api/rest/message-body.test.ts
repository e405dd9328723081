import assert from 'node:assert/strict'
import { test } from 'node:test'
import { schemas } from '@posthorn/contract'
import fc from 'fast-check'
import { Problem } from '../../domain/problem.ts'
import { checkOf } from '../input.ts'
import { readMessage } from './message-body.ts'

const pointersOf = (text: string): readonly string[] => {
  try {
    readMessage(text)
    return []
  } catch (error) {
    if (error instanceof Problem && error.code === 'request-invalid') return error.faults.map(({ pointer }) => pointer)
    throw error
  }
}

test('the payload is the text between its braces as the caller spelled it, whatever stands around it', () => {
  const payload = '{ "big": 12345678901234567890, "one": 1.0, "e": 1e3, "a": 1, "a": 2, "\\u0041": "\\u0000" }'
  for (const text of [
    `{"eventType":"a","payload":${payload}}`,
    `\n{ "payload" :\t${payload} , "eventType":"a" }\n`,
    `{"payload":{"decoy":1},"eventType":"a","payload":${payload}}`,
    `{"tags":["\\"payload\\":{}"],"payload":${payload},"eventType":"a"}`,
  ]) {
    assert.equal(readMessage(text).fact.payload, payload)
    assert.equal(readMessage(text).fact.contentType, null)
  }
})

test('every fault of a message is told at once', () => {
  const text = JSON.stringify({
    eventType: 'has space',
    eventId: 7,
    channels: ['ok', 'not ok', 3],
    tags: ['', 'x'.repeat(129), 'nul\0'],
    payload: [1],
    deliverAt: '2030-01-01T00:00:00Z',
    orderingKey: '',
    application: { name: '' },
  })
  assert.deepEqual(pointersOf(text).toSorted(), [
    '/application/name',
    '/channels/1',
    '/channels/2',
    '/deliverAt',
    '/eventId',
    '/eventType',
    '/orderingKey',
    '/payload',
    '/tags/0',
    '/tags/1',
    '/tags/2',
  ])
})

test('a message is an object with an event type and an object for a payload', () => {
  for (const text of [
    'null',
    '[]',
    '"x"',
    '1',
    '{}',
    '{"eventType":"a"}',
    '{"payload":{}}',
    '{"eventType":"a","payload":null}',
  ]) {
    assert.notDeepEqual(pointersOf(text), [], text)
  }
})

test('how long a payload is kept is said in days or in hours, not in both', () => {
  const day = 24 * 3_600_000
  const of = (said: string) => readMessage(`{"eventType":"a","payload":{},${said}}`).fact.keepPayload
  assert.equal(of('"payloadRetentionPeriod":5'), 5 * day)
  assert.equal(of('"payloadRetentionHours":5'), (5 * day) / 24)
  assert.equal(of('"payloadRetentionPeriod":null,"payloadRetentionHours":null'), undefined)
  assert.deepEqual(
    pointersOf('{"eventType":"a","payload":{},"payloadRetentionPeriod":5,"payloadRetentionHours":120}'),
    ['/payloadRetentionHours'],
  )
})

test('an eventId must not pass for an id of ours', () => {
  assert.deepEqual(pointersOf(`{"eventType":"a","payload":{},"eventId":"msg_${'0'.repeat(27)}"}`), ['/eventId'])
})

test('a raw payload stands in place of the payload, with its content type', () => {
  const raw = (params: object) =>
    readMessage(JSON.stringify({ eventType: 'a', payload: {}, transformationsParams: params })).fact
  assert.deepEqual(
    [raw({ rawPayload: '<a/>', headers: { 'content-type': 'text/xml' } })].map(({ payload, contentType }) => [
      payload,
      contentType,
    ]),
    [['<a/>', 'text/xml']],
  )
  assert.equal(raw({ rawPayload: ' {"a": 1.0}' }).contentType, null)
  assert.equal(raw({ rawPayload: ' {"a": 1.0}' }).payload, ' {"a": 1.0}')
  // Not JSON although nothing else was said: it must never be set into an answer as if it were.
  assert.equal(raw({ rawPayload: 'hello' }).contentType, 'application/json')
})

test('a raw payload cannot smuggle headers or break a line', () => {
  const of = (params: object) =>
    pointersOf(JSON.stringify({ eventType: 'a', payload: {}, transformationsParams: params }))
  assert.deepEqual(of({ rawPayload: 'x', headers: { 'content-type': 'a/b\r\nx: y' } }), [
    '/transformationsParams/headers/content-type',
  ])
  assert.deepEqual(of({ rawPayload: 'x', headers: { 'x-evil': 'y' } }), ['/transformationsParams/headers'])
  assert.deepEqual(of({ rawPayload: 'a\0b' }), ['/transformationsParams/rawPayload'])
  assert.deepEqual(of({ rawPayload: 5 }), ['/transformationsParams/rawPayload'])
})

test('the check by hand refuses exactly what the schema of the reference refuses', () => {
  const bySchema = checkOf(schemas.MessageIn)
  const label = fc.oneof(
    fc.constantFrom('a', 'a.b:c-d_e', '', 'ä', 'x y', 'x'.repeat(129)),
    fc.integer(),
    fc.constant(null),
  )
  const labels = fc.oneof(fc.array(label, { maxLength: 12 }), fc.constantFrom(null, undefined, 'a', {}))
  const body = fc.record({
    eventType: fc.oneof(fc.constantFrom('a', 'a.b/c', '', 'a b', undefined, null, 1, 'x'.repeat(257))),
    eventId: fc.constantFrom('e-1', '', 'e 1', null, undefined, 1),
    channels: labels,
    tags: labels,
    payload: fc.constantFrom({}, { a: 1 }, [], null, undefined, 'x', 1),
    payloadRetentionPeriod: fc.constantFrom(undefined, null, 1, 3_650, 3_651, 0, 1.5, '1'),
    application: fc.constantFrom(undefined, null, { name: 'a' }, { name: 1 }, 'x', []),
  })
  fc.assert(
    fc.property(body, (given) => {
      const text = JSON.stringify(given)
      assert.equal(pointersOf(text).length === 0, bySchema(JSON.parse(text), '').length === 0, text)
    }),
    { numRuns: 500 },
  )
})

test('a payload that is nested deeper than anybody writes is refused, and says why', () => {
  const text = (levels: number) => `{"eventType":"a","payload":{"a":${'['.repeat(levels)}${']'.repeat(levels)}}}`
  assert.ok(readMessage(text(998)).fact.payload.length > 1_996)
  assert.throws(() => readMessage(text(999)), { code: 'body-malformed', message: /deeper than 1000 levels/ })
})

test('a time is read by RFC 3339 alone, however many digits it has, and never guessed at', () => {
  const deliverAt = (time: string) =>
    readMessage(JSON.stringify({ eventType: 'a', payload: {}, deliverAt: time })).fact.deliverAt
  assert.equal(deliverAt('2026-11-23T21:04:43.0120967296Z'), Date.UTC(2026, 10, 23, 21, 4, 43, 12))
  assert.equal(deliverAt('2026-11-23 21:04:43.5+01:00'), Date.UTC(2026, 10, 23, 20, 4, 43, 500))
  assert.equal(deliverAt('0026-11-23 21:04:43z'), Date.parse('0026-11-23T21:04:43Z'))
  for (const time of [
    '2026-11-21 18:00:30+24:00',
    '2026-11-21T18:00:30-00:60',
    '2026-11-21T24:00:00Z',
    '2026',
    '2026-11-21',
  ]) {
    const text = JSON.stringify({ eventType: 'a', payload: {}, deliverAt: time })
    assert.deepEqual(pointersOf(text), ['/deliverAt'], time)
  }
})
