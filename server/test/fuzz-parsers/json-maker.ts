import type { Chance } from '../faults/chance.ts'

// As people and machines spell JSON, and as nobody should but may.

const spaces = ['', '', '', '', ' ', '\n  ', '\t', '\r\n']
const keys = [
  'payload',
  'eventType',
  'a',
  'b',
  '',
  'messages',
  '__proto__',
  'constructor',
  'pay load',
  'pa"y',
  'é',
  '0',
  'length',
]
const numbers = [
  '0',
  '-0',
  '1',
  '-1',
  '1.0',
  '1e5',
  '1E+2',
  '1e400',
  '12345678901234567890',
  '9007199254740993',
  '9223372036854775807',
  '0.1',
  '-1.5e-7',
]
const words = ['true', 'false', 'null']
const texts = [
  '',
  'x',
  'payload',
  '}',
  ']',
  ',',
  '"',
  '\\',
  ':',
  '{"payload":1}',
  '\u0000',
  '\ud800',
  '😀',
  'order.paid',
  '\u2028',
]

const pick = (list: readonly string[], chance: Chance): string => list[chance.between(0, list.length - 1)] ?? ''
const space = (chance: Chance): string => pick(spaces, chance)

/** A string, with some of its letters as escapes. */
function spelled(text: string, chance: Chance): string {
  const plain = JSON.stringify(text)
  if (chance.comesTrue(0.7)) return plain
  return `"${[...plain.slice(1, -1).matchAll(/\\u....|\\.|./gsu)]
    .map(([sign]) => {
      const code = sign.charCodeAt(0)
      if (sign.length > 1 || code > 0x7e || chance.comesTrue(0.6)) return sign
      const hex = code.toString(16).padStart(4, '0')
      return `\\u${chance.comesTrue(0.5) ? hex : hex.toUpperCase()}`
    })
    .join('')}"`
}

export function jsonText(chance: Chance, depth = 3, named: readonly string[] = keys): string {
  const kind = depth === 0 ? chance.between(3, 5) : chance.between(0, 6)
  if (kind === 3) return pick(numbers, chance)
  if (kind === 4) return pick(words, chance)
  if (kind === 5) return spelled(pick(texts, chance), chance)
  return kind === 0 ? array(chance, depth, named) : object(chance, depth, named)
}

function array(chance: Chance, depth: number, named: readonly string[]): string {
  const items = Array.from({ length: chance.between(0, 4) }, () => jsonText(chance, depth - 1, named))
  return `[${items.map((item) => space(chance) + item + space(chance)).join(',')}${items.length === 0 ? space(chance) : ''}]`
}

function object(chance: Chance, depth: number, named: readonly string[]): string {
  const members = Array.from({ length: chance.between(0, 5) }, () => {
    const key = spelled(pick(named, chance), chance)
    return `${space(chance)}${key}${space(chance)}:${space(chance)}${jsonText(chance, depth - 1, named)}${space(chance)}`
  })
  return `{${members.join(',')}${members.length === 0 ? space(chance) : ''}}`
}

export const jsonWords = [
  ...keys.map((key) => JSON.stringify(key)),
  ...numbers,
  ...words,
  '{}',
  '[]',
  '":',
  '\\u0070ayload',
  '"payload":{}',
]

/** Whether JSON.parse may read another key than the one that is spelled (escaped-keys.ts): it is no judge of such a text. */
export const keysMayBeEscaped = (text: string): boolean =>
  text.includes('\\') && /"\s*:/.test(text.slice(text.indexOf('\\')))
