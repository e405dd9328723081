import type { Millis } from './ids.ts'

const firstPause = 1_000
const longestPause = 5 * 60_000

/**
 * How long something that cost too much `times` times in a row is not asked again. The first time is forgiven: it may
 * have been one large payload. After that a neighbour must not go on paying for it.
 */
export const pauseAfter = (times: number): Millis =>
  times < 2 ? 0 : Math.min(firstPause * 4 ** (times - 2), longestPause)
