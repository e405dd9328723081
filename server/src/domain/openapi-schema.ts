// A schema of an OpenAPI document as one that stands by itself, in JSON Schema 2020-12.

import { stepOf } from './json-pointer.ts'
import { type Fault, Problem } from './problem.ts'

export type Json = Readonly<Record<string, unknown>>

export const isJson = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** An OpenAPI document while it is being read. Faults are gathered, so that a caller hears of all of them. */
export interface Document {
  readonly root: Json
  /** 3.0 has a dialect of its own. */
  readonly dialect: '3.0' | '2020-12'
  /** Where the document stands in the request. */
  readonly at: string
  readonly faults: Fault[]
  /** Parts of schemas that may still be written: what many webhooks refer to is written for each of them. */
  readonly budget: { left: number }
}

const mostHops = 32

export const step = (pointer: string, key: string | number): string =>
  `${pointer}/${/[~/]/.test(String(key)) ? String(key).replaceAll('~', '~0').replaceAll('/', '~1') : key}`

/** What a reference within the document leads to, through further references; undefined, and a fault: to nothing. */
export function follow(document: Document, value: unknown, pointer: string): { value: unknown; pointer: string } {
  let [at, place] = [value, pointer]
  for (let hops = 0; isJson(at) && typeof at.$ref === 'string'; hops++) {
    const target = hops < mostHops ? lookUp(document, at.$ref) : undefined
    if (target === undefined) {
      document.faults.push({ pointer: `${place}/$ref`, message: refused(at.$ref) })
      return { value: undefined, pointer: place }
    }
    place = document.at + at.$ref.slice(1)
    at = target
  }
  return { value: at, pointer: place }
}

const refused = (reference: string): string =>
  reference.startsWith('#/')
    ? 'leads to nothing in this document, or round in a circle'
    : 'must lead to a place in this document (`#/…`): others are not fetched'

function lookUp({ root }: Document, reference: string): unknown {
  if (!reference.startsWith('#/')) return undefined
  let at: unknown = root
  for (const part of reference.slice(2).split('/')) {
    const key = plain(part)
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key)) return undefined
    at = (at as Json)[key]
  }
  return at
}

function plain(part: string): string {
  try {
    return stepOf(decodeURIComponent(part))
  } catch {
    return part
  }
}

/**
 * The schema with everything it refers to in its own `$defs`; circles stay references. `$id`, `$schema` and what only
 * OpenAPI knows (`discriminator`, `xml`, `externalDocs`, `nullable`, `example`) are left out or turned into what JSON
 * Schema has.
 */
export function standalone(document: Document, schema: unknown, pointer: string): unknown {
  // A schema that is but a reference would stand there as its only definition.
  const root =
    isJson(schema) && isBareReference(schema) ? follow(document, schema, pointer) : { value: schema, pointer }
  if (root.value === undefined) return null
  const writer = new Writer(document, root.pointer)
  const written = writer.write(root.value, root.pointer)
  const definitions = writer.definitions()
  if (Object.keys(definitions).length === 0 || !isJson(written)) return written
  return { ...written, $defs: definitions }
}

const isBareReference = (schema: Json): boolean => typeof schema.$ref === 'string' && Object.keys(schema).length === 1

const schemaIn = new Set([
  ...['additionalProperties', 'unevaluatedProperties', 'items', 'unevaluatedItems', 'contains', 'propertyNames'],
  ...['not', 'if', 'then', 'else', 'contentSchema'],
])
const schemasByName = new Set(['properties', 'patternProperties', 'dependentSchemas'])
const schemasInList = new Set(['allOf', 'anyOf', 'oneOf', 'prefixItems'])
// What is in `$defs` is written again where something refers to it.
const leftOut = new Set([
  ...['$id', '$schema', '$defs', '$comment', '$vocabulary', 'definitions', 'discriminator', 'xml', 'externalDocs'],
  ...['nullable', 'example'],
])
const unknownReferences = ['$dynamicRef', '$anchor', '$dynamicAnchor']

class Writer {
  readonly #document: Document
  readonly #names = new Map<string, string>()
  readonly #taken = new Set<string>()
  readonly #written = new Map<string, unknown>()

  /** `root`: where the schema itself stands, which references to it are to lead to. */
  constructor(document: Document, root: string) {
    this.#document = document
    this.#names.set(root, '#')
  }

  definitions(): Json {
    return Object.fromEntries(this.#written)
  }

  write(schema: unknown, pointer: string): unknown {
    const { budget, faults } = this.#document
    budget.left -= 1
    if (budget.left < 0) refuseFaults([{ pointer, message: 'is too much, with all that webhooks refer to' }, ...faults])
    if (!isJson(schema)) {
      if (typeof schema !== 'boolean') faults.push({ pointer, message: 'must be a schema' })
      return schema
    }
    const old = this.#document.dialect === '3.0'
    if (typeof schema.$ref === 'string') {
      const $ref = this.#reference(schema.$ref, pointer)
      // In 3.0 nothing beside a reference counts.
      return old ? { $ref } : { ...this.#members(schema, pointer), $ref }
    }
    const members = this.#members(schema, pointer)
    return old ? modern(schema, members) : withExample(schema, members)
  }

  #members(schema: Json, pointer: string): Record<string, unknown> {
    const members = Object.entries(schema).flatMap(([key, value]) => {
      const place = step(pointer, key)
      if (leftOut.has(key) || key === '$ref' || key.startsWith('x-')) return []
      if (unknownReferences.includes(key)) {
        this.#document.faults.push({ pointer: place, message: 'is not followed: use `$ref` with a place (`#/…`)' })
        return []
      }
      if (schemaIn.has(key)) return [[key, this.write(value, place)]]
      if (schemasByName.has(key) && isJson(value)) {
        const inner = Object.entries(value).map(([name, part]) => [name, this.write(part, step(place, name))])
        return [[key, Object.fromEntries(inner)]]
      }
      if (schemasInList.has(key) && Array.isArray(value)) {
        return [[key, value.map((part, at) => this.write(part, step(place, at)))]]
      }
      return [[key, value]]
    })
    return Object.fromEntries(members)
  }

  #reference(reference: string, pointer: string): string {
    const target = lookUp(this.#document, reference)
    if (target === undefined) {
      this.#document.faults.push({ pointer: `${pointer}/$ref`, message: refused(reference) })
      return '#'
    }
    const place = this.#document.at + reference.slice(1)
    const known = this.#names.get(place)
    if (known !== undefined) return known
    const name = this.#freeName(reference)
    const own = `#/$defs/${name}`
    this.#names.set(place, own)
    // Its place among the definitions is that of its first mention.
    this.#written.set(name, true)
    this.#written.set(name, this.write(target, place))
    return own
  }

  #freeName(reference: string): string {
    const last = plain(reference.split('/').at(-1) ?? '').replaceAll(/[^\w.-]/g, '_') || 'schema'
    let name = last
    for (let more = 2; this.#taken.has(name); more++) name = `${last}_${more}`
    this.#taken.add(name)
    return name
  }
}

const withExample = (schema: Json, members: Record<string, unknown>): Record<string, unknown> =>
  schema.example === undefined || 'examples' in members ? members : { ...members, examples: [schema.example] }

/** What 3.0 spells in its own way (OpenAPI 3.0.4, Schema Object), as 2020-12 spells it. */
function modern(schema: Json, members: Record<string, unknown>): Record<string, unknown> {
  const { type, nullable } = schema
  const written = { ...members }
  if (nullable === true && typeof type === 'string') written.type = [type, 'null']
  for (const [exclusive, limit] of [
    ['exclusiveMinimum', 'minimum'],
    ['exclusiveMaximum', 'maximum'],
  ] as const) {
    if (typeof schema[exclusive] !== 'boolean') continue
    delete written[exclusive]
    if (schema[exclusive] !== true || schema[limit] === undefined) continue
    written[exclusive] = schema[limit]
    delete written[limit]
  }
  return withExample(schema, written)
}

/** Throws Problem `openapi-invalid` if there are any. */
export function refuseFaults(faults: readonly Fault[]): void {
  const [first, ...rest] = faults
  if (!first) return
  const more = rest.length > 0 ? `; and ${rest.length} more` : ''
  throw new Problem('openapi-invalid', `${first.pointer} ${first.message}${more}.`, faults)
}
