import type { Millis, SourceId } from '../../domain/ids.ts'
import type { SecretUse } from '../../ports/store.ts'
import type { Db } from '../db.ts'

// A source that was deleted meanwhile is to leave nothing.
const append = `
  insert into source_secret_use (source_id, secret_id, used_at)
  select value->>0, value->>1, cast(value->>2 as bigint) from @each(:rows)
  where exists (select 1 from source where source.id = value->>0 and source.deleted_at is null)
  on conflict (source_id, secret_id) do update set used_at = excluded.used_at
  where source_secret_use.used_at < excluded.used_at`

export async function noteSecretUses(db: Db, uses: readonly SecretUse[]): Promise<void> {
  const latest = new Map<string, SecretUse>()
  for (const use of uses) {
    const key = `${use.sourceId} ${use.secretId}`
    if (use.at > (latest.get(key)?.at ?? Number.NEGATIVE_INFINITY)) latest.set(key, use)
  }
  const rows = [...latest.values()].map(({ sourceId, secretId, at }) => [sourceId, secretId, at])
  if (rows.length > 0) await db.run(append, { rows: JSON.stringify(rows) })
}

export async function secretUses(db: Db, id: SourceId): Promise<Readonly<Record<string, Millis>>> {
  const rows = await db.all<{ secret_id: string; used_at: number }>(
    'select secret_id, used_at from source_secret_use where source_id = :id',
    { id },
  )
  return Object.fromEntries(rows.map((row) => [row.secret_id, row.used_at]))
}
