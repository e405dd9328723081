// The engine may take a key that is spelled with an escape for another one that it has seen behind the same keys: after
// `{"h":0,"\\":0}`, `{"h":0,"\u0061":0}` has a key `\` (github.com/nodejs/node/issues/63785, Node 26.10, also with a reviver).
// Whoever sends the first may be another tenant than who sends the second. So such texts are read once more, by
// hand, which takes three times as long as the parse (2026-11).
import { skipSpace, skipString, skipValue } from './payload.ts'

const quote = 0x22
const backslash = 0x5c
const colon = 0x3a

/** Whether some key of JSON text is spelled with an escape. `text` must be one that JSON.parse accepts. */
export function hasEscapedKey(text: string): boolean {
  for (let at = text.indexOf('\\'); at >= 0; at = text.indexOf('\\', at)) {
    // A backslash stands within quotes only.
    while (text.charCodeAt(at) !== quote) at += text.charCodeAt(at) === backslash ? 2 : 1
    at = skipSpace(text, at + 1)
    if (text.charCodeAt(at) === colon) return true
  }
  return false
}

/** The value of JSON text, as JSON.parse should have it. `text` must be one that it accepts, and not too deep for the stack. */
export const readByHand = (text: string): unknown => new Hand(text).value()

class Hand {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  value(): unknown {
    this.#space()
    switch (this.#text[this.#at]) {
      case '{':
        // By entries, as `__proto__` is a key like any other; of several with one name the last counts.
        return Object.fromEntries(this.#list('}', (): [string, unknown] => [this.#key(), this.value()]))
      case '[':
        return this.#list(']', () => this.value())
      case '"':
        return this.#string()
      default:
        return JSON.parse(this.#token(skipValue))
    }
  }

  #list<Item>(close: string, read: () => Item): Item[] {
    const items: Item[] = []
    do {
      this.#at += 1 // The opening sign, or a comma.
      this.#space()
      if (this.#text[this.#at] === close) break
      items.push(read())
      this.#space()
    } while (this.#text[this.#at] === ',')
    this.#at += 1
    return items
  }

  #key(): string {
    const key = this.#string()
    this.#space()
    this.#at += 1 // The colon.
    return key
  }

  #string(): string {
    const spelled = this.#token(skipString)
    // Without keys, JSON.parse is right about it.
    return spelled.includes('\\') ? String(JSON.parse(spelled)) : spelled.slice(1, -1)
  }

  #token(skip: (text: string, from: number) => number): string {
    const start = this.#at
    this.#at = skip(this.#text, start)
    return this.#text.slice(start, this.#at)
  }

  #space(): void {
    this.#at = skipSpace(this.#text, this.#at)
  }
}
