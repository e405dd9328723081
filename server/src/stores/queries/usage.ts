import {
  type ApplicationId,
  type AttemptId,
  type EndpointId,
  type EnvironmentId,
  firstIdAt,
  type Millis,
} from '../../domain/ids.ts'
import type { AttemptCursor } from '../../domain/task.ts'
import { type Db, first } from '../db.ts'

export const applications = (
  db: Db,
  environmentId: EnvironmentId,
  after: ApplicationId | '',
  among: readonly ApplicationId[] | null,
  limit: number,
): Promise<readonly { readonly id: ApplicationId; readonly uid: string | null }[]> =>
  db.all<{ id: ApplicationId; uid: string | null }>(
    `select id, uid from application
     where environment_id = :environmentId and id > :after and deleted_at is null and kind = 'customer'
       and (cast(:among as text) is null or id in (select value->>0 from @each(:among)))
     order by id limit :limit`,
    { environmentId, after, among: among && JSON.stringify(among.map((id) => [id])), limit },
  )

export async function subscriptions(
  db: Db,
  applicationIds: readonly ApplicationId[],
): Promise<readonly { readonly applicationId: ApplicationId; readonly eventTypes: readonly string[] | null }[]> {
  const rows = await db.all<{ application_id: ApplicationId; event_types: string | null }>(
    `select application_id, event_types from endpoint
     where application_id in (select value->>0 from @each(:rows)) and deleted_at is null`,
    { rows: JSON.stringify(applicationIds.map((id) => [id])) },
  )
  return rows.map((row) => ({
    applicationId: row.application_id,
    eventTypes: row.event_types === null ? null : (JSON.parse(row.event_types) as readonly string[]),
  }))
}

// Off the index of the endpoint alone: no attempt is read.
const counting = `
  select count(*) as counted, max(id) as last from (
    select id from attempt
    where endpoint_id = :endpointId and id @in(attempt_endpoint) > :above and id @in(attempt_endpoint) < :below
    order by id @in(attempt_endpoint) limit :limit
  ) as counted_rows`

/** Deleted endpoints count as well: what was sent to them was sent. */
export async function countAttempts(
  db: Db,
  applicationId: ApplicationId,
  from: AttemptCursor | null,
  since: Millis,
  until: Millis,
  limit: number,
): Promise<{ readonly counted: number; readonly next: AttemptCursor | null }> {
  const lowest = firstIdAt('attempt', since)
  const below = firstIdAt('attempt', until)
  let endpointId = from?.endpointId ?? (await endpointAfter(db, applicationId, ''))
  let above: AttemptId = from?.attemptId || lowest
  let counted = 0
  // To have looked at an endpoint costs as much as an attempt, so that many empty ones are no long step either.
  let left = limit
  while (endpointId !== null) {
    const row = await first<{ counted: number; last: AttemptId | null }>(db, counting, {
      ...{ endpointId, above, below, limit: left },
    })
    counted += row?.counted ?? 0
    if (row?.last && row.counted === left) return { counted, next: { applicationId, endpointId, attemptId: row.last } }
    left -= (row?.counted ?? 0) + 1
    endpointId = await endpointAfter(db, applicationId, endpointId)
    above = lowest
    if (left <= 0 && endpointId !== null) return { counted, next: { applicationId, endpointId, attemptId: '' } }
  }
  return { counted, next: null }
}

async function endpointAfter(db: Db, applicationId: ApplicationId, after: EndpointId | ''): Promise<EndpointId | null> {
  const row = await first<{ id: EndpointId }>(
    db,
    'select id from endpoint where application_id = :applicationId and id > :after order by id limit 1',
    { applicationId, after },
  )
  return row?.id ?? null
}
