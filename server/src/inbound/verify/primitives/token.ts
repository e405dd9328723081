import { createHmac, type KeyObject, sign, verify } from 'node:crypto'
import { decodeExactly } from '../../../domain/decode.ts'
import type { Millis } from '../../../domain/ids.ts'
import type { TokenAlgorithm } from '../../../domain/preset.ts'
import { readJson } from '../../../domain/read-json.ts'
import type { VerificationKey } from '../../../domain/verification-key.ts'
import { same } from './compare.ts'

type Members = Readonly<Record<string, unknown>>

/** A signed token in its compact form, taken apart but not believed. RFC 7515 §7.1, RFC 7519. */
export interface Token {
  readonly algorithm: TokenAlgorithm
  /** Which key its signer names; null: none. */
  readonly keyId: string | null
  readonly claims: Members
  /** What the signature is over. */
  readonly signed: string
  readonly signature: Uint8Array
}

/** Null: it is none, its algorithm is not known, or it has extensions that must be understood (`crit`) and are not. */
export function readToken(text: string): Token | null {
  const [head = '', body = '', end = '', ...more] = text.split('.')
  const header = membersOf(head)
  const claims = membersOf(body)
  const signature = decodeExactly(end, 'base64url')
  if (more.length > 0 || !header || !claims || !signature || end.includes('=') || 'crit' in header) return null
  const { alg, kid } = header
  if (typeof alg !== 'string' || !isKnown(alg)) return null
  return { algorithm: alg, keyId: typeof kid === 'string' ? kid : null, claims, signed: `${head}.${body}`, signature }
}

function membersOf(part: string): Members | null {
  const bytes = part.includes('=') ? null : decodeExactly(part, 'base64url')
  if (bytes === null) return null
  try {
    const value: unknown = readJson(bytes.toString('utf8'))
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : null
  } catch {
    return null
  }
}

// RFC 7518 §3.1 and RFC 8037. `none` is not among them, and each has one kind of key: a public key can never be taken for a
// shared secret.
const algorithms: Readonly<
  Record<TokenAlgorithm, { readonly hash: string | null; readonly type: string; readonly curve?: string }>
> = {
  HS256: { hash: 'sha256', type: 'shared' },
  HS384: { hash: 'sha384', type: 'shared' },
  HS512: { hash: 'sha512', type: 'shared' },
  RS256: { hash: 'sha256', type: 'rsa' },
  RS384: { hash: 'sha384', type: 'rsa' },
  RS512: { hash: 'sha512', type: 'rsa' },
  ES256: { hash: 'sha256', type: 'ec', curve: 'prime256v1' },
  ES384: { hash: 'sha384', type: 'ec', curve: 'secp384r1' },
  ES512: { hash: 'sha512', type: 'ec', curve: 'secp521r1' },
  EdDSA: { hash: null, type: 'ed25519' },
}

const isKnown = (text: string): text is TokenAlgorithm => Object.hasOwn(algorithms, text)

/** Whether a key, of whichever half, is one that the algorithm signs or checks with. */
export function isKeyFor(algorithm: TokenAlgorithm, key: KeyObject): boolean {
  const { type, curve } = algorithms[algorithm]
  if (key.type === 'secret') return type === 'shared'
  return key.asymmetricKeyType === type && (curve === undefined || key.asymmetricKeyDetails?.namedCurve === curve)
}

// JWS has the two numbers of ECDSA side by side, not in DER: RFC 7518 §3.4.
const dsaEncoding = 'ieee-p1363'

/** Whether the key has signed the token with the algorithm that it names. */
export function tokenIsSignedBy(token: Token, { key }: VerificationKey): boolean {
  const { algorithm, signed, signature } = token
  if (!isKeyFor(algorithm, key)) return false
  if (key.type === 'secret') return same(tokenSignature(algorithm, key, signed), signature)
  return verify(algorithms[algorithm].hash, Buffer.from(signed), { key, dsaEncoding }, signature)
}

/** What `key`, which is for the algorithm, signs `signed` with. */
export function tokenSignature(algorithm: TokenAlgorithm, key: KeyObject, signed: string): Buffer {
  const { hash } = algorithms[algorithm]
  if (hash !== null && key.type === 'secret') return createHmac(hash, key).update(signed).digest()
  return sign(hash, Buffer.from(signed), { key, dsaEncoding })
}

// Two machines' clocks; a minute is what libraries for tokens commonly allow.
const leewayMs = 60_000

export type TokenTime =
  | { readonly kind: 'good' }
  | { readonly kind: 'expired'; readonly byMs: Millis }
  | { readonly kind: 'early'; readonly byMs: Millis }
  | { readonly kind: 'malformed' }

/** Whether the token counts at that time. What it does not say does not bound it. RFC 7519 §4.1.4, §4.1.5. */
export function tokenTime({ claims }: Token, now: Millis): TokenTime {
  const { exp, nbf } = claims
  if (exp !== undefined && typeof exp !== 'number') return { kind: 'malformed' }
  if (nbf !== undefined && typeof nbf !== 'number') return { kind: 'malformed' }
  if (exp !== undefined && now >= exp * 1000 + leewayMs) return { kind: 'expired', byMs: now - exp * 1000 }
  if (nbf !== undefined && now < nbf * 1000 - leewayMs) return { kind: 'early', byMs: nbf * 1000 - now }
  return { kind: 'good' }
}

/** Whether a claim says this; of a list, as `aud` may be one, whether one item does. */
export function claims(token: Token, name: string, expected: Uint8Array): boolean {
  const value = Object.hasOwn(token.claims, name) ? token.claims[name] : undefined
  const said: readonly unknown[] = Array.isArray(value) ? value : [value]
  return said.some((one) => {
    if (typeof one !== 'string' && typeof one !== 'number' && typeof one !== 'boolean') return false
    return same(Buffer.from(String(one)), expected)
  })
}
