import type { Unsent } from '../../domain/delivery.ts'
import { type ApplicationId, type EndpointId, isId, type MessageId } from '../../domain/ids.ts'
import type { PayloadEncoding, ReceivedRequest } from '../../domain/inbound.ts'
import type { Message } from '../../domain/message.ts'
import type { PageSearch } from '../../domain/page.ts'
import type { MessageFilter, MessageStore } from '../../ports/store.ts'
import { type Db, first } from '../db.ts'
import { messageFilterCondition, messageFilterParameters, passesEveryMessage } from './message-filter.ts'
import { pagesBy, pageText, timedPageParameters } from './page.ts'
import type { Queries } from './queries.ts'

export type MessageRow = {
  readonly message_id: MessageId
  readonly application_id: ApplicationId
  readonly event_type: string
  readonly event_id: string | null
  readonly channels: string | null
  readonly tags: string | null
  readonly content_type: string | null
  readonly payload: string | null
  readonly encoding: PayloadEncoding
  readonly request: string | null
  readonly accepted_at: number
  readonly ordering_key: string | null
  readonly deliver_at: number | null
  readonly expires_at: number | null
}

/** What `messageOf` reads, for a select from `message` beside other tables. Without payloads, they are not even read. */
export const messageColumns = (withPayload: boolean, withRequest = withPayload): string =>
  `message.id as message_id, message.application_id as application_id, message.event_type as event_type,
   message.event_id as event_id, message.channels as channels, message.tags as tags,
   message.content_type as content_type, ${withPayload ? 'message.payload' : 'null'} as payload,
   message.encoding as encoding, ${withRequest ? 'message.request' : 'null'} as request,
   message.accepted_at as accepted_at, message.ordering_key as ordering_key, message.deliver_at as deliver_at,
   message.expires_at as expires_at`

export const messageOf = (row: MessageRow): Message => ({
  id: row.message_id,
  applicationId: row.application_id,
  eventType: row.event_type,
  eventId: row.event_id,
  channels: row.channels === null ? null : (JSON.parse(row.channels) as readonly string[]),
  tags: row.tags === null ? null : (JSON.parse(row.tags) as readonly string[]),
  contentType: row.content_type,
  payload: row.payload,
  encoding: row.encoding,
  request: row.request === null ? null : (JSON.parse(row.request) as ReceivedRequest),
  acceptedAt: row.accepted_at,
  orderingKey: row.ordering_key,
  deliverAt: row.deliver_at,
  expiresAt: row.expires_at,
})

const texts = (withPayload: boolean) => {
  const select = `select ${messageColumns(withPayload)} from message where message.application_id = :applicationId`
  const page = `${select} and message.id > :above and message.id < :below`
  return {
    byId: `${select} and message.id = :id`,
    // Its window may be over, and others may have taken it since: it names the latest.
    byEventId: `${select} and message.event_id = :eventId order by message.id desc limit 1`,
    all: pagesBy('message.id', page),
    filtered: pagesBy('message.id', `${page} and ${messageFilterCondition}`),
  }
}
const withPayloads = texts(true)
const withoutPayloads = texts(false)

/** An id first; an `eventId` may have the shape of one. */
async function find(
  db: Db,
  applicationId: ApplicationId,
  idOrEventId: string,
  withPayload: boolean,
): Promise<Message | null> {
  const { byId, byEventId } = withPayload ? withPayloads : withoutPayloads
  const row =
    (isId('message', idOrEventId) ? await first<MessageRow>(db, byId, { applicationId, id: idOrEventId }) : null) ??
    (await first<MessageRow>(db, byEventId, { applicationId, eventId: idOrEventId }))
  return row && messageOf(row)
}

async function list(
  db: Db,
  applicationId: ApplicationId,
  filter: MessageFilter,
  withPayload: boolean,
  search: PageSearch,
): Promise<readonly Message[]> {
  const { all, filtered } = withPayload ? withPayloads : withoutPayloads
  const page = { applicationId, ...timedPageParameters('message', filter, search) }
  const rows = passesEveryMessage(filter)
    ? await db.all<MessageRow>(pageText(all, search), page)
    : await db.all<MessageRow>(pageText(filtered, search), { ...page, ...messageFilterParameters(filter) })
  return rows.map(messageOf)
}

async function unsent(
  db: Db,
  applicationId: ApplicationId,
  id: MessageId,
): Promise<Readonly<Record<EndpointId, Unsent>>> {
  const text = 'select unsent from message where application_id = :applicationId and id = :id'
  const row = await first<{ unsent: string | null }>(db, text, { applicationId, id })
  return row?.unsent == null ? {} : (JSON.parse(row.unsent) as Readonly<Record<EndpointId, Unsent>>)
}

export const messages = { unsent, find, list } satisfies Queries<MessageStore>
