import type { Millis } from '../../domain/ids.ts'
import type { Part, Ref } from '../../domain/preset.ts'

/** Where a reference leads, for people. */
export function placeOf(ref: Ref): string {
  if ('header' in ref) {
    const name = typeof ref.header === 'string' ? `header ${ref.header}` : `the header of setting ${ref.header.setting}`
    return ref.parameter === undefined ? name : `parameter ${ref.parameter} of ${name}`
  }
  if ('query' in ref) return `query parameter ${ref.query}`
  if ('form' in ref) return `form field ${ref.form}${ref.pointer ?? ''}`
  if ('body' in ref) return `${[ref.body, ...(ref.inner ?? [])].join(' → ')} of the body`
  if ('setting' in ref) return `setting ${ref.setting}`
  return ref.request === 'body' ? 'the body' : `the ${ref.request}`
}

export const placesOf = (refs: readonly Ref[]): string => [...new Set(refs.map(placeOf))].join(' or ')

/** What a part of a template is, for people. */
export function partName(part: Part): string {
  if (typeof part === 'string') return `“${part}”`
  if ('optional' in part) return placeOf(part.optional)
  if ('hash' in part) return `the ${part.hash} of ${part.of.map(partName).join(' and ')}`
  if ('hmac' in part) return `the ${part.hmac} MAC of ${part.of.map(partName).join(' and ')}`
  if ('crc32' in part) return 'the CRC-32 of the body'
  if ('secret' in part) return 'the secret'
  if ('sortedForm' in part) return 'a form (application/x-www-form-urlencoded)'
  if ('fields' in part) return `${part.fields.join(', ')} of the body`
  if ('headersNamedBy' in part) return `one of the headers that ${part.headersNamedBy} names`
  return placeOf(part)
}

/** With a capital letter and a full stop. */
export const sentence = (text: string): string => `${text.slice(0, 1).toUpperCase()}${text.slice(1)}.`

/** Seconds up to ten minutes, and then the largest unit that says enough. */
export function spanOf(ms: Millis): string {
  const seconds = Math.round(ms / 1000)
  if (seconds <= 600) return `${seconds} s`
  if (seconds <= 120 * 60) return `${Math.round(seconds / 60)} minutes`
  if (seconds <= 72 * 3600) return `${Math.round(seconds / 3600)} hours`
  return `${Math.round(seconds / 86_400)} days`
}
