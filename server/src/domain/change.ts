import { type ApplicationId, type EnvironmentId, isId } from './ids.ts'

/**
 * What of that which nodes keep in memory is to be read anew: an application (or source) with its endpoints, all of an
 * environment, or what is declared in it.
 */
export type ChangeScope = ApplicationId | EnvironmentId | EventTypesScope
type EventTypesScope = `event types of ${EnvironmentId}`

const ofEventTypes = 'event types of '

export const eventTypesOf = (environmentId: EnvironmentId): EventTypesScope => `${ofEventTypes}${environmentId}`

/** A scope, as whoever keeps things in memory needs it. */
export type Changed =
  | { readonly kind: 'everything' }
  | { readonly kind: 'application'; readonly id: ApplicationId }
  | { readonly kind: 'environment'; readonly id: EnvironmentId }
  | { readonly kind: 'event-types'; readonly environmentId: EnvironmentId }

/** Null scopes: nobody can tell. What a newer version notes, and this one cannot read, may be anything. */
export function changedOf(scopes: readonly string[] | null): readonly Changed[] {
  const everything = [{ kind: 'everything' }] as const
  if (scopes === null) return everything
  const changed = scopes.map(changedOfScope)
  return changed.some(({ kind }) => kind === 'everything') ? everything : changed
}

function changedOfScope(scope: string): Changed {
  if (isId('application', scope) || isId('source', scope)) return { kind: 'application', id: scope }
  if (isId('environment', scope)) return { kind: 'environment', id: scope }
  const rest = scope.slice(ofEventTypes.length)
  return scope.startsWith(ofEventTypes) && isId('environment', rest)
    ? { kind: 'event-types', environmentId: rest }
    : { kind: 'everything' }
}
