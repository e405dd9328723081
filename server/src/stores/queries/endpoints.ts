import type { Metadata } from '../../domain/application.ts'
import type { ControlPart } from '../../domain/control.ts'
import type { DisabledBecause, Endpoint } from '../../domain/endpoint.ts'
import { type ApplicationId, type EndpointId, isId, type Millis } from '../../domain/ids.ts'
import type { PageSearch } from '../../domain/page.ts'
import { readJson } from '../../domain/read-json.ts'
import type { SealedText } from '../../domain/seal.ts'
import type { EndpointStore, Told, WriteResult } from '../../ports/store.ts'
import { type Db, first } from '../db.ts'
import { noteRoutes } from './changes.ts'
import { appendTold } from './commit.ts'
import { pageParameters, pagesBy, pageText } from './page.ts'
import type { Queries } from './queries.ts'

export type EndpointRow = {
  readonly id: EndpointId
  readonly application_id: ApplicationId
  readonly uid: string | null
  readonly url: string
  readonly description: string
  readonly event_types: string | null
  readonly channels: string | null
  readonly filter: string | null
  readonly metadata: string
  readonly throttle_rate: number | null
  readonly control: string
  readonly disabled_because: DisabledBecause | null
  readonly failing_since: number | null
  readonly paused_at: number | null
  readonly breaker_opened_at: number | null
  readonly sealed_secrets: SealedText
  readonly sealed_headers: SealedText
  readonly created_at: number
  readonly updated_at: number
  readonly revision: number
}

const names = [
  ...(['id', 'application_id', 'uid', 'url', 'description', 'event_types', 'channels', 'filter', 'metadata'] as const),
  ...(['throttle_rate', 'control', 'disabled_because', 'failing_since', 'paused_at', 'breaker_opened_at'] as const),
  ...(['sealed_secrets', 'sealed_headers'] as const),
  ...(['created_at', 'updated_at', 'revision'] as const),
]

/** What `endpointOf` reads, for a select from `endpoint` beside other tables. */
export const endpointColumns = names.map((name) => `endpoint.${name} as ${name}`).join(', ')

export const endpointOf = (row: EndpointRow): Endpoint => ({
  id: row.id,
  applicationId: row.application_id,
  uid: row.uid,
  url: row.url,
  description: row.description,
  eventTypes: row.event_types === null ? null : (JSON.parse(row.event_types) as readonly string[]),
  channels: row.channels === null ? null : (JSON.parse(row.channels) as readonly string[]),
  metadata: readJson(row.metadata) as Metadata,
  filter: row.filter,
  throttleRate: row.throttle_rate,
  control: JSON.parse(row.control) as ControlPart,
  disabledBecause: row.disabled_because,
  failingSince: row.failing_since,
  pausedAt: row.paused_at,
  breakerOpenedAt: row.breaker_opened_at,
  sealedSecrets: row.sealed_secrets,
  sealedHeaders: row.sealed_headers,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
  revision: row.revision,
})

const parametersOf = (row: Endpoint) => ({
  ...row,
  eventTypes: row.eventTypes && JSON.stringify(row.eventTypes),
  channels: row.channels && JSON.stringify(row.channels),
  metadata: JSON.stringify(row.metadata),
  control: JSON.stringify(row.control),
})

/** Writes an endpoint, and with it what is told of it, unless the write changes nothing. */
const telling = <Result extends 'done' | 'uid-taken' | 'stale'>(
  db: Db,
  { id, applicationId }: { readonly id: EndpointId; readonly applicationId?: ApplicationId },
  told: Told | null,
  write: () => Promise<Result>,
): Promise<Result> =>
  db.transaction(async () => {
    const owner = applicationId ?? (await ownerOf(db, id))
    // As whoever deletes the application, which writes the two in the other order.
    if (owner) await db.hold([owner, id])
    const result = await write()
    if (result !== 'done') return result
    await appendTold(db, told)
    if (owner) await noteRoutes(db, owner)
    return result
  })

async function ownerOf(db: Db, id: EndpointId): Promise<ApplicationId | null> {
  const row = await first<{ application_id: ApplicationId }>(db, 'select application_id from endpoint where id = :id', {
    id,
  })
  return row?.application_id ?? null
}

const insert = (db: Db, row: Endpoint, told: Told | null = null): Promise<'done' | 'uid-taken'> =>
  telling(db, row, told, () => insertRow(db, row))

async function insertRow(db: Db, row: Endpoint): Promise<'done' | 'uid-taken'> {
  const inserted = await db.run(
    `insert into endpoint (${names.join(', ')})
     values (:id, :applicationId, :uid, :url, :description, :eventTypes, :channels, :filter, :metadata,
       :throttleRate, :control, :disabledBecause, :failingSince, :pausedAt, :breakerOpenedAt, :sealedSecrets, :sealedHeaders,
       :createdAt, :updatedAt, :revision)
     on conflict (application_id, uid) where uid is not null and deleted_at is null do nothing`,
    parametersOf(row),
  )
  return inserted > 0 ? 'done' : 'uid-taken'
}

const update = (db: Db, row: Endpoint, told: Told | null = null): Promise<WriteResult> =>
  telling(db, row, told, () => updateRow(db, row))

async function updateRow(db: Db, row: Endpoint): Promise<WriteResult> {
  const { createdAt: _, ...parameters } = parametersOf(row)
  const readRevision = row.revision - 1
  // Streaks are the road's, and it writes them without a revision: people end one, but never bring back one that ended
  // since they read the row.
  const updated = await db.run(
    `update endpoint set uid = :uid, url = :url, description = :description, event_types = :eventTypes,
       channels = :channels, filter = :filter, metadata = :metadata, throttle_rate = :throttleRate,
       control = :control, disabled_because = :disabledBecause, paused_at = :pausedAt,
       failing_since = case when cast(:failingSince as bigint) is null then null else failing_since end,
       breaker_opened_at = case when cast(:breakerOpenedAt as bigint) is null then null else breaker_opened_at end,
       sealed_secrets = :sealedSecrets, sealed_headers = :sealedHeaders,
       updated_at = :updatedAt, revision = :revision
     where id = :id and revision = :readRevision and deleted_at is null and not exists (
       select 1 from endpoint as other where other.application_id = :applicationId and other.uid = :uid
         and other.id <> :id and other.deleted_at is null)`,
    { ...parameters, readRevision },
  )
  if (updated > 0) return 'done'
  const unchanged = await first(
    db,
    'select 1 as found from endpoint where id = :id and revision = :readRevision and deleted_at is null',
    { id: row.id, readRevision },
  )
  return unchanged ? 'uid-taken' : 'stale'
}

const remove = (
  db: Db,
  id: EndpointId,
  at: Millis,
  told: Told | null = null,
  ifRevision: number | null = null,
): Promise<'done' | 'stale'> =>
  telling(db, { id }, told, async () => {
    const removed = await db.run(
      `update endpoint set deleted_at = :at
       where id = :id and deleted_at is null and revision = coalesce(cast(:ifRevision as bigint), revision)`,
      { id, at, ifRevision },
    )
    return removed > 0 ? 'done' : 'stale'
  })

/** An id first; a uid may have the shape of one. */
async function find(db: Db, applicationId: ApplicationId, idOrUid: string): Promise<Endpoint | null> {
  const byId = isId('endpoint', idOrUid)
    ? await first<EndpointRow>(
        db,
        `select ${endpointColumns} from endpoint
         where id = :id and application_id = :applicationId and deleted_at is null`,
        { id: idOrUid, applicationId },
      )
    : null
  const row =
    byId ??
    (await first<EndpointRow>(
      db,
      `select ${endpointColumns} from endpoint
       where application_id = :applicationId and uid = :uid and deleted_at is null`,
      { uid: idOrUid, applicationId },
    ))
  return row && endpointOf(row)
}

const pages = pagesBy(
  'id',
  `select ${endpointColumns} from endpoint
   where application_id = :applicationId and id > :above and id < :below and deleted_at is null`,
)

async function list(db: Db, applicationId: ApplicationId, search: PageSearch): Promise<readonly Endpoint[]> {
  const rows = await db.all<EndpointRow>(pageText(pages, search), { applicationId, ...pageParameters(search) })
  return rows.map(endpointOf)
}

async function all(db: Db, applicationId: ApplicationId): Promise<readonly Endpoint[]> {
  const rows = await db.all<EndpointRow>(
    `select ${endpointColumns} from endpoint where application_id = :applicationId and deleted_at is null order by id`,
    { applicationId },
  )
  return rows.map(endpointOf)
}

async function any(db: Db): Promise<Endpoint | null> {
  // The latest: of several keys, it tells the one that was used last.
  const row = await first<EndpointRow>(db, `select ${endpointColumns} from endpoint order by id desc limit 1`)
  return row && endpointOf(row)
}

export const endpoints = { insert, update, delete: remove, find, list, all, any } satisfies Queries<EndpointStore>
