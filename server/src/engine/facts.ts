import type { Attempt } from '../domain/attempt.ts'
import type { Millis } from '../domain/ids.ts'
import { attemptFact, type Fact } from '../domain/operational.ts'
import type { OrderedStep } from '../domain/order.ts'
import type { HealthTurn, NewMessage } from '../ports/store.ts'
import type { Destination } from './directory.ts'

const nothing: readonly Fact[] = []

/**
 * What a try gives the operator to hear of. `failingSince`: what it was before the try. What becomes of operational
 * webhooks themselves is not told: it would never end.
 */
export function factsAfter(
  endpoint: Destination,
  message: NewMessage,
  lastAttempt: Attempt,
  attempts: number,
  step: OrderedStep,
  turns: readonly HealthTurn[],
  failingSince: Millis | null,
): readonly Fact[] {
  const kind = attemptFact(attempts, step)
  if ((kind === null && turns.length === 0) || endpoint.application.kind === 'operational') return nothing
  const facts: Fact[] = kind === null ? [] : [{ kind, endpoint, message, lastAttempt }]
  return [...facts, ...factsOfTurns(endpoint, turns, failingSince ?? lastAttempt.startedAt)]
}

/** What the turns of an endpoint give to hear of. */
export function factsOfTurns(endpoint: Destination, turns: readonly HealthTurn[], failingSince: Millis): Fact[] {
  return turns.flatMap((turn): Fact[] => {
    if (turn.kind === 'disable') {
      return [{ kind: 'endpoint.disabled', endpoint, because: turn.because, failingSince }]
    }
    if (turn.kind !== 'breaker-opened' && turn.kind !== 'breaker-closed') return []
    const kind = turn.kind === 'breaker-opened' ? 'endpoint.breaker.opened' : 'endpoint.breaker.closed'
    return [{ kind, endpoint, since: turn.since }]
  })
}
