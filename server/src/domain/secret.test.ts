import assert from 'node:assert/strict'
import { createPublicKey, randomBytes, sign, verify } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { Webhook } from 'standardwebhooks'
import vectors from '../../test/vectors/standard-webhooks.json' with { type: 'json' }
import { Problem } from './problem.ts'
import { checkSecret, type EndpointSecrets, newSecret, publicKeyOf, rotate, secretsAt } from './secret.ts'
import { privateKeyOf, readSecret } from './secret-text.ts'

const refusal = (text: string): Problem => {
  try {
    checkSecret(text, '/secret')
  } catch (error) {
    assert.ok(error instanceof Problem)
    return error
  }
  return assert.fail(`accepted ${text}`)
}
const pair = 'whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg=='
const publicKey = 'whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4='

test('secrets are accepted and refused as the vectors of the field say', () => {
  for (const { value, expect } of vectors.secret_validation_seen_in_svix) {
    if (expect.startsWith('accept')) assert.equal(checkSecret(value, '/secret'), value)
    else assert.equal(refusal(value).code, 'secret-invalid', value)
  }
})

test('a refusal points at the value, says what is wrong with it, and does not repeat it', () => {
  const said = (text: string): string => {
    const problem = refusal(text)
    assert.equal(problem.faults[0]?.pointer, '/secret')
    if (text.length > 8) assert.ok(!problem.message.includes(text.slice(6)))
    return problem.message
  }
  assert.match(said('whsec_bm90LXZhbGlkCg=='), /10 bytes.*24 to 64/)
  assert.match(said(publicKey), /public key/)
  assert.match(said('whsec_'), /empty/)
  assert.match(said(''), /empty/)
  assert.match(said(pair.slice(0, -4)), /bytes|base64/)
  assert.match(
    said(`whsk_${Buffer.concat([randomBytes(32), Buffer.from(publicKey.slice(5), 'base64')]).toString('base64')}`),
    /not of its seed/,
  )
  assert.match(said('whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD\n'), /base64/)
})

test('base64 that libraries read differently is refused: no padding, another alphabet, stray bits', () => {
  const bytes = Buffer.from('fb'.repeat(25), 'hex')
  const right = bytes.toString('base64')
  assert.equal(checkSecret(`whsec_${right}`, ''), `whsec_${right}`)
  assert.match(right, /\+.*w==$/)
  for (const other of [
    right.replace('==', ''),
    bytes.toString('base64url'),
    right.replace('w==', 'x=='),
    `${right} `,
    ` ${right}`,
  ]) {
    refusal(`whsec_${other}`)
  }
})

test('a secret of 24 to 64 bytes is accepted with and without its prefix, and kept with it', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 80 }), (bytes) => {
      const text = Buffer.from(bytes).toString('base64')
      if (bytes.length < 24 || bytes.length > 64) {
        refusal(text)
        refusal(`whsec_${text}`)
      } else {
        assert.equal(checkSecret(text, ''), `whsec_${text}`)
        assert.equal(checkSecret(`whsec_${text}`, ''), `whsec_${text}`)
      }
    }),
  )
})

test('a new shared secret holds the 32 random bytes and is one that receivers can build from', () => {
  const bytes = randomBytes(32)
  const secret = newSecret((size) => bytes.subarray(0, size))
  assert.equal(secret, `whsec_${bytes.toString('base64')}`)
  assert.equal(checkSecret(secret, ''), secret)
  assert.doesNotThrow(() => new Webhook(secret))
  assert.equal(publicKeyOf(secret), null)
})

test('a new key pair holds its seed and the public key that Node derives from it by another way', () => {
  const seed = randomBytes(32)
  const secret = newSecret(() => seed, 'whsk')
  assert.equal(checkSecret(secret, ''), secret)
  const held = Buffer.from(secret.slice(5), 'base64')
  assert.deepEqual(held.subarray(0, 32), seed)
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: held.subarray(32).toString('base64url') }
  const content = Buffer.from('anything')
  const signature = sign(null, content, privateKeyOf(seed))
  assert.ok(verify(null, content, createPublicKey({ key: jwk, format: 'jwk' }), signature))
})

test('the public half of a key pair is the one the vectors name', () => {
  assert.equal(publicKeyOf(pair), publicKey)
  assert.equal(readSecret(publicKey).kind, 'whpk')
})

test('a former secret signs beside the new one until its grace ends, and not at that moment', () => {
  const secrets = rotate({ current: 'whsec_old', former: [] }, 'whsec_new', 1_000, 500)
  assert.deepEqual(secretsAt(secrets, 1_000), ['whsec_new', 'whsec_old'])
  assert.deepEqual(secretsAt(secrets, 1_499), ['whsec_new', 'whsec_old'])
  assert.deepEqual(secretsAt(secrets, 1_500), ['whsec_new'])
})

test('without a grace period the old secret stops at once', () => {
  const secrets = rotate({ current: 'whsec_old', former: [] }, 'whsec_new', 1_000, 0)
  assert.deepEqual(secrets, { current: 'whsec_new', former: [] })
})

test('a secret never signs twice, also when it is rotated to itself or back', () => {
  const names = fc.constantFrom('a', 'b', 'c', 'd')
  const turns = fc.array(fc.record({ next: names, wait: fc.nat(100), grace: fc.nat(300) }), { maxLength: 30 })
  fc.assert(
    fc.property(turns, (steps) => {
      let now = 0
      let secrets: EndpointSecrets = { current: 'a', former: [] }
      for (const { next, wait, grace } of steps) {
        now += wait
        const before = secrets.current
        secrets = rotate(secrets, next, now, grace)
        const signing = secretsAt(secrets, now)
        assert.equal(signing[0], next)
        assert.equal(new Set(signing).size, signing.length)
        if (grace > 0) assert.ok(signing.includes(before))
        assert.ok(
          secrets.former.every(({ until }) => until > now),
          'lapsed ones are not kept',
        )
      }
    }),
  )
})

test('an eleventh former secret is refused rather than one dropped in its grace, but a leak can always be stopped', () => {
  let secrets: EndpointSecrets = { current: 'whsec_0', former: [] }
  for (let n = 1; n <= 10; n++) secrets = rotate(secrets, `whsec_${n}`, n, 1_000)
  assert.equal(secrets.former.length, 10)
  assert.throws(
    () => rotate(secrets, 'whsec_11', 11, 1_000),
    (error) => error instanceof Problem && /10 former secrets/.test(error.message),
  )
  assert.equal(rotate(secrets, 'whsec_11', 11, 0).current, 'whsec_11')
  assert.equal(rotate(secrets, 'whsec_11', 1_001, 1_000).former.length, 10)
})
