import type { Millis } from './ids.ts'
import { defaultRetryPolicy } from './retry.ts'

/** How a try can fail: without an answer, or with a status of that class. */
export type FailureClass = 'no-answer' | '3xx' | '4xx' | '5xx'

/** `key`: messages with the same ordering key; `endpoint`: all messages. */
type Ordering = 'none' | 'key' | 'endpoint'

/**
 * What becomes of the messages behind one that fails. `block`: they wait until it is delivered, however long that
 * takes. `skip`: after `headAttempts` tries they go on, and it is retried beside them. `park`: after `headAttempts`
 * tries they go on, and it is kept aside until somebody resends it.
 */
type HeadFailure = 'block' | 'skip' | 'park'

/**
 * The signature of Posthorn on what came to a source. `add`: unless the request already carries one in the same headers;
 * `replace`: in the place of that; `none`: only what the provider signed.
 */
export type ForwardSignature = 'add' | 'replace' | 'none'

/** Everything that can be said about how deliveries are made. Durations are milliseconds; 0 where it says so: never. */
export interface Control {
  /** The wait before each retry; their number is the number of retries. */
  readonly retrySchedule: readonly Millis[]
  /** What is tried again; other failures end the delivery at once. */
  readonly retryOn: readonly FailureClass[]
  readonly timeout: Millis
  /** Deliveries a second; 0: no limit. */
  readonly throttleRate: number
  readonly maxInFlight: number
  readonly ordering: Ordering
  readonly headFailure: HeadFailure
  readonly headAttempts: number
  readonly breaker: boolean
  /** The share of failures among the last tries at which the breaker opens. */
  readonly breakerFailureRate: number
  /** From opening to the first probe; each failed probe doubles it, up to `longestProbeWait`. */
  readonly breakerProbe: Millis
  /** Deliveries a second with which draining begins; it doubles as long as all goes well. */
  readonly breakerDrainRate: number
  /** Messages in one request; 1: each its own, as ever. */
  readonly batchSize: number
  /** How long the first message of a batch waits for others. */
  readonly batchWait: Millis
  /** What is not delivered that long after it was due is dropped; 0: kept. */
  readonly deliverWithin: Millis
  readonly forwardSignature: ForwardSignature
  /** How long an `eventId` stays taken; 0: as long as its message is kept. */
  readonly eventIdWindow: Millis
  /** How long messages and their attempts are kept; 0: for ever. */
  readonly retention: Millis
  /** How long payloads are kept; 0: as long as their messages. */
  readonly payloadRetention: Millis
  /** Payloads go when the last endpoint has got them. */
  readonly wipeDelivered: boolean
}

/** What counts where nobody says otherwise; the server's settings say some of it. */
export const usualControl: Control = {
  retrySchedule: defaultRetryPolicy.delaysMs,
  retryOn: ['no-answer', '3xx', '4xx', '5xx'],
  timeout: 15_000,
  throttleRate: 0,
  maxInFlight: 64,
  ordering: 'none',
  headFailure: 'block',
  headAttempts: 3,
  breaker: true,
  breakerFailureRate: 0.7,
  breakerProbe: 5_000,
  breakerDrainRate: 10,
  batchSize: 1,
  batchWait: 0,
  deliverWithin: 0,
  forwardSignature: 'add',
  eventIdWindow: 0,
  retention: 90 * 86_400_000,
  payloadRetention: 0,
  wipeDelivered: false,
}

/** What one level says for itself. */
export type ControlPart = { readonly [Key in keyof Control]?: Control[Key] | undefined }

export type ControlKey = keyof Control

/** Who can say it, from the widest to the narrowest; the narrowest that does counts. */
export type ControlLevel = 'server' | 'environment' | 'application' | 'endpoint'

/** What counts, and who said it. */
export type ResolvedControl = {
  readonly [Key in keyof Control]: { readonly value: Control[Key]; readonly from: ControlLevel }
}

// What is about messages is settled when one is accepted, before there is an endpoint to ask.
const ofMessages: ReadonlySet<ControlKey> = new Set([
  'eventIdWindow',
  'retention',
  'payloadRetention',
  'wipeDelivered',
] satisfies ControlKey[])

/** Whether a level can say it: what is about messages, an endpoint cannot. */
export const canSay = (level: ControlLevel, key: ControlKey): boolean => level !== 'endpoint' || !ofMessages.has(key)

/** Whether a level says it in its control: the rate of an endpoint, and of an application, is a field of its own. */
export const saysInControl = (level: ControlLevel, key: ControlKey): boolean =>
  key === 'throttleRate' ? level === 'environment' : canSay(level, key)

/** Puts the levels together: for each part the narrowest level that says something. */
export function resolveControl(
  server: Control,
  environment: ControlPart,
  application: ControlPart,
  endpoint: ControlPart,
): ResolvedControl {
  const levels = [
    ['endpoint', endpoint],
    ['application', application],
    ['environment', environment],
  ] as const
  const resolved = Object.entries(server).map(([key, value]) => {
    for (const [from, part] of levels) {
      const said = part[key as ControlKey]
      if (said !== undefined && canSay(from, key as ControlKey)) return [key, { value: said, from }]
    }
    return [key, { value, from: 'server' }]
  })
  return Object.fromEntries(resolved) as ResolvedControl
}

/** As `resolveControl`, where nobody asks who said it. */
export function controlOf(server: Control, ...parts: readonly ControlPart[]): Control {
  const control: Record<string, unknown> = { ...server }
  for (const part of parts) {
    for (const [key, value] of Object.entries(part)) if (value !== undefined) control[key] = value
  }
  return control as unknown as Control
}
