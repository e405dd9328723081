import { afterTry, unprobed } from '../domain/breaker.ts'
import { healthAfter } from '../domain/health.ts'
import type { Millis } from '../domain/ids.ts'
import type { Outcome } from '../domain/outcome.ts'
import type { HealthTurn } from '../ports/store.ts'
import type { Sending } from './dispatch.ts'

/**
 * What a try means for its endpoint beyond the delivery: it is failing, well again, disabled, its breaker opens or
 * closes. The lane knows at once, the store with the attempt.
 */
export function turnsAfter(sending: Sending, outcome: Outcome, now: Millis, disableAfterMs: Millis): HealthTurn[] {
  const { destination, deliveries, probe } = sending
  const { lane } = deliveries[0]
  const { endpointId } = lane
  const succeeded = outcome.kind === 'delivered'
  // Changed or disabled since this try began: its failure is about what the endpoint was, not about what it is.
  const isOld =
    lane.destination === null || destination.revision !== lane.revision || destination.disabledBecause !== null
  if (isOld && !succeeded) {
    if (probe && destination.revision === lane.revision) lane.breaker = unprobed(lane.breaker, now)
    return []
  }
  if (outcome.kind === 'refused' && outcome.status === 410) {
    destination.disabledBecause = 'gone'
    return [{ kind: 'disable', endpointId, because: 'gone', at: now }]
  }
  const turns: HealthTurn[] = []
  const decision = healthAfter(lane.failingSince, succeeded, now, disableAfterMs)
  switch (decision.kind) {
    case 'none':
      break
    case 'failing':
      lane.failingSince = decision.since
      destination.failingSince = decision.since
      turns.push({ kind: 'failing', endpointId, since: decision.since })
      break
    case 'healthy':
      lane.failingSince = null
      destination.failingSince = null
      turns.push({ kind: 'healthy', endpointId })
      break
    case 'disable':
      destination.disabledBecause = decision.because
      turns.push({ kind: 'disable', endpointId, because: decision.because, at: now })
  }
  const before = lane.breaker
  lane.breaker = afterTry(before, succeeded, probe && destination.revision === lane.revision, now, destination.control)
  if (before.kind === 'closed' && lane.breaker.kind === 'open') {
    destination.breakerOpenedAt = now
    turns.push({ kind: 'breaker-opened', endpointId, since: now })
  }
  if (before.kind !== 'closed' && lane.breaker.kind === 'closed') {
    destination.breakerOpenedAt = null
    turns.push({ kind: 'breaker-closed', endpointId, since: before.since })
  }
  return turns
}
