import type { EndpointId, MessageId, Millis } from '../../domain/ids.ts'
import type { ClaimAsk, Claimed, ClaimedDelivery } from '../../ports/store.ts'
import type { Db } from '../db.ts'
import { finish, orderKeysOf, promote } from './commit.ts'
import { type MessageRow, messageColumns, messageOf } from './messages.ts'

// Steps from endpoint to endpoint along the index, one seek each, however many deliveries each has waiting.
const ring = `
  with recursive ring (endpoint_id, visited) as (
    select (select min(endpoint_id) from delivery where endpoint_id > :after), 1
    union all
    select (select min(delivery.endpoint_id) from delivery where delivery.endpoint_id > ring.endpoint_id), visited + 1
    from ring where ring.endpoint_id is not null and visited < :visits
  )
  select endpoint_id,
         (select min(due_at) from delivery where delivery.endpoint_id = ring.endpoint_id) as first_due,
         (select min(due_at) from delivery where delivery.endpoint_id = ring.endpoint_id and due_at > :now) as next_due
  from ring`

// Deliveries of disabled and paused endpoints wait; those of deleted ones are taken too, to be thrown away.
const claimOfEndpoint = `
  with picked as materialized (
    select message_id from delivery
    where endpoint_id = :endpoint and due_at <= :now
      and not exists (
        select 1 from endpoint join application on application.id = endpoint.application_id
        where endpoint.id = :endpoint and endpoint.deleted_at is null
          and (disabled_because is not null or endpoint.paused_at is not null or application.paused_at is not null)
      )
    order by due_at, message_id limit :share @skip_locked
  )
  update delivery set due_at = :until, lease = :lease from picked
  where delivery.endpoint_id = :endpoint and delivery.message_id = picked.message_id
  returning delivery.message_id, attempts, trigger, order_key`

const messagesOfClaim = `
  select ${messageColumns(true)} from message
  where message.application_id = (select application_id from endpoint where id = :endpoint and deleted_at is null)
    and message.id in (select value->>0 from @each(:rows)) and message.payload is not null`

type SendableRow = MessageRow & { readonly payload: string }

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
  }>(claimOfEndpoint, {
    endpoint: endpointId,
    now,
    until,
    lease,
    share,
  })
  if (picked.length === 0) return { deliveries: [], picked: 0, heads: noHeads }
  const rows = JSON.stringify(picked.map((row) => [row.message_id]))
  const messages = new Map<MessageId, SendableRow>()
  for (const row of await db.all<SendableRow>(messagesOfClaim, { rows, endpoint: endpointId }))
    messages.set(row.message_id, row)
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
