import type { ControlPart } from '../../domain/control.ts'
import type { ApplicationId, AttemptId, EndpointId, EnvironmentId, MessageId, Millis } from '../../domain/ids.ts'
import type { Ending, KeptApplication, Removed, RetentionStore } from '../../ports/store.ts'
import { type Db, first } from '../db.ts'
import { withinBytes } from './expunge.ts'
import type { Queries } from './queries.ts'
import { endWaiting, holdWaiting } from './waiting.ts'

// One step, which a commit may have to wait behind. Of twice as many a step took 4.5 ms of processor time, the 99th of a
// hundred 8 ms (100,000 messages of 300 bytes with an attempt each, of 20 applications in turn; 2 cores, 2026-11).
const stepRows = 100

const nothing: Removed = { messages: 0, attempts: 0, payloads: 0, deliveries: 0 }
const keys = (ids: readonly string[]): string => JSON.stringify(ids.map((id) => [id]))

// One seek of the index for each application and column, however much it holds.
const applicationsPage = `
  select id, environment_id, control, deleted_at,
    (select min(message.id) from message where message.application_id = application.id) as oldest,
    (select min(message.id) from message
     where message.application_id = application.id and message.id > application.wiped_to) as unwiped
  from application where id > :after order by id limit :limit`

async function applications(db: Db, after: ApplicationId | '', limit: number): Promise<readonly KeptApplication[]> {
  const rows = await db.all<{
    id: ApplicationId
    environment_id: EnvironmentId
    control: string
    deleted_at: number | null
    oldest: MessageId | null
    unwiped: MessageId | null
  }>(applicationsPage, { after, limit })
  return rows.map((row) => ({
    id: row.id,
    environmentId: row.environment_id,
    control: JSON.parse(row.control) as ControlPart,
    deletedAt: row.deleted_at,
    oldest: row.oldest,
    unwiped: row.unwiped,
  }))
}

// What is under lease is being sent this moment: it goes the next time.
const oldMessages = `
  select id, event_id, octet_length(payload) as bytes from message
  where application_id = :applicationId and id > :above and id < :before
    and not exists (select 1 from delivery where delivery.message_id = message.id and delivery.lease is not null)
  order by id limit :limit`

const attemptsOf = `
  select attempt.message_id as message_id, attempt.id as id, octet_length(attempt.response) as bytes
  from @each(:rows) join attempt on attempt.message_id = value->>0 limit :limit`

const deleteAttempts = `
  delete from attempt where (message_id, id) in (select value->>0, value->>1 from @each(:rows))`

const deleteEventKeys = `
  delete from event_key
  where (application_id, event_id) in (select value->>0, value->>1 from @each(:rows))
    and message_id in (select value->>2 from @each(:rows))`

const deleteOldMessages = `
  delete from message where application_id = :applicationId and id @among(:rows)`

async function deleteMessages(
  db: Db,
  applicationId: ApplicationId,
  above: MessageId | '',
  before: MessageId,
  now: Millis,
): Promise<{ readonly removed: Removed; readonly last: MessageId | '' | null }> {
  return db.transaction(async () => {
    const old = await db.all<{ id: MessageId; event_id: string | null; bytes: number | null }>(oldMessages, {
      ...{ applicationId, above, before, limit: stepRows },
    })
    const going = withinBytes(old)
    const ids = going.map(({ id }) => id)
    const last = ids.at(-1)
    if (last === undefined) return { removed: nothing, last: null }
    const rows = keys(ids)
    await holdWaiting(db, rows)
    // A message may have any number of attempts: it goes when the last of them is gone.
    const found = await db.all<{ message_id: MessageId; id: AttemptId; bytes: number }>(attemptsOf, {
      ...{ rows, limit: stepRows },
    })
    const tried = withinBytes(found)
    const attempts =
      tried.length === 0
        ? 0
        : await db.run(deleteAttempts, { rows: JSON.stringify(tried.map((row) => [row.message_id, row.id])) })
    // What they leave would go with them at once.
    const { ended: deliveries, more } = await endWaiting(db, rows, now, null, stepRows)
    if (more || tried.length < found.length || found.length === stepRows)
      return { removed: { ...nothing, attempts, deliveries }, last: above }
    const taken = going.flatMap(({ id, event_id }) => (event_id === null ? [] : [[applicationId, event_id, id]]))
    if (taken.length > 0) await db.run(deleteEventKeys, { rows: JSON.stringify(taken) })
    const messages = await db.run(deleteOldMessages, { applicationId, rows })
    return { removed: { messages, attempts, payloads: 0, deliveries }, last }
  })
}

const unwipedMessages = `
  select message.id as id, case when message.payload_until is null then octet_length(message.payload) end as bytes
  from message
  where message.application_id = :applicationId and message.id < :before
    and message.id > (select wiped_to from application where id = :applicationId)
  order by message.id limit :limit`

const wipeThese = `
  update message set payload = null, payload_until = null, request = null
  where application_id = :applicationId and id @among(:rows) and payload is not null`

async function wipePayloads(
  db: Db,
  applicationId: ApplicationId,
  before: MessageId,
  ending: Ending,
): Promise<{ readonly removed: Removed; readonly more: boolean }> {
  return db.transaction(async () => {
    const rows = await db.all<{ id: MessageId; bytes: number | null }>(unwipedMessages, {
      ...{ applicationId, before, limit: stepRows },
    })
    const taken = withinBytes(rows)
    const wipedTo = taken.at(-1)?.id
    if (wipedTo === undefined) return { removed: nothing, more: false }
    // Without a size: gone already, or kept as long as its publisher said.
    const ids = keys(taken.flatMap(({ id, bytes }) => (bytes === null ? [] : [id])))
    await holdWaiting(db, ids)
    const waiting = await endWaiting(db, ids, ending.at, ending, stepRows)
    if (waiting.more) return { removed: { ...nothing, deliveries: waiting.ended }, more: true }
    const payloads = await db.run(wipeThese, { applicationId, rows: ids })
    await db.run('update application set wiped_to = :wipedTo where id = :applicationId', { applicationId, wipedTo })
    return {
      removed: { ...nothing, payloads, deliveries: waiting.ended },
      more: taken.length < rows.length || rows.length === stepRows,
    }
  })
}

const lapsedMessages = `
  select application_id, id, octet_length(payload) as bytes from message
  where payload_until <= :now order by payload_until limit :limit`

async function wipeLapsed(db: Db, ending: Ending): Promise<{ readonly removed: Removed; readonly more: boolean }> {
  return db.transaction(async () => {
    const rows = await db.all<{ application_id: ApplicationId; id: MessageId; bytes: number | null }>(lapsedMessages, {
      ...{ now: ending.at, limit: stepRows },
    })
    const taken = withinBytes(rows)
    const ids = keys(taken.map(({ id }) => id))
    await holdWaiting(db, ids)
    const waiting = await endWaiting(db, ids, ending.at, ending, stepRows)
    if (waiting.more) return { removed: { ...nothing, deliveries: waiting.ended }, more: true }
    let payloads = 0
    for (const [applicationId, its] of Map.groupBy(taken, (row) => row.application_id)) {
      payloads += await db.run(wipeThese, { applicationId, rows: keys(its.map(({ id }) => id)) })
    }
    return {
      removed: { ...nothing, payloads, deliveries: waiting.ended },
      more: taken.length < rows.length || rows.length === stepRows,
    }
  })
}

const goneEndpoints = `
  select id,
    (select id from attempt where endpoint_id = endpoint.id order by id @in(attempt_endpoint) limit 1) is null
    and (select due_at from delivery where endpoint_id @in(delivery_due) = endpoint.id order by due_at limit 1) is null as unused
  from endpoint where deleted_at is not null and id > :after and deleted_at < :deletedBefore
  order by id limit :limit`

async function deleteEndpoints(db: Db, after: EndpointId | '', deletedBefore: Millis): Promise<EndpointId | null> {
  const rows = await db.all<{ id: EndpointId; unused: number }>(goneEndpoints, {
    ...{ after, deletedBefore, limit: stepRows },
  })
  const unused = rows.flatMap((row) => (row.unused ? [row.id] : []))
  if (unused.length > 0) await db.run('delete from endpoint where id @among(:rows)', { rows: keys(unused) })
  return rows.length === stepRows ? (rows.at(-1)?.id ?? null) : null
}

async function deleteApplication(db: Db, id: ApplicationId): Promise<boolean> {
  return db.transaction(async () => {
    const used = await first(
      db,
      `select 1 as found where exists (select 1 from message where application_id = :id)
         or exists (select 1 from endpoint where application_id = :id)`,
      { id },
    )
    if (used) return false
    await db.run('delete from portal_token where application_id = :id', { id })
    await db.run('delete from source where id = :id and deleted_at is not null', { id })
    return (await db.run('delete from application where id = :id and deleted_at is not null', { id })) > 0
  })
}

export const retention = {
  applications,
  deleteMessages,
  wipePayloads,
  wipeLapsed,
  deleteEndpoints,
  deleteApplication,
} satisfies Omit<Queries<RetentionStore>, 'grain' | 'prepare' | 'dropOlder'>
