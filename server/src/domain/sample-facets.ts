// What several JSON Schemas that hold at the same time ask of one value, put together.

export type SchemaObject = Readonly<Record<string, unknown>>

const jsonTypes = ['object', 'array', 'string', 'integer', 'number', 'boolean', 'null'] as const
export type JsonType = (typeof jsonTypes)[number]

export const isObject = (value: unknown): value is SchemaObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export interface Facets {
  /** Null: any. */
  readonly types: readonly JsonType[] | null
  /** The only values there may be; null: any. */
  readonly values: readonly unknown[] | null
  /** Values that authors of schemas showed: examples and defaults. */
  readonly shown: readonly unknown[]
  readonly minimum: number
  readonly maximum: number
  readonly aboveMinimum: boolean
  readonly belowMaximum: boolean
  readonly multiplesOf: readonly number[]
  readonly minLength: number
  readonly maxLength: number
  readonly patterns: readonly string[]
  readonly formats: readonly string[]
  /** All schemas that hold for a property. */
  readonly properties: ReadonlyMap<string, readonly unknown[]>
  readonly required: ReadonlySet<string>
  /** Which names each schema with `additionalProperties` lists, and what it says of the others. */
  readonly rests: readonly { readonly listed: SchemaObject; readonly schema: unknown }[]
  readonly maxProperties: number
  readonly minProperties: number
  readonly items: readonly unknown[]
  readonly prefixes: readonly (readonly unknown[])[]
  readonly contains: readonly unknown[]
  readonly minItems: number
  readonly maxItems: number
  readonly uniqueItems: boolean
  /** The references that led here: what refers to one of them again goes round in a circle. */
  readonly references: ReadonlySet<string>
}

const anything: Facets = {
  types: null,
  values: null,
  shown: [],
  minimum: Number.NEGATIVE_INFINITY,
  maximum: Number.POSITIVE_INFINITY,
  aboveMinimum: false,
  belowMaximum: false,
  multiplesOf: [],
  minLength: 0,
  maxLength: Number.POSITIVE_INFINITY,
  patterns: [],
  formats: [],
  properties: new Map(),
  required: new Set(),
  rests: [],
  maxProperties: Number.POSITIVE_INFINITY,
  minProperties: 0,
  items: [],
  prefixes: [],
  contains: [],
  minItems: 0,
  maxItems: Number.POSITIVE_INFINITY,
  uniqueItems: false,
  references: new Set(),
}

export interface Reach {
  /** The schema a reference within the document leads to; undefined: to none. */
  readonly resolve: (reference: string) => unknown
  /** Steps that may still be made; at 0 no more is found. */
  readonly budget: { left: number }
  /** References that must not be followed again. */
  readonly closed: ReadonlySet<string>
}

type Pending = { readonly schema: unknown } | { readonly oneOf: readonly unknown[] }

const mostChoices = 100
// More shown values, patterns or formats than these change nothing about the sample.
const mostHints = 8

export const spend = ({ budget }: Pick<Reach, 'budget'>, units: number): void => {
  budget.left -= units
}

/** What the schemas ask, branch by branch of their `anyOf` and `oneOf`; contradictions are left out. */
export const alternatives = (schemas: readonly unknown[], reach: Reach): Generator<Facets> =>
  expand(
    schemas.map((schema) => ({ schema })),
    anything,
    reach,
    0,
  )

function* expand(given: readonly Pending[], from: Facets, reach: Reach, choices: number): Generator<Facets> {
  const pending = [...given]
  let facets = from
  for (let next = pending.shift(); next !== undefined; next = pending.shift()) {
    spend(reach, 1 + pending.length + facets.properties.size + facets.rests.length + facets.references.size)
    if (reach.budget.left <= 0) return
    if ('oneOf' in next) {
      if (choices === mostChoices) return
      spend(reach, next.oneOf.length)
      // A branch that is null says least about what the value usually is.
      const branches = next.oneOf.toSorted((a, b) => Number(isNull(a)) - Number(isNull(b)))
      for (const schema of branches) yield* expand([{ schema }, ...pending], facets, reach, choices + 1)
      return
    }
    const { schema } = next
    if (schema === false) return
    if (!isObject(schema)) continue
    const narrowed = narrow(facets, schema)
    if (!narrowed) return
    facets = narrowed
    const more: Pending[] = []
    for (const reference of texts(schema.$ref).concat(texts(schema.$dynamicRef))) {
      if (reach.closed.has(reference) || facets.references.has(reference)) return
      facets = { ...facets, references: new Set([...facets.references, reference]) }
      more.push({ schema: reach.resolve(reference) })
    }
    for (const part of listOf(schema.allOf)) more.push({ schema: part })
    for (const branches of [schema.oneOf, schema.anyOf]) if (Array.isArray(branches)) more.push({ oneOf: branches })
    pending.unshift(...more.slice(0, mostParts))
  }
  yield facets
}

// A call takes only so many arguments; no schema of people has as many parts.
const mostParts = 10_000

const isNull = (schema: unknown): boolean =>
  isObject(schema) && (schema.type === 'null' || schema.const === null) && !('$ref' in schema)

/** Null: the two contradict each other. */
function narrow(facets: Facets, schema: SchemaObject): Facets | null {
  const types = bothTypes(facets.types, typesOf(schema))
  const values = bothValues(facets.values, valuesOf(schema))
  if (types?.length === 0 || values?.length === 0) return null
  const minimum = bound(facets.minimum, facets.aboveMinimum, schema.minimum, schema.exclusiveMinimum, 1)
  const maximum = bound(facets.maximum, facets.belowMaximum, schema.maximum, schema.exclusiveMaximum, -1)
  const shown = Array.isArray(schema.examples) ? [schema.examples[0]] : []
  for (const value of [schema.example, schema.default]) if (value !== undefined) shown.push(value)
  const { properties, required } = objectParts(facets, schema)
  return {
    types,
    values,
    shown: [...facets.shown, ...shown].slice(0, mostHints),
    minimum: minimum.at,
    aboveMinimum: minimum.excluded,
    maximum: maximum.at,
    belowMaximum: maximum.excluded,
    multiplesOf: [...facets.multiplesOf, ...numbers(schema.multipleOf).filter((step) => step > 0)].slice(0, mostHints),
    minLength: Math.max(facets.minLength, ...numbers(schema.minLength)),
    maxLength: Math.min(facets.maxLength, ...numbers(schema.maxLength)),
    patterns: [...facets.patterns, ...texts(schema.pattern)].slice(0, mostHints),
    formats: [...facets.formats, ...texts(schema.format)].slice(0, mostHints),
    properties,
    required,
    rests:
      schema.additionalProperties === undefined
        ? facets.rests
        : [
            ...facets.rests,
            { listed: isObject(schema.properties) ? schema.properties : {}, schema: schema.additionalProperties },
          ],
    minProperties: Math.max(facets.minProperties, ...numbers(schema.minProperties)),
    maxProperties: Math.min(facets.maxProperties, ...numbers(schema.maxProperties)),
    items: schema.items === undefined ? facets.items : [...facets.items, schema.items],
    prefixes: Array.isArray(schema.prefixItems) ? [...facets.prefixes, schema.prefixItems] : facets.prefixes,
    contains:
      schema.contains === undefined || schema.minContains === 0
        ? facets.contains
        : [...facets.contains, schema.contains],
    minItems: Math.max(facets.minItems, ...numbers(schema.minItems)),
    maxItems: Math.min(facets.maxItems, ...numbers(schema.maxItems)),
    uniqueItems: facets.uniqueItems || schema.uniqueItems === true,
    references: facets.references,
  }
}

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])
const numbers = (value: unknown): readonly number[] => (typeof value === 'number' ? [value] : [])
const texts = (value: unknown): readonly string[] => (typeof value === 'string' ? [value] : [])

function typesOf({ type }: SchemaObject): readonly JsonType[] | null {
  if (type === undefined) return null
  const named = [type].flat()
  return jsonTypes.filter((one) => named.includes(one))
}

function bothTypes(a: readonly JsonType[] | null, b: readonly JsonType[] | null): readonly JsonType[] | null {
  if (!a || !b) return a ?? b
  const has = (list: readonly JsonType[], one: JsonType): boolean =>
    list.includes(one) || (one === 'integer' && list.includes('number'))
  return jsonTypes.filter((one) => has(a, one) && has(b, one) && (a.includes(one) || b.includes(one)))
}

const valuesOf = (schema: SchemaObject): readonly unknown[] | null => {
  const all = Array.isArray(schema.enum) ? (schema.enum as readonly unknown[]) : null
  return 'const' in schema ? bothValues(all, [schema.const]) : all
}

function bothValues(a: readonly unknown[] | null, b: readonly unknown[] | null): readonly unknown[] | null {
  if (!a || !b) return a ?? b
  const inB = new Set(b.map((value) => JSON.stringify(value)))
  return a.filter((value) => inB.has(JSON.stringify(value)))
}

/** The tighter of the bound held and those given; `side` 1: a minimum, -1: a maximum. */
function bound(
  held: number,
  heldExcluded: boolean,
  including: unknown,
  excluding: unknown,
  side: 1 | -1,
): { readonly at: number; readonly excluded: boolean } {
  let [at, excluded] = [held, heldExcluded]
  for (const limit of numbers(including)) if ((limit - at) * side > 0) [at, excluded] = [limit, false]
  for (const limit of numbers(excluding)) if ((limit - at) * side >= 0) [at, excluded] = [limit, true]
  return { at, excluded }
}

function objectParts(facets: Facets, schema: SchemaObject): Pick<Facets, 'properties' | 'required'> {
  const properties = new Map(facets.properties)
  if (isObject(schema.properties)) {
    for (const [name, part] of Object.entries(schema.properties)) {
      properties.set(name, [...(properties.get(name) ?? []), part])
    }
  }
  const required = new Set(facets.required)
  for (const name of listOf(schema.required)) if (typeof name === 'string') required.add(name)
  // All properties that can be shown are, so whatever hangs on one of them is wanted too.
  if (isObject(schema.dependentRequired)) {
    for (const [name, wanted] of Object.entries(schema.dependentRequired)) {
      if (!properties.has(name) && !required.has(name)) continue
      for (const other of listOf(wanted)) if (typeof other === 'string') required.add(other)
    }
  }
  return { properties, required }
}
