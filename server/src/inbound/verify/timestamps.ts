import type { Millis } from '../../domain/ids.ts'
import type { Timestamp } from '../../domain/preset.ts'
import type { RequestView, SettingValues } from '../reading/view.ts'

export type ReadTime =
  | { readonly kind: 'time'; readonly at: Millis; readonly text: string }
  | { readonly kind: 'missing' }
  | { readonly kind: 'malformed'; readonly text: string }

// 15 digits: beyond them a number would lose its last ones.
const whole = /^\d{1,15}$/
const iso = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)$/i

/** The time that a request says it was made at. */
export function readTime({ at, unit }: Timestamp, view: RequestView, settings: SettingValues): ReadTime {
  for (const ref of at) {
    const [text] = view.valuesAt(ref, settings)
    if (text === undefined) continue
    const time =
      unit === 'iso' ? isoTime(text) : whole.test(text) ? Number(text) * (unit === 's' ? 1000 : 1) : Number.NaN
    return Number.isFinite(time) ? { kind: 'time', at: time, text } : { kind: 'malformed', text }
  }
  return { kind: 'missing' }
}

const isoTime = (text: string): Millis =>
  iso.test(text) ? Date.parse(text.replace(' ', 'T').replace(',', '.')) : Number.NaN

/** How far a time is outside of what is tolerated; null: it is not. */
export function timeFault(
  at: Millis,
  now: Millis,
  sides: Timestamp['sides'],
  toleranceMs: Millis,
): { readonly kind: 'stale' | 'from-the-future'; readonly byMs: Millis } | null {
  const age = now - at
  if (age > toleranceMs) return { kind: 'stale', byMs: age }
  if (sides === 'both' && -age > toleranceMs) return { kind: 'from-the-future', byMs: -age }
  return null
}
