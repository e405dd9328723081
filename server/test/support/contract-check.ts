// Every answer of a server under test is held against the OpenAPI document: its status, its content type, its headers,
// its body. What no operation describes is held against what problems look like.

import { AsyncLocalStorage } from 'node:async_hooks'
import { subscribe } from 'node:diagnostics_channel'
import { type Operation, openapi, operations } from '@posthorn/contract'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

/** What the answers of one server said that the document does not. */
export interface Breaches {
  readonly found: string[]
}

const watching = new AsyncLocalStorage<Breaches>()

// The framework tells of each instance it makes, for those who want to watch it: nothing of ours has to know.
// https://fastify.dev/docs/latest/Reference/Hooks/#diagnostics-channel-hooks
subscribe('fastify.initialization', (made) => {
  const breaches = watching.getStore()
  if (!breaches) return
  const { fastify } = made as { readonly fastify: FastifyInstance }
  fastify.addHook('onSend', (request, reply, payload, done) => {
    const breach = breachOf(request, reply, payload)
    if (breach) breaches.found.push(breach)
    done()
  })
})

/** Runs what makes a server; its answers are checked from then on. */
export async function checked<Made>(make: () => Promise<Made>): Promise<{ made: Made; breaches: Breaches }> {
  const breaches: Breaches = { found: [] }
  return { made: await watching.run(breaches, make), breaches }
}

// What stands under these says something about the object that they stand in, which has members beside.
const branches: ReadonlySet<string> = new Set(['oneOf', 'anyOf', 'allOf', 'if', 'then', 'else', 'not'])

const document: unknown = closed(
  JSON.parse(JSON.stringify(openapi({ version: '1.0.0', publicUrl: 'http://localhost' }))),
)

/** A member that is not described is a breach too: to callers the document is silent about more, to us it is not. */
function closed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(closed)
  if (typeof value !== 'object' || value === null) return value
  const inner = Object.fromEntries(
    Object.entries(value).map(([key, of]) => [key, key === 'examples' || branches.has(key) ? of : closed(of)]),
  )
  const isObject = [inner.type].flat().includes('object') && typeof inner.properties === 'object'
  const open = 'additionalProperties' in inner || 'patternProperties' in inner || '$ref' in inner
  const branched = Object.keys(inner).some((key) => branches.has(key))
  return isObject && !open && !branched ? { ...inner, additionalProperties: false } : inner
}

const ajv = new Ajv2020({ strict: false, allErrors: true })
addFormats.default(ajv)
ajv.addSchema({ $id: 'openapi', ...Object(document) })

const byRoute = new Map<string, Operation>(
  Object.values(operations).map((operation: Operation) => [
    `${operation.method} ${operation.path.replaceAll(/\{(\w+)\}/g, ':$1')}`,
    operation,
  ]),
)

function breachOf(request: FastifyRequest, reply: FastifyReply, payload: unknown): string | null {
  const method = request.method === 'HEAD' ? 'GET' : request.method
  const operation = byRoute.get(`${method} ${request.routeOptions.url ?? ''}`)
  if (operation === undefined && !/^\/(ingest\/)?api\//.test(request.url)) return null
  const said = `${request.method} ${request.url} ${reply.statusCode}`
  const faults = faultsOfAnswer(operation ?? null, request.method, reply, payload)
  return faults.length === 0
    ? null
    : `${said}: ${faults.join('; ')}${typeof payload === 'string' ? ` in ${payload.slice(0, 500)}` : ''}`
}

/** An answer: that of the framework, or one that came over the wire. */
export interface Answered {
  readonly statusCode: number
  getHeader(name: string): unknown
}

/** What of an answer the document does not say. `operation` null: none describes it, so that it must be a problem. */
export function faultsOfAnswer(
  operation: Operation | null,
  method: string,
  answer: Answered,
  payload: unknown,
): readonly string[] {
  if (operation === null) return faultsOfProblem(answer, payload)
  const at = ['paths', operation.path, operation.method.toLowerCase(), 'responses', String(answer.statusCode)]
  return faultsOf(at, method, answer, payload)
}

interface Described {
  readonly headers?: Readonly<Record<string, unknown>>
  readonly content?: Readonly<Record<string, unknown>>
}

function faultsOf(at: readonly string[], method: string, reply: Answered, payload: unknown): readonly string[] {
  const { found: answer, at: place } = lookUp(at)
  if (answer === undefined) return ['the status is not described']
  const { content, headers = {} } = answer as Described
  const faults = Object.keys(headers).flatMap((name) => faultsOfHeader(reply, name, [...place, 'headers', name]))
  if (payload === undefined || payload === null || payload === '') {
    return content === undefined || method === 'HEAD' ? faults : [...faults, 'there is no body']
  }
  const type = mediaType(reply)
  if (content?.[type] === undefined) return [...faults, `content of type ${type} is not described`]
  return [...faults, ...faultsOfBody([...place, 'content', type, 'schema'], payload)]
}

/** An unknown path, a method not allowed, what is not built: no operation describes these, but they are problems. */
function faultsOfProblem(reply: Answered, payload: unknown): readonly string[] {
  if (reply.statusCode < 400) return reply.statusCode === 204 ? [] : ['is not described by any operation']
  const type = mediaType(reply)
  if (type !== 'application/problem+json') return [`is of type ${type}`]
  return typeof payload === 'string' && payload !== ''
    ? faultsOfBody(['components', 'schemas', 'ProblemOut'], payload)
    : []
}

const mediaType = (reply: Answered): string => String(reply.getHeader('content-type')).split(';')[0] ?? ''

function faultsOfHeader(reply: Answered, name: string, place: readonly string[]): readonly string[] {
  const { found: described, at } = lookUp(place)
  const { required = false } = Object(described)
  const value = reply.getHeader(name)
  if (value === undefined) return required ? [`header ${name} is missing`] : []
  return validator([...at, 'schema'])(String(value)) ? [] : [`header ${name} is ${String(value)}`]
}

function faultsOfBody(at: readonly string[], payload: unknown): readonly string[] {
  const text = typeof payload === 'string' || Buffer.isBuffer(payload) ? payload.toString() : null
  if (text === null) return ['the body is a stream']
  const validate = validator(at)
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch {
    return ['the body is not JSON']
  }
  if (validate(body)) return []
  return (validate.errors ?? []).map(
    ({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`,
  )
}

const validators = new Map<string, ValidateFunction>()

function validator(at: readonly string[]): ValidateFunction {
  const pointer = at
    .map((step) => step.replaceAll('~', '~0').replaceAll('/', '~1'))
    .map(encodeURIComponent)
    .join('/')
  const known = validators.get(pointer)
  if (known) return known
  const made = ajv.compile({ $ref: `openapi#/${pointer}` })
  validators.set(pointer, made)
  return made
}

/** What stands at a place of the document, and where it really does: references are followed. */
function lookUp(at: readonly string[]): { readonly found: unknown; readonly at: readonly string[] } {
  const found = at.reduce<unknown>((value, step) => Object(value)[step], document)
  const reference: unknown = Object(found).$ref
  return typeof reference === 'string' ? lookUp(reference.replace('#/', '').split('/')) : { found, at }
}
