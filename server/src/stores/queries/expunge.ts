import type { ApplicationId, AttemptId, MessageId } from '../../domain/ids.ts'
import type { Ending, ExpungeStore } from '../../ports/store.ts'
import type { Db } from '../db.ts'
import type { Queries } from './queries.ts'
import { endWaiting, holdWaiting } from './waiting.ts'

// One step of removing: what a commit may have to wait behind. Removed bytes are written over, so they count too.
const stepBytes = 1024 * 1024
const stepAttempts = 200

/** The first ones, up to a number of bytes, but at least one. */
export function withinBytes<Row extends { readonly bytes: number | null }>(rows: readonly Row[]): readonly Row[] {
  let bytes = 0
  const end = rows.findIndex((row, at) => {
    bytes += row.bytes ?? 0
    return at > 0 && bytes > stepBytes
  })
  return end < 0 ? rows : rows.slice(0, end)
}

const rowsOf = (...columns: readonly (readonly string[])[]): string =>
  JSON.stringify((columns[0] ?? []).map((_, at) => columns.map((column) => column[at])))

const payloadSizes = `
  select id, octet_length(payload) as bytes from message
  where application_id = :applicationId and id @among(:rows)`

const wipePayloads = `
  update message set payload = null, payload_until = null, request = null
  where application_id = :applicationId and id @among(:rows) and payload is not null`

const responseSizes = `
  select attempt.message_id as message_id, attempt.id as id, octet_length(attempt.response) as bytes
  from @each(:rows) join attempt on attempt.message_id = value->>0
  where attempt.response <> '' and attempt.ended is null limit :limit`

const wipeResponses = `
  update attempt set response = '', response_cut = 0
  where (message_id, id) in (select value->>0, value->>1 from @each(:rows))`

async function messages(
  db: Db,
  applicationId: ApplicationId,
  ids: readonly MessageId[],
  ending: Ending,
): Promise<{ readonly left: readonly MessageId[]; readonly wiped: number }> {
  return db.transaction(async () => {
    const found = await db.all<{ id: MessageId; bytes: number | null }>(payloadSizes, {
      applicationId,
      rows: rowsOf(ids),
    })
    const sizes = found.toSorted((one, other) => (one.id < other.id ? -1 : 1))
    const taken = withinBytes(sizes).map((row) => row.id)
    if (taken.length === 0) return { left: [], wiped: 0 }
    const rows = rowsOf(taken)
    await holdWaiting(db, rows)
    const wiped = await db.run(wipePayloads, { applicationId, rows })
    const waiting = await endWaiting(db, rows, ending.at, ending, stepAttempts)
    const answers = await db.all<{ message_id: MessageId; id: AttemptId; bytes: number }>(responseSizes, {
      rows,
      limit: stepAttempts,
    })
    const attempts = withinBytes(answers)
    if (attempts.length > 0) {
      const keys = rowsOf(
        attempts.map((row) => row.message_id),
        attempts.map((row) => row.id),
      )
      await db.run(wipeResponses, { rows: keys })
    }
    const more = waiting.more || attempts.length < answers.length || answers.length === stepAttempts
    return { left: sizes.slice(more ? 0 : taken.length).map((row) => row.id), wiped }
  })
}

async function attempt(db: Db, messageId: MessageId, attemptId: AttemptId): Promise<void> {
  await db.run(wipeResponses, { rows: JSON.stringify([[messageId, attemptId]]) })
}

async function idsBetween(
  db: Db,
  applicationId: ApplicationId,
  above: MessageId | '',
  below: MessageId,
  limit: number,
): Promise<readonly MessageId[]> {
  const rows = await db.all<{ id: MessageId }>(
    `select id from message where application_id = :applicationId and id > :above and id < :below
     order by id limit :limit`,
    { applicationId, above, below, limit },
  )
  return rows.map((row) => row.id)
}

/** As `ExpungeStore`; that the files hold nothing of it any more is the engine's to see to. */
export const expunge = { messages, attempt, idsBetween } satisfies Omit<Queries<ExpungeStore>, 'forGood'>
