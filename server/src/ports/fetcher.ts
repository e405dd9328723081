import type { Millis } from '../domain/ids.ts'
import type { UnreachableReason } from '../domain/outcome.ts'

/** One request for something that stands elsewhere: a key, a confirmation. */
export interface FetchRequest {
  /** https; http only at a host that the operator has named in `POSTHORN_EGRESS_ALLOW`. */
  readonly url: string
  /** Usually GET. */
  readonly method?: 'GET' | 'POST'
  /** Flat name, value, name, value …. */
  readonly headers?: readonly string[]
  /** The whole of it, from the name's resolution to the last byte in. */
  readonly timeoutMs: Millis
  /** A longer answer is none. */
  readonly mostBytes: number
}

export type Fetched =
  /** Whatever its status; a redirect is an answer like any other and is not followed. */
  | {
      readonly kind: 'answered'
      readonly status: number
      readonly contentType: string | null
      readonly cacheControl: string | null
      readonly body: Uint8Array
    }
  /** No whole answer. `detail` is for people. */
  | { readonly kind: 'unreachable'; readonly reason: UnreachableReason; readonly detail: string }

/** Gets what stands elsewhere, behind the same guard as deliveries: only from addresses that it has passed. */
export interface Fetcher {
  /** Never rejects. */
  fetch(request: FetchRequest): Promise<Fetched>
  /** Ends what is under way and refuses the rest. */
  close(): Promise<void>
}
