import type { EndpointId, MessageId } from '../../src/domain/ids.ts'
import type { CommitBatch, CommitResult, HealthTurn, NewDelivery } from '../../src/ports/store.ts'
import type { Tables } from './tables.ts'

const none: CommitResult = { stale: new Set(), taken: new Map(), repeated: new Map() }

/** One transaction, as `stores/queries/commit.ts`: all of it, or (stale, or it throws) nothing. */
export function commit(tables: Tables, batch: CommitBatch, origin: object): CommitResult {
  const before = new Set(
    batch.sentBefore === true ? batch.messages.flatMap(({ id }) => (tables.messages.has(id) ? [id] : [])) : [],
  )
  const stale = [...(batch.routes ?? [])].flatMap(([id, version]) => (tables.routesOf(id) === version ? [] : [id]))
  // What was stored before was matched against what was committed then, all of it.
  if (stale.length > 0 && before.size === 0) return { ...none, stale: new Set(stale) }
  const fresh = batch.messages.filter(({ id }) => !before.has(id))
  for (const { id } of fresh) if (tables.messages.has(id)) throw new Error(`message ${id} is there already`)
  const taken = new Map<MessageId, MessageId>()
  for (const { id, applicationId, eventId } of fresh) {
    if (eventId === null) continue
    const name = `${applicationId} ${eventId}`
    const first = tables.eventIds.get(name)
    if (first === undefined) tables.eventIds.set(name, id)
    else taken.set(id, first)
  }
  const stored = fresh.filter(({ id }) => !taken.has(id))
  const isNew = ({ messageId }: NewDelivery): boolean => !before.has(messageId) && !taken.has(messageId)
  const deliveries = batch.deliveries.filter(isNew)
  for (const message of stored) tables.messages.set(message.id, message)
  for (const delivery of deliveries) tables.queue.add(delivery)
  for (const attempt of batch.attempts) tables.addAttempt(attempt)
  for (const settlement of batch.settlements) tables.queue.settle(batch.lease, settlement)
  tables.queue.promote(batch.now, ordersOf(batch, deliveries))
  for (const turn of batch.turns) write(tables, turn, origin)
  return { ...none, taken }
}

/** The orders in which somebody may have become the first: by coming, or by the end of the one before. */
function ordersOf(batch: CommitBatch, deliveries: readonly NewDelivery[]): readonly [EndpointId, string][] {
  const orders = new Map<string, [EndpointId, string]>()
  const add = (endpointId: EndpointId, orderKey: string | null | undefined): void => {
    if (orderKey != null) orders.set(`${endpointId} ${orderKey}`, [endpointId, orderKey])
  }
  for (const { endpointId, orderKey } of deliveries) add(endpointId, orderKey)
  for (const settlement of batch.settlements) {
    const keepsItsPlace = settlement.kind === 'retry' && settlement.outOfOrder !== true
    if (!keepsItsPlace) add(settlement.endpointId, settlement.orderKey)
  }
  return [...orders.values()]
}

function write(tables: Tables, turn: HealthTurn, origin: object): void {
  const endpoint = tables.endpoints.get(turn.endpointId)
  if (endpoint === undefined) return
  const put = (parts: Partial<typeof endpoint>): void => {
    tables.endpoints.set(endpoint.id, { ...endpoint, ...parts })
  }
  switch (turn.kind) {
    case 'failing':
      put({ failingSince: endpoint.failingSince ?? turn.since })
      break
    case 'healthy':
      put({ failingSince: null })
      break
    case 'breaker-opened':
      put({ breakerOpenedAt: turn.since })
      break
    case 'breaker-closed':
      put({ breakerOpenedAt: null })
      break
    case 'disable':
      if (endpoint.disabledBecause === null) {
        put({ disabledBecause: turn.because, updatedAt: turn.at, revision: endpoint.revision + 1 })
      }
      tables.noteRoutes(endpoint.applicationId, origin)
  }
}
