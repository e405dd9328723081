import type { Millis } from './ids.ts'

/** What one request comes to: taken, with so many left this moment; or refused, until so much later. */
export type Spent =
  | { readonly kind: 'taken'; readonly usedUpAt: Millis; readonly left: number }
  | { readonly kind: 'refused'; readonly waitMs: Millis }

/**
 * Takes one of `perSecond` requests a second, of which one second's worth may come at once (GCRA: the queue that is never
 * kept). `usedUpAt` is what this said the last time, 0 at first: the moment up to which the rate is used up.
 */
export function spend(usedUpAt: Millis, now: Millis, perSecond: number): Spent {
  const next = Math.max(usedUpAt, now) + 1_000 / perSecond
  const ahead = next - now
  if (ahead > 1_000 + rounding) return { kind: 'refused', waitMs: ahead - 1_000 }
  return { kind: 'taken', usedUpAt: next, left: Math.floor(((1_000 - ahead) * perSecond) / 1_000 + rounding) }
}

// A thousandth of a millisecond: many additions of a third do not quite make a whole.
const rounding = 0.001
