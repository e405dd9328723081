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

export interface AnswerStore {
  find(id: string): Promise<KeptAnswer | null>
  /** In the place of one that has lapsed. */
  keep(answer: KeptAnswer): Promise<void>
  /** Removes up to `limit` answers and publish keys whose time is over; resolves to how many there were. */
  sweepLapsed(now: Millis, limit: number): Promise<number>
}
