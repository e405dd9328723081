import type { Millis } from './ids.ts'

const longestMs = 24 * 60 * 60 * 1000 // a receiver that asks for more gets this much

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

// The three forms of RFC 9110 §5.6.7. Date.parse would do, but it also takes "1.5" and "-3" for dates.
const forms = [
  /^[A-Z][a-z]{2}, (?<day>\d\d) (?<month>[A-Z][a-z]{2}) (?<year>\d{4}) (?<time>\d\d:\d\d:\d\d) GMT$/,
  /^[A-Z][a-z]{5,8}, (?<day>\d\d)-(?<month>[A-Z][a-z]{2})-(?<year>\d\d) (?<time>\d\d:\d\d:\d\d) GMT$/,
  /^[A-Z][a-z]{2} (?<month>[A-Z][a-z]{2}) (?<day>[ \d]\d) (?<time>\d\d:\d\d:\d\d) (?<year>\d{4})$/,
]

/**
 * How long a receiver asks us to wait, by its `Retry-After`: seconds or a date, RFC 9110 §10.2.3. A moment that has
 * passed is 0; more than 24 h is 24 h. Null: it asked for nothing that can be understood.
 */
export function parseRetryAfter(value: string | undefined, now: Millis): Millis | null {
  const text = value?.trim() ?? ''
  if (/^\d+$/.test(text)) return Math.min(Number(text) * 1000, longestMs)
  const at = httpDate(text, now)
  return at === null ? null : Math.min(Math.max(at - now, 0), longestMs)
}

function httpDate(text: string, now: Millis): Millis | null {
  for (const form of forms) {
    const parts = form.exec(text)?.groups
    if (parts === undefined) continue
    const month = months.indexOf(parts.month ?? '')
    const day = Number(parts.day)
    const [hour = 0, minute = 0, second = 0] = (parts.time ?? '').split(':').map(Number)
    // 60: a leap second.
    if (month < 0 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60) return null
    const given = Number(parts.year)
    const at = (year: number) => Date.UTC(year, month, day, hour, minute, second)
    if (parts.year?.length === 4) return at(given)
    // RFC 9110 §5.6.7: two digits that seem more than 50 years ahead mean the century before.
    const thisYear = new Date(now).getUTCFullYear()
    const year = thisYear - (thisYear % 100) + given
    return at(year > thisYear + 50 ? year - 100 : year)
  }
  return null
}
