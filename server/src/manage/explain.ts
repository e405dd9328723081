import type { Attempt } from '../domain/attempt.ts'
import type { DeliveryState } from '../domain/delivery.ts'
import type { Endpoint } from '../domain/endpoint.ts'
import { type NotSentBecause, notSentBecause, type Wait, waitOf } from '../domain/explain.ts'
import type { EndpointId, EnvironmentId } from '../domain/ids.ts'
import type { AttemptFilter } from '../ports/store.ts'
import { getApplication } from './applications.ts'
import type { ManageContext } from './context.ts'
import { getMessage } from './messages.ts'
import { readAll } from './page.ts'

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

// One that blocks its order is tried again for ever; the list of attempts has them all.
const mostAttempts = 250

const everyAttempt: AttemptFilter = {
  channel: null,
  tag: null,
  eventTypes: null,
  before: null,
  after: null,
  settled: null,
  statusCodeClass: null,
  endpointId: null,
}

/** For each endpoint of the application, by id: sent, waiting (for what), or not sent (why not). Throws `not-found`. */
export async function explainMessage(
  context: ManageContext,
  environmentId: EnvironmentId,
  application: string,
  message: string,
): Promise<readonly Explained[]> {
  const { store, world } = context
  const owner = await getApplication(context, environmentId, application)
  const found = await getMessage(context, environmentId, owner.id, message, false)
  const [endpoints, noted, destinations, attempts] = await Promise.all([
    store.endpoints.all(found.applicationId),
    store.messages.unsent(found.applicationId, found.id),
    readAll(
      (search) => store.attempts.destinations(found.id, search),
      ({ endpoint }) => endpoint.id,
    ),
    store.attempts.listByMessage(found.id, everyAttempt, { beyond: null, descending: true, limit: mostAttempts }),
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
      const own = attempts.filter(({ endpointId }) => endpointId === endpoint.id).toReversed()
      if (state === undefined) {
        return { endpoint, verdict: 'not-sent', ...notSentBecause(endpoint, found, noted[endpoint.id]) }
      }
      if (state.kind !== 'waiting') return { endpoint, verdict: 'sent', result: state.kind, attempts: own }
      const wait = waitOf(state, hot.get(endpoint.id) ?? null, endpoint, owner, world.now())
      return { endpoint, verdict: 'waiting', wait, attempts: own }
    })
}
