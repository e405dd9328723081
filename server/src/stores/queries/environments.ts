import { type Environment, type EnvironmentSettings, usualSettings } from '../../domain/environment.ts'
import type { EnvironmentId } from '../../domain/ids.ts'
import type { EnvironmentStore } from '../../ports/store.ts'
import { type Db, first } from '../db.ts'
import { noteRoutesOfAll } from './changes.ts'
import type { Queries } from './queries.ts'

type EnvironmentRow = {
  readonly id: EnvironmentId
  readonly name: string
  readonly settings: string
  readonly created_at: number
  readonly updated_at: number
  readonly revision: number
}

const columns = 'id, name, settings, created_at, updated_at, revision'
const environmentOf = (row: EnvironmentRow): Environment => ({
  id: row.id,
  name: row.name,
  settings: { ...usualSettings, ...(JSON.parse(row.settings) as Partial<EnvironmentSettings>) },
  createdAt: row.created_at,
  updatedAt: row.updated_at,
  revision: row.revision,
})

async function ensure(db: Db, environment: Environment): Promise<Environment> {
  await db.run(
    `insert into environment (${columns}) values (:id, :name, :settings, :createdAt, :updatedAt, :revision)
     on conflict (name) do nothing`,
    { ...environment, settings: JSON.stringify(environment.settings) },
  )
  return (await byName(db, environment.name)) ?? environment
}

const update = (db: Db, row: Environment): Promise<'done' | 'stale'> =>
  db.transaction(async () => {
    await db.hold([row.id])
    const result = await writeEnvironment(db, row)
    if (result === 'done') await noteRoutesOfAll(db, row.id)
    return result
  })

/** Inside the transaction of whoever calls, who notes the change at its end. */
export async function writeEnvironment(db: Db, row: Environment): Promise<'done' | 'stale'> {
  const { id, settings, updatedAt, revision } = row
  const updated = await db.run(
    `update environment set settings = :settings, updated_at = :updatedAt, revision = :revision
     where id = :id and revision = :readRevision`,
    { id, settings: JSON.stringify(settings), updatedAt, revision, readRevision: revision - 1 },
  )
  return updated > 0 ? 'done' : 'stale'
}

async function find(db: Db, id: EnvironmentId): Promise<Environment | null> {
  const row = await first<EnvironmentRow>(db, `select ${columns} from environment where id = :id`, { id })
  return row && environmentOf(row)
}

async function byName(db: Db, name: string): Promise<Environment | null> {
  const row = await first<EnvironmentRow>(db, `select ${columns} from environment where name = :name`, { name })
  return row && environmentOf(row)
}

async function list(db: Db): Promise<readonly Environment[]> {
  return (await db.all<EnvironmentRow>(`select ${columns} from environment order by id`)).map(environmentOf)
}

export const environments = { ensure, update, find, byName, list } satisfies Queries<EnvironmentStore>
