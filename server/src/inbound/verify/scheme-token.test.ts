import assert from 'node:assert/strict'
import { createHash, createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { check, now, presetOf, said, scheme, secretOf } from '../../../test/support/checked-request.ts'
import type { Scheme } from '../../domain/preset.ts'

const body = '{"id":"evt_1","ünï":1.0}'
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const ed = generateKeyPairSync('ed25519')
const pem = (key: KeyObject) => key.export({ type: 'spki', format: 'pem' }).toString()

const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
const token = (alg: string, claims: object, make: (signed: string) => Buffer, header: object = {}) => {
  const signed = `${part({ alg, ...header })}.${part(claims)}`
  return `${signed}.${make(signed).toString('base64url')}`
}
const hs =
  (key: string, hash = 'sha256') =>
  (text: string) =>
    createHmac(hash, key).update(text).digest()
const asymmetric = (hash: string | null, key: KeyObject) => (text: string) =>
  sign(hash, Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' })
const bearer = (more: Partial<Scheme> = {}): Scheme => {
  const { template: _, encoding: __, ...rest } = scheme({ algorithm: 'jwt', prefix: 'Bearer ' })
  const claims = {
    aud: [{ setting: 'audience' } as const],
    hash: [{ hash: 'sha256', of: [{ request: 'body' }], encoding: 'hex' } as const],
  }
  return {
    ...rest,
    jwt: { algorithms: ['HS256', 'HS512', 'RS256', 'ES256', 'EdDSA'], claims, withBody: ['hash'] },
    ...more,
  }
}
const good = {
  aud: ['x', 'me'],
  hash: createHash('sha256').update(body).digest('hex'),
  exp: now / 1000 + 60,
  nbf: now / 1000,
}
const by = (text: string, value: string, more: Partial<Scheme> = {}, sent: string = body) =>
  said(
    check(
      { headers: ['S', `Bearer ${text}`], body: sent },
      { preset: presetOf(bearer(more)), secrets: [secretOf(value)], settings: { values: { audience: 'me' } } },
    ),
  )
const withPem = { key: { from: 'secret', encoding: 'pem' } } as const

test('a token passes by each algorithm that the scheme lists', () => {
  assert.equal(by(token('HS256', good, hs('k3y')), 'k3y'), 'verified')
  assert.equal(by(token('HS512', good, hs('k3y', 'sha512')), 'k3y'), 'verified')
  assert.equal(by(token('RS256', good, asymmetric('sha256', rsa.privateKey)), pem(rsa.publicKey), withPem), 'verified')
  assert.equal(
    by(token('ES256', good, asymmetric('sha256', p256.privateKey)), pem(p256.publicKey), withPem),
    'verified',
  )
  assert.equal(by(token('EdDSA', good, asymmetric(null, ed.privateKey)), pem(ed.publicKey), withPem), 'verified')
  assert.equal(by(token('HS384', good, hs('k3y', 'sha384')), 'k3y'), 'signature-malformed', 'it is not listed')
})

test('a token chooses no weaker check than the scheme has', () => {
  const unsigned = token('none', good, () => Buffer.alloc(0))
  const anything: Partial<Scheme> = {
    jwt: { claims: {}, algorithms: ['HS256', 'RS256', 'ES256', 'none'] as ('HS256' | 'RS256' | 'ES256')[] },
  }
  assert.equal(by(unsigned, 'k3y', anything), 'signature-malformed')
  assert.equal(
    by(token('HS256', good, hs(pem(rsa.publicKey))), pem(rsa.publicKey), { ...withPem, ...anything }),
    'signature-wrong',
  )
  assert.equal(
    by(token('ES256', good, asymmetric('sha256', rsa.privateKey)), pem(rsa.publicKey), { ...withPem, ...anything }),
    'signature-wrong',
  )
  const byOther = token('RS256', good, asymmetric('sha256', p256.privateKey))
  assert.equal(by(byOther, pem(p256.publicKey), { ...withPem, ...anything }), 'signature-wrong')
  assert.equal(by(token('HS256', good, hs('k3y'), { crit: ['exp'] }), 'k3y'), 'signature-malformed')
  assert.equal(by(token('hs256', good, hs('k3y')), 'k3y'), 'signature-malformed')
})

test('what a token says must be so: signature, time, claims, body', () => {
  const signed = (claims: object) => token('HS256', claims, hs('k3y'))
  assert.equal(by(signed(good), 'other'), 'signature-wrong')
  assert.equal(by(signed({ ...good, exp: now / 1000 - 60 }), 'k3y'), 'stale')
  assert.equal(by(signed({ ...good, exp: now / 1000 - 59 }), 'k3y'), 'verified', 'clocks differ')
  assert.equal(by(signed({ ...good, nbf: now / 1000 + 61 }), 'k3y'), 'from-the-future')
  assert.equal(by(signed({ ...good, exp: 'never' }), 'k3y'), 'timestamp-malformed')
  assert.equal(by(signed({ ...good, aud: 'you' }), 'k3y'), 'claim-wrong')
  assert.equal(by(signed({ ...good, aud: undefined }), 'k3y'), 'claim-wrong')
  assert.equal(by(signed(good), 'k3y', {}, `${body} `), 'claim-wrong')
  assert.equal(by(signed(good), 'k3y', {}, ''), 'claim-wrong', 'a hash of a body that is gone')
  assert.equal(by(signed({ ...good, hash: undefined }), 'k3y', {}, ''), 'verified')
  assert.equal(by(signed({ ...good, hash: undefined }), 'k3y'), 'claim-wrong', 'a body that is not spoken of')
})

test('a token with any letter changed is refused', () => {
  const text = token('HS256', good, hs('k3y'))
  fc.assert(
    fc.property(fc.nat({ max: text.length - 1 }), fc.integer({ min: 0, max: 6 }), (at, bit) => {
      const changed = Buffer.from(text, 'latin1')
      changed[at] = (changed[at] ?? 0) ^ (1 << bit)
      assert.notEqual(by(changed.toString('latin1'), 'k3y'), 'verified')
    }),
    { numRuns: 300 },
  )
})
