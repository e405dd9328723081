import type { Chance } from '../faults/chance.ts'

// What parsers count by, or tell apart only just: ends of text, of lines and of lists, halves of surrogate pairs, digits and
// letters that look like others, what becomes two letters in another case, signs of every encoding.
const signs = [
  ...[
    '\0',
    '\t',
    '\n',
    '\r',
    '\r\n',
    ' ',
    '\u00a0',
    '\u2028',
    '\ufeff',
    '\u200b',
    '\u00ad',
    '\ud800',
    '\udfff',
    '\u{1f600}',
  ],
  ...[
    '"',
    "'",
    '\\',
    '/',
    '%',
    '+',
    '-',
    '.',
    ',',
    ';',
    ':',
    '=',
    '&',
    '?',
    '#',
    '@',
    '*',
    '~',
    '_',
    '|',
    '<',
    '>',
    '!',
    '$',
  ],
  ...[
    '{',
    '}',
    '[',
    ']',
    '(',
    ')',
    '0',
    '1',
    '9',
    'a',
    'A',
    'e',
    'E',
    'x',
    'z',
    '\u0130',
    '\u017f',
    '\uff11',
    '\u3002',
    '\u00ff',
  ],
  ...['%00', '%0a', '%2e', '%25', '\\u0000', '\\"', '\\\\', '""', '\u241e'],
]
const numbers = [
  ...['0', '-0', '00', '1', '-1', '255', '256', '999', '65535', '65536', '2147483648', '4294967295', '4294967296'],
  ...['9007199254740993', '9223372036854775807', '9223372036854775808', '18446744073709551616', '1e5', '1e400', '1.0'],
]

/** Up to a few changes to a text. `others`: texts that parts may be taken of. */
export function mutated(text: string, chance: Chance, words: readonly string[], others: readonly string[]): string {
  let changed = text
  for (let left = chance.between(1, 4); left > 0; left--) changed = change(changed, chance, words, others)
  return changed
}

const pick = (list: readonly string[], chance: Chance): string => list[chance.between(0, list.length - 1)] ?? ''

function change(text: string, chance: Chance, words: readonly string[], others: readonly string[]): string {
  const at = chance.between(0, text.length)
  const to = Math.min(text.length, at + chance.between(1, chance.comesTrue(0.2) ? 64 : 6))
  const [before, part, behind] = [text.slice(0, at), text.slice(at, to), text.slice(to)]
  switch (chance.between(0, 10)) {
    case 0:
      return before + behind
    case 1:
      return before + pick(signs, chance) + part + behind
    case 2:
      return before + pick(signs, chance) + behind
    case 3:
      return before + pick(words, chance) + part + behind
    case 4:
      return before + pick(words, chance) + behind
    case 5:
      return before + part.repeat(chance.between(2, chance.comesTrue(0.1) ? 200 : 4)) + behind
    case 6: {
      const other = pick(others, chance)
      const start = chance.between(0, other.length)
      return before + other.slice(start, start + chance.between(1, 80)) + behind
    }
    case 7:
      return (
        before +
        part.replace(/[a-z]/gi, (letter) => (letter < 'a' ? letter.toLowerCase() : letter.toUpperCase())) +
        behind
      )
    case 8:
      return before + part.replace(/./s, (sign) => `%${sign.charCodeAt(0).toString(16).padStart(2, '0')}`) + behind
    case 9:
      return text.replace(/\d+/g, (digits) => (chance.comesTrue(0.3) ? pick(numbers, chance) : digits))
    default:
      return before
  }
}

/** A text without a part of it, the largest parts first: what is left to try when an input is made smaller. */
export function* smaller(text: string): Generator<string> {
  for (let size = Math.ceil(text.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < text.length; at += size) yield text.slice(0, at) + text.slice(at + size)
  }
}
