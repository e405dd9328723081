import { createPublicKey } from 'node:crypto'
import { readJson } from '../../domain/read-json.ts'
import type { SetKey } from './verdict.ts'

const mostKeys = 100
// OpenSSL checks with no more than 16,384 bits. Of a longer key it cannot tell the details: what it says of that stays behind
// and is thrown at whoever reads a private key next (Node 26.10: `too small buffer`). An exponent has less than 256 bits
// (FIPS 186-5 §5.1); Node makes a BigInt of it bit by bit, of 3 kB with 14 MB of garbage.
const mostModulusBytes = 2_048
const mostExponentBytes = 32

/**
 * Reads a key set (RFC 7517). Null: it is none. What cannot be used to check a signature is left out: keys for encryption,
 * kinds we do not know, RSA below 2048 bits (RFC 7518 §3.3) or beyond 16,384, and shared secrets, which a public place
 * cannot hold.
 */
export function readKeySet(json: string): readonly SetKey[] | null {
  let set: unknown
  try {
    set = readJson(json)
  } catch {
    return null
  }
  if (typeof set !== 'object' || set === null || !('keys' in set) || !Array.isArray(set.keys)) return null
  return set.keys.slice(0, mostKeys).flatMap((one: unknown) => readKey(one) ?? [])
}

/** The keys of a set that may have made a signature with this algorithm under this `kid`; null: none was named. */
export const keysOf = (keys: readonly SetKey[], kid: string | null, alg: string): readonly SetKey[] =>
  keys.filter((one) => (kid === null || one.kid === kid) && (one.alg === null || one.alg === alg))

function readKey(jwk: unknown): SetKey | null {
  if (typeof jwk !== 'object' || jwk === null) return null
  const { kty, use, kid, alg, key_ops: operations, n, e } = jwk as Readonly<Record<string, unknown>>
  if (kty !== 'RSA' && kty !== 'EC' && kty !== 'OKP') return null
  if (use !== undefined && use !== 'sig') return null
  if (Array.isArray(operations) && !operations.includes('verify')) return null
  if (kty === 'RSA' && !(holdsAtMost(mostModulusBytes, n) && holdsAtMost(mostExponentBytes, e))) return null
  try {
    const key = createPublicKey({ key: jwk, format: 'jwk' })
    if (kty === 'RSA' && (key.asymmetricKeyDetails?.modulusLength ?? 0) < 2048) return null
    return { kid: typeof kid === 'string' ? kid : null, alg: typeof alg === 'string' ? alg : null, key }
  } catch {
    return null
  }
}

/** Whether it can be a number of so many bytes in base64url. */
const holdsAtMost = (bytes: number, encoded: unknown): boolean =>
  typeof encoded === 'string' && encoded.length <= Math.ceil((bytes * 4) / 3)
