import { type ApplicationId, type EnvironmentId, isId, type MessageId } from './ids.ts'

/**
 * What of that which nodes keep in memory is to be read anew: an application (or source) with its endpoints, all of an
 * environment, or what is declared in it. Or what is to be let go of: deliveries of some messages of an application.
 */
export type ChangeScope = ApplicationId | EnvironmentId | EventTypesScope | RecallScope
type EventTypesScope = `event types of ${EnvironmentId}`
type RecallScope = `${RecallKind} ${string}`

const recallKinds = ['cancel', 'expunge'] as const
/** Why other nodes are to let go of what they hold: it is not to be sent, or its content is gone as well. */
type RecallKind = (typeof recallKinds)[number]

/** What nodes that hold deliveries of these messages are asked for. */
export interface RecallAsk {
  readonly kind: RecallKind
  readonly applicationId: ApplicationId
  readonly messageIds: readonly MessageId[]
}

const ofEventTypes = 'event types of '

export const eventTypesOf = (environmentId: EnvironmentId): EventTypesScope => `${ofEventTypes}${environmentId}`

/** All that is asked for is one line: more lines than nodes read one by one would be read as `everything`. */
export const recallOf = ({ kind, applicationId, messageIds }: RecallAsk): RecallScope =>
  `${kind} ${applicationId} ${messageIds.join(' ')}`

/** A scope, as whoever keeps things in memory needs it. */
export type Changed =
  | { readonly kind: 'everything' }
  | { readonly kind: 'application'; readonly id: ApplicationId }
  | { readonly kind: 'environment'; readonly id: EnvironmentId }
  | { readonly kind: 'event-types'; readonly environmentId: EnvironmentId }
  | RecallAsk

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
  if (scope.startsWith(ofEventTypes) && isId('environment', rest)) return { kind: 'event-types', environmentId: rest }
  return recallAskOf(scope) ?? { kind: 'everything' }
}

function recallAskOf(scope: string): RecallAsk | null {
  const [first, applicationId = '', ...messageIds] = scope.split(' ')
  const kind = recallKinds.find((known) => known === first)
  if (kind === undefined || !(isId('application', applicationId) || isId('source', applicationId))) return null
  return messageIds.every((id) => isId('message', id)) ? { kind, applicationId, messageIds } : null
}
