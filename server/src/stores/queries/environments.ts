import type { Environment } from '../../domain/environment.ts'
import type { EnvironmentId } from '../../domain/ids.ts'
import type { EnvironmentStore } from '../../ports/store.ts'
import { type Db, first } from '../db.ts'
import type { Queries } from './queries.ts'

type EnvironmentRow = { readonly id: EnvironmentId; readonly name: string; readonly created_at: number }

const columns = 'id, name, created_at'
const environmentOf = (row: EnvironmentRow): Environment => ({ id: row.id, name: row.name, createdAt: row.created_at })

async function ensure(db: Db, environment: Environment): Promise<Environment> {
  const { id, name, createdAt } = environment
  await db.run(
    'insert into environment (id, name, created_at) values (:id, :name, :createdAt) on conflict (name) do nothing',
    { id, name, createdAt },
  )
  return (await byName(db, name)) ?? environment
}

async function byName(db: Db, name: string): Promise<Environment | null> {
  const row = await first<EnvironmentRow>(db, `select ${columns} from environment where name = :name`, { name })
  return row && environmentOf(row)
}

async function list(db: Db): Promise<readonly Environment[]> {
  return (await db.all<EnvironmentRow>(`select ${columns} from environment order by id`)).map(environmentOf)
}

export const environments = { ensure, byName, list } satisfies Queries<EnvironmentStore>
