import { hash } from 'node:crypto'
import type { Attempt } from '../domain/attempt.ts'
import { healthAfter } from '../domain/health.ts'
import type { MessageId, Millis, makeIds } from '../domain/ids.ts'
import { attemptFact, type Fact } from '../domain/operational.ts'
import type { Outcome } from '../domain/outcome.ts'
import { nextStep, type RetryPolicy, type Step } from '../domain/retry.ts'
import type { HealthTurn, NewMessage, Settlement, Told } from '../ports/store.ts'
import type { Transport } from '../ports/transport.ts'
import type { World } from '../ports/world.ts'
import type { Destination } from './directory.ts'
import type { GroupCommit } from './group-commit.ts'
import type { HotDelivery, Lane } from './lane.ts'
import type { Observer } from './observer.ts'
import type { Teller } from './operational.ts'

export interface DeliverParts {
  readonly world: World
  readonly newId: ReturnType<typeof makeIds>
  readonly transport: Transport
  readonly commits: GroupCommit
  readonly teller: Teller
  readonly observer: Observer
  readonly userAgent: string
  readonly policy: RetryPolicy
  readonly timeoutMs: Millis
  /** Nothing but failures for this long disables an endpoint. */
  readonly disableAfterMs: Millis
  /** Called with the due time of each delivery that is put back. */
  readonly expect: (dueAt: Millis) => void
}

/** Signs, sends, and hands what became of it to the next commit. */
export function makeDeliver(parts: DeliverParts) {
  const { world, newId, transport, commits, observer, teller } = parts
  return (
    delivery: HotDelivery,
    destination: Destination,
    onOutcome: (succeeded: boolean) => void,
    onDisk: (disabled: boolean) => void,
  ): void => {
    const { message, lane } = delivery
    const startedAt = world.now()
    const seconds = Math.floor(startedAt / 1000)
    const headers = [
      'content-type',
      message.contentType ?? 'application/json',
      'user-agent',
      parts.userAgent,
      'webhook-id',
      message.id,
      'webhook-timestamp',
      `${seconds}`,
      'webhook-signature',
      destination.signerAt(startedAt).sign(message.id, seconds, message.payload),
      'traceparent',
      traceparent(message.id, delivery.attempts),
      ...destination.extraHeaders,
    ]
    let firstByteAt: Millis | null = null
    const noteFirstByte = (): void => {
      firstByteAt = world.now()
    }
    const request = { url: destination.url, headers, body: message.payload, timeoutMs: parts.timeoutMs }
    transport.send(request, delivery.fresh ? noteFirstByte : undefined).then((outcome) => {
      const succeeded = outcome.kind === 'delivered'
      const now = world.now()
      const attempts = delivery.attempts + 1
      const step = nextStep(attempts, outcome, parts.policy, now, world.random())
      const attempt: Attempt = {
        id: newId('attempt'),
        messageId: message.id,
        endpointId: destination.id,
        succeeded,
        trigger: delivery.trigger,
        url: destination.url,
        statusCode: outcome.kind === 'unreachable' ? 0 : outcome.status,
        durationMs: outcome.durationMs,
        response: outcome.kind === 'unreachable' ? outcome.detail : delivery.expunged ? '' : outcome.response,
        responseCut: outcome.kind === 'unreachable' || delivery.expunged ? false : outcome.responseCut,
        startedAt,
      }
      const failingSince = lane.failingSince
      const turn = turnOf(lane, destination, outcome, step, now, parts.disableAfterMs)
      if (turn) {
        applyTurn(lane, destination, turn)
        observer.turned(turn)
      }
      observer.attempted(
        attempt,
        outcome,
        step,
        attempts,
        firstByteAt === null ? null : firstByteAt - message.acceptedAt,
      )
      const record = (told: Told | null): void => {
        commits.record(
          attempt,
          settlementOf(message.id, destination, step, attempts),
          turn,
          () => {
            if (step.kind === 'retry') parts.expect(step.dueAt)
            if (told) parts.expect(now)
            onDisk(turn?.kind === 'disable')
          },
          told,
        )
        onOutcome(succeeded)
      }
      const facts = factsOf(destination, message, attempt, attempts, step, turn, failingSince)
      if (facts.length === 0) return record(null)
      const told = teller.toldAtOnce(destination.application.environmentId, facts)
      if (told !== undefined) return record(told)
      void teller.told(destination.application.environmentId, facts).then(record)
    })
  }
}

function settlementOf(messageId: MessageId, { id: endpointId }: Destination, step: Step, attempts: number): Settlement {
  return step.kind === 'retry'
    ? { kind: 'retry', messageId, endpointId, dueAt: step.dueAt, attempts }
    : { kind: 'finish', messageId, endpointId }
}

function turnOf(
  lane: Lane,
  destination: Destination,
  outcome: Outcome,
  step: Step,
  now: Millis,
  disableAfterMs: Millis,
): HealthTurn | null {
  const { endpointId } = lane
  // Changed or disabled since this try began: its failure is about what the endpoint was, not about what it is.
  const isOld = destination !== lane.destination || destination.disabledBecause !== null
  if (isOld && outcome.kind !== 'delivered') return null
  if (step.kind === 'disable-endpoint') return { kind: 'disable', endpointId, because: step.because, at: now }
  const decision = healthAfter(lane.failingSince, outcome.kind === 'delivered', now, disableAfterMs)
  switch (decision.kind) {
    case 'none':
      return null
    case 'failing':
      return { kind: 'failing', endpointId, since: decision.since }
    case 'healthy':
      return { kind: 'healthy', endpointId }
    case 'disable':
      return { kind: 'disable', endpointId, because: decision.because, at: now }
  }
}

const nothing: readonly Fact[] = []

/** What a try gives the operator to hear of. What becomes of operational webhooks themselves is not told: it would never end. */
function factsOf(
  endpoint: Destination,
  message: NewMessage,
  lastAttempt: Attempt,
  attempts: number,
  step: Step,
  turn: HealthTurn | null,
  failingSince: Millis | null,
): readonly Fact[] {
  const kind = attemptFact(attempts, step)
  if ((kind === null && turn?.kind !== 'disable') || endpoint.application.operational) return nothing
  const facts: Fact[] = kind === null ? [] : [{ kind, endpoint, message, lastAttempt }]
  if (turn?.kind === 'disable') {
    const { because } = turn
    facts.push({ kind: 'endpoint.disabled', endpoint, because, failingSince: failingSince ?? lastAttempt.startedAt })
  }
  return facts
}

function applyTurn(lane: Lane, destination: Destination, turn: HealthTurn): void {
  if (turn.kind === 'disable') {
    destination.disabledBecause = turn.because
    return
  }
  lane.failingSince = turn.kind === 'failing' ? turn.since : null
  destination.failingSince = lane.failingSince
}

/**
 * W3C Trace Context: one trace for all tries of a message, found again from its id; the parent id tells the try.
 * (Level 1, §3.2: 32 and 16 hex digits, neither all zero: a SHA-256 that begins so has not been seen yet.)
 */
function traceparent(messageId: MessageId, attempts: number): string {
  const digest = hash('sha256', messageId)
  const span = (Number.parseInt(digest.slice(40, 48), 16) ^ attempts) >>> 0
  return `00-${digest.slice(0, 32)}-${digest.slice(32, 40)}${span.toString(16).padStart(8, '0')}-01`
}
