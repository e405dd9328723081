import { firstIdAt, type Millis, type QuarantineId, type SourceId } from '../../domain/ids.ts'
import type { PayloadEncoding, ReceivedRequest } from '../../domain/inbound.ts'
import type { PageSearch } from '../../domain/page.ts'
import type { QuarantineCaps, QuarantinedRequest, QuarantineStore } from '../../ports/store.ts'
import { type Db, first } from '../db.ts'
import { pageParameters, pagesBy, pageText } from './page.ts'
import type { Queries } from './queries.ts'

type QuarantineRow = {
  readonly id: QuarantineId
  readonly source_id: SourceId
  readonly request: string
  readonly payload: string | null
  readonly encoding: PayloadEncoding
  readonly bytes: number
  readonly acknowledged: number
}

const select = (payload: string): string =>
  `select id, source_id, request, ${payload} as payload, encoding, bytes, acknowledged from quarantine`
const whole = select('payload')
const withoutPayload = select('null')

const quarantinedOf = (row: QuarantineRow): QuarantinedRequest => ({
  id: row.id,
  sourceId: row.source_id,
  request: JSON.parse(row.request) as ReceivedRequest,
  payload: row.payload,
  encoding: row.encoding,
  bytes: row.bytes,
  acknowledged: row.acknowledged === 1,
})

const rowsOf = (ids: readonly string[]): string => JSON.stringify(ids.map((id) => [id]))

// A source that was deleted meanwhile is to leave nothing.
const append = `
  insert into quarantine (id, source_id, request, payload, encoding, bytes, acknowledged)
  select value->>0, value->>1, value->>2, value->>3, value->>4, cast(value->>5 as bigint), cast(value->>6 as bigint)
  from @each(:rows)
  where exists (select 1 from source where source.id = value->>1 and source.deleted_at is null)`

const deleteThese = `
  delete from quarantine where source_id = :sourceId and id in (select value->>0 from @each(:rows))`

const trimStep = 100

/** What is over the caps goes, the oldest first; the youngest stays, however large it is. */
async function trim(db: Db, sourceId: SourceId, caps: QuarantineCaps): Promise<void> {
  let { count, bytes } = await sumUp(db, capped, sourceId)
  while (count > 1 && (count > caps.count || bytes > caps.bytes)) {
    const oldest = await db.all<{ id: QuarantineId; bytes: number }>(
      'select id, bytes from quarantine where source_id = :sourceId and acknowledged = 0 order by id limit :limit',
      { sourceId, limit: Math.min(trimStep, count - 1) },
    )
    const going: QuarantineId[] = []
    for (const row of oldest) {
      if (count <= caps.count && bytes <= caps.bytes) break
      going.push(row.id)
      count -= 1
      bytes -= row.bytes
    }
    await db.run(deleteThese, { sourceId, rows: rowsOf(going) })
  }
}

const keep = (db: Db, rows: readonly QuarantinedRequest[], caps: QuarantineCaps): Promise<void> =>
  db.transaction(async () => {
    if (rows.length === 0) return
    await db.run(append, {
      rows: JSON.stringify(
        rows.map(({ id, sourceId, request, payload, encoding, bytes, acknowledged }) => [
          ...[id, sourceId, JSON.stringify(request), payload ?? '', encoding, bytes, acknowledged ? 1 : 0],
        ]),
      ),
    })
    for (const sourceId of new Set(rows.map((row) => row.sourceId))) await trim(db, sourceId, caps)
  })

async function find(db: Db, sourceId: SourceId, id: QuarantineId): Promise<QuarantinedRequest | null> {
  const row = await first<QuarantineRow>(db, `${whole} where source_id = :sourceId and id = :id`, { sourceId, id })
  return row && quarantinedOf(row)
}

const pages = pagesBy('id', `${withoutPayload} where source_id = :sourceId and id > :above and id < :below`)

async function list(db: Db, sourceId: SourceId, search: PageSearch): Promise<readonly QuarantinedRequest[]> {
  const rows = await db.all<QuarantineRow>(pageText(pages, search), { sourceId, ...pageParameters(search) })
  return rows.map(quarantinedOf)
}

async function oldest(
  db: Db,
  sourceId: SourceId,
  after: QuarantineId | '',
  limit: number,
  bytes: number,
): Promise<readonly QuarantinedRequest[]> {
  const sizes = await db.all<{ id: QuarantineId; bytes: number }>(
    'select id, bytes from quarantine where source_id = :sourceId and id > :after order by id limit :limit',
    { sourceId, after, limit },
  )
  let sum = 0
  const end = sizes.findIndex((row, at) => {
    sum += row.bytes
    return at > 0 && sum > bytes
  })
  const ids = (end < 0 ? sizes : sizes.slice(0, end)).map(({ id }) => id)
  if (ids.length === 0) return []
  const rows = await db.all<QuarantineRow>(
    `${whole} where source_id = :sourceId and id in (select value->>0 from @each(:rows)) order by id`,
    { sourceId, rows: rowsOf(ids) },
  )
  return rows.map(quarantinedOf)
}

async function remove(db: Db, sourceId: SourceId, ids: readonly QuarantineId[]): Promise<number> {
  return ids.length === 0 ? 0 : db.run(deleteThese, { sourceId, rows: rowsOf(ids) })
}

const deleteAll = (db: Db, sourceId: SourceId): Promise<number> =>
  db.run('delete from quarantine where source_id = :sourceId', { sourceId })

const sum = 'select count(*) as kept, coalesce(sum(bytes), 0) as bytes from quarantine where source_id = :sourceId'
const capped = `${sum} and acknowledged = 0`

async function sumUp(db: Db, text: string, sourceId: SourceId): Promise<QuarantineCaps> {
  const row = await first<{ kept: number; bytes: number }>(db, text, { sourceId })
  return { count: row?.kept ?? 0, bytes: row?.bytes ?? 0 }
}

const totals = (db: Db, sourceId: SourceId): Promise<QuarantineCaps> => sumUp(db, sum, sourceId)

async function sweep(db: Db, before: Millis, limit: number): Promise<number> {
  return db.run(
    'delete from quarantine where id in (select id from quarantine where id < :below order by id limit :limit)',
    { below: firstIdAt('quarantine', before), limit },
  )
}

export const quarantine = {
  keep,
  find,
  list,
  oldest,
  delete: remove,
  deleteAll,
  totals,
  sweep,
} satisfies Queries<QuarantineStore>
