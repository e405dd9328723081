import { stepOf } from './json-pointer.ts'
import { alternatives, type Facets, isObject, type JsonType, type Reach, spend } from './sample-facets.ts'
import { numberFor, textFor } from './sample-leaf.ts'

// A schema of a real event takes some thousand. One that multiplies itself must still end, and soon: a step costs it up to
// 3 µs (an object that requires itself twice over, 2026-11), so this is a tenth of a second.
const mostSteps = 30_000
const deepest = 24
const mostItems = 100

/** A JSON value; undefined: there is none. */
type Sample = unknown

/**
 * A value that fits a JSON Schema (2020-12), always the same one: its own examples and defaults where it has some, else
 * made up; every property, one item in each list. Of `anyOf` and `oneOf` the first branch that can be had. Looked at are
 * `type`, `enum`, `const`, bounds, `multipleOf`, `format`, plain `pattern`s, properties and items, `required`,
 * `dependentRequired`, `contains`, references within the document; not `not`, `if`, `unevaluated…`, `propertyNames`,
 * `patternProperties`. Undefined: none was found.
 */
export function sampleOf(schema: unknown): Sample {
  const anchors = new Map<string, unknown>()
  const reach: Reach = {
    resolve: (reference) => resolved(schema, reference, anchors),
    budget: { left: mostSteps },
    closed: new Set(),
  }
  collectAnchors(schema, anchors)
  return build([schema], { ...reach, closed: new Set(), depth: 0, nth: 0, open: new Set(['#']) }, 'object')
}

interface Place extends Reach {
  readonly depth: number
  /** Which of the values that fit: lists of unique items want several. */
  readonly nth: number
  /** References whose targets this place lies within. */
  readonly open: ReadonlySet<string>
}

/** `usual`: the type of what says nothing about its type. */
function build(schemas: readonly unknown[], place: Place, usual: JsonType): Sample {
  if (place.depth > deepest || place.budget.left <= 0) return undefined
  for (const facets of alternatives(schemas, place)) {
    const value = valueFor(facets, place, usual)
    if (value !== undefined) return value
  }
  return undefined
}

const typeOf = (value: unknown): readonly JsonType[] => {
  if (value === null) return ['null']
  if (Array.isArray(value)) return ['array']
  if (Number.isInteger(value)) return ['integer', 'number']
  const type = typeof value
  return type === 'object' || type === 'string' || type === 'number' || type === 'boolean' ? [type] : []
}

function valueFor(facets: Facets, place: Place, usual: JsonType): Sample {
  const { types } = facets
  const fits = (value: unknown): boolean => types === null || typeOf(value).some((type) => types.includes(type))
  const values = facets.values?.filter(fits)
  if (values) return values[place.nth]
  const shown = place.nth === 0 ? facets.shown.find(fits) : undefined
  if (shown !== undefined) return shown
  for (const type of types ? [...types.filter((one) => one !== 'null'), ...types] : [impliedType(facets) ?? usual]) {
    const value = ofType(type, facets, place)
    if (value !== undefined) return value
  }
  return undefined
}

function impliedType(facets: Facets): JsonType | null {
  if (facets.properties.size > 0 || facets.required.size > 0 || facets.rests.length > 0 || facets.minProperties > 0)
    return 'object'
  if (facets.items.length > 0 || facets.prefixes.length > 0 || facets.contains.length > 0 || facets.minItems > 0)
    return 'array'
  if (facets.patterns.length > 0 || facets.formats.length > 0 || facets.minLength > 0) return 'string'
  if (Number.isFinite(facets.maxLength)) return 'string'
  if (Number.isFinite(facets.minimum) || Number.isFinite(facets.maximum) || facets.multiplesOf.length > 0)
    return 'number'
  return null
}

function ofType(type: JsonType, facets: Facets, place: Place): Sample {
  switch (type) {
    case 'object':
      return objectFor(facets, place)
    case 'array':
      return arrayFor(facets, place)
    case 'string': {
      const text = textFor(facets, place.nth)
      spend(place, 10 + (text?.length ?? 0) + facets.patterns.length * 2_000)
      return text
    }
    case 'integer':
      return numberFor(facets, true, place.nth)
    case 'number':
      return numberFor(facets, false, place.nth)
    case 'boolean':
      return place.nth > 1 ? undefined : place.nth === 0
    case 'null':
      return place.nth > 0 ? undefined : null
  }
}

/**
 * A part of what stands here. References are followed in a circle only where there must be something and nothing else
 * ends the circle.
 */
function buildInside(
  schemas: readonly unknown[],
  { references }: Facets,
  place: Place,
  optional: boolean,
  nth: number,
): Sample {
  const open = new Set([...place.open, ...references])
  const inner = { ...place, depth: place.depth + 1, nth, open }
  const value = build(schemas, { ...inner, closed: open }, 'string')
  return value !== undefined || optional ? value : build(schemas, { ...inner, closed: new Set() }, 'string')
}

/** A property's value. That one of its properties differs is enough for an object to differ. */
function partOf(schemas: readonly unknown[], facets: Facets, place: Place, optional: boolean): Sample {
  const value = buildInside(schemas, facets, place, optional, place.nth)
  return value === undefined && place.nth > 0 ? buildInside(schemas, facets, place, optional, 0) : value
}

function objectFor(facets: Facets, place: Place): Sample {
  const { required, properties, rests, maxProperties, minProperties } = facets
  if (required.size > maxProperties) return undefined
  const named = new Set([...properties.keys(), ...required])
  const values = new Map<string, unknown>()
  const add = (name: string, optional: boolean): boolean => {
    const schemas = [...(properties.get(name) ?? [])]
    for (const { listed, schema } of rests) if (!Object.hasOwn(listed, name)) schemas.push(schema)
    const value = partOf(schemas, facets, place, optional)
    if (value !== undefined) values.set(name, value)
    return value !== undefined
  }
  for (const name of named) if (required.has(name) && !add(name, false)) return undefined
  for (const name of named) if (!required.has(name) && values.size < maxProperties) add(name, true)
  for (let more = 1; values.size < minProperties; more++) {
    if (more > mostItems || !add(`property${more}`, false)) return undefined
  }
  // In the order of the schema, which is the one its author thought of.
  return Object.fromEntries(
    [...named, ...values.keys()].flatMap((name) => (values.has(name) ? [[name, values.get(name)]] : [])),
  )
}

function arrayFor(facets: Facets, place: Place): Sample {
  const { prefixes, items, contains, minItems, maxItems, uniqueItems } = facets
  const prefixed = Math.max(0, ...prefixes.map((prefix) => prefix.length))
  const wanted = Math.min(maxItems, Math.max(minItems, prefixed + contains.length, prefixed > 0 ? 0 : 1))
  if (wanted > mostItems || minItems > maxItems) return undefined
  const list: unknown[] = []
  const spellings = new Set<string>()
  while (list.length < wanted) {
    const at = list.length
    const schemas: unknown[] = prefixes.flatMap((prefix) => (at < prefix.length ? [prefix[at]] : []))
    // `items` of a schema holds behind the prefix of the same schema; that of another is rarely beside it.
    if (at >= prefixed) schemas.push(...items)
    const held = contains[at - prefixed]
    if (held !== undefined) schemas.push(held)
    const value = nextItem(schemas, facets, place, at >= minItems && held === undefined, uniqueItems ? spellings : null)
    if (value === undefined) break
    list.push(value)
  }
  return list.length < Math.max(minItems, Math.min(contains.length, maxItems)) ? undefined : list
}

/** `others`: spellings of the items that it must not be equal to. */
function nextItem(
  schemas: readonly unknown[],
  facets: Facets,
  place: Place,
  optional: boolean,
  others: Set<string> | null,
): Sample {
  for (let nth = place.nth; nth <= place.nth + (others?.size ?? 0); nth++) {
    const value = buildInside(schemas, facets, place, optional, nth)
    if (value === undefined || !others) return value
    const spelling = JSON.stringify(value)
    if (others.has(spelling)) continue
    others.add(spelling)
    return value
  }
  return undefined
}

/** Where `#/a/b`, `#` or `#anchor` leads; what leads out of the document could be anything. */
function resolved(root: unknown, reference: string, anchors: ReadonlyMap<string, unknown>): unknown {
  if (reference === '#') return root
  if (!reference.startsWith('#')) return true
  if (!reference.startsWith('#/')) return anchors.get(reference.slice(1)) ?? true
  let at = root
  for (const step of reference.slice(2).split('/')) {
    const key = unescaped(step)
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key)) return true
    at = (at as Readonly<Record<string, unknown>>)[key]
  }
  return at
}

function unescaped(step: string): string {
  try {
    return stepOf(decodeURIComponent(step))
  } catch {
    return step
  }
}

function collectAnchors(schema: unknown, anchors: Map<string, unknown>): void {
  const left = [schema]
  for (let at = left.pop(); at !== undefined; at = left.pop()) {
    if (typeof at !== 'object' || at === null) continue
    if (isObject(at)) {
      for (const name of [at.$anchor, at.$dynamicAnchor]) if (typeof name === 'string') anchors.set(name, at)
    }
    for (const inner of Object.values(at)) if (inner !== undefined) left.push(inner)
  }
}
