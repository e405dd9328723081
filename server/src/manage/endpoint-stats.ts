import type { AttemptId, EnvironmentId, Millis } from '../domain/ids.ts'
import type { QueuePlace } from '../ports/store.ts'
import { refuse } from './checks.ts'
import type { ManageContext } from './context.ts'
import { getEndpoint } from './endpoints.ts'

/** Messages at an endpoint, by where they stand. */
export interface EndpointStats {
  readonly delivered: number
  readonly failed: number
  readonly canceled: number
  /** Waiting for their first try. */
  readonly pending: number
  /** Waiting for a further one. */
  readonly sending: number
}

// As the official clients' own service counts when it is not told.
const usualSpan: Millis = 28 * 24 * 3_600_000
// Some milliseconds of the store's reader, so that other reads go between.
const step = 2_000

/**
 * Counts the messages accepted from `since` (null: 28 days before `until`) to before `until` (null: now). It looks at each
 * attempt at the endpoint since then: so it is as exact as the lists, and costs some microseconds for each.
 * Throws `not-found`, `request-invalid`.
 */
export async function endpointStats(
  context: ManageContext,
  environmentId: EnvironmentId,
  application: string,
  endpoint: string,
  span: { readonly since: Millis | null; readonly until: Millis | null },
): Promise<EndpointStats> {
  const { id } = await getEndpoint(context, environmentId, application, endpoint)
  const until = span.until ?? context.world.now() + 1
  const since = span.since ?? until - usualSpan
  refuse([until <= since ? { pointer: '/query/until', message: 'must be later than since' } : null])
  const { tallies } = context.store
  const sum = { delivered: 0, failed: 0, canceled: 0, pending: 0, sending: 0 }
  for (let after: AttemptId | '' | null = ''; after !== null; ) {
    const { next, ...counts } = await tallies.settled(id, { since, until }, after, step)
    sum.delivered += counts.delivered
    sum.failed += counts.failed
    sum.canceled += counts.canceled
    after = next
  }
  for (let after: QueuePlace | null = null; ; ) {
    const { next, pending, sending } = await tallies.waiting(id, { since, until }, after, step)
    sum.pending += pending
    sum.sending += sending
    if (next === null) return sum
    after = next
  }
}
