import type { Attempt } from '../../domain/attempt.ts'
import type { DeliveryState } from '../../domain/delivery.ts'
import type { Endpoint } from '../../domain/endpoint.ts'
import type { AttemptId, EndpointId, MessageId } from '../../domain/ids.ts'
import type { Message } from '../../domain/message.ts'
import type { PageSearch } from '../../domain/page.ts'
import type { MessageFilter } from './message.ts'

export interface AttemptFilter extends MessageFilter {
  readonly settled: 'delivered' | 'failed' | 'canceled' | null
  /** 0 none, 100, 200 … 500. */
  readonly statusCodeClass: number | null
  readonly endpointId: EndpointId | null
}

export interface AttemptStore {
  find(messageId: MessageId, attemptId: AttemptId): Promise<Attempt | null>
  listByEndpoint(
    endpointId: EndpointId,
    filter: AttemptFilter,
    search: PageSearch,
  ): Promise<readonly { readonly attempt: Attempt; readonly message: Message | null }[]>
  listByMessage(messageId: MessageId, filter: AttemptFilter, search: PageSearch): Promise<readonly Attempt[]>
  /** The endpoints a message has been sent to or is waiting for, in order of their ids. */
  destinations(
    messageId: MessageId,
    search: PageSearch,
  ): Promise<readonly { readonly endpoint: Endpoint; readonly state: DeliveryState }[]>
  /** The messages an endpoint has seen, by latest attempt; `cursor` is that attempt's id. */
  attemptedMessages(
    endpointId: EndpointId,
    filter: MessageFilter & { readonly state: DeliveryState['kind'] | null },
    withPayload: boolean,
    search: PageSearch,
  ): Promise<readonly { readonly message: Message; readonly state: DeliveryState; readonly cursor: AttemptId }[]>
}
