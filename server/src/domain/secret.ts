import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import type { Millis } from './ids.ts'
import { Problem } from './problem.ts'

/** What an endpoint signs with: the current secret and, while rotating, the ones before it, newest first. */
export interface EndpointSecrets {
  readonly current: string
  readonly former: readonly { readonly secret: string; readonly until: Millis }[]
}

/** `whsec`: HMAC-SHA256, shared with the receiver. `whsk`: Ed25519, of which the receiver gets only the public half. */
export type SecretKind = 'whsec' | 'whsk'

/** A secret or public key as bytes, or what is wrong with its text. */
export type ReadSecret =
  | { readonly kind: 'whsec'; readonly bytes: Uint8Array }
  | { readonly kind: 'whsk'; readonly seed: Uint8Array; readonly publicKey: Uint8Array }
  | { readonly kind: 'whpk'; readonly publicKey: Uint8Array }
  | { readonly kind: 'bad'; readonly fault: string }

const newSecretBytes = 32
const leastBytes = 24 // Standard Webhooks 1.0.0, "Signature scheme": between 24 and 64 bytes
const mostBytes = 64
const ed25519Bytes = 32 // RFC 8032 §5.1.5, both the seed and the public key
const mostFormers = 10 // each adds a signature to every request's header

// What DER puts before the 32 bytes of an Ed25519 key: RFC 8410 §7 (PKCS #8) and §4 (SubjectPublicKeyInfo).
const pkcs8Prefix = Buffer.from('302e020100300506032b657004220420', 'hex')
const spkiPrefix = Buffer.from('302a300506032b6570032100', 'hex')

/** The signing key of an Ed25519 seed (32 bytes). */
export const privateKeyOf = (seed: Uint8Array): KeyObject =>
  createPrivateKey({ key: Buffer.concat([pkcs8Prefix, seed]), format: 'der', type: 'pkcs8' })

/** The verifying key of 32 raw bytes. */
export const verifyingKeyOf = (publicKey: Uint8Array): KeyObject =>
  createPublicKey({ key: Buffer.concat([spkiPrefix, publicKey]), format: 'der', type: 'spki' })

const publicBytesOf = (seed: Uint8Array): Buffer =>
  createPublicKey(privateKeyOf(seed)).export({ format: 'der', type: 'spki' }).subarray(-ed25519Bytes)

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')

/** Makes a secret: 32 random bytes, which are the key itself (`whsec`) or the seed of a key pair (`whsk`). `randomBytes` must be cryptographically strong. */
export function newSecret(randomBytes: (size: number) => Uint8Array, kind: SecretKind = 'whsec'): string {
  const bytes = randomBytes(newSecretBytes)
  return `${kind}_${base64(kind === 'whsec' ? bytes : Buffer.concat([bytes, publicBytesOf(bytes)]))}`
}

/**
 * Reads `whsec_`, `whsk_`, `whpk_` or bare base64 (a `whsec_` whose prefix was left off). Base64 must be padded and
 * canonical: receivers' libraries disagree about any other spelling, and would then check with another key. A fault
 * never repeats the text.
 */
export function readSecret(text: string): ReadSecret {
  const [, prefix = 'whsec_', encoded = ''] = /^(whsec_|whsk_|whpk_)?(.*)$/s.exec(text) ?? []
  const bytes = Buffer.from(encoded, 'base64')
  if (encoded === '') return { kind: 'bad', fault: 'is empty' }
  if (bytes.toString('base64') !== encoded) {
    return { kind: 'bad', fault: 'is not whsec_, whsk_ or whpk_ followed by padded base64' }
  }
  if (prefix === 'whpk_') {
    if (bytes.length !== ed25519Bytes)
      return { kind: 'bad', fault: `holds ${bytes.length} bytes; a whpk_ public key has 32` }
    return { kind: 'whpk', publicKey: bytes }
  }
  if (prefix === 'whsk_') {
    if (bytes.length !== 2 * ed25519Bytes) {
      return {
        kind: 'bad',
        fault: `holds ${bytes.length} bytes; a whsk_ key pair has 64: the seed, then the public key`,
      }
    }
    const seed = bytes.subarray(0, ed25519Bytes)
    const publicKey = bytes.subarray(ed25519Bytes)
    if (!publicBytesOf(seed).equals(publicKey))
      return { kind: 'bad', fault: 'holds a public key that is not of its seed' }
    return { kind: 'whsk', seed, publicKey }
  }
  if (bytes.length < leastBytes || bytes.length > mostBytes) {
    return { kind: 'bad', fault: `holds ${bytes.length} bytes; a whsec_ secret has ${leastBytes} to ${mostBytes}` }
  }
  return { kind: 'whsec', bytes }
}

/**
 * The secret as it is kept: bare base64 gets its `whsec_`. Throws Problem `secret-invalid` at `pointer` for what cannot
 * sign, a public key among it.
 */
export function checkSecret(text: string, pointer: string): string {
  const read = readSecret(text)
  const fault = read.kind === 'bad' ? read.fault : read.kind === 'whpk' ? 'is a public key, which cannot sign' : null
  if (fault !== null) throw new Problem('secret-invalid', `The secret ${fault}.`, [{ pointer, message: fault }])
  return read.kind === 'whsec' && !text.startsWith('whsec_') ? `whsec_${text}` : text
}

/** What a receiver needs to check `v1a` signatures (`whpk_…`); null for a shared secret, which has no public half. */
export function publicKeyOf(secret: string): string | null {
  const read = readSecret(secret)
  return read.kind === 'whsk' ? `whpk_${base64(read.publicKey)}` : null
}

/**
 * Makes `next` the current secret; the one before signs beside it until `now + graceMs`. With no grace it stops at once,
 * so a leaked secret can always be replaced. Throws Problem `secret-invalid` when ten former secrets are still in their
 * grace: dropping one of them would break a promise already given.
 */
export function rotate(secrets: EndpointSecrets, next: string, now: Millis, graceMs: Millis): EndpointSecrets {
  const alive = secrets.former.filter(({ secret, until }) => until > now && secret !== next)
  if (next === secrets.current) return { current: next, former: alive }
  const former = graceMs > 0 ? [{ secret: secrets.current, until: now + graceMs }, ...alive] : alive
  if (former.length > mostFormers) {
    const message = `${mostFormers} former secrets still sign; wait until one lapses, or rotate without a grace period`
    throw new Problem('secret-invalid', `The secret was not rotated: ${message}.`, [{ pointer: '/key', message }])
  }
  return { current: next, former }
}

/** The secrets that sign at this moment, the current one first. */
export function secretsAt(secrets: EndpointSecrets, now: Millis): readonly string[] {
  return [secrets.current, ...secrets.former.filter(({ until }) => until > now).map(({ secret }) => secret)]
}
