import type { Millis } from '../../domain/ids.ts'
import { momentOf } from '../../domain/moment.ts'

// At full speed some twenty messages share a millisecond, and printing the time would cost more than the rest of the
// answer.
let lastAt: Millis = Number.NaN
let lastText = ''

/** RFC 3339 with milliseconds, UTC. */
export function timeText(at: Millis): string {
  if (at !== lastAt) {
    lastText = new Date(at).toISOString()
    lastAt = at
  }
  return lastText
}

/** Reads what a schema has found to be an RFC 3339 time; null where it was left out. */
export const timeOf = (text: string | null | undefined): Millis | null => (text == null ? null : momentOf(text))
