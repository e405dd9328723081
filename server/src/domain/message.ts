import type { ApplicationId, MessageId, Millis } from './ids.ts'
import type { PayloadEncoding, ReceivedRequest } from './inbound.ts'

/** One accepted fact. */
export interface Message {
  readonly id: MessageId
  readonly applicationId: ApplicationId
  readonly eventType: string
  /** The caller's own id for it, unique in the application. */
  readonly eventId: string | null
  readonly channels: readonly string[] | null
  readonly tags: readonly string[] | null
  /** Null: `application/json`. */
  readonly contentType: string | null
  /** The payload as the caller spelled it: UTF-8 text, never parsed and printed again. Null where it was not asked for. */
  readonly payload: string | null
  readonly encoding: PayloadEncoding
  readonly acceptedAt: Millis
  /** Messages with the same key reach endpoints that want an order one after the other. */
  readonly orderingKey: string | null
  /** Not sent before; null: at once. */
  readonly deliverAt: Millis | null
  /** Not sent any more from then on; null: as its endpoints say. */
  readonly expiresAt: Millis | null
  /** What came beside the payload, where it came to a source; null where it was published, or was not asked for. */
  readonly request: ReceivedRequest | null
}
