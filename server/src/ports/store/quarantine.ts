import type { Millis, QuarantineId, SourceId } from '../../domain/ids.ts'
import type { PayloadEncoding, ReceivedRequest } from '../../domain/inbound.ts'
import type { PageSearch } from '../../domain/page.ts'

/** A request that was refused, kept apart from messages until somebody has looked at it or its time is over. */
export interface QuarantinedRequest {
  readonly id: QuarantineId
  readonly sourceId: SourceId
  readonly request: ReceivedRequest
  /** The body as a message would keep it; null where it was not asked for. */
  readonly payload: string | null
  readonly encoding: PayloadEncoding
  /** Of the body and of what is kept beside it. */
  readonly bytes: number
  /** Its sender was told that it is stored: only age and people take it, no cap does. */
  readonly acknowledged: boolean
}

/** How much is kept of one source's that nobody was promised to keep; what is over it goes, the oldest first. */
export interface QuarantineCaps {
  readonly count: number
  readonly bytes: number
}

export interface QuarantineStore {
  keep(rows: readonly QuarantinedRequest[], caps: QuarantineCaps): Promise<void>
  find(sourceId: SourceId, id: QuarantineId): Promise<QuarantinedRequest | null>
  /** Without payloads. */
  list(sourceId: SourceId, search: PageSearch): Promise<readonly QuarantinedRequest[]>
  /** The oldest behind `after`, with payloads, until either limit is reached; at least one where there is one. */
  oldest(
    sourceId: SourceId,
    after: QuarantineId | '',
    limit: number,
    bytes: number,
  ): Promise<readonly QuarantinedRequest[]>
  delete(sourceId: SourceId, ids: readonly QuarantineId[]): Promise<number>
  deleteAll(sourceId: SourceId): Promise<number>
  totals(sourceId: SourceId): Promise<{ readonly count: number; readonly bytes: number }>
  /** Removes up to `limit` that arrived before; resolves to how many there were. */
  sweep(before: Millis, limit: number): Promise<number>
}
