import { type AttemptId, type EndpointId, firstIdAt, type MessageId, type Millis } from '../../domain/ids.ts'
import type { QueuePlace, TallyStore } from '../../ports/store.ts'
import { type Db, first } from '../db.ts'
import type { Queries } from './queries.ts'

const inSpan = 'message_id >= :lowest and message_id < :below'

/*
 * Attempts are walked along the index of their endpoint. One counts if it is its message's last here and nothing waits
 * any more: two seeks among the few rows of the message (an expression keeps SQLite from the endpoint's index, which may
 * have millions). How a failed one ended stands behind its response, so only those are asked.
 */
const settledText = `
  with page as materialized (
    select id, message_id, succeeded from attempt
    where endpoint_id = :endpointId and id @in(attempt_endpoint) > :after order by id @in(attempt_endpoint) limit :limit
  ), last as materialized (
    select id, message_id,
      case when not (${inSpan}) then null
           when exists (
             select 1 from attempt as later where later.message_id = page.message_id
               and (later.endpoint_id || '') = :endpointId and later.id > page.id) then null
           when exists (
             select 1 from delivery
             where delivery.message_id = page.message_id and delivery.endpoint_id = :endpointId) then null
           when succeeded = 1 then 'delivered'
           when (select ended from attempt as own where own.message_id = page.message_id and own.id = page.id)
             = 'canceled' then 'canceled'
           else 'failed' end as standing
    from page
  )
  select count(*) as looked, max(id) as last_id, count(case when standing = 'delivered' then 1 end) as delivered,
    count(case when standing = 'failed' then 1 end) as failed, count(case when standing = 'canceled' then 1 end) as canceled
  from last`

async function settled(
  db: Db,
  endpointId: EndpointId,
  { since, until }: { readonly since: Millis; readonly until: Millis },
  after: AttemptId | '',
  limit: number,
) {
  type Row = { looked: number; last_id: AttemptId | null; delivered: number; failed: number; canceled: number }
  const row = await first<Row>(db, settledText, {
    ...{ endpointId, limit, lowest: firstIdAt('message', since), below: firstIdAt('message', until) },
    // No message is tried before it is accepted.
    after: after || firstIdAt('attempt', since),
  })
  const { looked, last_id, delivered, failed, canceled } = row ?? {
    ...{ looked: 0, last_id: null, delivered: 0, failed: 0, canceled: 0 },
  }
  return { delivered, failed, canceled, next: looked < limit ? null : last_id }
}

const waitingText = `
  with page as materialized (
    select due_at, message_id, attempts from delivery
    where endpoint_id @in(delivery_due) = :endpointId and (due_at, message_id @in(delivery_due)) > (:dueAt, :messageId)
    order by due_at, message_id @in(delivery_due) limit :limit
  )
  select count(*) as looked, count(case when ${inSpan} and attempts = 0 then 1 end) as pending,
    count(case when ${inSpan} and attempts > 0 then 1 end) as sending,
    (select due_at from page order by due_at desc, message_id desc limit 1) as last_due,
    (select message_id from page order by due_at desc, message_id desc limit 1) as last_message
  from page`

async function waiting(
  db: Db,
  endpointId: EndpointId,
  { since, until }: { readonly since: Millis; readonly until: Millis },
  after: QueuePlace | null,
  limit: number,
) {
  type Row = {
    readonly looked: number
    readonly pending: number
    readonly sending: number
    readonly last_due: number | null
    readonly last_message: MessageId | null
  }
  const row = await first<Row>(db, waitingText, {
    ...{ endpointId, limit, lowest: firstIdAt('message', since), below: firstIdAt('message', until) },
    ...{ dueAt: after?.dueAt ?? -1, messageId: after?.messageId ?? '' },
  })
  const { looked = 0, pending = 0, sending = 0, last_due = null, last_message = null } = row ?? {}
  const more = looked === limit && last_due !== null && last_message !== null
  return { pending, sending, next: more ? { dueAt: last_due, messageId: last_message } : null }
}

export const tallies = { settled, waiting } satisfies Queries<TallyStore>
