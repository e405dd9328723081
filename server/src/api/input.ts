import type { InputOf, Operation } from '@posthorn/contract'
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { pointerTo } from '../domain/json-pointer.ts'
import { momentOf } from '../domain/moment.ts'
import { type Fault, Problem } from '../domain/problem.ts'
import { keepingFaults, parseJson, textOf } from './json.ts'

// Every fault at once, and nothing repaired: a body means what it says. Our own schemas, compiled as they are: to look at
// them first, and to polish the code, took 0.8 of the 1.3 s that compiling that of a new source did, while everybody waited
// (`npm run fuzz`, 2026-11).
const ajv = new Ajv2020({
  code: { optimize: false },
  validateSchema: false,
  allErrors: true,
  allowUnionTypes: true,
  discriminator: true,
  strict: true,
  strictTypes: false,
})
addFormats.default(ajv, ['uri'])
// Not the package's, which takes what `Date.parse` cannot read.
ajv.addFormat('date-time', (text: string) => Number.isFinite(momentOf(text)))

/** A request as the framework hands it over, its body still bytes. */
export interface RawRequest {
  readonly params: unknown
  readonly query: unknown
  readonly body: unknown
}

/** Prepares reading an operation's input. What it returns throws `body-malformed` or `request-invalid`. */
export function readerOf<O extends Operation>(operation: O): (request: RawRequest) => InputOf<O> {
  const params = ajv.compile(operation.params)
  const query = ajv.compile(operation.query)
  // Compiled when it is first needed: that of a custom source's descriptor takes a second and 50 MiB (2026-11), which would
  // be spent at every start, by everybody.
  let body: ReturnType<typeof checkOf> | null = null
  return (request) => {
    const faults: Fault[] = []
    const inQuery = unwired(operation, request.query)
    faults.push(...faultsOf(params, request.params, '/path'), ...faultsOf(query, inQuery, '/query'))
    faults.push(...texts(request.params, '/path'), ...texts(inQuery, '/query'))
    let inBody: unknown = null
    if (operation.body !== null) {
      body ??= checkOf(operation.body)
      const empty = !(request.body instanceof Uint8Array) || request.body.length === 0
      inBody = operation.bodyOptional === true && empty ? {} : parseJson(textOf(request.body))
      faults.push(...body(inBody, ''))
    }
    if (faults.length > 0) throw invalid(faults)
    return { params: request.params, query: inQuery, body: inBody } as InputOf<O>
  }
}

/** Every fault of a value that is to fit a schema and be kept; pointers begin with `at`. */
export function checkOf(schema: object): (value: unknown, at: string) => readonly Fault[] {
  const validate = ajv.compile(schema)
  return (value, at) => [...faultsOf(validate, value, at), ...texts(value, at)]
}

/** Throws `request-invalid` where a name in the path is one that nothing can have: no store is to be asked for it. */
export function demandKeepableNames(params: unknown): void {
  const faults = texts(params, '/path')
  if (faults.length > 0) throw invalid(faults)
}

export function invalid(faults: readonly Fault[]): Problem {
  const shown = faults.slice(0, 3).map(({ pointer, message }) => `${pointer || 'The body'} ${message}`)
  const rest = faults.length - shown.length
  const detail = `${shown.join('; ')}${rest > 0 ? `; and ${rest} more` : ''}`
  return new Problem('request-invalid', detail.endsWith('.') ? detail : `${detail}.`, faults)
}

const texts = (value: unknown, at: string): readonly Fault[] =>
  keepingFaults(value).map(({ pointer, message }) => ({ pointer: at + pointer, message }))

function faultsOf(validate: ValidateFunction, value: unknown, at: string): readonly Fault[] {
  if (validate(value)) return []
  const errors = validate.errors ?? []
  // Where a value is none of several kinds, that is the fault, and not what each of them would want of it.
  const branches = errors.flatMap(({ keyword, schemaPath }) => (keyword === 'oneOf' ? [`${schemaPath}/`] : []))
  const own = errors.filter(({ schemaPath }) => !branches.some((branch) => schemaPath.startsWith(branch)))
  return own.map((error) => faultOf(error, at))
}

function faultOf({ instancePath, keyword, params, message }: ErrorObject, at: string): Fault {
  const pointer = at + instancePath
  if (keyword === 'required') return { pointer: pointerTo(pointer, params.missingProperty), message: 'is required' }
  if (keyword === 'enum') return { pointer, message: `must be one of ${params.allowedValues.map(String).join(', ')}` }
  if (keyword === 'type') return { pointer, message: `must be ${[params.type].flat().join(' or ')}` }
  if (keyword === 'oneOf') {
    return { pointer, message: `is ${params.passingSchemas === null ? 'none' : 'several'} of the kinds that it can be` }
  }
  if (keyword === 'discriminator') {
    return { pointer: pointerTo(pointer, params.tag), message: 'is none of the kinds that it can be' }
  }
  if (keyword === 'format' && params.format === 'date-time') {
    return { pointer, message: 'must be an RFC 3339 time, such as 2026-01-31T12:00:00Z' }
  }
  if (keyword === 'additionalProperties') return { pointer, message: `has no member ${params.additionalProperty}` }
  return { pointer, message: message ?? 'is invalid' }
}

/**
 * Query parameters come as text: what the schema wants as a number, a flag or a list is read as one. Lists come
 * separated by commas (newer clients), or with the parameter repeated (older ones). What cannot be read stays text, and
 * does not pass.
 */
function unwired(operation: Operation, raw: unknown): Readonly<Record<string, unknown>> {
  const given = new Map(Object.entries(raw ?? {}))
  const values: Record<string, unknown> = {}
  for (const [name, schema] of Object.entries(operation.query.properties)) {
    const value: unknown = given.get(name)
    if (value !== undefined) values[name] = unwiredValue('type' in schema ? schema.type : undefined, value)
  }
  return values
}

function unwiredValue(type: unknown, value: unknown): unknown {
  if (type === 'array') return [value].flat().flatMap((item) => (typeof item === 'string' ? item.split(',') : [item]))
  if (typeof value !== 'string') return value
  if (type === 'integer' && /^-?\d{1,15}$/.test(value)) return Number(value)
  if (type === 'boolean' && (value === 'true' || value === 'false')) return value === 'true'
  return value
}
