// How secrets and keys are spelled. Apart from what happens to an endpoint's secrets, so that signing and verifying load
// nothing else.
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'

/** A secret or public key as bytes, or what is wrong with its text. */
export type ReadSecret =
  | { readonly kind: 'whsec'; readonly bytes: Uint8Array }
  | { readonly kind: 'whsk'; readonly seed: Uint8Array; readonly publicKey: Uint8Array }
  | { readonly kind: 'whpk'; readonly publicKey: Uint8Array }
  | { readonly kind: 'bad'; readonly fault: string }

const leastBytes = 24 // Standard Webhooks 1.0.0, "Signature scheme": between 24 and 64 bytes
const mostBytes = 64
const ed25519Bytes = 32 // RFC 8032 §5.1.5, both the seed and the public key

// What DER puts before the 32 bytes of an Ed25519 key: RFC 8410 §7 (PKCS #8) and §4 (SubjectPublicKeyInfo).
const pkcs8Prefix = Buffer.from('302e020100300506032b657004220420', 'hex')
const spkiPrefix = Buffer.from('302a300506032b6570032100', 'hex')

/** The signing key of an Ed25519 seed (32 bytes). */
export const privateKeyOf = (seed: Uint8Array): KeyObject =>
  createPrivateKey({ key: Buffer.concat([pkcs8Prefix, seed]), format: 'der', type: 'pkcs8' })

/** The verifying key of 32 raw bytes. */
export const verifyingKeyOf = (publicKey: Uint8Array): KeyObject =>
  createPublicKey({ key: Buffer.concat([spkiPrefix, publicKey]), format: 'der', type: 'spki' })

/** The public half (32 bytes) of an Ed25519 seed. RFC 8032 §5.1.5. */
export const publicBytesOf = (seed: Uint8Array): Buffer =>
  createPublicKey(privateKeyOf(seed)).export({ format: 'der', type: 'spki' }).subarray(-ed25519Bytes)

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
