// The shortest text that a regular expression matches, read off the expression itself: it is never run, so one that would
// take for ever costs nothing here.

type Node =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'sequence'; readonly parts: readonly Node[] }
  | { readonly kind: 'repeat'; readonly of: Node; readonly least: number; readonly most: number }

const longestPattern = 1_000
const deepestGroup = 20
const longestText = 1_000
const mostExtra = 50

/** What is beyond this reader: assertions, references, properties of Unicode beyond the usual. */
class Unreadable extends Error {}

/**
 * A text that `pattern` (ECMA 262, as JSON Schema has it) matches, of at least `least` and at most `most` characters.
 * Null: not to be had this way.
 */
export function textOfPattern(pattern: string, least: number, most: number): string | null {
  if (pattern.length > longestPattern) return null
  let node: Node
  try {
    node = new Reader(pattern).whole()
  } catch (error) {
    if (error instanceof Unreadable) return null
    throw error
  }
  for (let extra = 0; extra <= longestText; extra = extra * 2 + 1) {
    const budget = { left: longestText }
    const text = spelled(node, extra, budget)
    if (budget.left < 0 || [...text].length > most) break
    if ([...text].length >= least) return text
  }
  // Doubling may have stepped over what fits between the two.
  for (let extra = 1; extra <= Math.min(least, mostExtra); extra++) {
    const text = spelled(node, extra, { left: longestText })
    const { length } = [...text]
    if (length > most) break
    if (length >= least) return text
  }
  return null
}

/** `extra`: repeats beyond the fewest. */
function spelled(node: Node, extra: number, budget: { left: number }): string {
  if (budget.left < 0) return ''
  if (node.kind === 'text') {
    budget.left -= node.text.length
    return node.text
  }
  if (node.kind === 'sequence') return node.parts.map((part) => spelled(part, extra, budget)).join('')
  const times = Math.max(node.least, Math.min(node.most, node.least + extra))
  let text = ''
  for (let time = 0; time < times && budget.left >= 0; time++) {
    budget.left -= 1
    text += spelled(node.of, 0, budget)
  }
  return text
}

const candidates = [...'a0A_-. /:@!z9Z', '\t', '\n', 'é']
const classes: Readonly<Record<string, (character: string) => boolean>> = {
  d: (character) => /^[0-9]$/.test(character),
  w: (character) => /^[A-Za-z0-9_]$/.test(character),
  s: (character) => /^\s$/.test(character),
}
const controls: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', f: '\f', v: '\v', '0': '\0' }
const properties: Readonly<Record<string, string>> = {
  ...{ L: 'a', Letter: 'a', Alphabetic: 'a', Ll: 'a', Lowercase_Letter: 'a', Lu: 'A', Uppercase_Letter: 'A' },
  ...{ N: '0', Nd: '0', Number: '0', Decimal_Number: '0' },
}

type Test = (character: string) => boolean

class Reader {
  readonly #pattern: readonly string[]
  #at = 0
  #depth = 0

  constructor(pattern: string) {
    this.#pattern = [...pattern]
  }

  whole(): Node {
    const node = this.#alternatives()
    if (this.#at < this.#pattern.length) throw new Unreadable()
    return node
  }

  #alternatives(): Node {
    const first = this.#sequence()
    while (this.#pattern[this.#at] === '|') {
      this.#at += 1
      this.#sequence()
    }
    return first
  }

  #sequence(): Node {
    const parts: Node[] = []
    for (let next = this.#pattern[this.#at]; next !== undefined && next !== '|' && next !== ')'; ) {
      parts.push(this.#repeated(this.#atom()))
      next = this.#pattern[this.#at]
    }
    return { kind: 'sequence', parts }
  }

  #atom(): Node {
    const character = this.#take()
    if (character === '^' || character === '$') return { kind: 'text', text: '' }
    if (character === '.') return { kind: 'text', text: 'a' }
    if (character === '(') return this.#group()
    if (character === '[') return this.#class()
    if (character === '*' || character === '+' || character === '?') throw new Unreadable()
    if (character !== '\\') return { kind: 'text', text: character }
    const one = this.#escape()
    return { kind: 'text', text: typeof one === 'string' ? one : firstOf(one) }
  }

  #group(): Node {
    this.#depth += 1
    if (this.#depth > deepestGroup) throw new Unreadable()
    if (this.#pattern[this.#at] === '?') {
      const kind = this.#pattern.slice(this.#at + 1, this.#at + 3).join('')
      if (kind.startsWith(':')) this.#at += 2
      else if (kind.startsWith('<') && kind !== '<=' && kind !== '<!') {
        while (this.#take() !== '>');
      } else throw new Unreadable()
    }
    const node = this.#alternatives()
    if (this.#take() !== ')') throw new Unreadable()
    this.#depth -= 1
    return node
  }

  #repeated(of: Node): Node {
    const character = this.#pattern[this.#at]
    let [least, most] = [1, 1]
    if (character === '*') [least, most] = [0, Number.POSITIVE_INFINITY]
    else if (character === '+') [least, most] = [1, Number.POSITIVE_INFINITY]
    else if (character === '?') [least, most] = [0, 1]
    else if (character === '{') {
      const end = this.#pattern.indexOf('}', this.#at)
      const bounds = /^\{(\d{1,5})(,(\d{1,5})?)?$/.exec(this.#pattern.slice(this.#at, Math.max(this.#at, end)).join(''))
      if (!bounds) throw new Unreadable()
      least = Number(bounds[1])
      most = bounds[2] === undefined ? least : bounds[3] === undefined ? Number.POSITIVE_INFINITY : Number(bounds[3])
      this.#at = end
    } else return of
    this.#at += 1
    if (this.#pattern[this.#at] === '?') this.#at += 1
    return { kind: 'repeat', of, least, most }
  }

  /** A character, or what one must pass. */
  #escape(): string | Test {
    const character = this.#take()
    const lower = classes[character.toLowerCase()]
    if (lower) return character === character.toLowerCase() ? lower : (one) => !lower(one)
    const control = controls[character]
    if (control !== undefined) return control
    if (character === 'x') return this.#code(2)
    if (character === 'u') {
      if (this.#pattern[this.#at] !== '{') return this.#code(4)
      const end = this.#pattern.indexOf('}', this.#at)
      const code = Number.parseInt(this.#pattern.slice(this.#at + 1, end).join(''), 16)
      if (end === -1 || !(code <= 0x10ffff)) throw new Unreadable()
      this.#at = end + 1
      return String.fromCodePoint(code)
    }
    if (character === 'p') {
      const name = this.#pattern
        .slice(this.#at)
        .join('')
        .match(/^\{(\w+)\}/)
      const one = name && properties[name[1] ?? '']
      if (!name || !one) throw new Unreadable()
      this.#at += name[0].length
      return one
    }
    if (/[A-Za-z1-9]/.test(character)) throw new Unreadable()
    return character
  }

  #code(digits: number): string {
    const text = this.#pattern.slice(this.#at, this.#at + digits).join('')
    if (!/^[0-9a-fA-F]+$/.test(text) || text.length !== digits) throw new Unreadable()
    this.#at += digits
    return String.fromCharCode(Number.parseInt(text, 16))
  }

  #class(): Node {
    const negated = this.#pattern[this.#at] === '^'
    if (negated) this.#at += 1
    const tests: Test[] = []
    let first: string | null = null
    for (let character = this.#take(); character !== ']'; character = this.#take()) {
      const one = character === '\\' ? this.#escape() : character
      if (typeof one !== 'string') {
        tests.push(one)
        continue
      }
      const end = this.#pattern[this.#at] === '-' && this.#pattern[this.#at + 1] !== ']' ? this.#rangeEnd() : one
      first ??= one
      tests.push((given) => given >= one && given <= end)
    }
    const passes: Test = (given) => tests.some((test) => test(given))
    return { kind: 'text', text: negated ? firstOf((given) => !passes(given)) : (first ?? firstOf(passes)) }
  }

  #rangeEnd(): string {
    this.#at += 1
    const character = this.#take()
    const end = character === '\\' ? this.#escape() : character
    if (typeof end !== 'string') throw new Unreadable()
    return end
  }

  #take(): string {
    const character = this.#pattern[this.#at]
    if (character === undefined) throw new Unreadable()
    this.#at += 1
    return character
  }
}

function firstOf(test: Test): string {
  const found = candidates.find(test)
  if (found === undefined) throw new Unreadable()
  return found
}
