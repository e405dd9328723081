import type { Millis, SourceId } from '../../domain/ids.ts'
import type { Duplicate } from '../../domain/inbound.ts'
import type { Message } from '../../domain/message.ts'
import type { PageSearch } from '../../domain/page.ts'

/** A message of a source, with what became known of it there. */
export interface ReceivedMessage {
  readonly message: Message
  /** Of the body; null: it is gone. */
  readonly bytes: number | null
  readonly duplicates: number
  /** The latest of them. */
  readonly duplicate: Duplicate | null
}

export interface ReceivedFilter {
  readonly eventTypes: readonly string[] | null
  readonly before: Millis | null
  readonly after: Millis | null
}

/** Messages of sources, as they were received. */
export interface ReceivedStore {
  /** By id or `eventId`, with its payload. */
  find(sourceId: SourceId, idOrEventId: string): Promise<ReceivedMessage | null>
  /** Without payloads. */
  list(sourceId: SourceId, filter: ReceivedFilter, search: PageSearch): Promise<readonly ReceivedMessage[]>
}
