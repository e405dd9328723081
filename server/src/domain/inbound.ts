import type { Millis } from './ids.ts'

/** A request of a third party as it arrived; nothing of it is decoded, sorted or mended. */
export interface InboundRequest {
  readonly method: string
  /** The request target as it stood in the request line. */
  readonly target: string
  /** Name, value, name, value …: in their order, with repeats, in the case they came in. Bytes as Latin-1. */
  readonly headers: readonly string[]
  /** The address at the other end of the connection. */
  readonly peer: string
  /** The address of whoever began it, as the trusted proxies tell; without any, the peer. */
  readonly client: string
  readonly body: Uint8Array
  readonly receivedAt: Millis
}

export type RefusalReason =
  | 'signature-missing'
  | 'signature-malformed'
  | 'signature-wrong'
  | 'timestamp-missing'
  | 'timestamp-malformed'
  | 'stale'
  | 'from-the-future'
  | 'claim-wrong'
  | 'address-not-allowed'
  /** There is nothing to verify it with, and the source lets nothing pass unverified. */
  | 'unverifiable'
  /** Verified, but not what the source's schema wants. */
  | 'schema-violated'

/** What the check of a request came to. */
export type Verification =
  /** `secret`: id of the one that passed; null where no secret of the source was used. */
  | { readonly kind: 'verified'; readonly scheme: string; readonly secret: string | null }
  /** There is nothing to verify with: the provider does not sign, or the source has no secret yet. */
  | { readonly kind: 'unverified'; readonly because: 'no-scheme' | 'no-secret' }
  /** `explanation`: sentences for a person, the most helpful first. */
  | { readonly kind: 'refused'; readonly reason: RefusalReason; readonly explanation: readonly string[] }

export type Refusal = Extract<Verification, { readonly kind: 'refused' }>

/** What is kept of a request beside its body. */
export interface ReceivedRequest extends Omit<InboundRequest, 'body'> {
  readonly verification: Verification
}

/** How the text of a payload stands for the bytes that came. Null: it is JSON. `text`: UTF-8 that is not JSON. */
export type PayloadEncoding = 'text' | 'base64' | null

/** The request that repeated a message, the latest if there were several. */
export interface Duplicate {
  readonly receivedAt: Millis
  readonly peer: string
  /** What the provider says of its retry. */
  readonly retryNumber: string | null
  readonly retryReason: string | null
}
