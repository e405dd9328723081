import type { Millis, SourceId } from '../../domain/ids.ts'
import type { Handshake } from '../../domain/source.ts'
import type { HandshakeNote } from '../../ports/store.ts'
import type { Db } from '../db.ts'

type HandshakeRow = {
  readonly name: string
  readonly succeeded_at: number | null
  readonly failed_at: number | null
  readonly failure: string | null
  readonly successes: number
  readonly failures: number
}

type Noted = { succeededAt: Millis | null; failedAt: Millis | null; failure: string | null } & {
  successes: number
  failures: number
}

// A source that was deleted meanwhile is to leave nothing.
const append = `
  insert into handshake (source_id, name, succeeded_at, failed_at, failure, successes, failures)
  select value->>0, value->>1, cast(value->>2 as bigint), cast(value->>3 as bigint), value->>4,
         cast(value->>5 as bigint), cast(value->>6 as bigint)
  from @each(:rows)
  where exists (select 1 from source where source.id = value->>0 and source.deleted_at is null)
  on conflict (source_id, name) do update set
    succeeded_at = coalesce(excluded.succeeded_at, handshake.succeeded_at),
    failed_at = coalesce(excluded.failed_at, handshake.failed_at),
    failure = case when excluded.failed_at is null then handshake.failure else excluded.failure end,
    successes = handshake.successes + excluded.successes,
    failures = handshake.failures + excluded.failures`

/** The notes are in order of their time. */
export async function noteHandshakes(db: Db, notes: readonly HandshakeNote[]): Promise<void> {
  // One row for each: a statement may meet the same row only once.
  const rows: unknown[] = []
  for (const [sourceId, its] of Map.groupBy(notes, (note) => note.sourceId)) {
    for (const [name, same] of Map.groupBy(its, (note) => note.name)) {
      const noted: Noted = { succeededAt: null, failedAt: null, failure: null, successes: 0, failures: 0 }
      for (const { at, failure } of same) {
        if (failure === null) {
          noted.succeededAt = at
          noted.successes += 1
        } else {
          noted.failedAt = at
          noted.failure = failure
          noted.failures += 1
        }
      }
      const { succeededAt, failedAt, failure, successes, failures } = noted
      rows.push([sourceId, name, succeededAt, failedAt, failure, successes, failures])
    }
  }
  if (rows.length > 0) await db.run(append, { rows: JSON.stringify(rows) })
}

/** By name. */
export async function handshakes(db: Db, id: SourceId): Promise<readonly Handshake[]> {
  const rows = await db.all<HandshakeRow>(
    `select name, succeeded_at, failed_at, failure, successes, failures
     from handshake where source_id = :id order by name`,
    { id },
  )
  return rows.map((row) => ({
    name: row.name,
    succeededAt: row.succeeded_at,
    failedAt: row.failed_at,
    failure: row.failure,
    successes: row.successes,
    failures: row.failures,
  }))
}
