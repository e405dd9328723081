import type { Millis } from './ids.ts'

const firstMs: Millis = 100
const longestMs: Millis = 2_000

/**
 * How long to leave alone what has failed so many times in a row, at least once: anything from 100 ms to a bound that
 * doubles up to 2 s ("full jitter"), so that many who lost the same thing do not come back for it together.
 */
export const backoff = (failures: number, random: number): Millis =>
  firstMs + random * (Math.min(longestMs, firstMs * 2 ** failures) - firstMs)
