import type { Control } from './control.ts'
import type { Endpoint } from './endpoint.ts'
import { expiresAt } from './expiry.ts'
import type { ApplicationId, AttemptId, EndpointId, EnvironmentId, MessageId, Millis, TaskId } from './ids.ts'
import { matches } from './match.ts'
import type { Message } from './message.ts'
import { orderKeyOf } from './order.ts'

/** Where a message stands at an endpoint. `never`: it was not sent there and does not wait. */
export type Standing = 'never' | 'waiting' | 'delivered' | 'failed' | 'canceled'

/** Messages accepted from `since` to before `until`. */
interface Span {
  readonly since: Millis
  readonly until: Millis
}

interface Replay extends Span {
  readonly endpointId: EndpointId
  /** Only count what would be sent. */
  readonly dryRun: boolean
}

/** What a task that sends again is to do: what failed, what was missed, or what somebody picks. */
export type ReplayAsk =
  | ({ readonly kind: 'recover' } & Replay)
  | ({ readonly kind: 'replay-missing' } & Replay)
  | ({
      readonly kind: 'bulk-replay'
      readonly eventTypes: readonly string[] | null
      readonly channel: string | null
      readonly tag: string | null
      readonly standing: Standing | null
      /** Of the last attempt: 0 no answer, 100, 200 … 500. */
      readonly statusCodeClass: number | null
    } & Replay)

/** What a task is to do. */
export type TaskAsk =
  | ReplayAsk
  /** Remove the content of all messages accepted before `until`. */
  | { readonly kind: 'expunge'; readonly until: Millis }
  /** Which event types each application's endpoints ask for. */
  | { readonly kind: 'event-type-usage' }
  /** How many attempts were made for each application; null: all of the environment. */
  | ({ readonly kind: 'application-usage'; readonly applicationIds: readonly ApplicationId[] | null } & Span)

export type TaskKind = TaskAsk['kind']
export type TaskStatus = 'running' | 'finished' | 'failed' | 'canceled'

/** Why a message that was asked for is not sent: it waits already, its payload is gone, or its time is over. */
type SkipReason = 'waiting' | 'contentGone' | 'expired'

/** Up to where the attempts of one application are counted. */
export interface AttemptCursor {
  readonly applicationId: ApplicationId
  readonly endpointId: EndpointId
  readonly attemptId: AttemptId | ''
}

/** Where a task stands: what people see, and the cursor it goes on from. */
export interface TaskProgress {
  /** The last message or application that is done with; '': none yet. */
  readonly after: string
  /** Inside of the application after it; null: at its beginning. */
  readonly within: (AttemptCursor & { readonly counted: number }) | null
  /** Messages, or applications, looked at. */
  readonly seen: number
  /** Messages sent (or that would be), payloads expunged; for usage, nothing. */
  readonly done: number
  readonly skipped: { readonly [Reason in SkipReason]?: number }
  /** Why it failed. */
  readonly failure: TaskFailure | null
}

export type TaskFailure = 'endpoint-deleted' | 'content-held' | 'broken'

/** One durable background job. */
export interface Task {
  readonly id: TaskId
  readonly environmentId: EnvironmentId
  /** Null: it is about the whole environment. */
  readonly applicationId: ApplicationId | null
  readonly ask: TaskAsk
  readonly status: TaskStatus
  readonly progress: TaskProgress
  /** Messages a second. */
  readonly rate: number
  readonly createdAt: Millis
  readonly updatedAt: Millis
  readonly revision: number
}

export const notBegun: TaskProgress = { after: '', within: null, seen: 0, done: 0, skipped: {}, failure: null }

// Ten times what a receiver of ordinary size is glad to take, and a tenth of what the road carries on two cores.
export const usualRate = 1_000

/** Which standings a replay is about; messages that stand otherwise are passed over. */
export function standingsOf(ask: ReplayAsk): readonly Standing[] {
  if (ask.kind === 'recover') return ['failed']
  if (ask.kind === 'replay-missing') return ['never']
  return ask.standing === null ? ['delivered', 'failed', 'canceled', 'waiting'] : [ask.standing]
}

/** A message as a replay looks at it. */
export interface Candidate
  extends Pick<Message, 'eventType' | 'channels' | 'tags' | 'orderingKey' | 'deliverAt' | 'expiresAt' | 'acceptedAt'> {
  readonly messageId: MessageId
  readonly standing: Standing
  /** Of the last attempt at the endpoint; null: there was none. */
  readonly statusCode: number | null
  readonly hasContent: boolean
}

export type ReplayVerdict =
  /** `orderKey`: see `orderKeyOf`. */
  | { readonly kind: 'send'; readonly dueAt: Millis; readonly orderKey: string | null }
  | { readonly kind: 'skip'; readonly because: SkipReason }
  /** Not one that was asked for. */
  | { readonly kind: 'pass' }

const pass: ReplayVerdict = { kind: 'pass' }

/**
 * Whether a replay sends a message. The endpoint's filters count for what it has missed; what it had been sent once it
 * may have again, whatever it filters by now. Whether it is disabled does not matter here: what waits for it is kept.
 */
export function replayVerdict(
  ask: ReplayAsk,
  endpoint: Pick<Endpoint, 'eventTypes' | 'channels'> & {
    readonly control: Pick<Control, 'ordering' | 'deliverWithin'>
  },
  candidate: Candidate,
  now: Millis,
): ReplayVerdict {
  const { standing, deliverAt } = candidate
  const { control } = endpoint
  if (!standingsOf(ask).includes(standing)) return pass
  if (ask.kind === 'replay-missing' && matches({ ...endpoint, disabledBecause: null }, candidate).kind !== 'yes') {
    return pass
  }
  if (ask.kind === 'bulk-replay') {
    const { eventTypes, channel, tag, statusCodeClass } = ask
    if (eventTypes !== null && !eventTypes.includes(candidate.eventType)) return pass
    if (channel !== null && !candidate.channels?.includes(channel)) return pass
    if (tag !== null && !candidate.tags?.includes(tag)) return pass
    if (statusCodeClass !== null && classOf(candidate.statusCode) !== statusCodeClass) return pass
  }
  if (standing === 'waiting') return { kind: 'skip', because: 'waiting' }
  if (!candidate.hasContent) return { kind: 'skip', because: 'contentGone' }
  if (expiresAt(candidate, control.deliverWithin, 'scheduled') <= now) return { kind: 'skip', because: 'expired' }
  return { kind: 'send', dueAt: Math.max(now, deliverAt ?? 0), orderKey: orderKeyOf(control, candidate) }
}

const classOf = (statusCode: number | null): number | null =>
  statusCode === null ? null : Math.floor(statusCode / 100) * 100

// Ten steps a second: to a receiver that is smooth, and to the store a step is a few milliseconds.
const stepsPerSecond = 10
const mostPerStep = 250

/** How many messages one step of a task of this rate may send. */
export const sendsPerStep = (rate: number): number =>
  Math.min(mostPerStep, Math.max(1, Math.floor(rate / stepsPerSecond)))

// Looking is work too, if less: a task that finds nothing must not keep the store's reader busy.
const looksPerSend = 20

/** How many messages one step looks at, to find those that it sends. */
export const looksPerStep = (rate: number): number => sendsPerStep(rate) * looksPerSend

/** How long a task rests after a step, so that it keeps its rate. */
export const restAfter = (rate: number, sent: number, looked: number): Millis =>
  ((sent + Math.max(0, looked - sent) / looksPerSend) * 1_000) / rate

/** `sent` of the deliveries a step wanted were added; the others had come to wait, or were tried, since it looked. */
export function sentOf(progress: TaskProgress, wanted: number, sent: number): TaskProgress {
  if (sent === wanted) return { ...progress, done: progress.done + sent }
  const waiting = (progress.skipped.waiting ?? 0) + wanted - sent
  return { ...progress, done: progress.done + sent, skipped: { ...progress.skipped, waiting } }
}

/** What an application's endpoints ask for, from the event types of each (null: all). */
export function subscriptionsOf(eventTypes: readonly (readonly string[] | null)[]): {
  readonly explicit: readonly string[]
  readonly hasCatchAll: boolean
} {
  return {
    explicit: [...new Set(eventTypes.flatMap((names) => names ?? []))].toSorted(),
    hasCatchAll: eventTypes.includes(null),
  }
}
