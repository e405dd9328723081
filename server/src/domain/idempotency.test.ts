import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readIdempotencyKey, repeatableAsk } from './idempotency.ts'
import { Problem } from './problem.ts'

test('a key means the same bare and as the quoted string of RFC 9651', () => {
  assert.equal(readIdempotencyKey('auto_8e03978e-40d5'), 'auto_8e03978e-40d5')
  assert.equal(readIdempotencyKey('"auto_8e03978e-40d5"'), 'auto_8e03978e-40d5')
  assert.equal(readIdempotencyKey('"a \\"b\\" \\\\"'), 'a "b" \\')
  assert.equal(readIdempotencyKey('x'.repeat(255)).length, 255)
})

test('what is empty, too long, not visible ASCII or two keys at once is refused', () => {
  for (const header of [
    '',
    '""',
    'x'.repeat(256),
    `"${'x'.repeat(256)}"`,
    'a b',
    'one, two',
    '"a',
    '"a\\n"',
    'é',
    'a\0',
  ]) {
    assert.throws(
      () => readIdempotencyKey(header),
      (error) => error instanceof Problem && error.code === 'idempotency-key-invalid',
      JSON.stringify(header.slice(0, 20)),
    )
  }
})

test('an ask is told by caller, method, path and key; query and body must be the same again', () => {
  const ask = repeatableAsk('key_1', 'POST', '/app?a=1', 'k', Buffer.from('{}'))
  assert.deepEqual(repeatableAsk('key_1', 'POST', '/app?a=1', 'k', Buffer.from('{}')), ask)
  for (const other of [
    repeatableAsk('key_2', 'POST', '/app?a=1', 'k', Buffer.from('{}')),
    repeatableAsk('key_1', 'POST', '/app/x?a=1', 'k', Buffer.from('{}')),
    repeatableAsk('key_1', 'POST', '/app?a=1', 'l', Buffer.from('{}')),
  ]) {
    assert.notEqual(other.id, ask.id)
  }
  for (const changed of [
    repeatableAsk('key_1', 'POST', '/app?a=2', 'k', Buffer.from('{}')),
    repeatableAsk('key_1', 'POST', '/app?a=1', 'k', Buffer.from('{ }')),
    repeatableAsk('key_1', 'POST', '/app?a=1', 'k', null),
  ]) {
    assert.equal(changed.id, ask.id)
    assert.notEqual(changed.fingerprint, ask.fingerprint)
  }
})
