import type { Metadata } from '../../domain/application.ts'
import type { ControlPart } from '../../domain/control.ts'
import { type EnvironmentId, isId, type Millis, type SourceId } from '../../domain/ids.ts'
import type { PageSearch } from '../../domain/page.ts'
import { readJson } from '../../domain/read-json.ts'
import type { SealedText } from '../../domain/seal.ts'
import type { Source, SourceSettings } from '../../domain/source.ts'
import type { SourceStore, Told, WriteResult } from '../../ports/store.ts'
import { type Db, first } from '../db.ts'
import { insertApplication, removeApplication } from './applications.ts'
import { noteRoutes } from './changes.ts'
import { handshakes, noteHandshakes } from './handshakes.ts'
import { pageParameters, pagesBy, pageText } from './page.ts'
import type { Queries } from './queries.ts'
import { noteSecretUses, secretUses } from './secret-uses.ts'

type SourceRow = {
  readonly id: SourceId
  readonly environment_id: EnvironmentId
  readonly uid: string | null
  readonly name: string
  readonly type: string
  readonly settings: string
  readonly metadata: string
  readonly control: string
  readonly throttle_rate: number | null
  readonly sealed_secrets: SealedText
  readonly sealed_token: SealedText
  readonly created_at: number
  readonly updated_at: number
  readonly revision: number
}

const select = `
  select source.id as id, source.environment_id as environment_id, source.uid as uid, application.name as name,
    source.type as type, source.settings as settings, application.metadata as metadata,
    application.control as control, application.throttle_rate as throttle_rate,
    source.sealed_secrets as sealed_secrets, source.sealed_token as sealed_token,
    source.created_at as created_at, source.updated_at as updated_at, source.revision as revision
  from source join application on application.id = source.id`

const sourceOf = (row: SourceRow): Source => ({
  id: row.id,
  environmentId: row.environment_id,
  uid: row.uid,
  name: row.name,
  type: row.type,
  settings: JSON.parse(row.settings) as SourceSettings,
  metadata: readJson(row.metadata) as Metadata,
  control: JSON.parse(row.control) as ControlPart,
  throttleRate: row.throttle_rate,
  sealedSecrets: row.sealed_secrets,
  sealedToken: row.sealed_token,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
  revision: row.revision,
})

/** A paused source keeps back the deliveries of all its endpoints. */
const pausedAtOf = ({ settings, updatedAt }: Source): Millis | null => (settings.state === 'paused' ? updatedAt : null)

const insertToken = 'insert into source_token (hash, source_id, until) values (:tokenHash, :id, null)'

const insert = (db: Db, row: Source, tokenHash: string): Promise<'done' | 'uid-taken'> =>
  db.transaction(async () => {
    const { id, environmentId, uid, type, settings, sealedSecrets, sealedToken, createdAt, updatedAt, revision } = row
    const inserted = await db.run(
      `insert into source (id, environment_id, uid, type, settings, sealed_secrets, sealed_token, created_at, updated_at, revision)
       values (:id, :environmentId, :uid, :type, :settings, :sealedSecrets, :sealedToken, :createdAt, :updatedAt, :revision)
       on conflict (environment_id, uid) where uid is not null and deleted_at is null do nothing`,
      {
        ...{ id, environmentId, uid, type, settings: JSON.stringify(settings) },
        ...{ sealedSecrets, sealedToken, createdAt, updatedAt, revision },
      },
    )
    if (inserted === 0) return 'uid-taken'
    // Without the uid: names of sources and of customers' applications are two things.
    const { name, throttleRate, control, metadata } = row
    await insertApplication(db, {
      ...{ id, environmentId, uid: null, name, throttleRate, control, metadata, kind: 'source' },
      ...{ pausedAt: pausedAtOf(row), createdAt, updatedAt, revision },
    })
    await db.run(insertToken, { tokenHash, id })
    // Others may hold that its token is nobody's.
    await noteRoutes(db, id)
    return 'done'
  })

/** Inside the transaction of whoever calls, who notes the change at its end. */
async function write(db: Db, row: Source): Promise<WriteResult> {
  const { id, environmentId, uid, type, settings, sealedSecrets, sealedToken, updatedAt, revision } = row
  const readRevision = revision - 1
  // The guard on the uid is in the statement, because an update has no `on conflict`.
  const updated = await db.run(
    `update source set uid = :uid, type = :type, settings = :settings, sealed_secrets = :sealedSecrets,
       sealed_token = :sealedToken, updated_at = :updatedAt, revision = :revision
     where id = :id and revision = :readRevision and deleted_at is null and not exists (
       select 1 from source as other where other.environment_id = :environmentId and other.uid = :uid
         and other.id <> :id and other.deleted_at is null)`,
    {
      ...{ id, environmentId, uid, type, settings: JSON.stringify(settings), sealedSecrets, sealedToken },
      ...{ updatedAt, revision, readRevision },
    },
  )
  if (updated === 0) {
    const unchanged = await first(
      db,
      'select 1 as found from source where id = :id and revision = :readRevision and deleted_at is null',
      { id, readRevision },
    )
    return unchanged ? 'uid-taken' : 'stale'
  }
  await db.run(
    `update application set name = :name, throttle_rate = :throttleRate, control = :control, metadata = :metadata,
       paused_at = case when cast(:pausedAt as bigint) is null then null else coalesce(paused_at, cast(:pausedAt as bigint)) end,
       updated_at = :updatedAt, revision = :revision
     where id = :id`,
    {
      ...{ id, name: row.name, throttleRate: row.throttleRate, updatedAt, revision },
      ...{ control: JSON.stringify(row.control), metadata: JSON.stringify(row.metadata), pausedAt: pausedAtOf(row) },
    },
  )
  return 'done'
}

const update = (db: Db, row: Source): Promise<WriteResult> =>
  db.transaction(async () => {
    await db.hold([row.id])
    const result = await write(db, row)
    if (result === 'done') await noteRoutes(db, row.id)
    return result
  })

const rotateToken = (db: Db, row: Source, tokenHash: string, until: Millis): Promise<'done' | 'stale'> =>
  db.transaction(async () => {
    await db.hold([row.id])
    if ((await write(db, row)) !== 'done') return 'stale'
    const { id } = row
    await db.run('update source_token set until = :until where source_id = :id and (until is null or until > :until)', {
      id,
      until,
    })
    await db.run(insertToken, { tokenHash, id })
    await noteRoutes(db, id)
    return 'done'
  })

// What nobody can ask for any more. Its messages and attempts stay for as long as those of a deleted application do.
const removals = [
  'delete from source_token where source_id = :id',
  'delete from quarantine where source_id = :id',
  'delete from handshake where source_id = :id',
  'delete from source_secret_use where source_id = :id',
]

const remove = (db: Db, id: SourceId, at: Millis, told?: Told | null, ifRevision?: number): Promise<'done' | 'stale'> =>
  db.transaction(async () => {
    await db.hold([id])
    // Both rows have one revision: what is written to one is written to the other.
    if ((await removeApplication(db, id, at, told, ifRevision)) === 'stale') return 'stale'
    await db.run('update source set deleted_at = :at where id = :id', { id, at })
    for (const removal of removals) await db.run(removal, { id })
    await noteRoutes(db, id)
    return 'done'
  })

/** An id first; a uid may have the shape of one. */
async function find(db: Db, environmentId: EnvironmentId, idOrUid: string): Promise<Source | null> {
  const alive = `${select} where source.environment_id = :environmentId and source.deleted_at is null`
  const row =
    (isId('source', idOrUid)
      ? await first<SourceRow>(db, `${alive} and source.id = :id`, { id: idOrUid, environmentId })
      : null) ?? (await first<SourceRow>(db, `${alive} and source.uid = :uid`, { uid: idOrUid, environmentId }))
  return row && sourceOf(row)
}

const sourceOfToken = `${select} join source_token on source_token.source_id = source.id
  where source_token.hash = :hash and (source_token.until is null or source_token.until > :now)
    and source.deleted_at is null`

async function byToken(db: Db, hash: string, now: Millis): Promise<Source | null> {
  const row = await first<SourceRow>(db, sourceOfToken, { hash, now })
  return row && sourceOf(row)
}

const pages = pagesBy(
  'source.id',
  `${select}
   where source.environment_id = :environmentId and source.id > :above and source.id < :below
     and source.deleted_at is null`,
)

async function list(db: Db, environmentId: EnvironmentId, search: PageSearch): Promise<readonly Source[]> {
  const rows = await db.all<SourceRow>(pageText(pages, search), { environmentId, ...pageParameters(search) })
  return rows.map(sourceOf)
}

async function countTokens(db: Db, id: SourceId, now: Millis): Promise<number> {
  const row = await first<{ alive: number }>(
    db,
    'select count(*) as alive from source_token where source_id = :id and (until is null or until > :now)',
    { id, now },
  )
  return row?.alive ?? 0
}

async function sweepTokens(db: Db, at: Millis, limit: number): Promise<number> {
  return db.run(
    'delete from source_token where hash in (select hash from source_token where until <= :at limit :limit)',
    { at, limit },
  )
}

export const sources = {
  insert,
  update,
  delete: remove,
  find,
  byToken,
  list,
  rotateToken,
  countTokens,
  sweepTokens,
  noteHandshakes,
  handshakes,
  noteSecretUses,
  secretUses,
} satisfies Queries<SourceStore>
