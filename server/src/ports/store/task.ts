import type {
  ApplicationId,
  AttemptId,
  EndpointId,
  EnvironmentId,
  MessageId,
  Millis,
  TaskId,
} from '../../domain/ids.ts'
import type { PageSearch } from '../../domain/page.ts'
import type { AttemptCursor, Candidate, Standing, Task, TaskKind, TaskProgress, TaskStatus } from '../../domain/task.ts'
import type { Told } from './road.ts'

/** Background jobs. Each step is one transaction of the work and of where the task stands: a kill repeats and skips nothing. */
export interface TaskStore {
  insert(row: Task): Promise<void>
  /** `applicationId` null or left out: whosever it is. */
  find(environmentId: EnvironmentId, id: TaskId, applicationId?: ApplicationId | null): Promise<Task | null>
  list(
    environmentId: EnvironmentId,
    filter: { readonly statuses: readonly TaskStatus[] | null; readonly kind: TaskKind | null },
    search: PageSearch,
  ): Promise<readonly Task[]>
  /** The oldest that run. */
  running(limit: number): Promise<readonly Task[]>
  /** What a task has found, as JSON texts, in order. */
  results(id: TaskId): Promise<readonly string[]>
  /**
   * Does one step. Null: the task was changed since it was read, and nothing is done. `told`, here and below: where to tell
   * of its end, in the same transaction; the wording is that of the task as it stands then.
   */
  advance(step: TaskStep, told?: Told | null): Promise<Task | null>
  /** Whether it was running. */
  cancel(id: TaskId, at: Millis, told?: Told | null): Promise<boolean>
  /** Removes up to `limit` tasks made before a moment that are over; resolves to how many. */
  forget(before: Millis, limit: number): Promise<number>
  /** The next messages of an application, as a replay to an endpoint looks at them. */
  look(ask: LookAsk): Promise<Look>
  /** The next applications, by id; `among`: only these. */
  applications(
    environmentId: EnvironmentId,
    after: ApplicationId | '',
    among: readonly ApplicationId[] | null,
    limit: number,
  ): Promise<readonly { readonly id: ApplicationId; readonly uid: string | null }[]>
  /** The event types (null: all) of each endpoint of these applications. */
  subscriptions(
    applicationIds: readonly ApplicationId[],
  ): Promise<readonly { readonly applicationId: ApplicationId; readonly eventTypes: readonly string[] | null }[]>
  /** Counts up to `limit` attempts of one application, made from `since` to before `until`, on from a cursor. */
  countAttempts(
    applicationId: ApplicationId,
    from: AttemptCursor | null,
    since: Millis,
    until: Millis,
    limit: number,
  ): Promise<{ readonly counted: number; readonly next: AttemptCursor | null }>
}

export interface TaskStep {
  readonly id: TaskId
  /** As read. */
  readonly revision: number
  readonly at: Millis
  readonly status: Exclude<TaskStatus, 'canceled'>
  readonly progress: TaskProgress
  /** Null: none. */
  readonly deliveries: { readonly endpointId: EndpointId; readonly rows: readonly ReplayedDelivery[] } | null
  readonly results: readonly TaskResult[]
}

/** Added only if the message neither waits there by now nor was tried after `lastAttemptId`. */
export interface ReplayedDelivery {
  readonly messageId: MessageId
  readonly dueAt: Millis
  /** Not null: it takes its place behind those of this order that were accepted before it. */
  readonly orderKey: string | null
  /** ''; it was never tried. */
  readonly lastAttemptId: AttemptId | ''
}

export interface TaskResult {
  /** What it is about; results are in its order. */
  readonly place: string
  readonly json: string
}

export interface LookAsk {
  readonly applicationId: ApplicationId
  readonly endpointId: EndpointId
  readonly after: string
  readonly below: MessageId
  /** Messages looked at. */
  readonly limit: number
  /** Only messages that stand so are told of. */
  readonly standings: readonly Standing[]
}

export interface Look {
  /** How many were looked at; fewer than asked for: there are no more. */
  readonly looked: number
  readonly last: MessageId | null
  readonly found: readonly Found[]
}

export interface Found extends Candidate {
  readonly lastAttemptId: AttemptId | ''
  /** Of the messages looked at it is the one of this number; the first is 1. */
  readonly place: number
}
