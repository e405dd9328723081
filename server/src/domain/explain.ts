import type { Application } from './application.ts'
import type { Unsent, Waiting } from './delivery.ts'
import type { Endpoint } from './endpoint.ts'
import type { Millis, NodeId } from './ids.ts'
import { nodeOf } from './lease.ts'
import { matches } from './match.ts'
import type { Message } from './message.ts'

/**
 * What a delivery waits for. `turn`: others of its endpoint are before it, or more is under way than may be. `node`: the
 * node that holds it, which is another than was asked, or is just taking it; only that one knows more.
 */
type WaitingFor =
  | 'in-flight'
  | 'turn'
  | 'rate'
  | 'batch'
  | 'schedule'
  | 'retry'
  | 'order'
  | 'parked'
  | 'pause'
  | 'breaker'
  | 'disabled'
  | 'node'

/** Why an endpoint of the application was not sent a message. `changed`: by what it wants today it would have been. */
export type NotSentBecause = 'event-type' | 'channel' | 'filter' | 'disabled' | 'created-later' | 'changed'

export interface Wait {
  readonly for: WaitingFor
  /** Null: until something happens that nobody can date. */
  readonly until: Millis | null
  /** Who holds it. */
  readonly node?: NodeId
}

/** What a waiting delivery waits for. `hot`: what the process that holds it says. */
export function waitOf(
  stored: Waiting,
  hot: Wait | null,
  endpoint: Pick<Endpoint, 'disabledBecause' | 'pausedAt' | 'breakerOpenedAt'>,
  application: Pick<Application, 'pausedAt'>,
  now: Millis,
): Wait {
  if (hot?.for === 'in-flight') return hot
  if (hot === null && stored.lease !== null) return { for: 'node', until: stored.dueAt, node: nodeOf(stored.lease) }
  if (endpoint.disabledBecause !== null) return { for: 'disabled', until: null }
  if (stored.held === 'parked') return { for: 'parked', until: null }
  if (endpoint.pausedAt !== null || application.pausedAt !== null) return { for: 'pause', until: null }
  if (stored.held === 'behind') return { for: 'order', until: null }
  if (hot !== null) return hot
  if (stored.dueAt > now) return { for: stored.attempts === 0 ? 'schedule' : 'retry', until: stored.dueAt }
  return { for: endpoint.breakerOpenedAt === null ? 'turn' : 'breaker', until: null }
}

/** Why there is no delivery. `noted`: what was written down when the message was accepted. */
export function notSentBecause(
  endpoint: Pick<Endpoint, 'eventTypes' | 'channels' | 'createdAt' | 'updatedAt'>,
  message: Pick<Message, 'eventType' | 'channels' | 'acceptedAt'>,
  noted: Unsent | undefined,
): { readonly because: NotSentBecause; readonly detail: string | null } {
  if (noted === 'disabled') return { because: 'disabled', detail: 'It was disabled when the message was accepted.' }
  if (noted !== undefined) return { because: 'filter', detail: noted.slice('filter: '.length) }
  if (endpoint.createdAt > message.acceptedAt) {
    return { because: 'created-later', detail: 'It was created after the message was accepted: see replay-missing.' }
  }
  const verdict = matches({ ...endpoint, disabledBecause: null }, message)
  if (verdict.kind === 'no' && verdict.because === 'event-type') return { because: 'event-type', detail: null }
  if (verdict.kind === 'no') return { because: 'channel', detail: null }
  return { because: 'changed', detail: 'It was changed since: by what it wanted then, it was not to get the message.' }
}
