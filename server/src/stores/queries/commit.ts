import type { FirstPublish } from '../../domain/idempotency.ts'
import type { ApplicationId, EndpointId, MessageId, Millis } from '../../domain/ids.ts'
import type { CommitResult, Told } from '../../ports/store.ts'
import { type Db, type SqlParameters, Unkeepable } from '../db.ts'
import { noteChanges } from './changes.ts'
import { inNoTime, type PackedBatch, packBatch, type ReceivedRow, without } from './packed-batch.ts'
import { claimPublishKeys, forgetPublishKeys } from './publish-keys.ts'

const staleRoutes = `
  select value->>0 as application_id
  from @each(:rows) left join application on application.id = value->>0 and application.deleted_at is null
  left join environment on environment.id = application.environment_id
  where coalesce(application.routes + environment.routes, -1) <> cast(value->>1 as bigint)`

const usualColumns = 'id, application_id, event_type, event_id, channels, tags, content_type, payload, accepted_at'
const usualValues = `value->>0, value->>1, value->>2, value->>3, value->>4, value->>5, value->>6, value->>7, cast(value->>8 as bigint)`
const richColumns = `${usualColumns}, ordering_key, deliver_at, expires_at, payload_until, unsent, encoding, request`
const richValues = `${usualValues}, value->>9, cast(value->>10 as bigint), cast(value->>11 as bigint),
  cast(value->>12 as bigint), value->>13, value->>14, value->>15`

const appendMessages = `
  insert into message (${usualColumns}) select ${usualValues} from @each(:rows) where true`

const appendRichMessages = `
  insert into message (${richColumns}) select ${richValues} from @each(:rows) where true`

// An eventId is taken for a window; what has lapsed by the time of the new message makes room for it. `+ 0`: found by its
// key, and not among all that has ever lapsed.
const dropLapsedEventKeys = `
  delete from event_key
  where (application_id, event_id) in (select value->>1, value->>2 from @each(:rows))
    and until + 0 <= (select max(cast(value->>3 as bigint)) from @each(:rows))`

const appendEventKeys = `
  insert into event_key (application_id, event_id, message_id, until)
  select value->>1, value->>2, value->>0, cast(value->>4 as bigint) from @each(:rows) where true
  on conflict (application_id, event_id) do nothing`

const takenBy = `
  select value->>0 as wanted, event_key.message_id as held_by
  from @each(:rows) join event_key on event_key.application_id = value->>1 and event_key.event_id = value->>2
  where event_key.message_id <> value->>0`

// For the statements that append messages and deliveries, in a commit in which some `eventId` was taken before.
const butNoneTaken = ' and value->>0 not in (select value->>0 from @each(:taken))'

// A request that repeats a message is counted with the one it repeats, in the very commit that found it out.
const noteDuplicate = `
  update message set duplicates = duplicates + :count, duplicate = :latest
  where application_id = :applicationId and id = :id`

const appendDeliveries = `
  insert into delivery (message_id, endpoint_id, attempts, due_at, lease, trigger)
  select value->>0, value->>1, 0, cast(value->>2 as bigint), value->>3, 0 from @each(:rows) where true`

const appendOrderedDeliveries = `
  insert into delivery (message_id, endpoint_id, attempts, due_at, lease, trigger, order_key, held)
  select value->>0, value->>1, 0, cast(value->>2 as bigint), value->>3, 0, value->>4, 'behind'
  from @each(:rows) where true`

export const appendAttempts = `
  insert into attempt (id, message_id, endpoint_id, succeeded, trigger, url, status_code, duration_ms, response, response_cut, started_at, ended)
  select value->>0, value->>1, value->>2, cast(value->>3 as bigint), cast(value->>4 as bigint), value->>5, cast(value->>6 as bigint),
         cast(value->>7 as bigint), value->>8, cast(value->>9 as bigint), cast(value->>10 as bigint), value->>11
  from @each(:rows) where true
  on conflict (message_id, id) do nothing`

// All three only under the lease that claimed, and as often tried as it was then: a node whose lease was taken over settles
// nothing, also where it has claimed the delivery again in the meantime.
export const finish = `
  delete from delivery
  where lease = :lease and (message_id, endpoint_id, attempts) in (
    select value->>0, value->>1, cast(value->>2 as bigint) from @each(:rows))`

// Once nobody waits for it, and everybody it was sent to has got it. With '' behind it, an endpoint leads to no index of
// all its attempts: they are looked for by their message.
const wipeDelivered = `
  update message set payload = null, payload_until = null, request = null from @each(:rows)
  where message.application_id = value->>0 and message.id = value->>1
    and not exists (select 1 from delivery where delivery.message_id = message.id)
    and not exists (
      select 1 from attempt
      where attempt.message_id = message.id and attempt.succeeded = 0 and not exists (
        select 1 from attempt as other
        where other.message_id = message.id and other.endpoint_id || '' = attempt.endpoint_id and other.succeeded = 1))`

const retry = `
  update delivery
  set due_at = cast(value->>3 as bigint), attempts = cast(value->>4 as bigint), lease = null, trigger = 0,
      order_key = case when cast(value->>5 as bigint) = 1 then null else order_key end
  from @each(:rows)
  where delivery.message_id = value->>0 and delivery.endpoint_id = value->>1 and delivery.lease = :lease
    and delivery.attempts = cast(value->>2 as bigint)`

const park = `
  update delivery
  set due_at = ${inNoTime}, held = 'parked', attempts = cast(value->>3 as bigint), lease = null, trigger = 0, order_key = null
  from @each(:rows)
  where delivery.message_id = value->>0 and delivery.endpoint_id = value->>1 and delivery.lease = :lease
    and delivery.attempts = cast(value->>2 as bigint)`

// What is looked for in a partial index is asked for in a subselect: in a join, PostgreSQL may begin with all orders there are.

// A first that nobody holds goes back, where one has come that is before it: two nodes commit in any order, and message ids are
// in the order of acceptance by each. Also where it waits for its next try: beside the other it might come to it. The due time says
// nothing, it comes from the clock of whoever let it go. What was asked for by hand stays due.
const giveWay = `
  with late as materialized (
    select value->>0 as endpoint_id,
           (select message_id from delivery
            where endpoint_id @in(delivery_order_under_way) = value->>0 and order_key @in(delivery_order_under_way) = value->>1
              and held is null and lease is null and trigger = 0 limit 1) as message_id,
           (select earlier.message_id from delivery as earlier
            where earlier.endpoint_id = value->>0 and earlier.order_key = value->>1 and earlier.held = 'behind'
            order by earlier.message_id limit 1) as behind
    from @each(:orders)
  )
  update delivery set due_at = ${inNoTime}, held = 'behind' from late
  where late.behind < late.message_id
    and delivery.message_id @exactly(late.message_id) and delivery.endpoint_id = late.endpoint_id
    and delivery.held is null and delivery.lease is null and delivery.trigger = 0`

// The first of each order becomes due, if nobody else of it is let go. What was asked for by hand, due since ever, goes past
// the others and holds up none. (The sum keeps SQLite from the index of all that is due at the endpoint.)
// Materialized: as a condition of the update, every first is looked for at every endpoint.
const letGo = `
  with firsts as materialized (
    select value->>0 as endpoint_id,
           (select first.message_id from delivery as first
            where first.endpoint_id = value->>0 and first.order_key = value->>1
            order by first.message_id limit 1) as message_id
    from @each(:orders)
    where (
      select sent.message_id from delivery as sent
      where sent.endpoint_id @in(delivery_order_under_way) = value->>0
        and sent.order_key @in(delivery_order_under_way) = value->>1
        and sent.held is null and (sent.lease is not null or sent.due_at + 0 > 0) limit 1) is null
  )
  update delivery set due_at = :now, held = null from firsts
  where delivery.message_id @exactly(firsts.message_id)
    and delivery.endpoint_id = firsts.endpoint_id and delivery.held = 'behind'`

/** Makes the first of each order (rows of endpoint and key) due at `now`. In a transaction which holds `orderKeysOf` them. */
export async function promote(db: Db, now: Millis, orders: string): Promise<void> {
  await Promise.all([db.run(giveWay, { orders }), db.run(letGo, { now, orders })])
}

// The streak keeps its first moment, whoever reports it.
const markFailing = `
  update endpoint set failing_since = coalesce(failing_since, cast(value->>1 as bigint))
  from @each(:rows) where endpoint.id = value->>0`

const markHealthy = `
  update endpoint set failing_since = null from @each(:rows) where endpoint.id = value->>0`

const openBreaker = `
  update endpoint set breaker_opened_at = cast(value->>1 as bigint) from @each(:rows) where endpoint.id = value->>0`

const closeBreaker = `
  update endpoint set breaker_opened_at = null from @each(:rows) where endpoint.id = value->>0`

const disable = `
  update endpoint
  set disabled_because = value->>1, updated_at = cast(value->>2 as bigint), revision = revision + 1
  from @each(:rows) where endpoint.id = value->>0 and disabled_because is null`

const owners = `
  select distinct application_id from @each(:rows) join endpoint on endpoint.id = value->>0 order by application_id`

const countRoutes = `
  update application set routes = routes + 1 from @each(:rows) where application.id = value->>0`

const noneStale: ReadonlySet<ApplicationId> = new Set()
const noneRepeated: ReadonlyMap<MessageId, FirstPublish> = new Map()
const noneTaken: ReadonlyMap<MessageId, MessageId> = new Map()

/** What is to be held for `promote` of these orders (endpoint and key of each). */
export const orderKeysOf = (orders: readonly (readonly [endpointId: string, orderKey: string])[]): readonly string[] =>
  orders.map(([endpointId, orderKey]) => `${endpointId} ${orderKey}`)

/**
 * Two commits that each see the other's part as it was would leave undone what only the last of them does: promote the next
 * of an order, wipe a payload with the last delivery of its message. And endpoints, with the applications they make stale,
 * are not locked by two commits in two orders.
 */
async function holdAll(db: Db, batch: PackedBatch): Promise<void> {
  const { ordered, delivered, disabled } = batch
  const turned = [batch.failing, batch.healthy, disabled, batch.breakerOpened, batch.breakerClosed]
  const keys = [
    ...(ordered === '' ? [] : orderKeysOf(JSON.parse(ordered) as [string, string][])),
    ...(delivered === '' ? [] : (JSON.parse(delivered) as [ApplicationId, MessageId][]).map(([, id]) => id)),
    ...turned.flatMap((rows) => (rows === '' ? [] : (JSON.parse(rows) as [EndpointId][]).map(([id]) => id))),
    ...(disabled === '' ? [] : await ownersOf(db, disabled)),
  ]
  if (keys.length > 0) await db.hold(keys)
}

/** Thrown only to have a transaction undone: some messages were matched against what is no longer so. */
class Stale extends Error {
  readonly applications: ReadonlySet<ApplicationId>
  constructor(applications: ReadonlySet<ApplicationId>) {
    super('stale')
    this.applications = applications
  }
}

/**
 * All of a batch in one transaction. What need not be known before the next statement is not waited for, so a commit is
 * one round trip and its end, or two where somebody may have been first.
 */
export async function commit(db: Db, whole: PackedBatch): Promise<CommitResult> {
  try {
    return await db.transaction(() => write(db, whole))
  } catch (error) {
    const nothing = { stale: noneStale, taken: noneTaken, repeated: noneRepeated }
    if (error instanceof Stale) return { ...nothing, stale: error.applications }
    if (error instanceof Unkeepable) return { ...nothing, refused: error.message }
    throw error
  }
}

async function write(db: Db, whole: PackedBatch): Promise<CommitResult> {
  const holding = holdAll(db, whole)
  // The others are made from what it finds: they go out behind it.
  if (whole.disabled !== '') await holding
  // A reading of what is committed, and no lock: who changes it this moment is answered after it, or together with it.
  const reading = whole.routes === '' ? noneStale : staleOf(db, whole.routes)
  // Where the connection is lost, what is awaited first says so.
  for (const early of [holding, reading]) if (early instanceof Promise) early.catch(() => {})
  const repeated = whole.publishKeys === '' ? noneRepeated : await claimPublishKeys(db, whole.publishKeys)
  const fresh = repeated.size === 0 ? whole : without(whole, repeated)
  const before = whole.sentBefore ? await storedBefore(db, fresh) : noneTaken
  const batch = before.size === 0 ? fresh : without(fresh, before)
  const { lease, now } = batch
  const taken = batch.eventKeys === '' ? noneTaken : await takeEventIds(db, batch.eventKeys)

  const written: Promise<unknown>[] = []
  // Its callers are told of what others have stored.
  if (repeated.size + before.size + taken.size > 0) written.push(db.vouch())
  const run = (text: string, rows: string, parameters?: SqlParameters): void => {
    if (rows !== '') written.push(db.run(text, { rows, ...parameters }))
  }
  const late = taken.size === 0 ? undefined : { taken: JSON.stringify([...taken.keys()].map((id) => [id])) }
  const append = (text: string, rows: string): void => run(late ? text + butNoneTaken : text, rows, late)
  append(appendMessages, batch.messages)
  append(appendRichMessages, batch.richMessages)
  append(appendDeliveries, batch.deliveries)
  append(appendOrderedDeliveries, batch.orderedDeliveries)
  if (taken.size > 0 && batch.publishKeys !== '') written.push(forgetPublishKeys(db, batch.publishKeys, taken))
  if (taken.size > 0 && batch.received !== '') written.push(...noteDuplicates(db, batch.received, taken))
  run(appendAttempts, batch.attempts)
  run(finish, batch.finished, { lease })
  run(wipeDelivered, batch.delivered)
  run(retry, batch.retried, { lease })
  run(park, batch.parked, { lease })
  if (batch.ordered !== '') written.push(promote(db, now, batch.ordered))
  run(openBreaker, batch.breakerOpened)
  run(closeBreaker, batch.breakerClosed)
  run(markFailing, batch.failing)
  run(markHealthy, batch.healthy)
  const [stale] = await Promise.all([reading, holding, ...written])
  // What was stored before was matched against what was committed then, all of it.
  if (stale.size > 0 && before.size === 0) throw new Stale(stale)
  if (batch.disabled !== '') await disableAll(db, batch.disabled)
  return { stale: noneStale, taken, repeated }
}

const alreadyStored = `
  select message.id as id from @each(:rows) join message on message.application_id = value->>1 and message.id = value->>0`

/** Of a batch that may have been stored, though nobody was told: the messages that were. Their deliveries may be over by now. */
async function storedBefore(db: Db, { messages, richMessages }: PackedBatch): Promise<ReadonlyMap<MessageId, unknown>> {
  const stored = new Map<MessageId, true>()
  for (const rows of [messages, richMessages]) {
    if (rows === '') continue
    for (const { id } of await db.all<{ id: MessageId }>(alreadyStored, { rows })) stored.set(id, true)
  }
  return stored
}

async function staleOf(db: Db, rows: string): Promise<ReadonlySet<ApplicationId>> {
  const stale = await db.all<{ application_id: ApplicationId }>(staleRoutes, { rows })
  return stale.length === 0 ? noneStale : new Set(stale.map((row) => row.application_id))
}

/** Applications of these endpoints, in order. */
async function ownersOf(db: Db, rows: string): Promise<readonly ApplicationId[]> {
  return (await db.all<{ application_id: ApplicationId }>(owners, { rows })).map((row) => row.application_id)
}

/** The last thing in a commit, as it changes what messages are matched against. */
async function disableAll(db: Db, rows: string): Promise<void> {
  await db.run(disable, { rows })
  const ids = await ownersOf(db, rows)
  await db.run(countRoutes, { rows: JSON.stringify(ids.map((id) => [id])) })
  await noteChanges(db, ids)
}

/** Each `eventId` goes to the first message that has it; resolves to those that came too late, with whom it belongs to. */
async function takeEventIds(db: Db, rows: string): Promise<ReadonlyMap<MessageId, MessageId>> {
  const [, , held] = await Promise.all([
    db.run(dropLapsedEventKeys, { rows }),
    db.run(appendEventKeys, { rows }),
    db.all<{ wanted: MessageId; held_by: MessageId }>(takenBy, { rows }),
  ])
  return held.length === 0 ? noneTaken : new Map(held.map(({ wanted, held_by }) => [wanted, held_by]))
}

const byKey = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number => (a < b ? -1 : 1)

function noteDuplicates(db: Db, received: string, taken: ReadonlyMap<MessageId, MessageId>): Promise<number>[] {
  const repeats = new Map<MessageId, { readonly applicationId: ApplicationId; count: number; latest: string }>()
  for (const [messageId, applicationId, latest] of JSON.parse(received) as readonly ReceivedRow[]) {
    const first = taken.get(messageId)
    if (first === undefined) continue
    const count = (repeats.get(first)?.count ?? 0) + 1
    repeats.set(first, { applicationId, count, latest })
  }
  // In one order, whatever commit it is: each holds the rows of these messages.
  return [...repeats].sort(byKey).map(([id, repeat]) => db.run(noteDuplicate, { id, ...repeat }))
}

/** Puts what is told of a change into the change's own transaction. */
export async function appendTold(db: Db, told: Told | null): Promise<void> {
  if (told === null || told.messages.length === 0) return
  const nothing = { now: 0, attempts: [], settlements: [], turns: [] }
  const packed = packBatch({ lease: 'lease_', ...told, ...nothing })
  if (packed.messages !== '') await db.run(appendMessages, { rows: packed.messages })
  if (packed.richMessages !== '') await db.run(appendRichMessages, { rows: packed.richMessages })
  if (packed.deliveries !== '') await db.run(appendDeliveries, { rows: packed.deliveries })
}
