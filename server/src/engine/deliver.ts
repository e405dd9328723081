import { type Attempt, endedAttempt } from '../domain/attempt.ts'
import type { Control } from '../domain/control.ts'
import { expiresAt } from '../domain/expiry.ts'
import type { EnvironmentId, Millis, makeIds } from '../domain/ids.ts'
import type { Fact } from '../domain/operational.ts'
import { type OrderedStep, stepInOrder } from '../domain/order.ts'
import type { Outcome } from '../domain/outcome.ts'
import { againAfter, nextStep, type Step } from '../domain/retry.ts'
import type { HealthTurn, Settlement, Told } from '../ports/store.ts'
import type { Transport } from '../ports/transport.ts'
import type { World } from '../ports/world.ts'
import type { Deliver, DispatchParts, Sending } from './dispatch.ts'
import { factsAfter, factsOfTurns } from './facts.ts'
import type { GroupCommit } from './group-commit.ts'
import type { HotDelivery } from './lane.ts'
import type { Observer } from './observer.ts'
import type { Teller } from './operational.ts'
import { requestOf } from './request.ts'
import { turnsAfter } from './turns.ts'

export interface DeliverParts {
  readonly world: World
  readonly newId: ReturnType<typeof makeIds>
  readonly transport: Transport
  readonly commits: GroupCommit
  readonly teller: Teller
  readonly observer: Observer
  readonly userAgent: string
  /** See `RetryPolicy`. */
  readonly jitter: number
  /** Nothing but failures for this long disables an endpoint. */
  readonly disableAfterMs: Millis
  /** Called with the due time of each delivery that is put back. */
  readonly expect: (dueAt: Millis) => void
}

interface Try {
  readonly delivery: HotDelivery
  readonly attempt: Attempt
  readonly attempts: number
  readonly step: OrderedStep
  readonly turns: readonly HealthTurn[]
  readonly facts: readonly Fact[]
}

/** Signs, sends, and hands what became of it to the next commit. */
export function makeDeliver(parts: DeliverParts): Deliver {
  const { world, newId, transport, commits, observer, teller } = parts
  return (sending, onOutcome, onDisk) => {
    const { deliveries } = sending
    const startedAt = world.now()
    const request = requestOf(sending, startedAt, parts.userAgent, () => newId('batch'))
    let firstByteAt: Millis | null = null
    const noteFirstByte = (): void => {
      firstByteAt = world.now()
    }
    transport.send(request, deliveries[0].fresh ? noteFirstByte : undefined).then((outcome) => {
      const { destination } = sending
      const now = world.now()
      const { failingSince } = deliveries[0].lane
      const turns = turnsAfter(sending, outcome, now, parts.disableAfterMs)
      for (const turn of turns) observer.turned(turn)
      const disabled = turns.some(({ kind }) => kind === 'disable')
      const tries = deliveries.map((delivery, at): Try => {
        const attempts = delivery.attempts + 1
        const step = stepAfter(delivery, sending, outcome, now)
        const attempt = attemptOf(delivery, sending, outcome, startedAt)
        const sinceAccept = delivery.fresh && firstByteAt !== null ? firstByteAt - delivery.message.acceptedAt : null
        observer.attempted(attempt, outcome, step, attempts, sinceAccept)
        // What happened to the endpoint is told once, with the first message of the request.
        const own = at === 0 ? turns : []
        const facts = factsAfter(destination, delivery.message, attempt, attempts, step, own, failingSince)
        return { delivery, attempt, attempts, step, turns: own, facts }
      })
      const record = (told: readonly (Told | null)[]): void => {
        for (const [at, { delivery, attempt, attempts, step, turns }] of tries.entries()) {
          const onRecord = (): void => {
            if (step.kind === 'retry') parts.expect(step.dueAt)
            if (told[at] != null) parts.expect(now)
            onDisk(delivery, disabled)
          }
          commits.record(
            attempt,
            settlementOf(delivery, destination.control, step, attempts),
            turns,
            onRecord,
            told[at],
          )
        }
        onOutcome(outcome.kind === 'delivered')
      }
      const told = toldOf(destination.application.environmentId, tries)
      if (turns.length > 0) teller.inTurn.when(destination.id, told, record)
      else if (told instanceof Promise) void told.then(record)
      else record(told)
    })
  }

  /** What is to be told of each try; a promise only where the store must be asked whom to tell. */
  function toldOf(
    environmentId: EnvironmentId,
    tries: readonly Try[],
  ): readonly (Told | null)[] | Promise<readonly (Told | null)[]> {
    const known = tries.map(({ facts }) => (facts.length === 0 ? null : teller.toldAtOnce(environmentId, facts)))
    if (known.every((told) => told !== undefined)) return known
    return Promise.all(
      tries.map(({ facts }) => (facts.length === 0 ? null : teller.toldInTheEnd(environmentId, facts))),
    )
  }

  function stepAfter(delivery: HotDelivery, sending: Sending, outcome: Outcome, now: Millis): OrderedStep {
    const step = plannedStep(delivery, sending, outcome, now)
    if (!delivery.canceled || (step.kind !== 'retry' && step.kind !== 'park')) return step
    return { kind: 'give-up', because: delivery.expunged ? 'content-gone' : 'canceled' }
  }

  /** What follows where nobody has canceled it meanwhile. */
  function plannedStep(delivery: HotDelivery, { destination }: Sending, outcome: Outcome, now: Millis): OrderedStep {
    const { control } = destination
    const policy = { delaysMs: control.retrySchedule, retryOn: control.retryOn, jitter: parts.jitter }
    const random = world.random()
    const attempts = delivery.attempts + 1
    const step = inTime(nextStep(attempts, outcome, policy, now, random), delivery, control.deliverWithin)
    if (delivery.orderKey === null) return step.kind === 'retry' ? { ...step, outOfOrder: false } : step
    return stepInOrder(step, attempts, control, () =>
      inTime(againAfter(outcome, policy, now, random), delivery, control.deliverWithin),
    )
  }

  function attemptOf(delivery: HotDelivery, { destination }: Sending, outcome: Outcome, startedAt: Millis): Attempt {
    return {
      id: newId('attempt'),
      messageId: delivery.message.id,
      endpointId: destination.id,
      succeeded: outcome.kind === 'delivered',
      ended: null,
      trigger: delivery.trigger,
      url: destination.url,
      statusCode: outcome.kind === 'unreachable' ? 0 : outcome.status,
      durationMs: outcome.durationMs,
      response: outcome.kind === 'unreachable' ? outcome.detail : delivery.expunged ? '' : outcome.response,
      responseCut: outcome.kind === 'unreachable' || delivery.expunged ? false : outcome.responseCut,
      startedAt,
    }
  }
}

/** Has it written, and told, that an endpoint turned without a try. */
export function makeTurned({
  world,
  commits,
  observer,
  teller,
  expect,
}: Pick<DeliverParts, 'world' | 'commits' | 'observer' | 'teller' | 'expect'>): DispatchParts['turned'] {
  return (destination, turn) => {
    observer.turned(turn)
    const { environmentId, kind } = destination.application
    const facts = kind === 'operational' ? [] : factsOfTurns(destination, [turn], world.now())
    const told = facts.length === 0 ? null : teller.toldInTheEnd(environmentId, facts)
    teller.inTurn.when(destination.id, told, (known) => commits.turned(turn, known, () => expect(world.now())))
  }
}

/** Settles what is not sent. */
export function makeEnd({
  world,
  newId,
  commits,
}: Pick<DeliverParts, 'world' | 'newId' | 'commits'>): DispatchParts['end'] {
  return ({ message, lane, trigger, attempts, orderKey }, url, ended, onDisk) => {
    const key = { messageId: message.id, endpointId: lane.endpointId }
    const attempt = endedAttempt({ ...key, id: newId('attempt'), trigger, url, startedAt: world.now() }, ended)
    commits.record(attempt, { kind: 'finish', ...key, tried: attempts, orderKey }, [], onDisk)
  }
}

/** A retry that would come too late is none; it is the schedule's, whoever asked for the try before it. */
function inTime(step: Step, { message }: HotDelivery, deliverWithin: Millis): Step {
  if (step.kind !== 'retry' || step.dueAt < expiresAt(message, deliverWithin, 'scheduled')) return step
  return { kind: 'give-up', because: 'too-late' }
}

function settlementOf(
  { message, lane, attempts: tried, orderKey }: HotDelivery,
  { wipeDelivered }: Control,
  step: OrderedStep,
  attempts: number,
): Settlement {
  const key = { messageId: message.id, endpointId: lane.endpointId, tried, orderKey }
  switch (step.kind) {
    case 'retry':
      return { kind: 'retry', ...key, dueAt: step.dueAt, attempts, outOfOrder: step.outOfOrder }
    case 'park':
      return { kind: 'park', ...key, attempts }
    case 'finish':
      return { kind: 'finish', ...key, ...(wipeDelivered ? { wipeIn: message.applicationId } : {}) }
    default:
      return { kind: 'finish', ...key }
  }
}
