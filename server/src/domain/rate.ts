import type { Millis } from './ids.ts'

// Time not used is lost, but for the lateness of timers: at 1,000 a second one that fires 2 ms late must not cost two.
const savedUpMs = 50

/**
 * Smooth pace: the moment from which the next may go, after one that goes now. One a second means one each second, not
 * sixty at the full minute. `nextAt` is what this returned the time before, 0 at first.
 */
export const paced = (nextAt: Millis, now: Millis, perSecond: number): Millis =>
  Math.max(nextAt, now - savedUpMs) + 1_000 / perSecond

/** From when a pace that nobody has used is like one that never was: what is forgotten before may save up twice. */
export const forgettableAt = (nextAt: Millis): Millis => nextAt + savedUpMs
