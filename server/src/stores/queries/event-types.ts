import { eventTypesOf } from '../../domain/change.ts'
import type { Environment } from '../../domain/environment.ts'
import type { EventType } from '../../domain/event-type.ts'
import type { EnvironmentId } from '../../domain/ids.ts'
import type { PageSearch } from '../../domain/page.ts'
import { readJson } from '../../domain/read-json.ts'
import type { EventTypeStore, SeenEventType } from '../../ports/store.ts'
import { type Db, first } from '../db.ts'
import { noteRoutesOfAll } from './changes.ts'
import { writeEnvironment } from './environments.ts'
import { pageParameters, pagesBy, pageText } from './page.ts'
import type { Queries } from './queries.ts'

type EventTypeRow = {
  readonly environment_id: EnvironmentId
  readonly name: string
  readonly description: string
  readonly archived: 0 | 1
  readonly deprecated: 0 | 1
  readonly schemas: string | null
  readonly group_name: string | null
  readonly feature_flags: string | null
  readonly created_at: number
  readonly updated_at: number
  readonly revision: number
}

const flagsOf = ({ feature_flags: flags }: { readonly feature_flags: string | null }): readonly string[] | null =>
  flags === null ? null : (JSON.parse(flags) as readonly string[])

const columns = `environment_id, name, description, archived, deprecated, schemas, group_name, feature_flags,
  created_at, updated_at, revision`
const eventTypeOf = (row: EventTypeRow): EventType => ({
  environmentId: row.environment_id,
  name: row.name,
  description: row.description,
  archived: row.archived === 1,
  deprecated: row.deprecated === 1,
  schemas: row.schemas === null ? null : (readJson(row.schemas) as EventType['schemas']),
  groupName: row.group_name,
  featureFlags: flagsOf(row),
  createdAt: row.created_at,
  updatedAt: row.updated_at,
  revision: row.revision,
})

const parametersOf = (row: EventType) => ({
  ...row,
  archived: row.archived ? 1 : 0,
  deprecated: row.deprecated ? 1 : 0,
  schemas: row.schemas && JSON.stringify(row.schemas),
  featureFlags: row.featureFlags && JSON.stringify(row.featureFlags),
})

/** Writes what is declared in an environment; with it every publish there is looked at with other eyes. */
const noting = <Result>(db: Db, environmentId: EnvironmentId, write: () => Promise<Result | 'done'>) =>
  db.transaction(async () => {
    await db.hold([environmentId])
    const result = await write()
    if (result === 'done') await noteRoutesOfAll(db, environmentId, eventTypesOf(environmentId))
    return result
  })

const insert = (db: Db, row: EventType): Promise<'done' | 'name-taken'> =>
  noting(db, row.environmentId, () => insertRow(db, row))

async function insertRow(db: Db, row: EventType): Promise<'done' | 'name-taken'> {
  const inserted = await db.run(
    `insert into event_type (${columns})
     values (:environmentId, :name, :description, :archived, :deprecated, :schemas, :groupName, :featureFlags,
       :createdAt, :updatedAt, :revision)
     on conflict (environment_id, name) do nothing`,
    parametersOf(row),
  )
  return inserted > 0 ? 'done' : 'name-taken'
}

const update = (db: Db, row: EventType): Promise<'done' | 'stale'> =>
  noting(db, row.environmentId, () => updateRow(db, row))

async function updateRow(db: Db, row: EventType): Promise<'done' | 'stale'> {
  const { createdAt: _, ...parameters } = parametersOf(row)
  const updated = await db.run(
    `update event_type set description = :description, archived = :archived, deprecated = :deprecated,
       schemas = :schemas, group_name = :groupName, feature_flags = :featureFlags,
       updated_at = :updatedAt, revision = :revision
     where environment_id = :environmentId and name = :name and revision = :readRevision`,
    { ...parameters, readRevision: row.revision - 1 },
  )
  return updated > 0 ? 'done' : 'stale'
}

/** Thrown only to have a transaction undone. */
class Stale extends Error {}

async function writeAll(
  db: Db,
  rows: readonly EventType[],
  environment: Environment | null,
): Promise<'done' | 'stale'> {
  const environments = new Set([...rows.map((row) => row.environmentId), ...(environment ? [environment.id] : [])])
  try {
    await db.transaction(async () => {
      await db.hold([...environments])
      if (environment && (await writeEnvironment(db, environment)) === 'stale') throw new Stale()
      for (const row of rows) {
        const written = row.revision === 1 ? await insertRow(db, row) : await updateRow(db, row)
        if (written !== 'done') throw new Stale()
      }
      if (environment) await noteRoutesOfAll(db, environment.id)
      for (const id of environments) {
        if (id !== environment?.id) await noteRoutesOfAll(db, id, eventTypesOf(id))
      }
    })
    return 'done'
  } catch (error) {
    if (error instanceof Stale) return 'stale'
    throw error
  }
}

const expunge = (
  db: Db,
  environmentId: EnvironmentId,
  name: string,
  ifRevision: number | null = null,
): Promise<'done' | 'stale'> =>
  noting(db, environmentId, async () => {
    const removed = await db.run(
      `delete from event_type where environment_id = :environmentId and name = :name
         and revision = coalesce(cast(:ifRevision as bigint), revision)`,
      { environmentId, name, ifRevision },
    )
    return removed > 0 ? 'done' : 'stale'
  })

// Names that nobody meant as event types (ids, say) must not fill the database.
const mostSeen = 10_000

async function noteSeen(db: Db, rows: readonly SeenEventType[]): Promise<void> {
  for (const [environmentId, seen] of Map.groupBy(rows, (row) => row.environmentId)) {
    const held = await first<{ count: number }>(
      db,
      'select count(*) as count from (select 1 from seen_event_type where environment_id = :environmentId limit :most) as held',
      { environmentId, most: mostSeen },
    )
    await db.run(
      `insert into seen_event_type (environment_id, name, seen_at)
       select :environmentId, value->>'name', cast(value->>'seenAt' as bigint) from @each(:rows) where true
       on conflict (environment_id, name) do nothing`,
      {
        environmentId,
        rows: JSON.stringify(seen.slice(0, mostSeen - (held?.count ?? 0)).sort((a, b) => (a.name < b.name ? -1 : 1))),
      },
    )
  }
}

const pageOfUndeclared = pagesBy(
  'seen.name',
  `select seen.name as name, seen.seen_at as seen_at, case when event_type.name is null then 0 else 1 end as archived
   from seen_event_type as seen
   left join event_type on event_type.environment_id = seen.environment_id and event_type.name = seen.name
   where seen.environment_id = :environmentId and seen.name > :above and seen.name < :below
     and (event_type.name is null or event_type.archived = 1)`,
)

async function undeclared(
  db: Db,
  environmentId: EnvironmentId,
  search: PageSearch,
): Promise<readonly (SeenEventType & { readonly archived: boolean })[]> {
  const rows = await db.all<{ readonly name: string; readonly seen_at: number; readonly archived: 0 | 1 }>(
    pageText(pageOfUndeclared, search),
    { environmentId, ...pageParameters(search) },
  )
  return rows.map(({ name, seen_at, archived }) => ({ environmentId, name, seenAt: seen_at, archived: archived === 1 }))
}

async function find(db: Db, environmentId: EnvironmentId, name: string): Promise<EventType | null> {
  const row = await first<EventTypeRow>(
    db,
    `select ${columns} from event_type where environment_id = :environmentId and name = :name`,
    { environmentId, name },
  )
  return row && eventTypeOf(row)
}

// One row comes back, whether there is such an event type or not: the time of a row would tell.
async function findFlags(
  db: Db,
  environmentId: EnvironmentId,
  name: string,
): Promise<Pick<EventType, 'featureFlags'> | null> {
  const row = await first<{ held: number; feature_flags: string | null }>(
    db,
    `select count(*) as held, max(feature_flags) as feature_flags from event_type
     where environment_id = :environmentId and name = :name`,
    { environmentId, name },
  )
  return row?.held ? { featureFlags: flagsOf(row) } : null
}

const pageOfAll = `select ${columns} from event_type
  where environment_id = :environmentId and name > :above and name < :below`
const lists = { all: pagesBy('name', pageOfAll), current: pagesBy('name', `${pageOfAll} and archived = 0`) }

async function list(
  db: Db,
  environmentId: EnvironmentId,
  filter: { readonly includeArchived: boolean },
  search: PageSearch,
): Promise<readonly EventType[]> {
  const text = pageText(filter.includeArchived ? lists.all : lists.current, search)
  const rows = await db.all<EventTypeRow>(text, { environmentId, ...pageParameters(search) })
  return rows.map(eventTypeOf)
}

export const eventTypes = {
  insert,
  update,
  writeAll,
  expunge,
  noteSeen,
  undeclared,
  find,
  findFlags,
  list,
} satisfies Queries<EventTypeStore>
