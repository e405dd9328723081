// Whether a text can be a key of a source: so that a wrong paste is refused when it is given, not with the first request.
import { createPublicKey, type KeyObject } from 'node:crypto'
import type { Millis } from './ids.ts'
import type { Algorithm, KeyEncoding, Preset, Scheme } from './preset.ts'
import type { SourceSecret } from './source.ts'

/** A scheme whose key is, or may be, one of the source's secrets. */
const takesSecret = ({ key }: Scheme): boolean => key.from === 'secret' || key.from === 'certificate'

/** What is wrong with a text as a secret of this preset, null if nothing. Never repeats the text. */
export function keyFault(text: string, preset: Preset): string | null {
  // Where certificates are fetched, the owner can pin one instead.
  if (preset.secret === null && !preset.schemes.some(takesSecret)) return `is too much: ${preset.title} has no secret`
  if (text.trim() !== text && !text.includes('-----BEGIN ')) return 'has white space around it'
  const faults = preset.schemes.filter(takesSecret).map((scheme) => faultFor(text, scheme))
  // A secret that only challenges are answered with is no key of any scheme.
  return faults.length === 0 || faults.includes(null) ? null : (faults[0] ?? null)
}

function faultFor(text: string, { algorithm, key }: Scheme): string | null {
  if (key.from === 'certificate') return publicKeyFault(text, 'pem', algorithm)
  if (key.from !== 'secret') return null
  const { strip = '', required = false, except, encoding } = key
  const stripped = strip !== '' && text.startsWith(strip)
  if (required && !stripped) return `must begin with ${strip}`
  if (except !== undefined && text.startsWith(except)) return `must not begin with ${except}`
  const bare = stripped ? text.slice(strip.length) : text
  if (bare === '') return 'is empty'
  if (algorithm === 'basic') return bare.includes(':') ? null : 'must be user:password'
  switch (encoding) {
    case 'utf8':
      return null
    case 'hex':
      return /^(?:[0-9a-f]{2})+$/i.test(bare) ? null : 'must be hexadecimal digits, two for each byte'
    case 'base64':
      return isBase64(bare) ? null : `must be base64${strip === '' ? '' : `, usually after ${strip}`}`
    default:
      return publicKeyFault(bare, encoding, algorithm)
  }
}

const isBase64 = (text: string): boolean =>
  /^[A-Za-z0-9+/_-]+={0,2}$/.test(text) && Buffer.from(text, 'base64').length > 0

type PublicEncoding = Exclude<KeyEncoding, 'utf8' | 'hex' | 'base64'>
const spelled: Readonly<Record<PublicEncoding, string>> = {
  pem: 'a public key or a certificate in PEM (-----BEGIN …)',
  'spki-base64': 'a public key in base64 (SubjectPublicKeyInfo)',
  'raw-hex': 'the 32 bytes of an Ed25519 public key as 64 hexadecimal digits',
  'raw-base64': 'the 32 bytes of an Ed25519 public key in base64',
}
const isPublic = (encoding: KeyEncoding): encoding is PublicEncoding => encoding in spelled

const kinds: Partial<Readonly<Record<Algorithm, readonly string[]>>> = {
  ed25519: ['ed25519'],
  'ecdsa-p256-sha256': ['ec'],
  'rsa-sha1': ['rsa', 'rsa-pss'],
  'rsa-sha256': ['rsa', 'rsa-pss'],
}

function publicKeyFault(text: string, encoding: PublicEncoding, algorithm: Algorithm): string | null {
  if (text.includes('PRIVATE KEY')) return 'is a private key: give the public one, and replace this one at its owner'
  if (encoding === 'raw-hex') return /^[0-9a-f]{64}$/i.test(text) ? null : `must be ${spelled[encoding]}`
  if (encoding === 'raw-base64') {
    return isBase64(text) && Buffer.from(text, 'base64').length === 32 ? null : `must be ${spelled[encoding]}`
  }
  const key = readPublicKey(text, encoding)
  if (key === null) return `must be ${spelled[encoding]}`
  const wanted = kinds[algorithm]
  const kind = key.asymmetricKeyType ?? 'unknown'
  return wanted === undefined || wanted.includes(kind) ? null : `is a key of kind ${kind}; wanted is ${wanted[0]}`
}

function readPublicKey(text: string, encoding: 'pem' | 'spki-base64'): KeyObject | null {
  try {
    return encoding === 'pem'
      ? createPublicKey(text)
      : createPublicKey({ key: Buffer.from(text, 'base64'), format: 'der', type: 'spki' })
  } catch {
    return null
  }
}

type Kept = Pick<SourceSecret, 'value' | 'from' | 'until'>

const isAlive = ({ from, until }: Kept, now: Millis): boolean =>
  (from === null || from <= now) && (until === null || until > now)

/** Whether anything of a request is verified, now, with these secrets. `counting`: names of schemes; null: all. */
export function verifies(
  preset: Preset,
  counting: readonly string[] | null,
  secrets: readonly Kept[],
  now: Millis,
): boolean {
  const alive = secrets.filter((secret) => isAlive(secret, now))
  return preset.schemes.some((scheme) => {
    if (counting !== null && !counting.includes(scheme.name)) return false
    if (scheme.key.from !== 'secret') return true
    return alive.some(({ value }) => faultFor(value, scheme) === null)
  })
}

/** The provider's public key, where that is what the source's secrets are; null: there is none, or they are secret. */
export function publicKeyOf({ schemes }: Preset, secrets: readonly Kept[], now: Millis): string | null {
  const ofSecrets = schemes.filter(takesSecret)
  const allPublic = ofSecrets.every(
    ({ key }) => key.from === 'certificate' || (key.from === 'secret' && isPublic(key.encoding)),
  )
  if (ofSecrets.length === 0 || !allPublic) return null
  return secrets.findLast((secret) => isAlive(secret, now))?.value ?? null
}
