import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { batchBody } from './batch-body.ts'
import type { Message } from './message.ts'

type Sendable = Message & { readonly payload: string }
const message = (changes: Partial<Sendable> = {}): Sendable => ({
  ...{ id: 'msg_1', applicationId: 'app_1', eventType: 'invoice.paid', eventId: null, channels: null, tags: null },
  ...{ contentType: null, payload: '{}', acceptedAt: Date.UTC(2026, 0, 1), orderingKey: null },
  ...{ deliverAt: null, expiresAt: null, encoding: null, request: null, ...changes },
})

test('each message of a batch stands in it with its id, its type, when it was accepted, and its payload', () => {
  const body = batchBody([message(), message({ id: 'msg_2', eventType: 'user.created', payload: '{"n":1}' })])
  assert.equal(
    body,
    '[{"id":"msg_1","type":"invoice.paid","timestamp":"2026-01-01T00:00:00.000Z","payload":{}},' +
      '{"id":"msg_2","type":"user.created","timestamp":"2026-01-01T00:00:00.000Z","payload":{"n":1}}]',
  )
})

test('payloads go into a batch as they were spelled: long integers, 1.0, keys that stand twice, escapes, spaces', () => {
  const payload = '{ "id":12345678901234567890,\t"n":1.0, "e":1e3,"e":1E3, "s":"\\u0041\\/" }'
  const body = batchBody([message({ payload }), message({ payload })])
  assert.equal(body.split(payload).length, 3)
  JSON.parse(body)
})

test('a payload that need not be JSON stands in a batch as a string beside its content type', () => {
  for (const payload of ['<a href="x">\u2028</a>', '', '{"a":1', '"]', '\\']) {
    const [shown] = JSON.parse(batchBody([message({ payload, contentType: 'text/xml; q="1"' })]))
    assert.deepEqual([shown.payload, shown.contentType], [payload, 'text/xml; q="1"'])
  }
})

test('whatever the payloads, a batch is JSON and holds them in order', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.jsonValue(), fc.option(fc.string({ minLength: 1 }))), { minLength: 1, maxLength: 5 }),
      (items) => {
        const body = batchBody(
          items.map(([value, contentType]) => message({ payload: JSON.stringify(value), contentType })),
        )
        const shown = JSON.parse(body) as { payload: unknown }[]
        const texts = shown.map(({ payload }, at) =>
          items[at]?.[1] === null ? JSON.stringify(payload) : (payload as string),
        )
        assert.deepEqual(
          texts,
          items.map(([value]) => JSON.stringify(value)),
        )
      },
    ),
  )
})
