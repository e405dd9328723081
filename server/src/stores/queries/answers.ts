import type { Millis } from '../../domain/ids.ts'
import type { SealedText } from '../../domain/seal.ts'
import type { AnswerStore, KeptAnswer } from '../../ports/store.ts'
import { type Db, first } from '../db.ts'
import type { Queries } from './queries.ts'

type AnswerRow = {
  readonly id: string
  readonly fingerprint: string
  readonly status: number
  readonly sealed_body: SealedText | null
  readonly started_at: number
  readonly until: number
}

async function find(db: Db, id: string): Promise<KeptAnswer | null> {
  const row = await first<AnswerRow>(
    db,
    `select id, fingerprint, status, sealed_body, started_at, until from idempotency_key
     where id = :id and status is not null`,
    { id },
  )
  if (!row) return null
  const { fingerprint, status, until } = row
  return { id, fingerprint, status, sealedBody: row.sealed_body, startedAt: row.started_at, until }
}

async function keep(db: Db, answer: KeptAnswer): Promise<void> {
  await db.run(
    `insert into idempotency_key (id, fingerprint, status, sealed_body, started_at, until)
     values (:id, :fingerprint, :status, :sealedBody, :startedAt, :until)
     on conflict (id) do update set fingerprint = excluded.fingerprint, status = excluded.status,
       sealed_body = excluded.sealed_body, started_at = excluded.started_at, until = excluded.until`,
    { ...answer },
  )
}

const sweepLapsed = (db: Db, now: Millis, limit: number): Promise<number> =>
  db.run(
    `delete from idempotency_key where id in (
       select id from idempotency_key where until <= :now order by until limit :limit)`,
    { now, limit },
  )

export const answers = { find, keep, sweepLapsed } satisfies Queries<AnswerStore>
