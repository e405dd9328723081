import { isDeepStrictEqual } from 'node:util'
import type { EnvironmentControl } from '@posthorn/contract'
import {
  type Control,
  type ControlKey,
  type ControlLevel,
  type ControlPart,
  type ResolvedControl,
  saysInControl,
} from '../../domain/control.ts'
import { Problem } from '../../domain/problem.ts'
import type { Principal } from '../principal.ts'

type Wire = Readonly<Record<string, unknown>>

const second = 1_000
const day = 86_400_000

interface Spelling {
  readonly name: keyof EnvironmentControl
  /** Milliseconds in one unit of the wire; 1: not a duration. */
  readonly unit: number
}

/** How each part is spelled on the wire: durations in the unit their name says. */
const spellings = {
  retrySchedule: { name: 'retrySchedule', unit: second },
  retryOn: { name: 'retryOn', unit: 1 },
  timeout: { name: 'timeoutSeconds', unit: second },
  throttleRate: { name: 'throttleRate', unit: 1 },
  maxInFlight: { name: 'maxInFlight', unit: 1 },
  ordering: { name: 'ordering', unit: 1 },
  headFailure: { name: 'headFailure', unit: 1 },
  headAttempts: { name: 'headAttempts', unit: 1 },
  breaker: { name: 'breaker', unit: 1 },
  breakerFailureRate: { name: 'breakerFailureRate', unit: 1 },
  breakerProbe: { name: 'breakerProbeSeconds', unit: second },
  breakerDrainRate: { name: 'breakerDrainRate', unit: 1 },
  batchSize: { name: 'batchSize', unit: 1 },
  batchWait: { name: 'batchWaitMs', unit: 1 },
  forwardSignature: { name: 'forwardSignature', unit: 1 },
  deliverWithin: { name: 'deliverWithinSeconds', unit: second },
  eventIdWindow: { name: 'eventIdWindowSeconds', unit: second },
  retention: { name: 'retentionDays', unit: day },
  payloadRetention: { name: 'payloadRetentionDays', unit: day },
  wipeDelivered: { name: 'wipeDelivered', unit: 1 },
} as const satisfies Record<ControlKey, Spelling>

const keys = Object.keys(spellings) as ControlKey[]

const each = (value: unknown, change: (number: number) => number): unknown =>
  Array.isArray(value) ? value.map((item) => each(item, change)) : typeof value === 'number' ? change(value) : value
const toMs = (value: unknown, unit: number): unknown => each(value, (number) => Math.round(number * unit))
const fromMs = (value: unknown, unit: number): unknown => each(value, (number) => number / unit)

/**
 * What a level is to say after a request: what the request leaves out stays as it was, null inherits again. What the
 * level cannot say no schema has checked: it is ignored, as any unknown member.
 */
export function controlWish(level: ControlLevel, held: ControlPart, wire: Wire | null | undefined): ControlPart {
  if (wire === undefined) return held
  if (wire === null) return {}
  const part: Record<string, unknown> = { ...held }
  for (const key of keys) {
    if (!saysInControl(level, key)) continue
    const { name, unit } = spellings[key]
    const value = wire[name]
    if (value === null) delete part[key]
    else if (value !== undefined) part[key] = unit === 1 ? value : toMs(value, unit)
  }
  return part as ControlPart
}

/**
 * As `controlWish`, for an endpoint, which customers can change in other respects: how often and how long deliveries are
 * tried costs the operator, so his word stays. Saying again what is there changes nothing. Throws `operator-reserved`.
 */
export function endpointControlWish(
  { kind }: Principal,
  wire: Wire | null | undefined,
): (held: ControlPart) => ControlPart {
  return (held) => {
    const wish = controlWish('endpoint', held, wire)
    if (kind === 'key' || isDeepStrictEqual(wish, held)) return wish
    throw new Problem('operator-reserved', 'A portal token cannot change `control`.', [
      { pointer: '/control', message: 'can only be changed with an API key' },
    ])
  }
}

/** What a level says for itself, as it is shown. */
export const controlShown = (part: ControlPart): Record<string, unknown> =>
  Object.fromEntries(
    keys.flatMap((key) => {
      const value = part[key]
      return value === undefined ? [] : [[spellings[key].name, fromMs(value, spellings[key].unit)]]
    }),
  )

/** What counts, and who said it, as it is shown. */
export const resolvedShown = (
  control: ResolvedControl,
): Record<string, { readonly value: unknown; readonly from: string }> =>
  Object.fromEntries(
    keys.map((key: keyof Control) => {
      const { value, from } = control[key]
      return [spellings[key].name, { value: fromMs(value, spellings[key].unit), from }]
    }),
  )
