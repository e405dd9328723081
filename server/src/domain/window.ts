import type { Millis } from './ids.ts'

/**
 * How much an endpoint is trusted with at once. It opens with every success and closes with failures in a row, so that a hung or
 * dead endpoint holds few of the sends that all endpoints share, and a recovered one is at full width within a second.
 */
export interface Window {
  /** Requests that may be in flight. */
  readonly width: number
  readonly failuresInRow: number
  /** No request starts before this moment. */
  readonly opensAt: Millis
}

/** The first requests to an endpoint nobody has heard of: a hundred hung newcomers then hold 1,600 sends, not 6,400. */
const firstWidth = 16

// An endpoint that failed this often in a row is tried one request at a time, ever more slowly, up to one a second:
// often enough to notice its return, seldom enough that a million waiting deliveries cost its neighbours nothing.
const patience = 20
const firstGapMs = 50
const longestGapMs = 1_000

export const firstWindow = (cap: number): Window => ({ width: Math.min(firstWidth, cap), failuresInRow: 0, opensAt: 0 })

export function afterSuccess(window: Window, cap: number): Window {
  if (window.width >= cap && window.failuresInRow === 0) return window
  return { width: Math.min(cap, window.width + 1), failuresInRow: 0, opensAt: 0 }
}

/** One failure among successes is that message's trouble; from the second in a row it is the endpoint's. */
export function afterFailure(window: Window, now: Millis): Window {
  const failuresInRow = window.failuresInRow + 1
  if (failuresInRow === 1) return { ...window, failuresInRow }
  const gap =
    failuresInRow < patience ? 0 : Math.min(longestGapMs, firstGapMs * 2 ** Math.min(failuresInRow - patience, 10))
  return {
    width: failuresInRow < patience ? Math.max(1, Math.ceil(window.width / 2)) : 1,
    failuresInRow,
    opensAt: gap === 0 ? 0 : now + gap,
  }
}
