// TELEMETRY: what the road tells, as log lines and metrics. Successes are lines at `debug` only, so that full speed is
// not spent on logging; failures and turns are lines at `info` and above.

import type { OrderedStep } from '../domain/order.ts'
import type {
  ClaimObserver,
  FleetObserver,
  Observer,
  QuarantineObserver,
  ReceivingObserver,
  TaskObserver,
  VettingObserver,
} from '../engine/observer.ts'
import type { Log } from './log.ts'
import type { Metrics } from './metrics.ts'

const failedLine = {
  finish: 'attempt failed',
  'disable-endpoint': 'attempt failed, endpoint disabled',
  'give-up': 'attempt failed, delivery given up',
  retry: 'attempt failed, will be retried',
  park: 'attempt failed, delivery parked until it is resent',
} as const satisfies Record<OrderedStep['kind'], string>

export function makeObserver(
  log: Log,
  metrics: Metrics,
): Observer & ClaimObserver & TaskObserver & VettingObserver & QuarantineObserver & ReceivingObserver & FleetObserver {
  const tellsSuccess = (): boolean => log.isLevelEnabled('debug')
  return {
    accepted(message, deliveries, tookMs) {
      metrics.accepted(deliveries, tookMs)
      if (!tellsSuccess()) return
      log.debug(
        {
          messageId: message.id,
          applicationId: message.applicationId,
          eventType: message.eventType,
          payloadCharacters: message.payload.length,
          deliveries,
          tookMs,
        },
        'message accepted',
      )
    },
    attempted(attempt, outcome, step, attempts, sinceAcceptMs) {
      metrics.attempted(outcome.kind, attempt.durationMs, sinceAcceptMs)
      if (step.kind === 'retry') metrics.retried()
      if (step.kind === 'give-up' || step.kind === 'disable-endpoint') metrics.gaveUp()
      if (outcome.kind === 'delivered' && !tellsSuccess()) return
      const line = {
        messageId: attempt.messageId,
        endpointId: attempt.endpointId,
        attemptId: attempt.id,
        attempt: attempts,
        trigger: attempt.trigger,
        outcome: outcome.kind,
        statusCode: attempt.statusCode || undefined,
        reason: outcome.kind === 'unreachable' ? outcome.reason : undefined,
        detail: outcome.kind === 'unreachable' ? outcome.detail : undefined,
        durationMs: Math.round(attempt.durationMs),
        next: step.kind === 'retry' ? new Date(step.dueAt).toISOString() : step.kind,
      }
      if (outcome.kind === 'delivered') log.debug(line, 'delivered')
      else log.info(line, failedLine[step.kind])
    },
    turned(turn) {
      if (turn.kind === 'disable') {
        metrics.disabled()
        log.warn({ endpointId: turn.endpointId, because: turn.because }, 'endpoint disabled; what waits for it is kept')
      } else if (turn.kind === 'failing') {
        log.info({ endpointId: turn.endpointId }, 'endpoint has begun to fail')
      } else if (turn.kind === 'breaker-opened') {
        log.warn({ endpointId: turn.endpointId }, 'breaker opened: deliveries are held, and probed now and then')
      } else if (turn.kind === 'breaker-closed') {
        log.info({ endpointId: turn.endpointId }, 'breaker closed: deliveries go out as ever')
      } else {
        log.info({ endpointId: turn.endpointId }, 'endpoint has recovered')
      }
    },
    slowed(endpointId, failuresInRow) {
      if (failuresInRow > 0)
        log.info({ endpointId, failuresInRow }, 'endpoint keeps failing: tried gently until it answers')
    },
    removed(removed, tookMs) {
      metrics.removed(removed)
      log.info({ ...removed, tookMs }, 'retention has removed what was past its time')
    },
    retentionFailed(error) {
      log.error({ err: error }, 'retention could not finish: it goes on with its next round')
    },
    undecided(endpointId, { kind }) {
      metrics.undecided(kind)
      // Not why: an error of a filter may speak of the payload.
      if (kind === 'too-costly')
        log.warn({ endpointId }, 'filter takes too much: the endpoint does not get the message')
      else log.info({ endpointId }, 'filter cannot be worked out for a message, which the endpoint does not get')
    },
    misfit(applicationId, eventType, mode, faults) {
      metrics.misfit(mode)
      const pointers = faults.map(({ pointer }) => pointer)
      const line = { applicationId, eventType, pointers }
      log.info(
        line,
        mode === 'reject' ? 'payload refused: it does not fit its schema' : 'payload does not fit its schema',
      )
    },
    // No line: a flood of forged requests must not flood the log.
    quarantined: (outcome) => metrics.quarantined(outcome),
    claimed: (deliveries, tookMs) => metrics.claimed(deliveries, tookMs),
    committed: (rows, tookMs) => metrics.committed(rows, tookMs),
    commitFailed: () => metrics.commitFailed(),
    recordRefused(attempt, why) {
      const { id: attemptId, messageId, endpointId } = attempt ?? {}
      const line = { attemptId, messageId, endpointId, why }
      log.error(
        line,
        'a record cannot be kept for what it holds and is dropped; its delivery is tried again: please report it',
      )
    },
    storeDown(error) {
      log.error({ err: error }, 'the store takes nothing: publishes are answered 503 until it does again')
    },
    storeBack() {
      log.info('the store takes commits again')
    },
    clock(verdict, differenceMs) {
      if (verdict === 'fine') log.info({ differenceMs }, 'the clock of this machine is as the database’s again')
      else if (verdict === 'apart')
        log.warn({ differenceMs }, 'the clock of this machine and the database’s are apart: set both by NTP')
      else
        log.error(
          { differenceMs },
          'the clock of this machine and the database’s are too far apart for leases: messages may be sent twice until both are set',
        )
    },
    led(leads) {
      log.info(leads ? 'this node does the chores of all from now on' : 'another node does the chores from now on')
    },
    received(sourceId, as, tookMs) {
      metrics.received(as, tookMs)
      // A stranger can be refused as often as he likes: counted, and kept in the quarantine, but no line each.
      if (tellsSuccess()) log.debug({ sourceId, as, tookMs }, 'request received')
    },
    taskStumbled(task, error) {
      log.warn({ taskId: task.id, kind: task.ask.kind, err: error }, 'a step of a task failed and is tried again')
    },
    taskEnded({ id: taskId, ask, status, progress: { seen, done, failure } }) {
      const line = { taskId, kind: ask.kind, seen, done, failure: failure ?? undefined }
      if (status === 'failed') log.warn(line, 'task failed')
      else log.info(line, 'task finished')
    },
  }
}
