import type { ApplicationId, EndpointId, MessageId } from '../../domain/ids.ts'
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
  select message_id, attempts, trigger, order_key,
    (select application_id from endpoint where endpoint.id = :endpoint and endpoint.deleted_at is null) as application_id,
    (select octet_length(message.payload) from message
     where message.application_id = (select application_id from endpoint where endpoint.id = :endpoint)
       and message.id = delivery.message_id) as bytes
  from delivery
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
  select ${messageColumns(true)} from @each(:wanted)
  left join message on message.application_id = value->>0 and message.id = value->>1`

type SendableRow = MessageRow & { readonly payload: string }
const hasPayload = (row: MessageRow): row is SendableRow => row.payload !== null

type Visit = {
  readonly endpoint_id: EndpointId | null
  readonly first_due: number | null
  readonly next_due: number | null
}

/** An endpoint's turn: so many of its deliveries. */
interface Turn {
  readonly endpointId: EndpointId
  readonly share: number
}

/** See `RoadStore.claim`. Three round trips for as many endpoints as there is room for, the commit included. */
export async function claim(db: Db, ask: ClaimAsk): Promise<Claimed> {
  const { after, visits, now } = ask
  const visited = await db.all<Visit>(ring, { after, visits, now })
  const endpoints = visited.flatMap(({ endpoint_id: id, ...due }) => (id === null ? [] : [{ id, ...due }]))
  const due = endpoints.flatMap(({ id: endpointId, first_due }) =>
    first_due === null || first_due > now ? [] : [{ endpointId, share: ask.shares.get(endpointId) ?? ask.share }],
  )
  const unwanted = new Set(due.flatMap(({ endpointId, share }) => (share === 0 ? [endpointId] : [])))
  let waiting: readonly Turn[] = due.filter(({ share }) => share > 0)
  const deliveries: ClaimedDelivery[] = []
  const moreOf = new Set<EndpointId>()
  let bytes = 0
  while (waiting.length > 0) {
    const room = { deliveries: ask.room - deliveries.length, bytes: ask.bytes - bytes }
    if (room.deliveries <= 0 || room.bytes <= 0) break
    const wave = waveOf(waiting, room.deliveries)
    const taken = await db.transaction(() => takeOf(db, ask, wave, room))
    deliveries.push(...(await taken.deliveries))
    bytes += taken.bytes
    for (const endpointId of taken.moreOf) moreOf.add(endpointId)
    for (const { endpointId, heads } of taken.headless) await throwAway(db, ask, endpointId, heads)
    // What was thrown away makes those behind it due: they have what is left of their turn at once.
    waiting = [...taken.headless.filter(({ share }) => share > 0), ...waiting.slice(taken.turns)]
  }
  const first = endpoints.findIndex(({ id }) => id === waiting[0]?.endpointId)
  // Full: go on behind the last endpoint that had its turn.
  const behind = first < 0 ? endpoints : endpoints.slice(0, first)
  const dues = behind.flatMap(({ next_due }) => next_due ?? [])
  return {
    deliveries,
    cursor: first < 0 && visited.at(-1)?.endpoint_id === null ? '' : (behind.at(-1)?.id ?? after),
    moreOf: [...moreOf],
    passedOver: behind.flatMap(({ id }) => (unwanted.has(id) ? [id] : [])),
    nextDueAt: dues.length === 0 ? null : Math.min(...dues),
  }
}

/** As many turns as there is room for if each takes all of its share; the last may have less. */
function waveOf(waiting: readonly Turn[], room: number): readonly Turn[] {
  const wave: Turn[] = []
  let left = room
  for (const { endpointId, share } of waiting) {
    if (left <= 0) break
    wave.push({ endpointId, share: Math.min(share, left) })
    left -= share
  }
  return wave
}

interface Taken {
  /** Not to be awaited in the transaction: they come with its end. */
  readonly deliveries: Promise<readonly ClaimedDelivery[]>
  readonly bytes: number
  /** How many of the wave had their turn. */
  readonly turns: number
  /** These had enough, which does not mean that there is no more. */
  readonly moreOf: readonly EndpointId[]
  readonly headless: readonly Headless[]
}

/** At the head of its orders is nothing that could be sent; that is leased to us. */
interface Headless extends Turn {
  readonly heads: readonly Head[]
}

interface Head {
  readonly messageId: MessageId
  readonly attempts: number
  readonly orderKey: string
}

type PickedRow = {
  readonly message_id: MessageId
  readonly attempts: number
  readonly trigger: number
  readonly order_key: string | null
  /** Null: the endpoint is gone. */
  readonly application_id: ApplicationId | null
  /** Null: the payload is gone. */
  readonly bytes: number | null
}

type Picked = PickedRow & { readonly endpointId: EndpointId }

/** The endpoint and the payload are there: otherwise there is nothing to send, or nobody to send it to. */
type Sendable = Picked & { readonly application_id: ApplicationId; readonly bytes: number }
const isSendable = (row: Picked): row is Sendable => row.application_id !== null && row.bytes !== null

/** In one transaction. What was picked and is not taken is anybody's again at its end. */
async function takeOf(
  db: Db,
  ask: ClaimAsk,
  wave: readonly Turn[],
  room: { readonly deliveries: number; readonly bytes: number },
): Promise<Taken> {
  const picked = await Promise.all(
    wave.map(({ endpointId: endpoint, share }) => db.all<PickedRow>(pick, { endpoint, now: ask.now, share })),
  )
  const chosen: Picked[] = []
  const moreOf: EndpointId[] = []
  const left = { ...room }
  let turns = 0
  for (const { endpointId, share } of wave) {
    const rows = picked[turns] ?? []
    let count = 0
    for (const row of rows) {
      if (left.deliveries === 0 || left.bytes <= 0) break
      count += 1
      const one = { ...row, endpointId }
      chosen.push(one)
      if (!isSendable(one)) continue
      left.deliveries -= 1
      left.bytes -= one.bytes
    }
    if (rows.length > 0 && count === 0) break
    turns += 1
    if (count < rows.length || count >= share) moreOf.push(endpointId)
  }
  const empty = chosen.filter((row) => !isSendable(row))
  const deliveries = takeAll(db, ask, chosen.filter(isSendable), empty)
  // Where it fails, the transaction does.
  deliveries.catch(() => {})
  return {
    deliveries,
    bytes: room.bytes - left.bytes,
    turns,
    moreOf,
    headless: headlessOf(wave, chosen, empty),
  }
}

/** Its statements go out with the end of the transaction. A payload that goes meanwhile is looked for again when the lease is over. */
async function takeAll(
  db: Db,
  { until, lease }: ClaimAsk,
  sendable: readonly Sendable[],
  empty: readonly Picked[],
): Promise<readonly ClaimedDelivery[]> {
  if (sendable.length + empty.length === 0) return []
  const owners = new Map(sendable.map((row) => [row.message_id, row.application_id]))
  const wanted = JSON.stringify([...owners].map(([id, applicationId]) => [applicationId, id]))
  const picked = JSON.stringify([...sendable, ...empty].map((row) => [row.message_id, row.endpointId]))
  const orphans = empty.flatMap((row) =>
    row.order_key === null ? [[row.message_id, row.endpointId, row.attempts]] : [],
  )
  const [found] = await Promise.all([
    db.all<MessageRow>(messagesOfClaim, { wanted }),
    db.run(take, { until, lease, picked }),
    orphans.length === 0 ? null : db.run(finish, { lease, rows: JSON.stringify(orphans) }),
  ])
  const messages = new Map(found.filter(hasPayload).map((row) => [row.message_id, row]))
  return sendable.flatMap((row) => {
    const message = messages.get(row.message_id)
    return message === undefined ? [] : [claimedOf(row, message)]
  })
}

function headlessOf(wave: readonly Turn[], chosen: readonly Picked[], empty: readonly Picked[]): readonly Headless[] {
  const heads = empty.flatMap(({ endpointId, message_id: messageId, attempts, order_key: orderKey }) =>
    orderKey === null ? [] : [{ endpointId, messageId, attempts, orderKey }],
  )
  if (heads.length === 0) return []
  const headsOf = Map.groupBy(heads, ({ endpointId }) => endpointId)
  const chosenOf = Map.groupBy(chosen, ({ endpointId }) => endpointId)
  return wave.flatMap(({ endpointId, share }) => {
    const own = headsOf.get(endpointId)
    const used = chosenOf.get(endpointId)?.length ?? 0
    return own === undefined ? [] : [{ endpointId, share: share - used, heads: own }]
  })
}

const claimedOf = (
  { message_id: messageId, endpointId, attempts, trigger, order_key: orderKey }: Picked,
  message: SendableRow,
): ClaimedDelivery => ({
  messageId,
  endpointId,
  applicationId: message.application_id,
  attempts,
  trigger: trigger === 1 ? 'manual' : 'scheduled',
  orderKey,
  message: { ...messageOf(message), payload: message.payload },
})

/** In a transaction of its own, which holds the orders before it touches a row. Until then nobody else claims them. */
const throwAway = (db: Db, { now, lease }: ClaimAsk, endpointId: EndpointId, heads: readonly Head[]): Promise<void> =>
  db.transaction(async () => {
    const orders = heads.map(({ orderKey }) => [endpointId, orderKey] as const)
    await db.hold(orderKeysOf(orders))
    const rows = JSON.stringify(heads.map(({ messageId, attempts }) => [messageId, endpointId, attempts]))
    await db.run(finish, { lease, rows })
    await promote(db, now, JSON.stringify(orders))
  })
