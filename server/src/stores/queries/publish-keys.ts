import type { FirstPublish } from '../../domain/idempotency.ts'
import type { MessageId } from '../../domain/ids.ts'
import type { PublishKey } from '../../ports/store.ts'
import type { Db } from '../db.ts'

/** As a row of a packed commit. */
export const publishKeyRow = ({ id, fingerprint, messageId, acceptedAt, until }: PublishKey) => [
  id,
  fingerprint,
  messageId,
  acceptedAt,
  until,
]

// `+ 0`: found by its key, and not among all that has ever lapsed.
const dropLapsed = `
  delete from idempotency_key
  where id @among(:rows) and until + 0 <= (select max(cast(value->>3 as bigint)) from @each(:rows))`

const append = `
  insert into idempotency_key (id, fingerprint, message_id, started_at, until)
  select value->>0, value->>1, value->>2, cast(value->>3 as bigint), cast(value->>4 as bigint) from @each(:rows) where true
  on conflict (id) do nothing`

const usedBefore = `
  select value->>2 as wanted, idempotency_key.message_id, idempotency_key.started_at, idempotency_key.fingerprint
  from @each(:rows) join idempotency_key on idempotency_key.id @exactly(value->>0)
  where idempotency_key.message_id <> value->>2`

type UsedRow = {
  readonly wanted: MessageId
  readonly message_id: MessageId
  readonly started_at: number
  readonly fingerprint: string
}

/** Keeps the keys of new messages; resolves to those messages whose key was used before. Within the commit's transaction. */
export async function claimPublishKeys(db: Db, rows: string): Promise<Map<MessageId, FirstPublish>> {
  const repeated = new Map<MessageId, FirstPublish>()
  const [, , used] = await Promise.all([
    db.run(dropLapsed, { rows }),
    db.run(append, { rows }),
    db.all<UsedRow>(usedBefore, { rows }),
  ])
  for (const { wanted, message_id, started_at, fingerprint } of used) {
    repeated.set(wanted, { messageId: message_id, acceptedAt: started_at, fingerprint })
  }
  return repeated
}

const forget = 'delete from idempotency_key where id @among(:rows)'

/** A refused publish has no answer worth keeping: forgets the keys, packed in `rows`, of these messages. */
export async function forgetPublishKeys(db: Db, rows: string, refused: ReadonlyMap<MessageId, unknown>): Promise<void> {
  const keys = (JSON.parse(rows) as ReturnType<typeof publishKeyRow>[]).filter((row) =>
    refused.has(row[2] as MessageId),
  )
  if (keys.length > 0) await db.run(forget, { rows: JSON.stringify(keys) })
}
