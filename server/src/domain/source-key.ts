// Whether a text can be a key of a source: so that a wrong paste is refused when it is given, not with the first request.
import type { Preset, Scheme } from './preset.ts'
import type { SourceSecret } from './source.ts'
import { readKey, secretFault } from './verification-key.ts'

/** A scheme whose key is, or may be, one of the source's secrets. */
const takesSecret = ({ key }: Scheme): boolean => key.from !== 'jwks'

/** What is wrong with a text as a secret of this preset, null if nothing. Never repeats the text. */
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
