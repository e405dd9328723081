import { createPublicKey, createSecretKey, type KeyObject } from 'node:crypto'
import { decode } from './decode.ts'
import type { Algorithm, KeyEncoding, Scheme } from './preset.ts'
import { verifyingKeyOf } from './secret-text.ts'

/** What requests are checked with. */
export type VerificationKey =
  | { readonly kind: 'shared'; readonly key: KeyObject; readonly bytes: Uint8Array }
  | { readonly kind: 'public'; readonly key: KeyObject }

/** `other`: it is meant for another scheme. A fault never repeats the text. */
export type ReadKey =
  | { readonly kind: 'key'; readonly key: VerificationKey }
  | { readonly kind: 'other' }
  | { readonly kind: 'bad'; readonly fault: string }

const keyTypes: Partial<Record<Algorithm, readonly string[]>> = {
  ed25519: ['ed25519'],
  'ecdsa-p256-sha256': ['ec'],
  'rsa-sha1': ['rsa'],
  'rsa-sha256': ['rsa'],
  jwt: ['rsa', 'ec', 'ed25519'],
}

/** Whether a public key is of the kind that the algorithm needs. */
export const fitsAlgorithm = (key: KeyObject, algorithm: Algorithm): boolean =>
  keyTypes[algorithm]?.includes(key.asymmetricKeyType ?? '') === true &&
  (algorithm !== 'ecdsa-p256-sha256' || key.asymmetricKeyDetails?.namedCurve === 'prime256v1')

/** Reads the text of a secret as a key of this scheme. Schemes that fetch their keys take a certificate or key in PEM instead. */
export function readKey(scheme: Pick<Scheme, 'algorithm' | 'key'>, text: string): ReadKey {
  const source = scheme.key
  if (source.from === 'jwks') return { kind: 'other' }
  if (source.from === 'certificate') return readPublic(scheme.algorithm, 'pem', text)
  const { strip, except, required } = source
  if (except !== undefined && text.includes(except)) return { kind: 'other' }
  const stripped = strip !== undefined && text.startsWith(strip) ? text.slice(strip.length) : null
  if (required && stripped === null) return { kind: 'other' }
  const encoded = stripped ?? text
  if (encoded === '') return { kind: 'bad', fault: 'is empty' }
  const { encoding } = source
  if (encoding !== 'utf8' && encoding !== 'hex' && encoding !== 'base64') {
    return readPublic(scheme.algorithm, encoding, encoded)
  }
  const bytes = encoding === 'utf8' ? Buffer.from(encoded) : decode(encoded, encoding)
  if (bytes === null || bytes.length === 0) return { kind: 'bad', fault: `is not ${encoding}` }
  return { kind: 'key', key: { kind: 'shared', key: createSecretKey(bytes), bytes } }
}

const spelling = {
  pem: 'a key or certificate in PEM',
  'spki-base64': 'a public key in base64 (SubjectPublicKeyInfo)',
  'raw-hex': 'the 32 bytes of an Ed25519 public key in hex',
  'raw-base64': 'the 32 bytes of an Ed25519 public key in base64',
}

function readPublic(
  algorithm: Algorithm,
  encoding: Exclude<KeyEncoding, 'utf8' | 'hex' | 'base64'>,
  text: string,
): ReadKey {
  let key: KeyObject | null
  try {
    key = decodedPublic(encoding, text)
  } catch {
    key = null
  }
  if (key === null) return { kind: 'bad', fault: `is not ${spelling[encoding]}` }
  if (!fitsAlgorithm(key, algorithm)) {
    return { kind: 'bad', fault: `holds a key of kind ${key.asymmetricKeyType}, which is not for ${algorithm}` }
  }
  return { kind: 'key', key: { kind: 'public', key } }
}

/** Null or a throw: it is none. */
function decodedPublic(encoding: Exclude<KeyEncoding, 'utf8' | 'hex' | 'base64'>, text: string): KeyObject | null {
  if (encoding === 'pem') return createPublicKey(text)
  const bytes = decode(text.trim(), encoding === 'raw-hex' ? 'hex' : 'base64')
  if (bytes === null) return null
  if (encoding === 'spki-base64') return createPublicKey({ key: bytes, format: 'der', type: 'spki' })
  return bytes.length === 32 ? verifyingKeyOf(bytes) : null
}
