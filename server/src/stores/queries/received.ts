import { isId, type SourceId } from '../../domain/ids.ts'
import type { Duplicate } from '../../domain/inbound.ts'
import type { PageSearch } from '../../domain/page.ts'
import type { ReceivedFilter, ReceivedMessage, ReceivedStore } from '../../ports/store.ts'
import { type Db, first } from '../db.ts'
import { messageFilterCondition, messageFilterParameters, passesEveryMessage } from './message-filter.ts'
import { type MessageRow, messageColumns, messageOf } from './messages.ts'
import { pagesBy, pageText, timedPageParameters } from './page.ts'
import type { Queries } from './queries.ts'

type ReceivedRow = MessageRow & {
  readonly bytes: number | null
  readonly duplicates: number
  readonly duplicate: string | null
}

// Four characters of base64 are three bytes, less those that only fill up the end.
const bytes = `case when message.payload is null then null
       when message.encoding = 'base64' then octet_length(message.payload) / 4 * 3
         - (octet_length(message.payload) - octet_length(rtrim(message.payload, '=')))
       else octet_length(message.payload) end as bytes`

const select = (withPayload: boolean): string =>
  `select ${messageColumns(withPayload, true)}, ${bytes}, message.duplicates as duplicates,
     message.duplicate as duplicate
   from message where message.application_id = :sourceId`

const receivedOf = (row: ReceivedRow): ReceivedMessage => ({
  message: messageOf(row),
  bytes: row.bytes,
  duplicates: row.duplicates,
  duplicate: row.duplicate === null ? null : (JSON.parse(row.duplicate) as Duplicate),
})

const byId = `${select(true)} and message.id = :id`
// Its window may be over, and others may have taken it since: it names the latest.
const byEventId = `${select(true)} and message.event_id = :eventId order by message.id desc limit 1`
const page = `${select(false)} and message.id > :above and message.id < :below`
const all = pagesBy('message.id', page)
const filtered = pagesBy('message.id', `${page} and ${messageFilterCondition}`)

/** An id first; an `eventId` may have the shape of one. */
async function find(db: Db, sourceId: SourceId, idOrEventId: string): Promise<ReceivedMessage | null> {
  const row =
    (isId('message', idOrEventId) ? await first<ReceivedRow>(db, byId, { sourceId, id: idOrEventId }) : null) ??
    (await first<ReceivedRow>(db, byEventId, { sourceId, eventId: idOrEventId }))
  return row && receivedOf(row)
}

async function list(
  db: Db,
  sourceId: SourceId,
  filter: ReceivedFilter,
  search: PageSearch,
): Promise<readonly ReceivedMessage[]> {
  const wanted = { ...filter, channel: null, tag: null }
  const parameters = { sourceId, ...timedPageParameters('message', filter, search) }
  const rows = passesEveryMessage(wanted)
    ? await db.all<ReceivedRow>(pageText(all, search), parameters)
    : await db.all<ReceivedRow>(pageText(filtered, search), { ...parameters, ...messageFilterParameters(wanted) })
  return rows.map(receivedOf)
}

export const received = { find, list } satisfies Queries<ReceivedStore>
