import type { RepeatableAsk } from '../../domain/idempotency.ts'
import type { Millis } from '../../domain/ids.ts'
import type { SealedText } from '../../domain/seal.ts'

/** An answer to a POST that named an `Idempotency-Key`. */
export interface KeptAnswer extends RepeatableAsk {
  readonly status: number
  readonly sealedBody: SealedText | null
  readonly startedAt: Millis
  readonly until: Millis
}

/** What is known of an ask: nothing, so that it is whoever asked first who answers it; or that it is being, or was answered. */
export type BegunAnswer =
  | { readonly kind: 'begun' }
  | { readonly kind: 'running'; readonly fingerprint: string }
  | { readonly kind: 'answered'; readonly answer: KeptAnswer }

export interface AnswerStore {
  /** Marks it as being answered until then, unless it is, or was: of any number that begin at once, one does. */
  begin(ask: RepeatableAsk, now: Millis, until: Millis): Promise<BegunAnswer>
  /** It is not answered after all. */
  abandon(id: string): Promise<void>
  /** In the place of one that has lapsed. */
  keep(answer: KeptAnswer): Promise<void>
  /** Removes up to `limit` answers and publish keys whose time is over; resolves to how many there were. */
  sweepLapsed(now: Millis, limit: number): Promise<number>
}
