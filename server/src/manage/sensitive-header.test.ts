import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isSensitiveHeader } from './sensitive-header.ts'

test('a header that usually carries a credential is not shown, any other is', () => {
  for (const name of [
    'Authorization',
    'authorization',
    'X-API-Key',
    'cookie',
    'x-auth-token',
    'X-Secret',
    'x_session',
    'x-apikey',
  ]) {
    assert.equal(isSensitiveHeader(name), true, name)
  }
  for (const name of ['x-tenant', 'x-monkey', 'accept', 'x-authority', 'user-agent', 'x-keyboard']) {
    assert.equal(isSensitiveHeader(name), false, name)
  }
})
