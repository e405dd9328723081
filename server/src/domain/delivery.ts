import type { LeaseId, Millis } from './ids.ts'

/** Why a delivery has no due time: others with the same order key come first, or it is kept until somebody resends it. */
export type Held = 'behind' | 'parked'

/** `dueAt` of what is held is in the year 9999. */
export interface Waiting {
  readonly kind: 'waiting'
  /** Tries so far. */
  readonly attempts: number
  readonly dueAt: Millis
  readonly held: Held | null
  /** Not null: a node holds it in memory, and then `dueAt` is when its lease is over. */
  readonly lease: LeaseId | null
}

/** Where a message stands at an endpoint: waiting (for its first or a further try), or settled by its last attempt. */
export type DeliveryState =
  | Waiting
  | { readonly kind: 'delivered' }
  | { readonly kind: 'failed' }
  /** Ended without being sent: canceled or expired. */
  | { readonly kind: 'canceled' }

/** Why a message was not sent to an endpoint of its application, where nobody could tell later. */
export type Unsent = 'disabled' | `filter: ${string}`
