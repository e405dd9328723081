// OPENAPI: the parts that the document is printed from, one file per part of it. Pure; the whole is ../openapi.ts.

import { schemas } from '../operations.ts'
import { ProblemOut } from '../problem.ts'

export type Json = { readonly [key: string]: unknown }

// Two schemas that say the same are the same: the table wraps them (as optional, say), which makes copies.
const named = new Map<string, string>(
  Object.entries({ ...schemas, ProblemOut }).map(([name, schema]) => [JSON.stringify(schema), name]),
)

/** Where a schema that has a name stands in the document. */
export const schemaAt = (name: string): string => `#/components/schemas/${name}`

const listsOfSchemas: ReadonlySet<string> = new Set(['allOf', 'anyOf', 'oneOf', 'prefixItems'])
const mapsOfSchemas: ReadonlySet<string> = new Set(['properties', 'patternProperties'])
const innerSchemas: ReadonlySet<string> = new Set(['items', 'additionalProperties', 'not'])

/** A schema as the document shows it: those with a name of their own become references, and every bound is said. */
export function printed(schema: unknown, bounds: Bounds = ofBodies, atRoot = false): unknown {
  if (typeof schema !== 'object' || schema === null) return schema
  const name = named.get(JSON.stringify(schema))
  if (name !== undefined && !atRoot) return { $ref: schemaAt(name) }
  const parts = Object.entries(schema).map(([key, value]): [string, unknown] => {
    if (innerSchemas.has(key)) return [key, printed(value, bounds)]
    if (listsOfSchemas.has(key) && Array.isArray(value)) return [key, value.map((item) => printed(item, bounds))]
    if (mapsOfSchemas.has(key)) {
      return [key, Object.fromEntries(Object.entries(value).map(([inner, of]) => [inner, printed(of, bounds)]))]
    }
    return [key, value]
  })
  return bounded({ ...Object.fromEntries(parts), ...discriminated(schema, Object.fromEntries(parts)) }, bounds)
}

/**
 * Which value leads to which of the alternatives: without it a reader of the document takes the names of the schemas for the
 * values (OpenAPI 3.1, 4.8.25). The table itself does not say it, as validators of JSON Schema know no mapping.
 */
function discriminated(schema: object, { discriminator, oneOf }: Json): Json {
  if (!('oneOf' in schema) || !Array.isArray(schema.oneOf) || !Array.isArray(oneOf)) return {}
  const { propertyName } = Object(discriminator)
  if (typeof propertyName !== 'string') return {}
  const values = schema.oneOf.map((alternative) => Object(Object(alternative).properties)[propertyName]?.const)
  const mapping = Object.fromEntries(values.map((value, at) => [value, Object(oneOf[at]).$ref]))
  return { discriminator: { propertyName, mapping } }
}

/** What holds for every value at a place, whatever its own schema says. */
export interface Bounds {
  /** Characters of a text. */
  readonly text: number
  /** Items of a list. */
  readonly items: number
}

/** What POSTHORN_MAX_BODY can be set to at the most, in bytes. */
export const largestBody = 64 * 1024 * 1024
// No text is longer than the body it comes in, and an item takes two bytes of it at least.
const ofBodies: Bounds = { text: largestBody, items: largestBody / 2 }
/** A longer name in a path is not found. */
export const ofPaths: Bounds = { text: 1024, items: 0 }
/** Node takes 16 KiB of headers and URL. */
export const ofQueries: Bounds = { text: 16_384, items: 8_192 }

const textBounds: Readonly<Record<string, number>> = { 'date-time': 64, uri: 2_048 }
// What is stored holds no U+0000: it is refused everywhere, as stores and receivers differ on it.
const anyText = '^[^\\u0000]*$'

function bounded(schema: Json, { text, items }: Bounds): Json {
  const types = [schema.type].flat()
  if ('enum' in schema || 'const' in schema) return numberFormat(schema, types)
  return {
    ...numberFormat(schema, types),
    ...(types.includes('string') && !('maxLength' in schema)
      ? { maxLength: textBounds[String(schema.format)] ?? text }
      : {}),
    ...(types.includes('string') && !('format' in schema) && !('pattern' in schema) ? { pattern: anyText } : {}),
    ...(types.includes('array') && !('maxItems' in schema) ? { maxItems: items } : {}),
  }
}

const int32 = 2 ** 31

/** JSON numbers are exact up to 2^53, so that is what an integer without a bound of its own goes to. */
function numberFormat(schema: Json, types: readonly unknown[]): Json {
  if (!types.includes('integer')) return schema
  const minimum = typeof schema.minimum === 'number' ? schema.minimum : Number.MIN_SAFE_INTEGER
  const maximum = typeof schema.maximum === 'number' ? schema.maximum : Number.MAX_SAFE_INTEGER
  return { ...schema, format: minimum >= -int32 && maximum < int32 ? 'int32' : 'int64', minimum, maximum }
}

/** The schemas that these parts of a document refer to, and those that these refer to in turn, by name. */
export function schemasUsedIn(parts: unknown): Json {
  const all = new Map<string, unknown>(Object.entries({ ...schemas, ProblemOut }))
  const used = new Map<string, unknown>()
  const look = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return
    if ('$ref' in value && typeof value.$ref === 'string') {
      const name = value.$ref.replace(schemaAt(''), '')
      if (all.has(name) && !used.has(name)) {
        used.set(name, printed(all.get(name), undefined, true))
        look(used.get(name))
      }
    }
    for (const inner of Object.values(value)) look(inner)
  }
  look(parts)
  return Object.fromEntries([...used].sort(([a], [b]) => (a < b ? -1 : 1)))
}
