import type { Attempt } from '../domain/attempt.ts'
import type { SchemaValidation } from '../domain/environment.ts'
import type { ApplicationId, EndpointId, Millis, SourceId } from '../domain/ids.ts'
import type { OrderedStep } from '../domain/order.ts'
import type { Outcome } from '../domain/outcome.ts'
import type { Fault } from '../domain/problem.ts'
import type { Task } from '../domain/task.ts'
import type { Undecided } from '../ports/judge.ts'
import type { HealthTurn, NewMessage, Removed } from '../ports/store.ts'

/** What the road tells those who watch it: `telemetry/` turns it into log lines and metrics. Called on the fast road. */
export interface Observer {
  accepted(message: NewMessage, deliveries: number, tookMs: Millis): void
  /** `sinceAcceptMs`: from acceptance to the first byte out; null when this was not a fresh message's first attempt. */
  attempted(attempt: Attempt, outcome: Outcome, step: OrderedStep, attempts: number, sinceAcceptMs: Millis | null): void
  turned(turn: HealthTurn): void
  /** Endpoint is failing so often that it is now tried gently, or has recovered from it. */
  slowed(endpointId: EndpointId, failuresInRow: number): void
  /** Retention has gone over everything, and taken this much. */
  removed(removed: Removed, tookMs: Millis): void
  retentionFailed(error: unknown): void
  committed(rows: number, tookMs: Millis): void
  commitFailed(): void
  /** The store can never keep what became of this attempt (null: of a turn without one), which is why. A defect of ours. */
  recordRefused(attempt: Attempt | null, why: string): void
  /** The store takes nothing any more, and why; said once, until it is back. */
  storeDown(error: unknown): void
  storeBack(): void
}

/** The same of fetching due deliveries from the store. */
export interface ClaimObserver {
  /** So many were taken; a look that finds none is not told. */
  claimed(deliveries: number, tookMs: Millis): void
}

/** The same of requests that sources refuse. */
export interface QuarantineObserver {
  /** `kept`; or why it is not there to be looked at: too large, more than a flood is allowed, or the store is behind. */
  quarantined(outcome: 'kept' | 'too-large' | 'too-many' | 'too-busy'): void
}

/** The same of background tasks. */
export interface TaskObserver {
  /** A step of a background task failed; it is tried again. */
  taskStumbled(task: Task, error: unknown): void
  /** Finished or failed. */
  taskEnded(task: Task): void
}

/** The same of what is asked about messages before they are accepted. */
export interface VettingObserver {
  /** A filter could not be worked out for a message, which its endpoint therefore does not get. */
  undecided(endpointId: EndpointId, verdict: Undecided): void
  /** A payload does not fit its schema, or could not be checked against it. */
  misfit(applicationId: ApplicationId, eventType: string, because: SchemaValidation, faults: readonly Fault[]): void
}

/** What became of a request of a third party. `dropped`: its source is disabled. */
export type ReceivedAs = 'stored' | 'duplicate' | 'refused' | 'challenge' | 'challenge-failed' | 'dropped'

/** The same of sources. */
export interface ReceivingObserver {
  /** `tookMs`: from its last byte to the answer. */
  received(sourceId: SourceId, as: ReceivedAs, tookMs: Millis): void
}

/** The same of the node among others. */
export interface FleetObserver {
  /** The machine's clock and the database's fit together from now on, or do not. Positive: it is ahead. */
  clock(verdict: 'fine' | 'apart' | 'unusable', differenceMs: Millis): void
  /** This node does the chores from now on, or another does. */
  led(leads: boolean): void
}
