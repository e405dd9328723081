import type { Facets } from './sample-facets.ts'
import { textOfPattern } from './sample-pattern.ts'

const longestText = 10_000
const mostSteps = 200

/** The `nth` number (from 0) that fits; undefined: there is none near the bounds. */
export function numberFor(facets: Facets, whole: boolean, nth: number): number | undefined {
  const { minimum, maximum, aboveMinimum, belowMaximum, multiplesOf } = facets
  const fits = (value: number): boolean =>
    (aboveMinimum ? value > minimum : value >= minimum) &&
    (belowMaximum ? value < maximum : value <= maximum) &&
    (!whole || Number.isInteger(value)) &&
    multiplesOf.every((step) => Number.isInteger(value / step))
  let left = nth
  for (const value of candidates(facets, whole)) {
    if (!fits(value)) continue
    if (left === 0) return value
    left -= 1
  }
  return undefined
}

function* candidates({ minimum, maximum, multiplesOf }: Facets, whole: boolean): Generator<number> {
  const step = Math.max(whole ? 1 : 0, ...multiplesOf)
  const by = step === 0 ? 1 : step
  const seen = new Set<number>()
  const usual = multiplesOf.length === 0 ? [1, 2, 3, 4, 5, 6, 7, 8, 9, 0] : [0]
  // Exact steps where they can be had: 3 × 0.1 is not 0.3, but 0.3 is what 0.1 has as a multiple for most who check.
  const rounded = (value: number): readonly number[] => [Number(value.toPrecision(15)), value]
  const start = Number.isFinite(minimum) ? minimum : Number.isFinite(maximum) ? maximum - mostSteps * by : 0
  const values = function* (): Generator<number> {
    yield* usual
    yield start
    if (Number.isFinite(minimum) && Number.isFinite(maximum)) {
      for (let part = 1; part < 64; part++) yield minimum + ((maximum - minimum) * part) / 64
    }
    const first = Math.ceil(start / by)
    for (let times = 0; times <= mostSteps; times++) yield* rounded((first + times) * by)
    yield maximum
  }
  for (const value of values()) {
    if (!Number.isFinite(value) || seen.has(value)) continue
    seen.add(value)
    yield Object.is(value, -0) ? 0 : value
  }
}

const two = (nth: number): string => String(nth % 60).padStart(2, '0')

/** The `nth` value of each format of JSON Schema 2020-12 (validation §7.3). */
const formats: Readonly<Record<string, (nth: number) => string>> = {
  'date-time': (nth) => `2026-01-01T09:${two(nth)}:00Z`,
  date: (nth) => `2026-01-${String((nth % 28) + 1).padStart(2, '0')}`,
  time: (nth) => `09:${two(nth)}:00Z`,
  duration: (nth) => `P${nth + 1}D`,
  email: (nth) => `user${nth || ''}@example.com`,
  'idn-email': (nth) => `user${nth || ''}@example.com`,
  hostname: (nth) => `host${nth || ''}.example.com`,
  'idn-hostname': (nth) => `host${nth || ''}.example.com`,
  ipv4: (nth) => `192.0.2.${(nth % 254) + 1}`,
  ipv6: (nth) => `2001:db8::${((nth % 65_535) + 1).toString(16)}`,
  uri: (nth) => `https://example.com/${nth || ''}`,
  'uri-reference': (nth) => `/${nth || ''}`,
  iri: (nth) => `https://example.com/${nth || ''}`,
  'iri-reference': (nth) => `/${nth || ''}`,
  'uri-template': (nth) => `https://example.com/{id}${nth || ''}`,
  uuid: (nth) => `00000000-0000-4000-8000-${String(nth).padStart(12, '0')}`,
  'json-pointer': (nth) => `/${nth}`,
  'relative-json-pointer': (nth) => String(nth),
  regex: (nth) => `a{${nth + 1}}`,
}

/** The `nth` text that fits; undefined: there can be none. Of several patterns only the first is looked at. */
export function textFor({ formats: named, patterns, minLength, maxLength }: Facets, nth: number): string | undefined {
  if (minLength > maxLength || minLength > longestText) return undefined
  const [pattern] = patterns
  if (pattern !== undefined) {
    const text = textOfPattern(pattern, minLength + nth, maxLength)
    if (text !== null) return text
  }
  const format = named.map((name) => formats[name]).find((known) => known !== undefined)
  const formatted = format?.(nth)
  if (formatted !== undefined && formatted.length >= minLength && formatted.length <= maxLength) return formatted
  const text = nth === 0 ? 'text' : `${nth}text`
  return text.padEnd(minLength, 'x').slice(0, Math.min(maxLength, longestText))
}
