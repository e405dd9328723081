import type { Millis } from './ids.ts'

/** What became of one try to send. A receiver that says 503 is not an error of ours: it is an outcome. */
export type Outcome =
  | ({ readonly kind: 'delivered'; readonly status: number } & Answer)
  /** The receiver answered, but not with 2xx. `retryAfterMs`: how long it asked us to wait. */
  | ({ readonly kind: 'refused'; readonly status: number; readonly retryAfterMs: Millis | null } & Answer)
  /** No whole answer: DNS, connection, TLS, timeout, or our own egress guard. `detail` is for people. */
  | {
      readonly kind: 'unreachable'
      readonly reason: UnreachableReason
      readonly detail: string
      readonly durationMs: Millis
    }

export type UnreachableReason = 'timeout' | 'dns' | 'connect' | 'tls' | 'reset' | 'blocked' | 'protocol'

interface Answer {
  readonly durationMs: Millis
  /** The response body for reading: lossy UTF-8, cut at 16 KiB. */
  readonly response: string
  readonly responseCut: boolean
}
