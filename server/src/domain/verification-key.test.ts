import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { describe, test } from 'node:test'
import type { Algorithm, KeyEncoding } from './preset.ts'
import { readKey } from './verification-key.ts'

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey
const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey
const ed = generateKeyPairSync('ed25519').publicKey
const pem = (key: typeof rsa) => key.export({ type: 'spki', format: 'pem' }).toString()
const raw = ed.export({ type: 'spki', format: 'der' }).subarray(-32)

const read = (algorithm: Algorithm, encoding: KeyEncoding, text: string, more: object = {}): string => {
  const key = readKey({ algorithm, key: { from: 'secret', encoding, ...more } }, text)
  return key.kind === 'bad' ? key.fault : key.kind
}

test('a shared secret is taken as its scheme spells it, and told what is wrong with it, never repeated', () => {
  assert.equal(read('hmac-sha256', 'utf8', 'ü'), 'key')
  assert.equal(read('hmac-sha256', 'utf8', ''), 'is empty')
  assert.equal(read('hmac-sha256', 'utf8', 'x_', { strip: 'x_' }), 'is empty')
  assert.equal(read('hmac-sha256', 'hex', '0aF'), 'is not hex')
  assert.equal(read('hmac-sha256', 'base64', 'a-_b'), 'is not base64')
  assert.equal(read('hmac-sha256', 'base64', '='), 'is not base64', 'it would be an empty key')
})

test('what its prefix says is for another scheme is for none of this', () => {
  assert.equal(read('hmac-sha256', 'base64', 'whpk_AAAA', { strip: 'whsec_', except: 'whpk_' }), 'other')
  assert.equal(read('ed25519', 'raw-base64', raw.toString('base64'), { strip: 'whpk_', required: true }), 'other')
  assert.equal(
    read('ed25519', 'raw-base64', `whpk_${raw.toString('base64')}`, { strip: 'whpk_', required: true }),
    'key',
  )
})

describe('a public key', () => {
  test('must be one, and of the kind that its algorithm needs', () => {
    assert.equal(read('ed25519', 'raw-hex', raw.toString('hex')), 'key')
    assert.match(read('ed25519', 'raw-hex', raw.toString('hex').slice(2)), /^is not the 32 bytes/)
    assert.match(read('ed25519', 'raw-hex', `${raw.toString('hex')}00`), /^is not the 32 bytes/)
    assert.equal(read('rsa-sha256', 'pem', `\n${pem(rsa)}\n`), 'key')
    assert.match(read('rsa-sha256', 'pem', pem(ed)), /^holds a key of kind ed25519, which is not for rsa-sha256$/)
    assert.match(read('ecdsa-p256-sha256', 'pem', pem(p384)), /kind ec, which is not for ecdsa-p256-sha256$/)
    assert.match(read('rsa-sha256', 'pem', 'whsec_abc'), /^is not a key or certificate in PEM$/)
    assert.match(read('ecdsa-p256-sha256', 'spki-base64', 'AAAA'), /^is not a public key in base64/)
  })
})
