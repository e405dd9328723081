// Cuts a value out of JSON text as it was spelled. Parsing and printing again would turn 12345678901234567890 into
// 12345678901234567000 and 1.0 into 1; what callers send is what their customers get.

/** Where a value stands in the text: from `start` up to, not including, `end`, without surrounding spaces. */
export interface Span {
  readonly start: number
  readonly end: number
}

const quote = 0x22
const comma = 0x2c
const colon = 0x3a
const openBracket = 0x5b
const backslash = 0x5c
const closeBracket = 0x5d
const openBrace = 0x7b
const closeBrace = 0x7d

/**
 * The span of the value of top-level key `payload`. `text` must be one that JSON.parse has accepted; null if it is not
 * an object or has no such key. Of several, the last: the one JSON.parse keeps.
 */
export function slicePayload(text: string): Span | null {
  return sliceValue(text, 'payload')
}

/** The same for any key. */
export function sliceValue(text: string, key: string): Span | null {
  const length = text.length
  let at = skipSpace(text, 0)
  if (text.charCodeAt(at) !== openBrace) return null
  at = skipSpace(text, at + 1)
  let start = -1
  let end = -1
  while (at < length && text.charCodeAt(at) === quote) {
    const keyEnd = skipString(text, at)
    const found = isKey(text, at + 1, keyEnd - 1, key)
    at = skipSpace(text, keyEnd)
    if (text.charCodeAt(at) !== colon) return null
    const valueStart = skipSpace(text, at + 1)
    const valueEnd = skipValue(text, valueStart)
    if (found) {
      start = valueStart
      end = valueEnd
    }
    at = skipSpace(text, valueEnd)
    if (text.charCodeAt(at) !== comma) break
    at = skipSpace(text, at + 1)
  }
  return start === -1 ? null : { start, end }
}

/** The spans of the items of an array, in order; null if the text is no array. `text` as for `slicePayload`. */
export function sliceItems(text: string): Span[] | null {
  let at = skipSpace(text, 0)
  if (text.charCodeAt(at) !== openBracket) return null
  const items: Span[] = []
  at = skipSpace(text, at + 1)
  while (at < text.length && text.charCodeAt(at) !== closeBracket) {
    const end = skipValue(text, at)
    items.push({ start: at, end })
    at = skipSpace(text, end)
    if (text.charCodeAt(at) !== comma) break
    at = skipSpace(text, at + 1)
  }
  return items
}

/**
 * The spans of what a JSON Pointer (RFC 6901, already split and unescaped) leads to; `*` stands for every item of an array.
 * None where it leads nowhere. `text` as for `slicePayload`.
 */
export function slicePath(text: string, steps: readonly string[]): Span[] {
  const whole = skipSpace(text, 0)
  let spans: Span[] = [{ start: whole, end: skipValue(text, whole) }]
  for (const step of steps) {
    spans = spans.flatMap(({ start, end }) => {
      const value = text.slice(start, end)
      return sliceStep(value, step).map((span) => ({ start: start + span.start, end: start + span.end }))
    })
  }
  return spans
}

function sliceStep(text: string, step: string): readonly Span[] {
  const items = sliceItems(text)
  if (items && step === '*') return items
  const found = items ? items[arrayIndex(step) ?? -1] : sliceValue(text, step)
  return found ? [found] : []
}

/** The index that a step of a JSON Pointer names; null: it names none. RFC 6901 §4: no leading zeros. */
export const arrayIndex = (step: string): number | null => (/^(?:0|[1-9]\d{0,8})$/.test(step) ? Number(step) : null)

function isKey(text: string, start: number, end: number, key: string): boolean {
  if (end - start === key.length) return text.startsWith(key, start) && !key.includes('\\')
  // An escape takes more room than what it stands for, so only a longer spelling can be the key in disguise.
  if (end - start < key.length) return false
  for (let at = start; at < end; at++) {
    if (text.charCodeAt(at) === backslash) return JSON.parse(text.slice(start - 1, end + 1)) === key
  }
  return false
}

/** To the next sign that is no space. */
export function skipSpace(text: string, from: number): number {
  let at = from
  // Space, tab, line feed, carriage return: RFC 8259 §2 knows no other.
  for (;;) {
    const code = text.charCodeAt(at)
    if (code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09) at++
    else return at
  }
}

/** From an opening quote to behind the closing one. */
export function skipString(text: string, from: number): number {
  let at = from
  for (;;) {
    at = text.indexOf('"', at + 1)
    if (at === -1) return text.length
    let slashes = at
    while (text.charCodeAt(slashes - 1) === backslash) slashes--
    if (((at - slashes) & 1) === 0) return at + 1
  }
}

/** From the first sign of a value to behind its last. */
export function skipValue(text: string, from: number): number {
  const length = text.length
  const first = text.charCodeAt(from)
  if (first === quote) return skipString(text, from)
  let at = from
  if (first === openBrace || first === openBracket) {
    let depth = 0
    while (at < length) {
      const code = text.charCodeAt(at)
      if (code === quote) {
        at = skipString(text, at)
        continue
      }
      at++
      if (code === openBrace || code === openBracket) depth++
      else if ((code === closeBrace || code === closeBracket) && --depth === 0) return at
    }
    return length
  }
  // A number or a name: up to what may follow it.
  while (at < length) {
    const code = text.charCodeAt(at)
    if (code === comma || code === closeBrace || code === closeBracket || code <= 0x20) return at
    at++
  }
  return length
}
