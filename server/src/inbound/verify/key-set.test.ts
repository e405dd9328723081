import assert from 'node:assert/strict'
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { test } from 'node:test'
import { publicBytesOf } from '../../domain/secret-text.ts'
import { keysOf, readKeySet } from './key-set.ts'

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const weak = generateKeyPairSync('rsa', { modulusLength: 1024 })
const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const ed25519 = generateKeyPairSync('ed25519')
const jwk = (key: KeyObject, more: object = {}) => ({ ...key.export({ format: 'jwk' }), ...more })
const set = (...keys: readonly unknown[]) => readKeySet(JSON.stringify({ keys }))

test('the public keys of a set are read, of each kind that signs', () => {
  const keys = set(
    jwk(rsa.publicKey, { kid: 'a', alg: 'RS256', use: 'sig', x5c: ['ignored'] }),
    jwk(p256.publicKey, { kid: 'b', key_ops: ['verify'] }),
    jwk(ed25519.publicKey),
  )
  assert.deepEqual(
    keys?.map(({ kid, alg, key }) => [kid, alg, key.asymmetricKeyType, key.type]),
    [
      ['a', 'RS256', 'rsa', 'public'],
      ['b', null, 'ec', 'public'],
      [null, null, 'ed25519', 'public'],
    ],
  )
  assert.ok(keys?.[0]?.key.equals(rsa.publicKey))
})

test('a key that cannot or must not check signatures is left out, and does not spoil the others', () => {
  const secret = { kty: 'oct', k: Buffer.alloc(32, 1).toString('base64url'), alg: 'HS256' }
  const keys = set(
    secret,
    jwk(weak.publicKey),
    jwk(rsa.publicKey, { use: 'enc' }),
    jwk(rsa.publicKey, { key_ops: ['encrypt'] }),
    { kty: 'RSA', n: 'x' },
    { kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA' },
    jwk(generateKeyPairSync('ml-dsa-44').publicKey),
    { kty: 'NEW' },
    null,
    'text',
    [],
    jwk(p256.publicKey, { kid: 7, alg: ['RS256'] }),
  )
  assert.deepEqual(
    keys?.map(({ kid, alg, key }) => [kid, alg, key.asymmetricKeyType]),
    [[null, null, 'ec']],
  )
})

test('an RSA key beyond what can check a signature is left out, and disturbs nobody who reads a private key next', () => {
  const number = (bytes: number) => Buffer.alloc(bytes, 0xff).toString('base64url')
  const longest = { kty: 'RSA', n: number(2_048), e: 'AQAB' }
  assert.equal(set(longest)?.[0]?.key.asymmetricKeyDetails?.modulusLength, 16_384)
  for (const more of [
    { n: number(2_049) },
    { n: number(300_000) },
    { e: number(33) },
    { e: number(3_000) },
    { n: 7 },
  ]) {
    assert.deepEqual(set({ ...longest, ...more }), [])
    assert.equal(publicBytesOf(Buffer.alloc(32)).length, 32)
  }
})

test('what is not a set is none, and an empty one is one', () => {
  for (const text of ['', '{', '[]', 'null', '{}', '{"keys":{}}', '"keys"', '<html>'])
    assert.equal(readKeySet(text), null, text)
  assert.deepEqual(set(), [])
})

test('of a set of thousands, a hundred are read', () => {
  assert.equal(set(...Array.from({ length: 3000 }, () => jwk(ed25519.publicKey)))?.length, 100)
})

test('keys are chosen by name and by what they are for', () => {
  const keys = set(
    jwk(rsa.publicKey, { kid: 'a', alg: 'RS256' }),
    jwk(p256.publicKey, { kid: 'b' }),
    jwk(ed25519.publicKey, { kid: 'b' }),
  )
  assert.ok(keys)
  assert.deepEqual(keysOf(keys, 'a', 'RS256'), [keys[0]])
  assert.deepEqual(keysOf(keys, 'a', 'RS512'), [])
  assert.deepEqual(keysOf(keys, 'b', 'ES256'), [keys[1], keys[2]])
  assert.deepEqual(keysOf(keys, null, 'RS256'), keys)
  assert.deepEqual(keysOf(keys, 'c', 'RS256'), [])
})
