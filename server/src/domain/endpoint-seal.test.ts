import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { openHeaders, openSecrets, sealHeaders, sealSecrets } from './endpoint-seal.ts'

const masterKey = randomBytes(32)
const secrets = { current: 'whsec_a', former: [{ secret: 'whsec_b', until: 7 }] }

test('secrets and headers open to what was sealed', () => {
  const sealedSecrets = sealSecrets(masterKey, 'ep_1', secrets, randomBytes(12))
  const sealedHeaders = sealHeaders(masterKey, 'ep_1', { a: 'ü' }, randomBytes(12))
  assert.deepEqual(openSecrets(masterKey, { id: 'ep_1', sealedSecrets }), secrets)
  assert.deepEqual(openHeaders(masterKey, { id: 'ep_1', sealedHeaders }), { a: 'ü' })
  assert.doesNotMatch(sealedSecrets, /whsec/)
})

test("one endpoint's secrets do not open at another, nor as headers, nor under another key", () => {
  const sealed = sealSecrets(masterKey, 'ep_1', secrets, randomBytes(12))
  assert.throws(() => openSecrets(masterKey, { id: 'ep_2', sealedSecrets: sealed }))
  assert.throws(() => openHeaders(masterKey, { id: 'ep_1', sealedHeaders: sealed }))
  assert.throws(() => openSecrets(randomBytes(32), { id: 'ep_1', sealedSecrets: sealed }))
})
