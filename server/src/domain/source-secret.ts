// The secrets of a source: which of them count now, what can be one, and whether anything is verified with them. How their
// text becomes a key is verification-key.ts.
import type { Millis } from './ids.ts'
import type { Preset, Scheme } from './preset.ts'
import type { SourceSecret } from './source.ts'
import { readKey } from './verification-key.ts'

/** Whether it counts then: `from` is its first moment, `until` the first after it. */
export const isValidAt = ({ from, until }: Pick<SourceSecret, 'from' | 'until'>, now: Millis): boolean =>
  (from === null || from <= now) && (until === null || now < until)

/**
 * Those that count then, what lasts longest first, and the newest first of what lasts alike: whatever we sign or answer
 * ourselves is under the first of them. One that was rotated away ends, one that was rotated back in may be old.
 */
export const currentSecrets = (secrets: readonly SourceSecret[], now: Millis): readonly SourceSecret[] =>
  secrets
    .filter((secret) => isValidAt(secret, now))
    .toSorted((a, b) => endOf(b) - endOf(a) || b.createdAt - a.createdAt)

const endOf = ({ until }: SourceSecret): Millis => until ?? Number.MAX_SAFE_INTEGER

/** A scheme whose key is, or may be, one of the source's secrets. */
const takesSecret = ({ key }: Scheme): boolean => key.from !== 'jwks'

/**
 * What is wrong with a text as a secret of this preset, null if nothing: so that a wrong paste is refused when it is given,
 * not with the first request. Never repeats the text.
 */
export function keyFault(text: string, preset: Preset): string | null {
  const { schemes, secret, title } = preset
  const ofSecrets = schemes.filter(takesSecret)
  // Where certificates are fetched, the owner can pin one instead.
  if (secret === null && ofSecrets.length === 0) return `cannot be: ${title} has no secret`
  if (text.trim() !== text && !text.includes('-----BEGIN ')) return 'has white space around it'
  // A secret that only challenges are answered with is no key of any scheme.
  if (ofSecrets.length === 0) return null
  if (ofSecrets.every(({ algorithm }) => algorithm === 'basic') && !text.includes(':')) return 'must be user:password'
  if (isPublic(ofSecrets) && text.includes('PRIVATE KEY')) {
    return 'is a private key: give the public one, and have this one replaced'
  }
  return secretFault(preset, null, text)
}

/**
 * Why a secret could never pass anything at this provider; null: it can. `names`: the schemes that count, null for all.
 */
export function secretFault(preset: Preset, names: readonly string[] | null, text: string): string | null {
  const schemes = preset.schemes.filter((scheme) => names?.includes(scheme.name) ?? true)
  const faults: string[] = []
  for (const scheme of schemes) {
    const read = readKey(scheme, text)
    if (read.kind === 'key') return null
    if (read.kind === 'bad') faults.push(read.fault)
  }
  if (schemes.length === 0) return null
  return faults[0] ?? `is none of the kind that ${preset.title} uses: ${preset.secret?.label ?? 'it has no secret'}`
}

const shared: ReadonlySet<string> = new Set(['utf8', 'hex', 'base64'])
const isPublic = (schemes: readonly Scheme[]): boolean =>
  schemes.every(({ key }) => key.from === 'certificate' || (key.from === 'secret' && !shared.has(key.encoding)))

type Held = Pick<SourceSecret, 'value'>

/**
 * Whether there is anything that requests are verified with. A secret whose time is over is such a thing: it lets nothing
 * pass, and it does not let everything pass either. `counting`: names of schemes; null: all.
 */
export function verifies(preset: Preset, counting: readonly string[] | null, secrets: readonly Held[]): boolean {
  return preset.schemes.some((scheme) => {
    if (counting !== null && !counting.includes(scheme.name)) return false
    if (scheme.key.from !== 'secret') return true
    return secrets.some(({ value }) => readKey(scheme, value).kind === 'key')
  })
}

/** The provider's public key, where that is what the source's secrets are; null: there is none, or they are secret. */
export function publicKeyOf({ schemes }: Preset, secrets: readonly Held[]): string | null {
  const ofSecrets = schemes.filter(takesSecret)
  return ofSecrets.length > 0 && isPublic(ofSecrets) ? (secrets.at(-1)?.value ?? null) : null
}
