import { filterProblem } from '../domain/filter.ts'
import type { ApplicationId, EnvironmentId } from '../domain/ids.ts'
import { type MatchVerdict, matches } from '../domain/match.ts'
import type { Facts, FilterVerdict } from '../ports/judge.ts'
import type { ManageContext } from './context.ts'
import { getEndpoint } from './endpoints.ts'

/** What an endpoint would do with a message. */
export interface FilterTrial {
  readonly verdict: MatchVerdict
  /** What the filter alone says, whatever event type and channels do; null: there is none. */
  readonly filter: FilterVerdict | null
}

/** A check of a filter, done: throws Problem `filter-invalid` when it is called. Null and undefined are no filter. */
export async function filterCheck(
  { judge }: Pick<ManageContext, 'judge'>,
  applicationId: ApplicationId,
  filter: string | null | undefined,
): Promise<() => void> {
  const fault = filter == null ? null : await judge.filterFault(applicationId, filter)
  return () => {
    if (fault) throw filterProblem(fault)
  }
}

/**
 * Tries a filter on a message that nobody sends; undefined: the one the endpoint has. Throws Problem `not-found`,
 * `filter-invalid`, `unavailable`.
 */
export async function tryFilter(
  context: ManageContext,
  environmentId: EnvironmentId,
  application: string,
  idOrUid: string,
  given: string | null | undefined,
  facts: Facts,
): Promise<FilterTrial> {
  const endpoint = await getEndpoint(context, environmentId, application, idOrUid)
  const check = await filterCheck(context, endpoint.applicationId, given)
  check()
  const text = given === undefined ? endpoint.filter : given
  const [filter = null] = text === null ? [] : await context.judge.filter(endpoint.applicationId, [text], facts)
  const byNames = matches(endpoint, facts)
  const refused = byNames.kind === 'yes' && filter !== null && filter.kind !== 'yes'
  return { verdict: refused ? { kind: 'no', because: 'filter' } : byNames, filter }
}
