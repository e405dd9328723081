import type { Millis } from '../../domain/ids.ts'

/** RFC 3339 with milliseconds, UTC. */
export const timeText = (at: Millis): string => new Date(at).toISOString()

/** Reads what a schema has found to be an RFC 3339 time; null where it was left out. */
export const timeOf = (text: string | undefined): Millis | null => (text === undefined ? null : Date.parse(text))
