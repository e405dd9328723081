import type { RefusalReason } from '../domain/inbound.ts'

/** What the check of a request came to, as far as it could be made with what is at hand. */
export type Verdict =
  | { readonly kind: 'verified'; readonly scheme: string; readonly secret: string | null }
  | { readonly kind: 'unverified'; readonly because: 'no-scheme' | 'no-secret' }
  /** `detail`: what was found, as a sentence. */
  | { readonly kind: 'refused'; readonly reason: RefusalReason; readonly detail: string }
  /** Everything else was right; to go on, this must be fetched first, and only from one of these hosts. */
  | { readonly kind: 'needs'; readonly wanted: Wanted }

/** A key that stands somewhere else. */
export interface Wanted {
  readonly as: 'certificate' | 'jwks'
  readonly url: string
  /** See `KeySource`. */
  readonly hosts: readonly string[]
}

/** Keys that have been fetched, by their URL: PEM of a certificate, or a key set as JSON text. */
export type FetchedKeys = ReadonlyMap<string, string>
