import type { RepeatableAsk } from '../../domain/idempotency.ts'
import type { Millis } from '../../domain/ids.ts'
import type { SealedText } from '../../domain/seal.ts'
import type { AnswerStore, BegunAnswer, KeptAnswer } from '../../ports/store.ts'
import { type Db, first } from '../db.ts'
import type { Queries } from './queries.ts'

type AnswerRow = {
  readonly id: string
  readonly fingerprint: string
  /** Null: it is being answered. */
  readonly status: number | null
  readonly sealed_body: SealedText | null
  readonly started_at: number
  readonly until: number
}

const begin = (db: Db, { id, fingerprint }: RepeatableAsk, now: Millis, until: Millis): Promise<BegunAnswer> =>
  db.transaction(async () => {
    await db.run('delete from idempotency_key where id = :id and until <= :now', { id, now })
    const begun = await db.run(
      `insert into idempotency_key (id, fingerprint, started_at, until) values (:id, :fingerprint, :now, :until)
       on conflict (id) do nothing`,
      { id, fingerprint, now, until },
    )
    if (begun > 0) return { kind: 'begun' }
    const row = await first<AnswerRow>(
      db,
      'select id, fingerprint, status, sealed_body, started_at, until from idempotency_key where id = :id',
      { id },
    )
    if (!row || row.status === null) return { kind: 'running', fingerprint: row?.fingerprint ?? fingerprint }
    const { status, sealed_body: sealedBody, started_at: startedAt } = row
    await db.vouch()
    const answer = { id, fingerprint: row.fingerprint, status, sealedBody, startedAt, until: row.until }
    return { kind: 'answered', answer }
  })

async function abandon(db: Db, id: string): Promise<void> {
  await db.run('delete from idempotency_key where id = :id and status is null and message_id is null', { id })
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

export const answers = { begin, abandon, keep, sweepLapsed } satisfies Queries<AnswerStore>
