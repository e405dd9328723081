import type { Attempt } from '../domain/attempt.ts'
import type { Endpoint } from '../domain/endpoint.ts'
import { type NotSentBecause, notSentBecause, type Wait, waitOf } from '../domain/explain.ts'
import type { EndpointId, EnvironmentId, MessageId } from '../domain/ids.ts'
import type { DeliveryState } from '../ports/store.ts'
import type { ManageContext } from './context.ts'
import { getMessage } from './messages.ts'

/** What became of a message at one endpoint, and why. */
export type Explained = { readonly endpoint: Endpoint } & (
  | {
      readonly verdict: 'sent'
      readonly result: 'delivered' | 'failed' | 'canceled'
      readonly attempts: readonly Attempt[]
    }
  | { readonly verdict: 'waiting'; readonly wait: Wait; readonly attempts: readonly Attempt[] }
  | { readonly verdict: 'not-sent'; readonly because: NotSentBecause; readonly detail: string | null }
)

const pageSize = 250
const everyAttempt = {
  ...{ channel: null, tag: null, eventTypes: null, before: null, after: null },
  ...{ settled: null, statusCodeClass: null, endpointId: null },
}

/** Walks a list to its end. */
async function all<Row>(
  fetch: (beyond: string | null) => Promise<readonly Row[]>,
  keyOf: (row: Row) => string,
): Promise<Row[]> {
  const rows: Row[] = []
  for (let beyond: string | null = null; ; ) {
    const page = await fetch(beyond)
    rows.push(...page)
    const last = page.at(-1)
    if (page.length < pageSize || last === undefined) return rows
    beyond = keyOf(last)
  }
}

/** For each endpoint of the application, by id: sent, waiting (for what), or not sent (why not). Throws `not-found`. */
export async function explainMessage(
  context: ManageContext,
  environmentId: EnvironmentId,
  application: string,
  message: string,
): Promise<readonly Explained[]> {
  const { store, world } = context
  const found = await getMessage(context, environmentId, application, message, false)
  const [endpoints, noted, destinations, attempts] = await Promise.all([
    store.endpoints.all(found.applicationId),
    store.messages.unsent(found.applicationId, found.id),
    all(
      (beyond) => store.attempts.destinations(found.id, { beyond, descending: false, limit: pageSize }),
      ({ endpoint }) => endpoint.id,
    ),
    all(
      (beyond) => store.attempts.listByMessage(found.id, everyAttempt, { beyond, descending: false, limit: pageSize }),
      ({ id }) => id,
    ),
  ])
  const hot = context.hotWaits(found.applicationId, found.id)
  const stateOf = new Map<EndpointId, DeliveryState>(destinations.map(({ endpoint, state }) => [endpoint.id, state]))
  const known = new Set(endpoints.map(({ id }) => id))
  // Deleted ones that it was sent to are shown as well.
  const seen = [...endpoints, ...destinations.map(({ endpoint }) => endpoint).filter(({ id }) => !known.has(id))]
  return seen
    .toSorted((a, b) => (a.id < b.id ? -1 : 1))
    .map((endpoint): Explained => {
      const state = stateOf.get(endpoint.id)
      const own = attempts.filter(({ endpointId }) => endpointId === endpoint.id)
      if (state === undefined) {
        return { endpoint, verdict: 'not-sent', ...notSentBecause(endpoint, found, noted[endpoint.id]) }
      }
      if (state.kind !== 'waiting') return { endpoint, verdict: 'sent', result: state.kind, attempts: own }
      const wait = waitOf(state, hot.get(endpoint.id) ?? null, endpoint, world.now())
      return { endpoint, verdict: 'waiting', wait, attempts: own }
    })
}

/** Ends what waits of a message, at all endpoints. Resolves to how many deliveries that were. Throws `not-found`. */
export async function cancelMessage(
  context: ManageContext,
  environmentId: EnvironmentId,
  application: string,
  message: string,
): Promise<number> {
  const { store, world } = context
  const { id, applicationId } = await getMessage(context, environmentId, application, message, false)
  const inMemory = await context.cancelHot(applicationId, id)
  const destinations = await all(
    (beyond) => store.attempts.destinations(id, { beyond, descending: false, limit: pageSize }),
    ({ endpoint }) => endpoint.id,
  )
  const waiting = destinations.filter(({ state }) => state.kind === 'waiting')
  const now = world.now()
  const attempts = waiting.map(({ endpoint }) => canceledAttempt(context, id, endpoint, now))
  const inStore = attempts.length === 0 ? 0 : await store.road.end(attempts, now)
  // What was on its way from the store into memory meanwhile has arrived by now.
  const arrived = inStore < attempts.length ? await context.cancelHot(applicationId, id) : 0
  context.wake()
  return inMemory + inStore + arrived
}

const canceledAttempt = (
  { newId }: ManageContext,
  messageId: MessageId,
  { id: endpointId, url }: Endpoint,
  startedAt: number,
): Attempt => ({
  id: newId('attempt'),
  messageId,
  endpointId,
  succeeded: false,
  ended: 'canceled',
  trigger: 'manual',
  url,
  statusCode: 0,
  durationMs: 0,
  response: 'Canceled before it was sent.',
  responseCut: false,
  startedAt,
})
