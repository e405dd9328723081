import { randomUUID } from 'node:crypto'
import { type CelInput, celUint } from '@bufbuild/cel'
import { readJson } from '../domain/read-json.ts'
import type { Facts } from '../ports/judge.ts'

/** What a filter sees of a message. */
export interface FilterContext {
  readonly type: string
  readonly channels: readonly string[]
  readonly tags: readonly string[]
  readonly headers: ReadonlyMap<string, string>
  readonly payload: CelInput
}

export function filterContext(facts: Facts): FilterContext {
  return {
    type: facts.eventType,
    channels: facts.channels ?? [],
    tags: facts.tags ?? [],
    headers: new Map([['content-type', facts.contentType ?? 'application/json']]),
    // The base64 of some bytes reads as a number.
    payload: facts.encoding == null ? payloadValue(facts.payload) : facts.payload,
  }
}

// Stands before the digits of a large integer while the text is parsed; nobody outside can know it.
const mark = `${randomUUID()} `
// Up to 15 digits, every integer is a number exactly.
const manyDigits = /\d{16}/
const textOrNumber = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d[\d.eE+-]*/g
const largeInteger = /^-?\d{16,}$/

/** A body that is not JSON counts as its text. */
function payloadValue(text: string): CelInput {
  try {
    // `JSON.parse` would round 12345678901234567 without a word; giving it a reviver costs ten times the parse.
    return inputOf(readJson(manyDigits.test(text) ? marked(text) : text))
  } catch (error) {
    if (error instanceof SyntaxError) return text
    throw error
  }
}

function marked(text: string): string {
  // Marked, what is no JSON could become some: a number that begins with a zero, or one in the place of a key.
  readJson(text)
  return text.replace(textOrNumber, (token) => (largeInteger.test(token) ? `"${mark}${token}"` : token))
}

function inputOf(value: unknown): CelInput {
  switch (typeof value) {
    case 'number':
      return Number.isSafeInteger(value) ? BigInt(value) : value
    case 'string':
      return value.startsWith(mark) ? integerOf(value.slice(mark.length)) : value
    case 'boolean':
      return value
    default:
      if (value === null) return null
      return Array.isArray(value) ? value.map(inputOf) : (new Members(value as Fields) as unknown as CelInput)
  }
}

function integerOf(digits: string): CelInput {
  const integer = BigInt(digits)
  if (BigInt.asIntN(64, integer) === integer) return integer
  if (BigInt.asUintN(64, integer) === integer) return celUint(integer)
  throw new Error(`the payload has an integer beyond 64 bits: ${digits.slice(0, 40)}`)
}

type Fields = Readonly<Record<string, unknown>>

/** An object of the payload. Its members are turned when they are looked at: filters look at few of many. */
class Members extends Map<string, CelInput> {
  readonly #fields: Fields

  constructor(fields: Fields) {
    super()
    this.#fields = fields
  }

  override get size(): number {
    // `Map` itself asks while it is constructed.
    return #fields in this ? Object.keys(this.#fields).length : 0
  }

  override get(name: string): CelInput | undefined {
    if (!Object.hasOwn(this.#fields, name)) return undefined
    const turned = super.get(name)
    if (turned !== undefined) return turned
    const value = inputOf(this.#fields[name])
    super.set(name, value)
    return value
  }

  override has(name: string): boolean {
    return Object.hasOwn(this.#fields, name)
  }

  override *keys(): MapIterator<string> {
    yield* Object.keys(this.#fields)
  }

  override *values(): MapIterator<CelInput> {
    for (const [, value] of this.entries()) yield value
  }

  override *entries(): MapIterator<[string, CelInput]> {
    for (const name of Object.keys(this.#fields)) yield [name, this.get(name) ?? null]
  }

  override [Symbol.iterator](): MapIterator<[string, CelInput]> {
    return this.entries()
  }

  override forEach(visit: (value: CelInput, name: string, map: Map<string, CelInput>) => void): void {
    for (const [name, value] of this.entries()) visit(value, name, this)
  }
}
