import type { EnvironmentId, KeyId, Millis } from '../../domain/ids.ts'
import type { ApiKey } from '../../domain/key.ts'
import type { KeyStore } from '../../ports/store.ts'
import { type Db, first } from '../db.ts'
import type { Queries } from './queries.ts'

type KeyRow = {
  readonly id: KeyId
  readonly environment_id: EnvironmentId
  readonly name: string
  readonly hash: string
  readonly scopes: string
  readonly created_at: number
  readonly revoked_at: number | null
}

const columns = 'id, environment_id, name, hash, scopes, created_at, revoked_at'
const keyOf = (row: KeyRow): ApiKey => ({
  id: row.id,
  environmentId: row.environment_id,
  name: row.name,
  hash: row.hash,
  scopes: JSON.parse(row.scopes) as ApiKey['scopes'],
  createdAt: row.created_at,
  revokedAt: row.revoked_at,
})

async function insert(db: Db, key: ApiKey): Promise<void> {
  await db.run(
    `insert into api_key (${columns}) values (:id, :environmentId, :name, :hash, :scopes, :createdAt, :revokedAt)`,
    { ...key, scopes: JSON.stringify(key.scopes) },
  )
}

const insertFirst = (db: Db, key: ApiKey): Promise<boolean> =>
  db.transaction(async () => {
    await db.hold(['first key'])
    const alive = await first(db, 'select 1 as found from api_key where revoked_at is null limit 1')
    if (alive) return false
    await insert(db, key)
    return true
  })

async function byHash(db: Db, hash: string): Promise<ApiKey | null> {
  const row = await first<KeyRow>(db, `select ${columns} from api_key where hash = :hash`, { hash })
  return row && keyOf(row)
}

// Sorted and sifted without an index: keys are few.
async function list(db: Db, environmentId: EnvironmentId | null): Promise<readonly ApiKey[]> {
  const rows =
    environmentId === null
      ? await db.all<KeyRow>(`select ${columns} from api_key order by id`)
      : await db.all<KeyRow>(`select ${columns} from api_key where environment_id = :environmentId order by id`, {
          environmentId,
        })
  return rows.map(keyOf)
}

async function revoke(db: Db, id: KeyId, at: Millis): Promise<boolean> {
  return (await db.run('update api_key set revoked_at = coalesce(revoked_at, :at) where id = :id', { id, at })) > 0
}

export const keys = { insert, insertFirst, byHash, list, revoke } satisfies Queries<KeyStore>
