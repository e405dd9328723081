import type { AttemptId, EndpointId, MessageId, Millis } from '../../domain/ids.ts'
import type { Standing } from '../../domain/task.ts'
import type { Found, Look, LookAsk, ReplayedDelivery } from '../../ports/store.ts'
import type { Db } from '../db.ts'
import { orderKeysOf, promote } from './commit.ts'
import { inNoTime } from './packed-batch.ts'

type LookRow = {
  readonly looked_id: MessageId
  readonly standing: Standing
  readonly last_id: AttemptId | null
  readonly status_code: number | null
  /** Null: not one of the standings asked for. */
  readonly event_type: string | null
  readonly channels: string | null
  readonly tags: string | null
  readonly has_content: 0 | 1 | null
  readonly ordering_key: string | null
  readonly deliver_at: number | null
  readonly expires_at: number | null
  readonly accepted_at: number | null
}

/*
 * Messages are walked along the index of their application; where each stands is a seek into the queue and one into the
 * attempts of the message, of which it has a few (an expression keeps SQLite from the endpoint's index, which may have
 * millions). Only messages that stand as asked are read themselves. One that is parked waits for nothing but this: it
 * stands where its last attempt left it.
 */
const looking = `
  with looked as materialized (
    select id from message where application_id = :applicationId and id > :after and id < :below order by id limit :limit
  ), last as materialized (
    select looked.id as looked_id,
      (select max(attempt.id) from attempt
       where attempt.message_id = looked.id and (attempt.endpoint_id || '') = :endpointId) as last_id,
      exists (select 1 from delivery where delivery.message_id = looked.id and delivery.endpoint_id = :endpointId
        and coalesce(delivery.held, '') <> 'parked') as waits
    from looked
  ), stood as materialized (
    select looked_id, last_id, attempt.status_code as status_code,
      case when waits then 'waiting'
           when last_id is null then 'never'
           when attempt.ended = 'canceled' then 'canceled'
           when attempt.succeeded = 1 then 'delivered'
           else 'failed' end as standing
    from last left join attempt on attempt.message_id = looked_id and attempt.id = last_id
  )
  select looked_id, standing, last_id, status_code, event_type, channels, tags,
    case when message.payload is not null then 1 else 0 end as has_content, ordering_key, deliver_at, expires_at, accepted_at
  from stood left join message
    on message.application_id = :applicationId and message.id = looked_id
    and standing in (select value->>0 from @each(:standings))
  order by looked_id`

const listOf = (json: string | null): readonly string[] | null =>
  json === null ? null : (JSON.parse(json) as readonly string[])

export async function look(db: Db, ask: LookAsk): Promise<Look> {
  const { applicationId, endpointId, after, below, limit, standings } = ask
  const rows = await db.all<LookRow>(looking, {
    ...{ applicationId, endpointId, after, below, limit },
    standings: JSON.stringify(standings.map((standing) => [standing])),
  })
  const found = rows.flatMap((row, index): readonly Found[] =>
    row.event_type === null || row.accepted_at === null
      ? []
      : [
          {
            messageId: row.looked_id,
            place: index + 1,
            standing: row.standing,
            lastAttemptId: row.last_id ?? '',
            statusCode: row.status_code,
            eventType: row.event_type,
            channels: listOf(row.channels),
            tags: listOf(row.tags),
            hasContent: row.has_content === 1,
            orderingKey: row.ordering_key,
            acceptedAt: row.accepted_at,
            deliverAt: row.deliver_at,
            expiresAt: row.expires_at,
          },
        ],
  )
  return { looked: rows.length, last: rows.at(-1)?.looked_id ?? null, found }
}

// As a resend adds one: a schedule of its own, and the mark of being asked for by hand. But it takes its place in the
// order it is of, and among what waits: there may be very many.
const adding = `
  insert into delivery (message_id, endpoint_id, attempts, due_at, lease, trigger, order_key, held)
  select value->>0, :endpointId, 0, cast(value->>1 as bigint), null, 1, value->>3,
         case when value->>3 is null then null else 'behind' end
  from @each(:rows)
  where not exists (
    select 1 from attempt
    where attempt.message_id = value->>0 and (attempt.endpoint_id || '') = :endpointId and attempt.id > value->>2)
  on conflict (message_id, endpoint_id) do update
    set attempts = 0, due_at = excluded.due_at, trigger = 1, order_key = excluded.order_key, held = excluded.held
    where delivery.held = 'parked'`

/** For `addReplayed` of these: before anything else in its transaction. */
export async function holdReplayed(db: Db, endpointId: EndpointId, rows: readonly ReplayedDelivery[]): Promise<void> {
  const orders = rows.flatMap(({ orderKey }) => (orderKey === null ? [] : [[endpointId, orderKey] as const]))
  if (orders.length > 0) await db.hold(orderKeysOf(orders))
}

/** Resolves to how many were added. Runs in the caller's transaction. */
export async function addReplayed(
  db: Db,
  endpointId: EndpointId,
  rows: readonly ReplayedDelivery[],
  now: Millis,
): Promise<number> {
  const added = await db.run(adding, {
    endpointId,
    rows: JSON.stringify(
      rows.map(({ messageId, dueAt, lastAttemptId, orderKey }) => [
        messageId,
        orderKey === null ? dueAt : inNoTime,
        lastAttemptId,
        orderKey,
      ]),
    ),
  })
  const orders = new Set(rows.flatMap(({ orderKey }) => orderKey ?? []))
  if (orders.size > 0) {
    await promote(db, now, JSON.stringify([...orders].map((orderKey) => [endpointId, orderKey])))
  }
  return added
}
