import type { ChangeScope } from '../../domain/change.ts'
import type { ApplicationId, EnvironmentId, Millis } from '../../domain/ids.ts'
import type { ChangeStore, Changes } from '../../ports/store.ts'
import type { Db } from '../db.ts'
import type { Queries } from './queries.ts'

// More than this at once is a restore, or a node that slept: reading everything anew costs less than going through it.
const mostChanges = 1_000

const sinceText = `
  select change_count.number as latest, change.number as number, change.scope as scope, change.origin as origin
  from change_count left join change on change.number > cast(:number as bigint)
  order by change.number limit :limit`

async function since(db: Db, number: number | null): Promise<Changes> {
  const rows = await db.all<{ latest: number; number: number | null; scope: string | null; origin: string | null }>(
    sinceText,
    { number: number ?? Number.MAX_SAFE_INTEGER, limit: mostChanges + 1 },
  )
  const latest = rows[0]?.latest ?? 0
  if (number === latest) return { number, scopes: [] }
  // Numbers follow each other: where one is missing, it was swept, or the database is another than it was.
  const whole = number !== null && latest > number && rows[0]?.number === number + 1 && rows.length === latest - number
  if (!whole) return { number: latest, scopes: null }
  const others = rows.flatMap(({ scope, origin }) => (scope === null || origin === db.origin ? [] : [scope]))
  return { number: latest, scopes: [...new Set(others)] }
}

const sweep = (db: Db, olderThanMs: Millis): Promise<number> =>
  db.run('delete from change where at < @now_ms - cast(:olderThanMs as bigint)', { olderThanMs })

/**
 * Tells all nodes to read these anew, inside the transaction that changed them and as the last thing in it: from here
 * on every other change waits for this one to be committed.
 */
export async function noteChanges(db: Db, scopes: readonly ChangeScope[]): Promise<void> {
  if (scopes.length === 0) return
  await db.run('update change_count set number = number + :changes', { changes: scopes.length })
  await db.run(
    `insert into change (number, scope, origin, at)
     select change_count.number - cast(value->>1 as bigint), value->>0, :origin, @now_ms
     from @each(:rows) join change_count on change_count.one = 1`,
    { origin: db.origin, rows: JSON.stringify(scopes.map((scope, at) => [scope, scopes.length - 1 - at])) },
  )
}

/** As `noteChanges`, of an application whose messages are matched against something else from now on. */
export async function noteRoutes(db: Db, id: ApplicationId): Promise<void> {
  await db.run('update application set routes = routes + 1 where id = :id', { id })
  await noteChanges(db, [id])
}

/** The same for all applications of an environment; `scope` says what of it has changed. */
export async function noteRoutesOfAll(db: Db, id: EnvironmentId, scope: ChangeScope = id): Promise<void> {
  await db.run('update environment set routes = routes + 1 where id = :id', { id })
  await noteChanges(db, [scope])
}

const note = (db: Db, scope: ChangeScope): Promise<void> => db.transaction(() => noteChanges(db, [scope]))

export const changes = { since, note, sweep } satisfies Queries<ChangeStore>
