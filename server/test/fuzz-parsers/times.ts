import { readMessage } from '../../src/api/rest/message-body.ts'
import { Problem } from '../../src/domain/problem.ts'
import { parseRetryAfter } from '../../src/domain/retry-after.ts'
import { RequestView } from '../../src/inbound/reading/view.ts'
import { readTime } from '../../src/inbound/verify/timestamps.ts'
import type { Chance } from '../faults/chance.ts'
import { attempt, type Fuzzer, hold } from './fuzzer.ts'

const dayMs = 86_400_000
const now = Date.UTC(2026, 10, 21, 18, 0, 0)
const samples = [
  ...['0', '1', '120', '86400', '86401', '00120', '1.5', '-3', '+5', ' 7 ', '1e3', '0x10', '99999999999999999999'],
  ...[
    'Sat, 21 Nov 2026 18:00:30 GMT',
    'Saturday, 21-Nov-26 18:00:30 GMT',
    'Sat Nov 21 18:00:30 2026',
    'Sun Nov  6 08:49:37 1994',
  ],
  ...[
    'Sat, 31 Feb 2027 00:00:00 GMT',
    'Sat, 21 Nov 2026 23:59:60 GMT',
    'Sat, 21 Nov 2026 24:00:00 GMT',
    'Sat, 21 Nov 2026 18:00:30 CET',
  ],
  ...[
    '2026-11-21T18:00:30Z',
    '2026-11-21t18:00:30.123456z',
    '2026-11-21 18:00:30+01:00',
    '2026-02-30T00:00:00Z',
    '9999-12-31T23:59:59Z',
  ],
  ...[
    '2026-11-21T18:00:30',
    '2026-11-21',
    '+010000-01-01T00:00:00Z',
    '2026-11-21T18:00:60Z',
    '2026-11-21T18:00:30+24:00',
    '0000-01-01T00:00:00Z',
  ],
]

/** Moments, as receivers, publishers and providers spell them. */
export const times: Fuzzer = {
  name: 'times',
  about:
    'Retry-After, deliverAt, signed timestamps: by walking through the forms of RFC 9110 and RFC 3339, and by printing again',
  words: [
    ...samples,
    'GMT',
    'UTC',
    ', ',
    'Sun',
    'Feb',
    '29',
    '30',
    '00:00:00',
    'T',
    'Z',
    '+00:00',
    '-',
    ':',
    '60',
    '24',
    '\u0660',
    '\u00b2',
  ],
  make: (chance) => {
    const at = new Date(now + chance.between(-3 * dayMs, 3 * dayMs))
    const kind = chance.between(0, 3)
    return kind === 0
      ? at.toUTCString()
      : kind === 1
        ? at.toISOString()
        : kind === 2
          ? String(chance.between(0, 90_000))
          : pick(chance)
  },
  judge: (text) => [judgeRetryAfter(text), judgeDeliverAt(text), judgeSigned(text)].join(' '),
  longest: 1 << 14,
  read: (text) => [parseRetryAfter(text, now), readMessageAt(text), signedAt(text, 'iso'), signedAt(text, 's')],
  growths: [
    { before: '', unit: '1', behind: 'x' },
    { before: '', unit: ' ', behind: 'x' },
    { before: '2026-11-21T18:00:30.', unit: '1', behind: 'x' },
    { before: 'Sat', unit: 'a', behind: '' },
  ],
}

const pick = (chance: Chance): string => samples[chance.between(0, samples.length - 1)] ?? ''

function judgeRetryAfter(text: string): string {
  const waitMs = parseRetryAfter(text, now)
  const plain = text.trim()
  if (/^[0-9]+$/.test(plain)) {
    const right = BigInt(plain) * 1000n
    hold(waitMs === Number(right > BigInt(dayMs) ? BigInt(dayMs) : right), () => `"${text}" is ${waitMs} ms`)
    return 'seconds'
  }
  // Printed by the clock itself: then nobody can read it otherwise.
  const date = Number.isNaN(Date.parse(plain)) ? null : new Date(plain)
  if (date !== null && date.toUTCString() === plain && /^..., \d\d ... \d{4} /.test(plain)) {
    hold(waitMs === Math.min(Math.max(date.getTime() - now, 0), dayMs), () => `"${text}" is ${waitMs} ms`)
    return 'date'
  }
  if (waitMs === null) return 'none'
  hold(waitMs >= 0 && waitMs <= dayMs, () => `"${text}" is ${waitMs} ms`)
  hold(/^[A-Z]/.test(plain) && /\d\d:\d\d:\d\d/.test(plain), () => `"${text}" is taken for a date`)
  return 'other-date'
}

const codeOf = (error: unknown): string | null => (error instanceof Problem ? error.code : null)
const readMessageAt = (text: string) =>
  attempt(() => readMessage(JSON.stringify({ eventType: 'a', payload: {}, deliverAt: text })).fact.deliverAt, codeOf)

/** RFC 3339 by its numbers; null: it is none. */
function naiveRfc3339(text: string): number | null {
  const numbers = /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:[Zz]|([+-])(\d\d):(\d\d))$/.exec(text)
  if (numbers === null) return null
  const [, year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = numbers.map(Number)
  const [fraction = '', sign, offsetHour = '0', offsetMinute = '0'] = numbers.slice(7)
  const monthDays = new Date(Date.UTC(2000 + (year % 400), month, 0)).getUTCDate()
  if (month < 1 || month > 12 || day < 1 || day > monthDays || hour > 23 || minute > 59 || second > 59) return null
  if (Number(offsetHour) > 23 || Number(offsetMinute) > 59) return null
  const at = new Date(0)
  at.setUTCFullYear(year, month - 1, day)
  at.setUTCHours(hour, minute, second, Number(`${fraction}000`.slice(0, 3)))
  const offsetMs = (Number(offsetHour) * 60 + Number(offsetMinute)) * 60_000
  return at.getTime() - (sign === '-' ? -offsetMs : offsetMs)
}

function judgeDeliverAt(text: string): string {
  const came = readMessageAt(text)
  const right = naiveRfc3339(text)
  if ('refused' in came) {
    hold(came.refused === 'request-invalid', () => `deliverAt is refused as ${came.refused}`)
    // Seconds of 60, which RFC 3339 has rarely, are refused on both sides.
    hold(right === null || right >= Date.UTC(9000, 0, 1), () => `deliverAt "${text}" is refused, and is ${right}`)
    return 'deliverAt-no'
  }
  hold(came.value === right, () => `deliverAt "${text}" is ${came.value}, and means ${right}`)
  return 'deliverAt'
}

const request = { method: 'POST', target: '/in/x', peer: '192.0.2.1', client: '192.0.2.1', receivedAt: now }
const signedAt = (text: string, unit: 'iso' | 's') =>
  readTime(
    { at: [{ header: 'x' }], unit, sides: 'both', tolerance: 300 },
    new RequestView(
      { ...request, headers: ['x', text], body: new Uint8Array() },
      { url: 'https://a.example/in/x', pathLength: 5 },
    ),
    {},
  )

function judgeSigned(text: string): string {
  const [seconds, iso] = [signedAt(text, 's'), signedAt(text, 'iso')]
  if (seconds.kind === 'time') {
    hold(
      /^[0-9]{1,15}$/.test(text.trim()) && seconds.at === Number(text) * 1000,
      () => `"${text}" was signed at ${seconds.at}`,
    )
  }
  if (iso.kind === 'time')
    hold(Number.isFinite(iso.at) && /^\d{4}-/.test(iso.text), () => `"${text}" was signed at ${iso.at}`)
  const right = naiveRfc3339(text.trim())
  if (right !== null && iso.kind === 'time')
    hold(iso.at === right, () => `"${text}" was signed at ${iso.at}, and means ${right}`)
  return `${seconds.kind} ${iso.kind}${/[+-]\d\d:?\d\d$/.test(text) ? ' offset' : ''}${/\.\d/.test(text) ? ' fraction' : ''}`
}
