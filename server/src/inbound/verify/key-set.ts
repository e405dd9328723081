import { createPublicKey } from 'node:crypto'
import { readJson } from '../../domain/read-json.ts'
import type { SetKey } from './verdict.ts'

const mostKeys = 100

/**
 * Reads a key set (RFC 7517). Null: it is none. What cannot be used to check a signature is left out: keys for encryption,
 * kinds we do not know, RSA below 2048 bits (RFC 7518 §3.3), and shared secrets, which a public place cannot hold.
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
  const { kty, use, kid, alg, key_ops: operations } = jwk as Readonly<Record<string, unknown>>
  if (kty !== 'RSA' && kty !== 'EC' && kty !== 'OKP') return null
  if (use !== undefined && use !== 'sig') return null
  if (Array.isArray(operations) && !operations.includes('verify')) return null
  try {
    const key = createPublicKey({ key: jwk, format: 'jwk' })
    if (kty === 'RSA' && (key.asymmetricKeyDetails?.modulusLength ?? 0) < 2048) return null
    return { kid: typeof kid === 'string' ? kid : null, alg: typeof alg === 'string' ? alg : null, key }
  } catch {
    return null
  }
}
