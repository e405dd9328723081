import type { Millis } from './ids.ts'

const units = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
  ['ms', 1],
] as const

const spelling = /^(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+)s)?(?:(\d+)ms)?$/

/**
 * Reads `250ms`, `5s`, `1h30m`, `1d`: whole numbers, each unit at most once, the larger first. Null for anything else,
 * also for a bare number: 30 of what?
 */
export function parseDuration(text: string): Millis | null {
  const match = spelling.exec(text)
  if (!match || text === '') return null
  let total = 0
  for (const [at, [, ms]] of units.entries()) total += Number(match[at + 1] ?? 0) * ms
  return Number.isSafeInteger(total) ? total : null
}

/** Reads a comma-separated list such as `5s,5m,30m,2h`; spaces around commas are fine. Null where one of them is not a duration. */
export function parseDurations(text: string): readonly Millis[] | null {
  const spans: Millis[] = []
  for (const part of text.split(',')) {
    const span = parseDuration(part.trim())
    if (span === null) return null
    spans.push(span)
  }
  return spans
}

/** The span as people write it, exact: `parseDuration` reads it back. `span` is a whole number of milliseconds, not negative. */
export function formatDuration(span: Millis): string {
  let text = ''
  let rest = span
  for (const [unit, ms] of units) {
    const count = Math.floor(rest / ms)
    if (count > 0) text += `${count}${unit}`
    rest -= count * ms
  }
  return text === '' ? '0s' : text
}
