import type { Operation } from './operation.ts'
import { operations, schemas } from './operations.ts'
import { ProblemOut } from './problem.ts'
import { type ProblemCode, problems } from './problems.ts'

export interface OpenApiOptions {
  readonly version: string
  /** Under which callers reach the server. */
  readonly publicUrl: string
}

type Json = { readonly [key: string]: unknown }

const named = new Map<unknown, string>(
  Object.entries({ ...schemas, ProblemOut }).map(([name, schema]) => [schema, name]),
)

/** A schema as the document shows it: those with a name of their own become references. */
function printed(schema: unknown, atRoot = false): unknown {
  const name = named.get(schema)
  if (name !== undefined && !atRoot) return { $ref: `#/components/schemas/${name}` }
  if (Array.isArray(schema)) return schema.map((item) => printed(item))
  if (typeof schema !== 'object' || schema === null) return schema
  return Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, printed(value)]))
}

/** The problems an operation can answer: its own, and those that come with having a key, a body, or values to check. */
function problemsOf(operation: Operation): readonly ProblemCode[] {
  const codes = new Set<ProblemCode>(['request-malformed', 'request-invalid', 'internal', ...operation.problems])
  if (operation.scope !== null) {
    codes.add('unauthenticated').add('scope-missing').add('capability-missing').add('unavailable')
  }
  if (operation.body !== null) codes.add('body-malformed').add('body-too-large').add('media-type-unsupported')
  return [...codes].sort((a, b) => problems[a].status - problems[b].status || (a < b ? -1 : 1))
}

function parametersOf(operation: Operation): readonly Json[] {
  const inPath = Object.entries(operation.params.properties).map(([name, schema]) => ({
    name,
    in: 'path',
    required: true,
    schema: printed(schema),
  }))
  const inQuery = Object.entries(operation.query.properties).map(([name, schema]) => ({
    name,
    in: 'query',
    required: operation.query.required?.includes(name) ?? false,
    schema: printed(schema),
    ...('type' in schema && schema.type === 'array' ? { style: 'form', explode: false } : {}),
  }))
  return [...inPath, ...inQuery]
}

function responsesOf(operation: Operation): Json {
  const responses: Record<string, { description: string; content?: Json }> = {}
  for (const { status, meaning, schema } of operation.success) {
    responses[status] = {
      description: meaning,
      ...(schema ? { content: { 'application/json': { schema: printed(schema) } } } : {}),
    }
  }
  for (const code of problemsOf(operation)) {
    const { status, title } = problems[code]
    const before = responses[status]?.description
    responses[status] = {
      description: `${before ? `${before}; ` : ''}\`${code}\`: ${title}`,
      content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/ProblemOut' } } },
    }
  }
  return responses
}

function printedOperation(operation: Operation): Json {
  return {
    operationId: operation.operationId,
    tags: [operation.tag],
    summary: operation.summary,
    ...(operation.description ? { description: operation.description } : {}),
    security: operation.scope === null ? [] : [{ bearer: [] }],
    ...(operation.scope === null ? {} : { 'x-scope': operation.scope }),
    ...(operation.portal === null ? {} : { 'x-portal': operation.portal }),
    parameters: parametersOf(operation),
    ...(operation.body
      ? {
          requestBody: {
            required: operation.bodyOptional !== true,
            content: { 'application/json': { schema: printed(operation.body) } },
          },
        }
      : {}),
    responses: responsesOf(operation),
  }
}

/** The whole table as an OpenAPI 3.1 document. */
export function openapi(options: OpenApiOptions): Json {
  const all: readonly Operation[] = Object.values(operations)
  const paths: Record<string, Record<string, unknown>> = {}
  for (const operation of all) {
    const method = { [operation.method.toLowerCase()]: printedOperation(operation) }
    paths[operation.path] = { ...paths[operation.path], ...method }
  }
  return {
    openapi: '3.1.0',
    jsonSchemaDialect: 'https://json-schema.org/draft/2020-12/schema',
    info: {
      title: 'Posthorn',
      version: options.version,
      summary: 'Sends webhooks: signed, retried, logged, never lost.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: options.publicUrl }],
    tags: [...new Set(all.map(({ tag }) => tag))].map((name) => ({ name })),
    paths,
    components: {
      securitySchemes: {
        bearer: {
          type: 'http',
          scheme: 'bearer',
          description:
            'An API key (`posthorn keys create` makes one), which needs the scope in `x-scope`; or a portal token, which needs the capability in `x-portal` and cannot call what has none.',
        },
      },
      schemas: Object.fromEntries([...named].map(([schema, name]) => [name, printed(schema, true)])),
    },
  }
}
