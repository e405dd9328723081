import type { Chance } from '../faults/chance.ts'
import type { Document, Schema } from './document.ts'

/** Values by the name of the member that they stand in: what no schema says, and without which little would be reached. */
export type Hint = (name: string) => unknown

export interface Fitting {
  /** A value that the schema allows, as far as it can be told; `name`: of the member that it is for. */
  valueOf(schema: Schema, name: string): unknown
}

const deepest = 6
const words = ['a', 'shop', 'invoice.paid', 'x-note', 'é€😀', 'A b', '*', '/a/b', 'example.test', '2026-01-01', '1']

/** Makes values by schema. Optional members are there as the dice fall, deeper ones less often. */
export function makeFitting(document: Pick<Document, 'resolve'>, chance: Chance, hint: Hint): Fitting {
  const some = <T>(list: readonly T[]): T | undefined => list[chance.between(0, list.length - 1)]

  function make(given: Schema, name: string, depth: number): unknown {
    const schema = document.resolve(given)
    if ('const' in schema) return schema.const
    if (Array.isArray(schema.enum)) return some(schema.enum)
    const branches = schema.oneOf ?? schema.anyOf
    if (Array.isArray(branches)) {
      const { oneOf: _, anyOf: __, ...own } = schema
      const branch = document.resolve(some(branches))
      return make({ ...own, ...branch, ...bothMembers(own, branch) }, name, depth)
    }
    const hinted = chance.comesTrue(0.85) ? hint(name) : undefined
    const types = [schema.type].flat()
    if (hinted !== undefined && fits(hinted, types)) return hinted
    const type = types.length > 1 && chance.comesTrue(0.8) ? types.find((one) => one !== 'null') : some(types)
    switch (type) {
      case 'object':
        return object(schema, depth)
      case 'array':
        return list(schema, name, depth)
      case 'string':
        return text(schema)
      case 'integer':
        return number(schema, true)
      case 'number':
        return number(schema, false)
      case 'boolean':
        return chance.comesTrue(0.5)
      case 'null':
        return null
      default:
        return some([1, 'any', true, null, { any: [1] }])
    }
  }

  function object(schema: Schema, depth: number): unknown {
    const required = new Set(Array.isArray(schema.required) ? schema.required : [])
    const members = Object.entries(Object(schema.properties)).filter(
      ([name]) => required.has(name) || (depth < deepest && chance.comesTrue(0.35 / (depth + 1))),
    )
    const made = members.map(([name, of]): [string, unknown] => [name, make(Object(of), name, depth + 1)])
    const [anyName] = Object.values(Object(schema.patternProperties))
    if (anyName !== undefined && depth < deepest)
      for (let left = chance.between(0, 2); left > 0; left--)
        made.push([`x-${chance.between(0, 9)}`, make(Object(anyName), '', depth + 1)])
    return Object.fromEntries(made)
  }

  function list(schema: Schema, name: string, depth: number): unknown {
    const least = typeof schema.minItems === 'number' ? schema.minItems : 0
    const most = Math.min(typeof schema.maxItems === 'number' ? schema.maxItems : 3, Math.max(3, least))
    const count = depth < deepest ? chance.between(least, most) : least
    const items = Array.from({ length: count }, () => make(Object(schema.items), name.replace(/s$/, ''), depth + 1))
    return schema.uniqueItems === true
      ? [...new Map(items.map((item) => [JSON.stringify(item), item])).values()]
      : items
  }

  function text({ format, pattern, minLength = 0, maxLength = 64 }: Schema): string {
    if (format === 'date-time') return new Date(Date.UTC(2026, chance.between(0, 11), 1)).toISOString()
    if (format === 'uri') return String(hint('url'))
    const shape = typeof pattern === 'string' ? new RegExp(pattern, 'u') : /^/
    const fitting = words.filter((word) => shape.test(word) && word.length >= Number(minLength))
    const word = some(fitting) ?? 'w'.repeat(Math.max(1, Number(minLength)))
    return chance.comesTrue(0.05) && shape.test('w'.repeat(50)) ? 'w'.repeat(Math.min(Number(maxLength), 50)) : word
  }

  function number({ minimum = -1000, maximum = 1000 }: Schema, whole: boolean): number {
    const [least, most] = [Math.max(Number(minimum), -1e6), Math.min(Number(maximum), 1e6)]
    if (chance.comesTrue(0.2)) return chance.comesTrue(0.5) ? Number(minimum) : Number(maximum)
    const made = least + chance.random() * (most - least)
    return whole ? Math.round(made) : made
  }

  return { valueOf: (schema, name) => make(schema, name, 0) }
}

const bothMembers = (own: Schema, branch: Schema): Schema =>
  'properties' in own && 'properties' in branch
    ? { properties: { ...Object(own.properties), ...Object(branch.properties) } }
    : {}

const kindOf = (value: unknown): string =>
  value === null ? 'null' : Array.isArray(value) ? 'array' : Number.isInteger(value) ? 'integer' : typeof value

const fits = (value: unknown, types: readonly unknown[]): boolean => types.includes(kindOf(value))
