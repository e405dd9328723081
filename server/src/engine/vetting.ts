import type { Unsent } from '../domain/delivery.ts'
import type { SchemaValidation } from '../domain/environment.ts'
import type { EndpointId } from '../domain/ids.ts'
import { matches } from '../domain/match.ts'
import { type Fault, Problem } from '../domain/problem.ts'
import type { Facts, Judge } from '../ports/judge.ts'
import type { Directory, Routes } from './directory.ts'
import type { VettingObserver } from './observer.ts'

/** What an environment wants asked of each message before it is accepted; null in `Routes`: nothing. */
export interface Demands {
  readonly schemaValidation: SchemaValidation
  readonly strictEventTypes: boolean
}

/** What was found out about a message that may be accepted. */
export interface Vetted {
  /** Endpoints that would get it, were it not for their filter, and what that says. */
  readonly refusedBy: ReadonlyMap<EndpointId, Unsent>
  /** Where its payload does not fit its schema; pointers go into the request. */
  readonly warnings: readonly Fault[]
}

const nobody: ReadonlyMap<EndpointId, Unsent> = new Map()

/** Most messages need not be asked about: of them this is known. */
export const nothingAgainst: Vetted = { refusedBy: nobody, warnings: [] }

export interface VettingParts {
  readonly directory: Directory
  readonly judge: Judge
  readonly observer: VettingObserver
}

/**
 * Asks what must be asked of messages before they are accepted. Only for routes that say `asks`: it takes a turn through
 * another thread, and when they have changed meanwhile, another round over those that `readAgain` brings.
 * `forAll` false: they go to one endpoint whatever that wants, so that no filter is asked. A message is refused with
 * Problem `event-type-unknown`, `payload-invalid` or `unavailable`.
 */
export type Vet = (
  routes: Routes,
  readAgain: () => Promise<Routes>,
  messages: readonly Facts[],
  forAll: boolean,
) => Promise<{ readonly routes: Routes; readonly vetted: readonly (Vetted | Problem)[] }>

export const makeVet =
  (parts: VettingParts): Vet =>
  async (routes, readAgain, messages, forAll) => {
    for (let held = routes; ; ) {
      const asked = messages.map((facts) => vetOne(parts, held, facts, forAll).catch(orRefusal))
      const vetted = await Promise.all(asked)
      // What was said about endpoints that have been changed or are no more must not count for those there are now.
      if (parts.directory.holds(held)) return { routes: held, vetted }
      held = await readAgain()
    }
  }

async function vetOne(parts: VettingParts, routes: Routes, facts: Facts, forAll: boolean): Promise<Vetted> {
  const warnings = routes.demands === null ? [] : await meet(parts, routes.demands, routes, facts)
  const refusedBy = forAll && routes.filtered ? await refusals(parts, routes, facts) : nobody
  return { warnings, refusedBy }
}

function orRefusal(error: unknown): Problem {
  if (error instanceof Problem) return error
  throw error
}

async function refusals({ judge, observer }: VettingParts, routes: Routes, facts: Facts): Promise<Vetted['refusedBy']> {
  const asked = new Map<EndpointId, string>()
  for (const destination of routes.destinations) {
    if (destination.filter === null || matches(destination, facts).kind !== 'yes') continue
    asked.set(destination.id, destination.filter)
  }
  if (asked.size === 0) return nobody
  const texts = [...new Set(asked.values())]
  const verdicts = await judge.filter(routes.application.id, texts, facts)
  const refused = new Map<EndpointId, Unsent>()
  for (const [id, text] of asked) {
    const verdict = verdicts[texts.indexOf(text)] ?? { kind: 'no' }
    if (verdict.kind === 'yes') continue
    refused.set(id, verdict.kind === 'no' ? 'filter: It was not true of the message.' : `filter: ${verdict.reason}`)
    if (verdict.kind !== 'no') observer.undecided(id, verdict)
  }
  return refused
}

async function meet(
  { directory, judge, observer }: VettingParts,
  { schemaValidation, strictEventTypes }: Demands,
  { application }: Routes,
  facts: Facts,
): Promise<readonly Fault[]> {
  const declared = await directory.eventType(application.environmentId, facts.eventType)
  if (strictEventTypes && (declared === null || declared.archived)) {
    const because = declared ? 'is archived' : 'is not declared'
    throw new Problem('event-type-unknown', `Event type '${facts.eventType}' ${because} in this environment.`, [
      { pointer: '/eventType', message: because },
    ])
  }
  if (schemaValidation === 'off' || declared === null || declared.schema === null) return []
  const verdict = await judge.schema(application.id, declared.schema, facts)
  if (verdict.kind === 'fits') return []
  const faults =
    verdict.kind === 'misfits'
      ? verdict.faults.map(({ pointer, message }) => ({ pointer: `/payload${pointer}`, message }))
      : [{ pointer: '/payload', message: `could not be checked: ${verdict.reason}` }]
  observer.misfit(application.id, facts.eventType, schemaValidation, faults)
  if (schemaValidation === 'warn') return faults
  const detail = `${faults.map(({ pointer, message }) => `${pointer} ${message}`).join('; ')}.`
  throw new Problem('payload-invalid', detail, faults)
}
