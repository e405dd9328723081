import assert from 'node:assert/strict'
import { createHmac, createSecretKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { test } from 'node:test'
import type { TokenAlgorithm } from '../../../domain/preset.ts'
import type { VerificationKey } from '../../../domain/verification-key.ts'
import { readToken, tokenIsSignedBy, tokenTime } from './token.ts'

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
const textOf = (header: unknown, claims: unknown = {}, signature = 'AAAA'): string =>
  `${part(header)}.${part(claims)}.${signature}`

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const shared = Buffer.from('a secret that both know')
const keys: Readonly<Record<string, VerificationKey & { readonly signer: KeyObject | Uint8Array }>> = {
  rsa: { kind: 'public', key: rsa.publicKey, signer: rsa.privateKey },
  ...Object.fromEntries(
    ['P-256', 'P-384', 'P-521'].map((namedCurve) => {
      const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve })
      return [namedCurve, { kind: 'public', key: publicKey, signer: privateKey }]
    }),
  ),
  ed25519: (({ publicKey, privateKey }) => ({ kind: 'public', key: publicKey, signer: privateKey }) as const)(
    generateKeyPairSync('ed25519'),
  ),
  shared: { kind: 'shared', key: createSecretKey(shared), bytes: shared, signer: shared },
}
const algorithms: Readonly<Record<TokenAlgorithm, readonly [hash: string | null, key: string]>> = {
  HS256: ['sha256', 'shared'],
  HS384: ['sha384', 'shared'],
  HS512: ['sha512', 'shared'],
  RS256: ['sha256', 'rsa'],
  RS384: ['sha384', 'rsa'],
  RS512: ['sha512', 'rsa'],
  ES256: ['sha256', 'P-256'],
  ES384: ['sha384', 'P-384'],
  ES512: ['sha512', 'P-521'],
  EdDSA: [null, 'ed25519'],
}

/** As well as this key can sign with the hash of that algorithm. */
function signatureBy(signer: KeyObject | Uint8Array, hash: string | null, signed: string): string {
  if (!('asymmetricKeyType' in signer))
    return createHmac(hash ?? 'sha256', signer)
      .update(signed)
      .digest('base64url')
  const own = signer.asymmetricKeyType === 'ed25519' ? null : (hash ?? 'sha256')
  return sign(own, Buffer.from(signed), { key: signer, dsaEncoding: 'ieee-p1363' }).toString('base64url')
}

test('an algorithm has one kind of key: with any other a token is wrong, however well it is signed, and nothing throws', () => {
  for (const [alg, [hash, right]] of Object.entries(algorithms)) {
    for (const [name, key] of Object.entries(keys)) {
      const signed = `${part({ alg })}.${part({})}`
      const token = readToken(`${signed}.${signatureBy(key.signer, hash, signed)}`)
      assert.ok(token)
      assert.equal(tokenIsSignedBy(token, key), name === right, `${alg} by ${name}`)
    }
  }
})

test('what has extensions that must be understood, parts too many or padded, or an algorithm that nobody knows, is no token', () => {
  const good = textOf({ alg: 'RS256' })
  assert.ok(readToken(good))
  const [head, body, end] = good.split('.')
  for (const text of [
    textOf({ alg: 'RS256', crit: ['b64'], b64: false }),
    textOf({ alg: 'none' }),
    textOf({ alg: 'none' }, {}, ''),
    textOf({ alg: 'toString' }),
    textOf({ alg: ['RS256'] }),
    textOf([]),
    textOf({ alg: 'RS256' }, []),
    `${good}.AAAA`,
    `${head}==.${body}.${end}`,
    `${head}.${body}.AA==`,
    `${head}.${body}.A!AA`,
  ]) {
    assert.equal(readToken(text), null, text)
  }
})

test('a token counts from a minute before its first moment until a minute after its last, and no longer', () => {
  const claims = { nbf: 1_000, exp: 2_000 }
  const token = readToken(textOf({ alg: 'RS256' }, claims)) ?? assert.fail('it is none')
  const kindAt = (now: number): string => tokenTime(token, now).kind
  assert.deepEqual([939_999, 940_000, 2_059_999, 2_060_000].map(kindAt), ['early', 'good', 'good', 'expired'])
})

test('a time in a token that is no number is refused, not passed over', () => {
  for (const claims of [{ exp: '9999999999' }, { nbf: '0' }, { exp: null }, { nbf: null }]) {
    const token = readToken(textOf({ alg: 'RS256' }, claims)) ?? assert.fail('it is none')
    assert.equal(tokenTime(token, 0).kind, 'malformed', JSON.stringify(claims))
  }
})
