import {
  createHmac,
  createSecretKey,
  type KeyObject,
  sign as signWith,
  timingSafeEqual,
  verify as verifyWith,
} from 'node:crypto'
import { privateKeyOf, readSecret, verifyingKeyOf } from './secret-text.ts'

/** Signs for one endpoint. Keep it as long as the endpoint's secrets stay the same: making it costs more than using it. */
export interface Signer {
  /**
   * The value of `webhook-signature`: one signature for each secret, in their order. `atSeconds` is what goes out as
   * `webhook-timestamp`, a whole number; `body` are the exact bytes sent (text: its UTF-8).
   * Standard Webhooks 1.0.0, "Signature scheme".
   */
  sign(id: string, atSeconds: number, body: string | Uint8Array): string
}

type Sign = (prefix: string, body: string | Uint8Array) => string

const hmac = (key: KeyObject, prefix: string, body: string | Uint8Array): string => {
  const mac = createHmac('sha256', key)
  if (typeof body === 'string') return mac.update(prefix + body).digest('base64')
  return mac.update(prefix).update(body).digest('base64')
}

const contentOf = (prefix: string, body: string | Uint8Array): Buffer =>
  typeof body === 'string' ? Buffer.from(prefix + body) : Buffer.concat([Buffer.from(prefix), body])

function prepare(secret: string): Sign {
  const read = readSecret(secret)
  switch (read.kind) {
    case 'whsec': {
      const key = createSecretKey(read.bytes)
      return (prefix, body) => `v1,${hmac(key, prefix, body)}`
    }
    case 'whsk': {
      const key = privateKeyOf(read.seed)
      return (prefix, body) => `v1a,${signWith(null, contentOf(prefix, body), key).toString('base64')}`
    }
    case 'whpk':
      throw new Error('secret is a public key, which cannot sign')
    case 'bad':
      throw new Error(`secret ${read.fault}`)
  }
}

/** Prepares the keys once. Throws for secrets that `checkSecret` would not have let in, and for none at all. */
export function makeSigner(secrets: readonly string[]): Signer {
  const [first, ...more] = secrets.map(prepare)
  if (first === undefined) throw new Error('no secret to sign with')
  return {
    sign(id, atSeconds, body) {
      const prefix = `${id}.${atSeconds}.`
      let value = first(prefix, body)
      for (const sign of more) value += ` ${sign(prefix, body)}`
      return value
    },
  }
}

export interface SignedRequest {
  /** Secrets or public keys (`whsec_`, `whsk_`, `whpk_`) of which one must have signed. */
  readonly keys: readonly string[]
  /** The three headers as received; undefined where they were not. */
  readonly headers: {
    readonly id: string | undefined
    readonly timestamp: string | undefined
    readonly signature: string | undefined
  }
  readonly body: Uint8Array
  readonly nowSeconds: number
  /** How far the timestamp may be from now, either way. The reference libraries take 300; Infinity: any. */
  readonly toleranceSeconds: number
}

type SignatureVersion = 'v1' | 'v1a'

/** Whether a request is what it claims to be, or the first check that failed. */
export type Verdict =
  /** `key`: which of the keys signed it, from 0. */
  | { readonly kind: 'valid'; readonly version: SignatureVersion; readonly key: number }
  | { readonly kind: 'header-missing'; readonly header: 'webhook-id' | 'webhook-timestamp' | 'webhook-signature' }
  | { readonly kind: 'timestamp-malformed' }
  /** `bySeconds`: how far beyond the tolerance. */
  | { readonly kind: 'too-old'; readonly bySeconds: number }
  | { readonly kind: 'too-new'; readonly bySeconds: number }
  /** The header holds no `v1,…` or `v1a,…`. */
  | { readonly kind: 'no-known-version' }
  /** Signatures of a version that none of the keys can check: `v1` needs the shared secret, `v1a` a key pair or public key. */
  | { readonly kind: 'no-fitting-key'; readonly versions: readonly SignatureVersion[] }
  /** None of the signatures is by one of the keys over this id, timestamp and body. */
  | { readonly kind: 'signature-wrong' }

const wholeSeconds = /^\d{1,15}$/

/**
 * Checks a signed request in the order of the union above, in constant time where secrets are compared. A bad request
 * is a verdict; only an unusable key throws. Signatures of unknown versions are passed over.
 */
export function verify(request: SignedRequest): Verdict {
  const { id, timestamp, signature } = request.headers
  if (!id) return { kind: 'header-missing', header: 'webhook-id' }
  if (!timestamp) return { kind: 'header-missing', header: 'webhook-timestamp' }
  if (!signature) return { kind: 'header-missing', header: 'webhook-signature' }
  if (!wholeSeconds.test(timestamp)) return { kind: 'timestamp-malformed' }
  const age = request.nowSeconds - Number(timestamp)
  if (age > request.toleranceSeconds) return { kind: 'too-old', bySeconds: age - request.toleranceSeconds }
  if (-age > request.toleranceSeconds) return { kind: 'too-new', bySeconds: -age - request.toleranceSeconds }

  const claims = signature.split(' ').flatMap(claimOf)
  if (claims.length === 0) return { kind: 'no-known-version' }
  // The timestamp as it was sent: with leading zeros it is another text, and another signature.
  const prefix = `${id}.${timestamp}.`
  let fitting = 0
  for (const [key, secret] of request.keys.entries()) {
    const { version, check } = checkerOf(secret, prefix, request.body)
    for (const claim of claims) {
      if (claim.version !== version) continue
      fitting += 1
      if (check(claim.value)) return { kind: 'valid', version, key }
    }
  }
  if (fitting === 0) return { kind: 'no-fitting-key', versions: [...new Set(claims.map((claim) => claim.version))] }
  return { kind: 'signature-wrong' }
}

function claimOf(text: string): { readonly version: SignatureVersion; readonly value: string }[] {
  if (text.startsWith('v1,')) return [{ version: 'v1', value: text.slice(3) }]
  if (text.startsWith('v1a,')) return [{ version: 'v1a', value: text.slice(4) }]
  return []
}

function checkerOf(
  secret: string,
  prefix: string,
  body: Uint8Array,
): { readonly version: SignatureVersion; readonly check: (value: string) => boolean } {
  const read = readSecret(secret)
  if (read.kind === 'bad') throw new Error(`secret ${read.fault}`)
  if (read.kind === 'whsec') {
    const right = Buffer.from(hmac(createSecretKey(read.bytes), prefix, body))
    return {
      version: 'v1',
      check: (value) => {
        const claimed = Buffer.from(value)
        return claimed.length === right.length && timingSafeEqual(claimed, right)
      },
    }
  }
  const key = verifyingKeyOf(read.publicKey)
  const content = contentOf(prefix, body)
  return {
    version: 'v1a',
    check: (value) => {
      const claimed = Buffer.from(value, 'base64')
      return claimed.toString('base64') === value && verifyWith(null, content, key, claimed)
    },
  }
}
