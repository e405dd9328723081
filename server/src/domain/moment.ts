import type { Millis } from './ids.ts'

const shape = /^(\d{4}-\d\d-\d\d)[Tt ]((?:[01]\d|2[0-3]):\d\d:\d\d)(?:\.(\d+))?([Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/

/**
 * An RFC 3339 time; NaN: it is none, or a leap second, which no clock here has. Read in the one spelling that `Date.parse` itself
 * promises to read: others it guesses at (ten digits of a fraction, a space) or does not know (an offset without minutes). It
 * takes 24:00, which RFC 3339 §5.6 has not, and the 30th of February for a day in March.
 */
export function momentOf(text: string): Millis {
  const [, day, clock, fraction = '', zone = ''] = shape.exec(text) ?? []
  if (day === undefined || !isDay(day)) return Number.NaN
  return Date.parse(`${day}T${clock}.${fraction.slice(0, 3).padEnd(3, '0')}${zone.toUpperCase()}`)
}

function isDay(day: string): boolean {
  const at = Date.parse(`${day}T00:00:00Z`)
  return Number.isFinite(at) && new Date(at).toISOString().startsWith(day)
}
