import { isDeepStrictEqual } from 'node:util'
import type { Application } from './application.ts'
import type { Attempt } from './attempt.ts'
import type { DisabledBecause, Endpoint } from './endpoint.ts'
import type { MessageId, Millis } from './ids.ts'
import { matches } from './match.ts'
import type { OrderedStep } from './order.ts'
import type { Fault } from './problem.ts'

/** An endpoint, as far as operational webhooks name it. */
export interface ToldEndpoint extends Pick<Endpoint, 'id' | 'uid'> {
  readonly application: Pick<Application, 'id' | 'uid'>
}

/** What the operator may want to hear of. */
export type Fact =
  | { readonly kind: 'endpoint.created' | 'endpoint.updated' | 'endpoint.deleted'; readonly endpoint: ToldEndpoint }
  | { readonly kind: 'endpoint.enabled'; readonly endpoint: ToldEndpoint }
  | {
      readonly kind: 'endpoint.disabled'
      readonly endpoint: ToldEndpoint
      readonly because: DisabledBecause
      /** Null: it was not failing. */
      readonly failingSince: Millis | null
    }
  | {
      readonly kind: 'endpoint.breaker.opened' | 'endpoint.breaker.closed'
      readonly endpoint: ToldEndpoint
      /** Since when it was open. */
      readonly since: Millis
    }
  | {
      readonly kind: AttemptFactKind
      readonly endpoint: ToldEndpoint
      readonly message: { readonly id: MessageId; readonly eventId: string | null }
      readonly lastAttempt: Pick<Attempt, 'id' | 'statusCode' | 'startedAt'>
    }
  | {
      readonly kind: 'background_task.finished'
      /** As the API shows it. */
      readonly task: { readonly id: string; readonly status: string; readonly task: string; readonly data: unknown }
    }

export type AttemptFactKind = 'message.attempt.failing' | 'message.attempt.recovered' | 'message.attempt.exhausted'

/** Every event type an operational webhook can have. The names are the official clients' vocabulary, but for the breaker's. */
export const operationalEventTypes = [
  'endpoint.created',
  'endpoint.updated',
  'endpoint.deleted',
  'endpoint.enabled',
  'endpoint.disabled',
  'endpoint.breaker.opened',
  'endpoint.breaker.closed',
  'message.attempt.failing',
  'message.attempt.recovered',
  'message.attempt.exhausted',
  'background_task.finished',
] as const satisfies readonly Fact['kind'][]

/** The names and prefixes that name none of them. */
export function operationalTypesFaults(names: readonly string[] | null | undefined, pointer: string): readonly Fault[] {
  return (names ?? []).flatMap((name, n) => {
    const asked = { eventTypes: [name], channels: null, disabledBecause: null }
    const named = operationalEventTypes.some(
      (eventType) => matches(asked, { eventType, channels: null }).kind === 'yes',
    )
    return named ? [] : [{ pointer: `${pointer}/${n}`, message: `must be one of ${operationalEventTypes.join(', ')}` }]
  })
}

/** Failed tries of one message after which the operator is told: by then it has failed for half an hour and more. */
const failingAfter = 4

/**
 * What people's change of an endpoint gives to hear of. One that leaves everything as it was tells nothing; one that only
 * disables or enables tells only that.
 */
export function factsOfChange(
  before: Endpoint,
  after: Endpoint,
  application: ToldEndpoint['application'],
): readonly Fact[] {
  const endpoint: ToldEndpoint = { id: after.id, uid: after.uid, application }
  const facts: Fact[] = []
  if (!isDeepStrictEqual(said(before), said(after))) facts.push({ kind: 'endpoint.updated', endpoint })
  const [was, is] = [before.disabledBecause, after.disabledBecause]
  if (was !== null && is === null) facts.push({ kind: 'endpoint.enabled', endpoint })
  if (was === null && is !== null) {
    facts.push({ kind: 'endpoint.disabled', endpoint, because: is, failingSince: before.failingSince })
  }
  return facts
}

/** What its owner says of it, apart from whether it is enabled or paused. */
function said(endpoint: Endpoint): Partial<Endpoint> {
  const { disabledBecause, failingSince, pausedAt, breakerOpenedAt, updatedAt, revision, ...rest } = endpoint
  return rest
}

/** What a try tells of its message; null: nothing new. `attemptsSoFar` counts this one. */
export function attemptFact(attemptsSoFar: number, step: OrderedStep): AttemptFactKind | null {
  switch (step.kind) {
    case 'finish':
      return attemptsSoFar > failingAfter ? 'message.attempt.recovered' : null
    case 'retry':
      return attemptsSoFar === failingAfter ? 'message.attempt.failing' : null
    case 'give-up':
    case 'disable-endpoint':
    case 'park':
      return 'message.attempt.exhausted'
  }
}

/** The fact as a receiver reads it. */
export function wordingOf(fact: Fact): { readonly eventType: Fact['kind']; readonly payload: string } {
  return { eventType: fact.kind, payload: JSON.stringify({ type: fact.kind, data: dataOf(fact) }) }
}

function dataOf(fact: Fact): unknown {
  switch (fact.kind) {
    case 'background_task.finished': {
      const { id, status, task, data } = fact.task
      return { taskId: id, status, task, data }
    }
    case 'message.attempt.failing':
    case 'message.attempt.recovered':
    case 'message.attempt.exhausted': {
      const { endpoint, message, lastAttempt } = fact
      return {
        ...applicationNames(endpoint),
        msgId: message.id,
        msgEventId: message.eventId,
        endpointId: endpoint.id,
        lastAttempt: {
          id: lastAttempt.id,
          responseStatusCode: lastAttempt.statusCode,
          timestamp: timeText(lastAttempt.startedAt),
        },
      }
    }
    case 'endpoint.disabled':
      return {
        ...endpointNames(fact.endpoint),
        failSince: fact.failingSince === null ? null : timeText(fact.failingSince),
        trigger: fact.because === 'owner' ? 'manual' : 'automatic',
        reason: fact.because,
      }
    case 'endpoint.breaker.opened':
    case 'endpoint.breaker.closed':
      return { ...endpointNames(fact.endpoint), since: timeText(fact.since) }
    case 'endpoint.created':
    case 'endpoint.updated':
    case 'endpoint.deleted':
    case 'endpoint.enabled':
      return endpointNames(fact.endpoint)
  }
}

const timeText = (at: Millis): string => new Date(at).toISOString()
const applicationNames = ({ application }: ToldEndpoint) => ({ appId: application.id, appUid: application.uid })
const endpointNames = (endpoint: ToldEndpoint) => ({
  ...applicationNames(endpoint),
  endpointId: endpoint.id,
  endpointUid: endpoint.uid,
})
