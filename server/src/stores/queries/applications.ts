import type { Application, ApplicationKind, Metadata } from '../../domain/application.ts'
import type { ControlPart } from '../../domain/control.ts'
import { type ApplicationId, type EnvironmentId, isId, type Millis } from '../../domain/ids.ts'
import type { PageSearch } from '../../domain/page.ts'
import { readJson } from '../../domain/read-json.ts'
import type { ApplicationStore, RoutesCounts, Told, WriteResult } from '../../ports/store.ts'
import { type Db, first } from '../db.ts'
import { noteRoutes } from './changes.ts'
import { appendTold } from './commit.ts'
import { pageParameters, pagesBy, pageText } from './page.ts'
import type { Queries } from './queries.ts'

type ApplicationRow = {
  readonly id: ApplicationId
  readonly environment_id: EnvironmentId
  readonly uid: string | null
  readonly name: string
  readonly throttle_rate: number | null
  readonly control: string
  readonly metadata: string
  readonly kind: ApplicationKind
  readonly paused_at: number | null
  readonly created_at: number
  readonly updated_at: number
  readonly revision: number
}

const columns =
  'id, environment_id, uid, name, throttle_rate, control, metadata, kind, paused_at, created_at, updated_at, revision'
const applicationOf = (row: ApplicationRow): Application => ({
  id: row.id,
  environmentId: row.environment_id,
  uid: row.uid,
  name: row.name,
  throttleRate: row.throttle_rate,
  control: JSON.parse(row.control) as ControlPart,
  metadata: readJson(row.metadata) as Metadata,
  kind: row.kind,
  pausedAt: row.paused_at,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
  revision: row.revision,
})

const parametersOf = (row: Application) => ({
  ...row,
  control: JSON.stringify(row.control),
  metadata: JSON.stringify(row.metadata),
})

const insertOne = `insert into application (${columns})
  values (:id, :environmentId, :uid, :name, :throttleRate, :control, :metadata, :kind, :pausedAt, :createdAt, :updatedAt, :revision)`

/** No node holds anything of what was not there, so nobody is told. */
export async function insertApplication(db: Db, row: Application): Promise<'done' | 'uid-taken'> {
  const inserted = await db.run(
    `${insertOne} on conflict (environment_id, uid) where uid is not null and deleted_at is null do nothing`,
    parametersOf(row),
  )
  return inserted > 0 ? 'done' : 'uid-taken'
}

const ensureOperational = (db: Db, row: Application): Promise<Application> =>
  db.transaction(async () => {
    const inserted = await db.run(
      `${insertOne} on conflict (environment_id) where kind = 'operational' do nothing`,
      parametersOf({ ...row, kind: 'operational' }),
    )
    // Others hold that there is none.
    if (inserted > 0) await noteRoutes(db, row.id)
    return (await operational(db, row.environmentId)) ?? row
  })

const update = (db: Db, row: Application): Promise<WriteResult> =>
  db.transaction(async () => {
    await db.hold([row.id])
    const result = await updateRow(db, row)
    if (result === 'done') await noteRoutes(db, row.id)
    return result
  })

async function updateRow(db: Db, row: Application): Promise<WriteResult> {
  const { id, environmentId, uid, name, throttleRate, updatedAt, revision } = row
  // The guard on the uid is in the statement, because an update has no `on conflict`.
  const updated = await db.run(
    `update application set uid = :uid, name = :name, throttle_rate = :throttleRate, control = :control, metadata = :metadata,
       updated_at = :updatedAt, revision = :revision
     where id = :id and revision = :readRevision and deleted_at is null and not exists (
       select 1 from application as other where other.environment_id = :environmentId and other.uid = :uid
         and other.id <> :id and other.deleted_at is null)`,
    {
      ...{ id, environmentId, uid, name, throttleRate, updatedAt, revision },
      control: JSON.stringify(row.control),
      metadata: JSON.stringify(row.metadata),
      readRevision: revision - 1,
    },
  )
  if (updated > 0) return 'done'
  const unchanged = await first(
    db,
    'select 1 as found from application where id = :id and revision = :readRevision and deleted_at is null',
    { id, readRevision: revision - 1 },
  )
  return unchanged ? 'uid-taken' : 'stale'
}

/** Inside the transaction of whoever calls, who notes the change at its end. */
export async function removeApplication(
  db: Db,
  id: ApplicationId,
  at: Millis,
  told: Told | null = null,
  ifRevision: number | null = null,
): Promise<'done' | 'stale'> {
  const removed = await db.run(
    `update application set deleted_at = :at
     where id = :id and deleted_at is null and revision = coalesce(cast(:ifRevision as bigint), revision)`,
    { id, at, ifRevision },
  )
  if (removed === 0) return 'stale'
  await appendTold(db, told)
  await db.run('update endpoint set deleted_at = :at where application_id = :id and deleted_at is null', { id, at })
  return 'done'
}

const remove = (
  db: Db,
  id: ApplicationId,
  at: Millis,
  told?: Told | null,
  ifRevision?: number,
): Promise<'done' | 'stale'> =>
  db.transaction(async () => {
    await db.hold([id])
    const result = await removeApplication(db, id, at, told, ifRevision)
    if (result === 'done') await noteRoutes(db, id)
    return result
  })

async function operational(db: Db, environmentId: EnvironmentId): Promise<Application | null> {
  const row = await first<ApplicationRow>(
    db,
    `select ${columns} from application where environment_id = :environmentId and kind = 'operational'`,
    { environmentId },
  )
  return row && applicationOf(row)
}

async function routes(db: Db, id: ApplicationId): Promise<RoutesCounts | null> {
  const row = await first<{ environment_id: EnvironmentId; own: number; of_all: number }>(
    db,
    `select application.environment_id as environment_id, application.routes as own, environment.routes as of_all
     from application join environment on environment.id = application.environment_id
     where application.id = :id and application.deleted_at is null`,
    { id },
  )
  return row && { environmentId: row.environment_id, application: row.own, environment: row.of_all }
}

async function byId(db: Db, id: ApplicationId): Promise<Application | null> {
  const row = await first<ApplicationRow>(
    db,
    `select ${columns} from application where id = :id and deleted_at is null`,
    { id },
  )
  return row && applicationOf(row)
}

/** An id first; a uid may have the shape of one. */
async function find(db: Db, environmentId: EnvironmentId, idOrUid: string): Promise<Application | null> {
  const byId =
    isId('application', idOrUid) || isId('source', idOrUid)
      ? await first<ApplicationRow>(
          db,
          `select ${columns} from application
         where id = :id and environment_id = :environmentId and kind <> 'operational' and deleted_at is null`,
          { id: idOrUid, environmentId },
        )
      : null
  const row =
    byId ??
    (await first<ApplicationRow>(
      db,
      `select ${columns} from application
       where environment_id = :environmentId and uid = :uid and deleted_at is null`,
      { uid: idOrUid, environmentId },
    ))
  return row && applicationOf(row)
}

const pageOfAll = `select ${columns} from application
  where environment_id = :environmentId and id > :above and id < :below and kind = 'customer' and deleted_at is null`
const lists = {
  all: pagesBy('id', pageOfAll),
  withEndpoints: pagesBy(
    'id',
    `${pageOfAll} and exists (
       select 1 from endpoint where endpoint.application_id = application.id and endpoint.deleted_at is null)`,
  ),
}

async function list(
  db: Db,
  environmentId: EnvironmentId,
  filter: { readonly withEndpointsOnly: boolean },
  search: PageSearch,
): Promise<readonly Application[]> {
  const text = pageText(filter.withEndpointsOnly ? lists.withEndpoints : lists.all, search)
  const rows = await db.all<ApplicationRow>(text, { environmentId, ...pageParameters(search) })
  return rows.map(applicationOf)
}

export const applications = {
  insert: insertApplication,
  ensureOperational,
  update,
  delete: remove,
  find,
  byId,
  routes,
  operational,
  list,
} satisfies Queries<ApplicationStore>
