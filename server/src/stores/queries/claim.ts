import type { EndpointId, MessageId, Millis } from '../../domain/ids.ts'
import type { ClaimAsk, Claimed, ClaimedDelivery } from '../../ports/store.ts'
import type { Db } from '../db.ts'
import { finish, orderKeysOf, promote } from './commit.ts'
import { type MessageRow, messageColumns, messageOf } from './messages.ts'

// Steps from endpoint to endpoint along the index, one seek each, however many deliveries each has waiting. The first of an
// order and not its minimum: PostgreSQL may also go through all there are for that, when it believes them to be few.
const ring = `
  with recursive ring (endpoint_id, visited) as (
    select (
      select endpoint_id from delivery where endpoint_id @in(delivery_due) > :after order by endpoint_id @in(delivery_due) limit 1
    ), 1
    union all
    select (
      select delivery.endpoint_id from delivery
      where delivery.endpoint_id @in(delivery_due) > ring.endpoint_id order by delivery.endpoint_id @in(delivery_due) limit 1
    ), visited + 1
    from ring where ring.endpoint_id is not null and visited < :visits
  )
  select endpoint_id,
         (select due_at from delivery
          where delivery.endpoint_id @in(delivery_due) = ring.endpoint_id order by due_at limit 1) as first_due,
         (select due_at from delivery
          where delivery.endpoint_id @in(delivery_due) = ring.endpoint_id and due_at > :now order by due_at limit 1) as next_due
  from ring`

// Deliveries of disabled and paused endpoints wait; those of deleted ones are taken too, to be thrown away. Taken in two
// statements: joined to what it picked, the update may begin with all that waits for the endpoint.
const pick = `
  select message_id, attempts, trigger, order_key from delivery
  where endpoint_id @in(delivery_due) = :endpoint and due_at <= :now
    and not exists (
      select 1 from endpoint join application on application.id = endpoint.application_id
      where endpoint.id = :endpoint and endpoint.deleted_at is null
        and (disabled_because is not null or endpoint.paused_at is not null or application.paused_at is not null)
    )
  order by due_at, message_id @in(delivery_due) limit :share @skip_locked`

const take = `
  update delivery set due_at = :until, lease = :lease from @each(:picked)
  where delivery.message_id @exactly(value->>0) and delivery.endpoint_id = value->>1`

const messagesOfClaim = `
  with wanted as materialized (
    select value->>0 as id, (select application_id from endpoint where id = value->>1 and deleted_at is null) as application_id
    from @each(:picked)
  )
  select ${messageColumns(true)} from wanted
  left join message on message.application_id = wanted.application_id and message.id = wanted.id`

type SendableRow = MessageRow & { readonly payload: string }
const isSendable = (row: MessageRow): row is SendableRow => row.payload !== null

/** See `RoadStore.claim`. */
export async function claim(db: Db, ask: ClaimAsk): Promise<Claimed> {
  const visited = await db.all<{ endpoint_id: EndpointId | null; first_due: number | null; next_due: number | null }>(
    ring,
    {
      after: ask.after,
      visits: ask.visits,
      now: ask.now,
    },
  )
  const deliveries: ClaimedDelivery[] = []
  const moreOf: EndpointId[] = []
  let nextDueAt: Millis | null = null
  let cursor: EndpointId | '' = ''
  let characters = 0
  for (const { endpoint_id: endpointId, first_due, next_due } of visited) {
    if (endpointId === null) {
      cursor = ''
      break
    }
    // Full: go on behind the last endpoint that had its turn.
    if (deliveries.length >= ask.room || characters >= ask.characters) break
    cursor = endpointId
    if (next_due !== null) nextDueAt = Math.min(nextDueAt ?? next_due, next_due)
    const share = Math.min(ask.shares.get(endpointId) ?? ask.share, ask.room - deliveries.length)
    if (first_due === null || first_due > ask.now || share === 0) continue
    const taken = await claimOf(db, ask, endpointId, share, ask.characters - characters)
    deliveries.push(...taken.deliveries)
    characters += taken.characters
    if (taken.full) moreOf.push(endpointId)
  }
  return { deliveries, cursor, moreOf, nextDueAt }
}

// Taken in one step. The first is small, the next ones as large as payloads of that size allow: how far a claim can
// overshoot the characters it was given.
const firstStep = 4
const longestStep = 16

interface ClaimedOfEndpoint {
  readonly deliveries: readonly ClaimedDelivery[]
  readonly characters: number
  /** It stopped because it had enough, not because there was no more. */
  readonly full: boolean
}

interface ClaimedAtOnce extends ClaimedOfEndpoint {
  /** It stopped because of these: the first of their orders, with nothing to send. They are leased to us. */
  readonly heads: readonly Head[]
}

interface Head {
  readonly messageId: MessageId
  readonly attempts: number
  readonly orderKey: string
}

const noHeads: readonly Head[] = []

/** What is thrown away makes those behind it due, which are claimed in turn. */
async function claimOf(
  db: Db,
  ask: ClaimAsk,
  endpointId: EndpointId,
  share: number,
  mostCharacters: number,
): Promise<ClaimedOfEndpoint> {
  const deliveries: ClaimedDelivery[] = []
  let characters = 0
  for (let left = share; left > 0 && characters < mostCharacters; ) {
    const taken = await claimAtOnce(db, ask, endpointId, left, mostCharacters - characters)
    deliveries.push(...taken.deliveries)
    characters += taken.characters
    if (taken.heads.length === 0) return { deliveries, characters, full: taken.full }
    await throwAway(db, ask, endpointId, taken.heads)
    left -= taken.deliveries.length + taken.heads.length
  }
  return { deliveries, characters, full: true }
}

/** In a transaction of its own, which holds the orders before it touches a row. Until then nobody else claims them. */
const throwAway = (db: Db, { now, lease }: ClaimAsk, endpointId: EndpointId, heads: readonly Head[]): Promise<void> =>
  db.transaction(async () => {
    const orders = heads.map(({ orderKey }) => [endpointId, orderKey] as const)
    await db.hold(orderKeysOf(orders))
    const rows = JSON.stringify(heads.map(({ messageId, attempts }) => [messageId, endpointId, attempts]))
    await db.run(finish, { lease, rows })
    await promote(db, now, JSON.stringify(orders))
  })

const claimAtOnce = (
  db: Db,
  ask: ClaimAsk,
  endpointId: EndpointId,
  share: number,
  mostCharacters: number,
): Promise<ClaimedAtOnce> =>
  db.transaction(async () => {
    const deliveries: ClaimedDelivery[] = []
    let characters = 0
    for (let left = share, step = firstStep; left > 0 && characters < mostCharacters; ) {
      step = Math.min(step, left)
      const taken = await claimSome(db, ask, endpointId, step)
      for (const delivery of taken.deliveries) characters += delivery.message.payload.length
      deliveries.push(...taken.deliveries)
      if (taken.heads.length > 0) return { deliveries, characters, full: false, heads: taken.heads }
      if (taken.picked < step) return { deliveries, characters, full: false, heads: noHeads }
      left -= step
      const fitting = characters === 0 ? longestStep : ((mostCharacters - characters) * deliveries.length) / characters
      step = Math.max(1, Math.min(longestStep, Math.floor(fitting)))
    }
    return { deliveries, characters, full: true, heads: noHeads }
  })

interface ClaimedSome {
  readonly deliveries: readonly ClaimedDelivery[]
  readonly picked: number
  readonly heads: readonly Head[]
}

async function claimSome(
  db: Db,
  { now, until, lease }: ClaimAsk,
  endpointId: EndpointId,
  share: number,
): Promise<ClaimedSome> {
  const picked = await db.all<{
    message_id: MessageId
    attempts: number
    trigger: number
    order_key: string | null
  }>(pick, { endpoint: endpointId, now, share })
  if (picked.length === 0) return { deliveries: [], picked: 0, heads: noHeads }
  const keys = JSON.stringify(picked.map((row) => [row.message_id, endpointId]))
  // Together: one round trip.
  const [found] = await Promise.all([
    db.all<MessageRow>(messagesOfClaim, { picked: keys }),
    db.run(take, { until, lease, picked: keys }),
  ])
  const messages = new Map(found.filter(isSendable).map((row) => [row.message_id, row]))
  const deliveries: ClaimedDelivery[] = []
  const orphans: [MessageId, EndpointId, number][] = []
  const heads: Head[] = []
  for (const { message_id: messageId, attempts, trigger, order_key: orderKey } of picked) {
    const message = messages.get(messageId)
    if (!message) {
      if (orderKey === null) orphans.push([messageId, endpointId, attempts])
      else heads.push({ messageId, attempts, orderKey })
      continue
    }
    deliveries.push({
      messageId,
      endpointId,
      applicationId: message.application_id,
      attempts,
      trigger: trigger === 1 ? 'manual' : 'scheduled',
      orderKey,
      message: { ...messageOf(message), payload: message.payload },
    })
  }
  // The endpoint or the payload is gone: there is nothing to send, and nobody to send it to.
  if (orphans.length > 0) await db.run(finish, { lease, rows: JSON.stringify(orphans) })
  return { deliveries, picked: picked.length, heads }
}
