import type { Millis } from './ids.ts'
import { Problem } from './problem.ts'
import { publicBytesOf, readSecret } from './secret-text.ts'

/** What an endpoint signs with: the current secret and, while rotating, the ones before it, newest first. */
export interface EndpointSecrets {
  readonly current: string
  readonly former: readonly { readonly secret: string; readonly until: Millis }[]
}

/** `whsec`: HMAC-SHA256, shared with the receiver. `whsk`: Ed25519, of which the receiver gets only the public half. */
export type SecretKind = 'whsec' | 'whsk'

const newSecretBytes = 32
const mostFormers = 10 // each adds a signature to every request's header

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')

/** Makes a secret: 32 random bytes, which are the key itself (`whsec`) or the seed of a key pair (`whsk`). `randomBytes` must be cryptographically strong. */
export function newSecret(randomBytes: (size: number) => Uint8Array, kind: SecretKind = 'whsec'): string {
  const bytes = randomBytes(newSecretBytes)
  return `${kind}_${base64(kind === 'whsec' ? bytes : Buffer.concat([bytes, publicBytesOf(bytes)]))}`
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
