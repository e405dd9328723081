import { type Schema as AnySchema, dereference, format, type OutputUnit, validate } from '@cfworker/json-schema'
import { Ajv } from 'ajv'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { pointerTo } from '../domain/json-pointer.ts'
import type { Fault } from '../domain/problem.ts'
import { readJson } from '../domain/read-json.ts'
import { schemaShapeFaults } from '../domain/schema.ts'
import type { SchemaVerdict } from '../ports/judge.ts'
import { reasonOf } from './filter.ts'

type Draft = '2020-12' | '7'
type Fields = Readonly<Record<string, unknown>>

/** A schema, read and checked once. */
export type Schema =
  | { readonly kind: 'ready'; judge(value: unknown): SchemaVerdict }
  | { readonly kind: 'faulty'; readonly faults: readonly Fault[] }

// Where schemas stand in a schema (JSON Schema 2020-12 Core, 10; draft-07 has the last of each besides). What is not
// named here or below is for people, and its content must not be taken for a schema.
const oneSchema = new Set([
  ...['not', 'if', 'then', 'else', 'contains', 'additionalProperties', 'propertyNames', 'items'],
  ...['unevaluatedItems', 'unevaluatedProperties', 'additionalItems'],
])
const listOfSchemas = new Set(['allOf', 'anyOf', 'oneOf', 'prefixItems', 'items'])
const mapOfSchemas = new Set([
  '$defs',
  'properties',
  'patternProperties',
  'dependentSchemas',
  'definitions',
  'dependencies',
])
const plain = new Set([
  ...['$id', '$anchor', '$ref', 'type', 'const', 'enum', 'format', 'pattern', 'multipleOf', 'required'],
  ...['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'minLength', 'maxLength', 'minItems', 'maxItems'],
  ...['uniqueItems', 'minContains', 'maxContains', 'minProperties', 'maxProperties', 'dependentRequired'],
])
// To pass over these would let payloads through that the schema means to refuse.
const notHere = new Set(['$dynamicRef', '$recursiveRef', '$vocabulary'])

/** Reads and checks a schema given as JSON text. */
export function readSchema(text: string): Schema {
  const schema = readJson(text)
  const faults: Fault[] = [...schemaShapeFaults(schema, '')]
  if (faults.length > 0) return { kind: 'faulty', faults }
  const draft = draftOf(schema, faults)
  const kept = draft === null ? true : essence(schema, '', faults)
  if (faults.length > 0 || draft === null) return { kind: 'faulty', faults }
  try {
    const found = dereference(kept)
    faults.push(...leadingNowhere(found))
    if (faults.length > 0) return { kind: 'faulty', faults }
    const check: Check = (value, firstOnly) => validate(value, kept, draft, found, firstOnly)
    return { kind: 'ready', judge: (value) => verdictOf(check, value) }
  } catch (error) {
    return { kind: 'faulty', faults: [{ pointer: '', message: reasonOf(error) }] }
  }
}

function draftOf(schema: unknown, faults: Fault[]): Draft | null {
  const named = typeof schema === 'object' && schema !== null ? (schema as Fields).$schema : undefined
  if (named === undefined) return '2020-12'
  const name = typeof named === 'string' ? named.replace(/#$/, '').replace(/^https?:/, '') : ''
  if (name === '//json-schema.org/draft/2020-12/schema') return '2020-12'
  if (name === '//json-schema.org/draft-07/schema') return '7'
  faults.push({ pointer: '/$schema', message: 'must be that of JSON Schema 2020-12 or draft-07, or be left out' })
  return null
}

/** The schema without what is only for people; patterns and unknown formats are seen to on the way. */
function essence(schema: unknown, at: string, faults: Fault[]): AnySchema | boolean {
  if (typeof schema === 'boolean') return schema
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema)) {
    faults.push({ pointer: at, message: 'must be a schema: an object, or true or false' })
    return true
  }
  const kept: [string, unknown][] = []
  for (const [keyword, value] of Object.entries(schema)) {
    const here = pointerTo(at, keyword)
    if (notHere.has(keyword)) faults.push({ pointer: here, message: 'is not supported' })
    else if (listOfSchemas.has(keyword) && Array.isArray(value)) {
      kept.push([keyword, value.map((part, index) => essence(part, `${here}/${index}`, faults))])
    } else if (oneSchema.has(keyword)) kept.push([keyword, essence(value, here, faults)])
    else if (mapOfSchemas.has(keyword) && typeof value === 'object' && value !== null) {
      const parts = Object.entries(value).map(([name, part]) => {
        if (keyword === 'patternProperties') patternFault(name, pointerTo(here, name), faults)
        const names = keyword === 'dependencies' && Array.isArray(part)
        return [name, names ? part : essence(part, pointerTo(here, name), faults)] as const
      })
      kept.push([keyword, Object.fromEntries(parts)])
    } else if (plain.has(keyword)) {
      if (keyword === 'pattern') patternFault(value, here, faults)
      // One that is not known says nothing (2020-12 Validation, 7.2.3), and must not be looked up.
      if (keyword !== 'format' || (typeof value === 'string' && Object.hasOwn(format, value)))
        kept.push([keyword, value])
    }
  }
  return Object.fromEntries(kept) as AnySchema
}

function patternFault(pattern: unknown, at: string, faults: Fault[]): void {
  if (typeof pattern !== 'string') return
  try {
    new RegExp(pattern, 'u')
  } catch (error) {
    faults.push({ pointer: at, message: reasonOf(error) })
  }
}

/** References for which there is no schema. Nothing is ever fetched for them. */
function leadingNowhere(found: Readonly<Record<string, AnySchema | boolean>>): readonly Fault[] {
  return Object.entries(found).flatMap(([uri, schema]) => {
    if (typeof schema === 'boolean' || schema.$ref === undefined) return []
    if (found[schema.__absolute_ref__ ?? schema.$ref] !== undefined) return []
    const pointer = `${decodeURIComponent(new URL(uri).hash.slice(1))}/$ref`
    return [{ pointer, message: `leads nowhere in this schema: ${schema.$ref}` }]
  })
}

/** Everything that can be said against a schema, given as JSON text, before a payload has come. */
export function schemaFaults(text: string): readonly Fault[] {
  const read = readSchema(text)
  if (read.kind === 'faulty') return read.faults
  const schema = readJson(text)
  const isSchema = draftOf(schema, []) === '7' ? draft07() : draft2020()
  if (!isSchema(schema)) {
    return (isSchema.errors ?? []).slice(0, mostFaults).map(({ instancePath, message = 'is not right', params }) => ({
      pointer: instancePath,
      message: 'allowedValues' in params ? `${message}: ${params.allowedValues.join(', ')}` : message,
    }))
  }
  const tried = read.judge({})
  return tried.kind === 'failed' ? [{ pointer: '', message: tried.reason }] : []
}

// Only the standard's own schemas of schemas are compiled; what a tenant wrote is data to them.
const options = { allErrors: true, validateFormats: false }
const once = <Value>(make: () => Value): (() => Value) => {
  let made: Value | undefined
  return () => {
    made ??= make()
    return made
  }
}
const draft2020 = once(() => compiled(new Ajv2020(options), 'https://json-schema.org/draft/2020-12/schema'))
const draft07 = once(() => compiled(new Ajv(options), 'http://json-schema.org/draft-07/schema'))

function compiled(ajv: Ajv | Ajv2020, id: string) {
  const validator = ajv.getSchema(id)
  if (!validator) throw new Error(`${id} is not there`)
  return validator
}

type Check = (value: unknown, firstOnly: boolean) => { readonly valid: boolean; readonly errors: OutputUnit[] }

const mostFaults = 20

/** The first fault is found soon; all are looked for only when there is one, as far as the stack goes. */
function verdictOf(check: Check, value: unknown): SchemaVerdict {
  try {
    const { valid, errors } = check(value, true)
    return valid ? { kind: 'fits' } : { kind: 'misfits', faults: everyFault(check, value) ?? faultsOf(errors) }
  } catch (error) {
    return { kind: 'failed', reason: error instanceof RangeError ? endless : reasonOf(error) }
  }
}

const endless = 'refers to itself without end, or the payload is nested too deep'

function everyFault(check: Check, value: unknown): readonly Fault[] | null {
  try {
    return faultsOf(check(value, false).errors)
  } catch (error) {
    // More faults than the stack takes: the first must do.
    if (error instanceof RangeError) return null
    throw error
  }
}

// They only say that something inside them does not fit, which then stands beside them.
const containers = new Set([
  ...['properties', 'patternProperties', 'additionalProperties', 'unevaluatedProperties', 'propertyNames', 'items'],
  ...['prefixItems', 'unevaluatedItems', 'additionalItems', 'dependentSchemas', '$ref', 'allOf', 'if'],
])

function faultsOf(errors: readonly OutputUnit[]): readonly Fault[] {
  const telling = errors.filter(({ keyword }) => !containers.has(keyword))
  const shown = new Map<string, Fault>()
  for (const { instanceLocation, keyword, error } of telling.length > 0 ? telling : errors) {
    if (shown.size === mostFaults) break
    const pointer = decodeURIComponent(instanceLocation.slice(1))
    const message = keyword === 'false' ? 'is not allowed' : reasonOf(new Error(inWords(error)))
    shown.set(`${pointer} ${message}`, { pointer, message })
  }
  return [...shown.values()]
}

/** As `@cfworker/json-schema` says it, but to be read behind the place that it is about, and without its full stop. */
const inWords = (error: string): string =>
  error
    .replace(/\.$/, '')
    .replace(/^Instance type "(\w+)" is invalid\. Expected (.*)$/s, 'must be of type $2, not "$1"')
    .replace(/^Instance does not have required property /, 'has no member ')
    .replace(/^Instance does not match any of /, 'must be one of ')
    .replace(/^Instance does not match (?!any |every |exactly |"then" schema|"else" schema)/, 'must be ')
    .replace(/^(?:Instance|String|Array) (?=contains|does|has|is|matche[ds]|may|must)/, '')
