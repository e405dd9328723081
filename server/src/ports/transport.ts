import type { Millis } from '../domain/ids.ts'
import type { Outcome } from '../domain/outcome.ts'

/** One signed request, ready to go. */
export interface OutgoingRequest {
  readonly method: string
  readonly url: string
  /** Flat name, value, name, value …: the form that costs least on the way out. */
  readonly headers: readonly string[]
  readonly body: string | Uint8Array
  /** The whole try, from the first byte out to the last byte in. */
  readonly timeoutMs: Millis
}

/** Code that sends to one kind of destination. It decides nothing: what an outcome means is the domain's business. */
export interface Transport {
  /** Never rejects: whatever happens is an outcome. `onFirstByte` is called when the request's bytes are handed to the wire. */
  send(request: OutgoingRequest, onFirstByte?: () => void): Promise<Outcome>
  /** Ends idle connections and refuses further sends. */
  close(): Promise<void>
}
