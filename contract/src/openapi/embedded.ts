import type { Json } from './schema.ts'

const schemaKeywords: ReadonlySet<string> = new Set([
  ...['items', 'contains', 'additionalProperties', 'unevaluatedProperties', 'unevaluatedItems', 'propertyNames'],
  ...['not', 'if', 'then', 'else', 'contentSchema'],
])
const listKeywords: ReadonlySet<string> = new Set(['allOf', 'anyOf', 'oneOf', 'prefixItems'])
const mapKeywords: ReadonlySet<string> = new Set([
  ...['properties', 'patternProperties', 'dependentSchemas', '$defs', 'definitions'],
])
const plainKeywords: ReadonlySet<string> = new Set([
  ...['type', 'enum', 'const', 'default', 'examples', 'title', 'description', 'deprecated', 'readOnly', 'writeOnly'],
  ...['multipleOf', 'maximum', 'exclusiveMaximum', 'minimum', 'exclusiveMinimum', 'maxLength', 'minLength', 'pattern'],
  ...[
    'maxItems',
    'minItems',
    'uniqueItems',
    'maxContains',
    'minContains',
    'maxProperties',
    'minProperties',
    'required',
  ],
  ...['dependentRequired', 'format', 'contentEncoding', 'contentMediaType'],
])

// Not every reader of documents knows that `true` and `false` are schemas.
const nothing: Json = { not: {} }

/**
 * A JSON Schema of somebody else's as it can stand at `place` (a JSON Pointer with `#`) of our document: references into
 * itself lead to where it now stands, and what would reach beyond it, or name itself, is left out; so is every keyword
 * that is not of JSON Schema 2020-12. It then says less than the original, never something else.
 */
export function embedded(schema: unknown, place: string): Json {
  if (!isRecord(schema)) return schema === false ? nothing : {}
  const own = (value: unknown): Json => (isRecord(value) ? kept(value) : value === false ? nothing : {})
  const referenceOf = (reference: unknown): Json => {
    if (typeof reference !== 'string' || !/^#(\/|$)/.test(reference)) return {}
    return isSchemaOf(schema, reference) ? { $ref: place + reference.slice(1) } : {}
  }
  const kept = (value: Json): Json => {
    // A schema with a name of its own inside is another document: what it refers to is counted from there.
    if ('$id' in value && value !== schema) return {}
    const parts = Object.entries(value).flatMap(([key, of]): readonly (readonly [string, unknown])[] => {
      if (key === 'additionalProperties' || schemaKeywords.has(key)) return [[key, own(of)]]
      if (listKeywords.has(key)) return Array.isArray(of) && of.length > 0 ? [[key, of.map(own)]] : []
      if (mapKeywords.has(key)) return isRecord(of) ? [[key, mapped(of, key, own)]] : []
      if (key === 'pattern') return isPattern(of) ? [[key, of]] : []
      return plainKeywords.has(key) && !mentionsReference(of) ? [[key, of]] : []
    })
    return { ...Object.fromEntries(parts), ...referenceOf(value.$ref) }
  }
  return kept(schema)
}

function mapped(schemas: Json, keyword: string, own: (value: unknown) => Json): Json {
  const usable = Object.entries(schemas).filter(([name]) => keyword !== 'patternProperties' || isPattern(name))
  return Object.fromEntries(usable.map(([name, schema]) => [name, own(schema)]))
}

const isRecord = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)

function isPattern(pattern: unknown): boolean {
  try {
    return typeof pattern === 'string' && new RegExp(pattern, 'u') instanceof RegExp
  } catch {
    return false
  }
}

/** Readers of documents follow `$ref` wherever it stands, also where it is only a value. */
function mentionsReference(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  return '$ref' in value || Object.values(value).some(mentionsReference)
}

/** Whether a reference leads, over keywords that are kept, to a schema inside this one. */
function isSchemaOf(root: Json, reference: string): boolean {
  const steps = reference.split('/').slice(1).map(stepOf)
  let at: unknown = root
  for (let next = 0; next < steps.length; next++) {
    const keyword = steps[next] ?? ''
    if (!isRecord(at) || !Object.hasOwn(at, keyword)) return false
    at = at[keyword]
    if (schemaKeywords.has(keyword)) continue
    const name = steps[++next]
    if (name === undefined) return false
    if (mapKeywords.has(keyword) && isRecord(at) && Object.hasOwn(at, name)) at = at[name]
    else if (listKeywords.has(keyword) && Array.isArray(at) && /^\d+$/.test(name)) at = at[Number(name)]
    else return false
    if (keyword === 'patternProperties' && !isPattern(name)) return false
    if (isRecord(at) && '$id' in at) return false
  }
  return isRecord(at) || typeof at === 'boolean'
}

function stepOf(text: string): string {
  try {
    return decodeURIComponent(text).replaceAll('~1', '/').replaceAll('~0', '~')
  } catch {
    return text
  }
}
