import type { Unsent } from '../../domain/delivery.ts'
import type { ApplicationId, EndpointId, MessageId, Millis } from '../../domain/ids.ts'
import type { Message } from '../../domain/message.ts'
import type { PageSearch } from '../../domain/page.ts'

export interface MessageFilter {
  readonly channel: string | null
  readonly tag: string | null
  readonly eventTypes: readonly string[] | null
  readonly before: Millis | null
  readonly after: Millis | null
}

export interface MessageStore {
  /** By id or by the caller's `eventId`. */
  find(applicationId: ApplicationId, idOrEventId: string, withPayload: boolean): Promise<Message | null>
  /** See `NewMessage.unsent`. */
  unsent(applicationId: ApplicationId, id: MessageId): Promise<Readonly<Record<EndpointId, Unsent>>>
  list(
    applicationId: ApplicationId,
    filter: MessageFilter,
    withPayload: boolean,
    search: PageSearch,
  ): Promise<readonly Message[]>
}
