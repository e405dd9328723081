import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { ReceivedRequest } from './inbound.ts'
import { bodyOf, isJsonText, payloadOf } from './payload-text.ts'

const bytes = (text: string): Uint8Array => Buffer.from(text, 'utf8')

test('whatever bytes came, the same bytes come out again', () => {
  const texts = fc.string({ unit: 'binary' }).map(bytes)
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array(), texts, fc.json().map(bytes)), (body) => {
      const kept = payloadOf(body)
      assert.ok(bodyOf(kept).equals(body))
      assert.ok(!kept.payload.includes('\0'))
      assert.ok(kept.payload.isWellFormed())
      if (kept.encoding === null) JSON.parse(kept.payload)
    }),
  )
})

test('JSON stays as it is spelled, and everything that JSON.parse would not take is no JSON', () => {
  for (const text of ['{"a":1.0}', ' {"n":12345678901234567890}\n', '"text"', '0', 'null', '[]', '{"a":"\\ud800"}']) {
    assert.deepEqual(payloadOf(bytes(text)), { payload: text, encoding: null })
  }
  for (const text of [
    '',
    ' ',
    'a=1&b=2',
    '<a/>',
    '{"a":1',
    "{'a':1}",
    '\u{feff}{"a":1}',
    '\u00a0{}',
    'true false',
    'NaN',
    '01',
  ]) {
    assert.deepEqual(payloadOf(bytes(text)), { payload: text, encoding: 'text' })
  }
})

test('only what is known to be JSON is set into JSON as it is', () => {
  const request = { method: 'POST' } as ReceivedRequest
  const type = 'application/json; charset=utf-8'
  assert.ok(isJsonText({ contentType: null, encoding: null, request: null }))
  assert.ok(isJsonText({ contentType: type, encoding: null, request }))
  assert.ok(!isJsonText({ contentType: type, encoding: null, request: null }))
  assert.ok(!isJsonText({ contentType: null, encoding: 'text', request: null }))
  assert.ok(!isJsonText({ contentType: null, encoding: 'base64', request }))
})

test('what is no UTF-8, or has a NUL in it, is kept as base64', () => {
  for (const body of [[0xff], [0xed, 0xa0, 0x80], [0xc0, 0x80], [0x7b, 0x7d, 0x00], [0xf4, 0x90, 0x80, 0x80]]) {
    const kept = payloadOf(Uint8Array.from(body))
    assert.deepEqual(kept, { payload: Buffer.from(body).toString('base64'), encoding: 'base64' })
  }
})

test('a part of a larger buffer is kept without its neighbours', () => {
  const whole = new Uint8Array([1, 2, 0xff, 4, 5])
  assert.deepEqual([...bodyOf(payloadOf(whole.subarray(2, 4)))], [0xff, 4])
})

test('JSON that is nested deeper than a thousand levels is kept as a text that is no JSON', () => {
  const nested = (levels: number) => bytes('['.repeat(levels) + ']'.repeat(levels))
  assert.equal(payloadOf(nested(1_000)).encoding, null)
  assert.equal(payloadOf(nested(100_000)).encoding, 'text')
})
