import type { KeyObject, X509Certificate } from 'node:crypto'
import type { RefusalReason } from '../../domain/inbound.ts'

/** What the check of a request came to, as far as it could be made with what is at hand. */
export type Verdict =
  | { readonly kind: 'verified'; readonly scheme: string; readonly secret: string | null }
  | { readonly kind: 'unverified'; readonly because: 'no-scheme' | 'no-secret' }
  /** `detail`: what was found, as a sentence. */
  | { readonly kind: 'refused'; readonly reason: RefusalReason; readonly detail: string }
  /** Everything else was right; to go on, this must be fetched first, and only from one of these hosts. */
  | { readonly kind: 'needs'; readonly wanted: Wanted }

/**
 * A key that stands somewhere else. `hosts` and `pathEnds`: see `KeySource`. Whether the URL may be fetched at all
 * (`domain/outside-url.ts`) is seen before it is wanted: one that may not is a refusal.
 */
export type Wanted =
  | {
      readonly as: 'certificate'
      readonly url: string
      readonly hosts: readonly string[]
      readonly pathEnds?: string | undefined
    }
  /** `kid`: of the key within the set; null: any of it. */
  | { readonly as: 'jwks'; readonly url: string; readonly hosts: readonly string[]; readonly kid: string | null }

/** What has been fetched, by its URL. */
export type FetchedKeys = ReadonlyMap<string, FetchedKey>

export type FetchedKey =
  /** In the order of the file, the signer's own first; whether it is believed says `signerKey` of certificate.ts. */
  | { readonly as: 'certificate'; readonly certificates: readonly X509Certificate[] }
  | { readonly as: 'jwks'; readonly keys: readonly SetKey[] }

/** A public key of a set. */
export interface SetKey {
  readonly kid: string | null
  /** The one algorithm that it is for (RFC 7518); null: any of its kind. */
  readonly alg: string | null
  readonly key: KeyObject
}
