// Another reading of filters than the one that runs: the common part of CEL by its specification (github.com/google/cel-spec,
// "Language Definition"), parsed by hand and worked out as it is walked through, nothing prepared. What is beyond it is
// `null`: nothing is said about such a filter.
import { keysMayBeEscaped } from './json-maker.ts'

/** What a payload looks like to CEL. `double`: so that 1.0 is told from 1. */
export type Value = null | boolean | bigint | number | string | readonly Value[] | ReadonlyMap<string, Value>

/** A value, or that there is none: what CEL calls an error goes up until an `&&` or `||` has no need of it. */
type Worked = { readonly value: Value } | { readonly error: true }
type Scope = ReadonlyMap<string, Value>
type Expression = (scope: Scope) => Worked

export type NaiveVerdict = 'yes' | 'no' | 'failed'

/** The verdict on a filter; null: it uses what is not known here. */
export function naively(filter: string, scope: Scope): NaiveVerdict | null {
  let expression: Expression
  try {
    const reader = new Reader(filter)
    expression = reader.whole()
  } catch (error) {
    if (error instanceof Unknown) return null
    throw error
  }
  const worked = expression(scope)
  if ('error' in worked || typeof worked.value !== 'boolean') return 'failed'
  return worked.value ? 'yes' : 'no'
}

class Unknown extends Error {}

const error: Worked = { error: true }
const worked = (value: Value): Worked => ({ value })
const least = -(2n ** 63n)
const most = 2n ** 63n - 1n
const integer = (value: bigint): Worked => (value < least || value > most ? error : worked(value))

const tokens =
  /[\t\n\f\r ]*(?:(\d+\.\d+)|(\d+)(?![.\w])|("(?:[^"\\\n\r]|\\["\\n])*")|([a-z_]\w*)|(&&|\|\||[=!<>]=|[-!<>()[\]{}.,?:+*]))/giy
const reserved = new Set(['true', 'false', 'null', 'in'])
const known = ['type', 'payload', 'tags', 'channels', 'headers']

class Reader {
  readonly #tokens: string[] = []
  readonly #local: string[] = []
  #at = 0

  constructor(text: string) {
    const trimmed = text.replace(/[\t\n\f\r ]+$/, '')
    let end = 0
    tokens.lastIndex = 0
    for (let match = tokens.exec(trimmed); match !== null; match = tokens.exec(trimmed)) {
      this.#tokens.push(match[0].trim())
      end = tokens.lastIndex
    }
    if (end !== trimmed.length) throw new Unknown()
  }

  whole(): Expression {
    const expression = this.#ternary()
    if (this.#at !== this.#tokens.length) throw new Unknown()
    return expression
  }

  #take(token: string): boolean {
    if (this.#tokens[this.#at] !== token) return false
    this.#at += 1
    return true
  }

  #demand(token: string): void {
    if (!this.#take(token)) throw new Unknown()
  }

  #ternary(): Expression {
    const condition = this.#or()
    if (!this.#take('?')) return condition
    const [yes, no] = [this.#or(), this.#behindColon()]
    return (scope) => {
      const chosen = condition(scope)
      if ('error' in chosen || typeof chosen.value !== 'boolean') return error
      return chosen.value ? yes(scope) : no(scope)
    }
  }

  #behindColon(): Expression {
    this.#demand(':')
    return this.#ternary()
  }

  #or(): Expression {
    return this.#logic('||', true, () => this.#logic('&&', false, () => this.#comparison()))
  }

  /** Either side may decide alone, whatever became of the other. */
  #logic(sign: string, deciding: boolean, next: () => Expression): Expression {
    let left = next()
    while (this.#take(sign)) {
      const [first, second] = [left, next()]
      left = (scope) => {
        const sides = [first(scope), second(scope)]
        if (sides.some((side) => 'value' in side && side.value === deciding)) return worked(deciding)
        return sides.every((side) => 'value' in side && typeof side.value === 'boolean') ? worked(!deciding) : error
      }
    }
    return left
  }

  #comparison(): Expression {
    let left = this.#sum()
    for (;;) {
      const sign = ['==', '!=', '<=', '>=', '<', '>', 'in'].find((one) => this.#take(one))
      if (sign === undefined) return left
      left = both(left, this.#sum(), (a, b) => compared(sign, a, b))
    }
  }

  #sum(): Expression {
    let left = this.#unary()
    for (;;) {
      const sign = ['+', '-'].find((one) => this.#take(one))
      if (sign === undefined) return left
      left = both(left, this.#unary(), (a, b) => {
        if (typeof a === 'string' && typeof b === 'string' && sign === '+') return worked(a + b)
        if (typeof a === 'bigint' && typeof b === 'bigint') return integer(sign === '+' ? a + b : a - b)
        if (typeof a === 'number' && typeof b === 'number') return worked(sign === '+' ? a + b : a - b)
        if (Array.isArray(a) && Array.isArray(b) && sign === '+') return worked([...(a as Value[]), ...(b as Value[])])
        return error
      })
    }
  }

  #unary(): Expression {
    if (this.#take('!')) {
      const inner = this.#unary()
      return (scope) => {
        const one = inner(scope)
        return 'error' in one || typeof one.value !== 'boolean' ? error : worked(!one.value)
      }
    }
    return this.#member()
  }

  #member(): Expression {
    let left = this.#primary()
    for (;;) {
      if (this.#take('[')) {
        const key = this.#ternary()
        this.#demand(']')
        left = both(left, key, at)
      } else if (this.#take('.')) left = this.#behindDot(left)
      else return left
    }
  }

  #behindDot(left: Expression): Expression {
    const name = this.#name()
    if (!this.#take('(')) return (scope) => on(left(scope), (value) => at(value, name, 'field'))
    if (name === 'exists' || name === 'all') return this.#loop(left, name)
    if (name === 'size') {
      this.#demand(')')
      return (scope) => on(left(scope), sizeOf)
    }
    const call = Object.hasOwn(textCalls, name) ? textCalls[name] : undefined
    if (call === undefined) throw new Unknown()
    const argument = this.#ternary()
    this.#demand(')')
    return both(left, argument, (a, b) => (typeof a === 'string' && typeof b === 'string' ? worked(call(a, b)) : error))
  }

  #loop(range: Expression, kind: 'exists' | 'all'): Expression {
    const name = this.#name()
    // More than two inside one another are refused, however little there is to walk through.
    if (known.includes(name) || this.#local.length === 2) throw new Unknown()
    this.#demand(',')
    this.#local.push(name)
    const condition = this.#ternary()
    this.#local.pop()
    this.#demand(')')
    const deciding = kind === 'exists'
    return (scope) =>
      on(range(scope), (value) => {
        const items = Array.isArray(value)
          ? (value as readonly Value[])
          : value instanceof Map
            ? [...value.keys()]
            : null
        if (items === null) return error
        const each = items.map((item) => condition(new Map(scope).set(name, item)))
        if (each.some((one) => 'value' in one && one.value === deciding)) return worked(deciding)
        return each.every((one) => 'value' in one && typeof one.value === 'boolean') ? worked(!deciding) : error
      })
  }

  #name(): string {
    const name = this.#tokens[this.#at] ?? ''
    // A name that begins like one of these is read as that, and the rest of it.
    if (!/^[a-z_]\w*$/i.test(name) || reserved.has(name) || /^(?:true|false)/.test(name)) throw new Unknown()
    this.#at += 1
    return name
  }

  #primary(): Expression {
    if (this.#take('(')) {
      const inner = this.#ternary()
      this.#demand(')')
      return inner
    }
    if (this.#take('[')) return this.#list()
    const token = this.#tokens[this.#at] ?? ''
    if (/^\d/.test(token)) {
      this.#at += 1
      return always(token.includes('.') ? worked(Number(token)) : smallEnough(token))
    }
    if (token.startsWith('"')) {
      this.#at += 1
      const text = token.slice(1, -1).replaceAll(/\\(.)/g, (_, sign: string) => (sign === 'n' ? '\n' : sign))
      return always(worked(text))
    }
    for (const [word, value] of [
      ['true', true],
      ['false', false],
      ['null', null],
    ] as const) {
      if (this.#take(word)) return always(worked(value))
    }
    return this.#named()
  }

  #named(): Expression {
    const name = this.#name()
    if (this.#take('(')) {
      if (name !== 'has' && name !== 'size') throw new Unknown()
      return name === 'has' ? this.#has() : this.#size()
    }
    if (!known.includes(name) && !this.#local.includes(name)) throw new Unknown()
    return (scope) => worked(scope.get(name) ?? null)
  }

  #size(): Expression {
    const inner = this.#ternary()
    this.#demand(')')
    return (scope) => on(inner(scope), sizeOf)
  }

  /** `has(a.b.c)`: only the last step may be missing, or null, or that of something which has no members (docs/filters.md). */
  #has(): Expression {
    const first = this.#name()
    if (!known.includes(first) && !this.#local.includes(first)) throw new Unknown()
    const steps: string[] = []
    while (this.#take('.')) steps.push(this.#name())
    this.#demand(')')
    const last = steps.pop()
    if (last === undefined) throw new Unknown()
    return (scope) => {
      const holder = steps.reduce<Worked>(
        (value, step) => on(value, (one) => at(one, step, 'field')),
        worked(scope.get(first) ?? null),
      )
      return on(holder, (value) => worked(value instanceof Map && (value.get(last) ?? null) !== null))
    }
  }

  #list(): Expression {
    const items: Expression[] = []
    while (!this.#take(']')) {
      items.push(this.#ternary())
      if (this.#take(']')) break
      this.#demand(',')
    }
    return (scope) => {
      const values: Value[] = []
      for (const item of items) {
        const one = item(scope)
        if ('error' in one) return error
        values.push(one.value)
      }
      return worked(values)
    }
  }
}

function smallEnough(digits: string): Worked {
  // A literal beyond 64 bits is a mistake of the text, not of its evaluation.
  if (BigInt(digits) > most) throw new Unknown()
  return worked(BigInt(digits))
}

const always =
  (value: Worked): Expression =>
  () =>
    value

const on = (value: Worked, then: (value: Value) => Worked): Worked => ('error' in value ? error : then(value.value))

const both =
  (left: Expression, right: Expression, then: (a: Value, b: Value) => Worked): Expression =>
  (scope) =>
    on(left(scope), (a) => on(right(scope), (b) => then(a, b)))

const textCalls: Readonly<Record<string, (text: string, part: string) => boolean>> = {
  startsWith: (text, part) => text.startsWith(part),
  endsWith: (text, part) => text.endsWith(part),
  contains: (text, part) => text.includes(part),
}

/** Of a text, its code points. */
function sizeOf(value: Value): Worked {
  if (typeof value === 'string') return worked(BigInt([...value].length))
  if (Array.isArray(value)) return worked(BigInt(value.length))
  return value instanceof Map ? worked(BigInt(value.size)) : error
}

function at(holder: Value, key: Value, by: 'index' | 'field' = 'index'): Worked {
  if (holder instanceof Map) {
    if (typeof key !== 'string' || !holder.has(key)) return error
    return worked((holder as ReadonlyMap<string, Value>).get(key) ?? null)
  }
  if (!Array.isArray(holder) || by === 'field') return error
  const index = typeof key === 'bigint' ? key : typeof key === 'number' && Number.isInteger(key) ? BigInt(key) : -1n
  return index >= 0n && index < BigInt(holder.length)
    ? worked((holder as readonly Value[])[Number(index)] ?? null)
    : error
}

function compared(sign: string, a: Value, b: Value): Worked {
  if (sign === '==' || sign === '!=') return worked(isEqual(a, b) === (sign === '=='))
  if (sign === 'in') {
    if (Array.isArray(b)) return worked((b as readonly Value[]).some((item) => isEqual(a, item)))
    // As `has`: there, and not null (docs/filters.md).
    return b instanceof Map && typeof a !== 'object' ? worked(typeof a === 'string' && b.get(a) != null) : error
  }
  const order = orderOf(a, b)
  if (order === null) return error
  if (Number.isNaN(order)) return worked(false)
  return worked(sign === '<' ? order < 0 : sign === '<=' ? order <= 0 : sign === '>' ? order > 0 : order >= 0)
}

/** Below 0, 0, above 0; null: they cannot be compared. */
function orderOf(a: Value, b: Value): number | null {
  if (isNumber(a) && isNumber(b)) return a < b ? -1 : a > b ? 1 : a <= b && a >= b ? 0 : Number.NaN
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b)
  if (typeof a !== 'string' || typeof b !== 'string') return null
  // JavaScript's own order is of halves of code points.
  const [points = [], others = []] = [a, b].map((text) => [...text].map((sign) => sign.codePointAt(0) ?? 0))
  const first = points.findIndex((point, index) => point !== others[index])
  return first === -1 ? points.length - others.length : (points[first] ?? 0) - (others[first] ?? -1)
}

const isNumber = (value: Value): value is bigint | number => typeof value === 'bigint' || typeof value === 'number'

function isEqual(a: Value, b: Value): boolean {
  if (isNumber(a) && isNumber(b)) return orderOf(a, b) === 0
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item: Value, index) => isEqual(item, b[index] ?? null))
  }
  if (a instanceof Map && b instanceof Map) {
    return (
      a.size === b.size &&
      [...a].every(([key, value]) => b.has(key) && isEqual(value as Value, (b.get(key) ?? null) as Value))
    )
  }
  return a === b
}

/**
 * A payload as filters see it: whole numbers of at most 64 bits exactly, text where it is no JSON. Null: one beyond that, or
 * keys that JSON.parse may get wrong.
 */
export function payloadOf(text: string): { readonly value: Value } | null {
  try {
    JSON.parse(text)
  } catch {
    return { value: text }
  }
  if (keysMayBeEscaped(text)) return null
  let fits = true
  const value = JSON.parse(text, (_key, one: unknown, context?: { readonly source?: string }) => {
    if (typeof one !== 'number') return one
    const source = context?.source ?? ''
    if (!/^-?\d+$/.test(source)) return Number.isSafeInteger(one) ? BigInt(one) : one
    if (BigInt(source) < least || BigInt(source) > most) fits = false
    return BigInt(source)
  }) as unknown
  return fits ? { value: turned(value) } : null
}

function turned(value: unknown): Value {
  if (Array.isArray(value)) return value.map(turned)
  if (typeof value === 'object' && value !== null) {
    return new Map(Object.entries(value).map(([key, one]) => [key, turned(one)]))
  }
  return value as Value
}
