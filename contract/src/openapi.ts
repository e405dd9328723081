import { conditionsOf } from './openapi/conditional.ts'
import { answerHeaders, problemExamples, problemResponses, problemsOf, responsesOf } from './openapi/response.ts'
import { type Bounds, type Json, ofPaths, ofQueries, printed, schemasUsedIn } from './openapi/schema.ts'
import { tagDescriptions } from './openapi/tags.ts'
import {
  anyWebhook,
  type DeclaredEventType,
  declaredWebhooks,
  deliveryCallbacks,
  deliveryParameters,
  operationalSchemas,
  operationalWebhooks,
} from './openapi/webhooks.ts'
import type { Operation } from './operation.ts'
import { operations } from './operations.ts'

export interface OpenApiOptions {
  readonly version: string
  /** Under which callers reach the server. */
  readonly publicUrl: string
}

/** The event types of one environment, for those who may see them. */
export interface Declared {
  readonly eventTypes: readonly DeclaredEventType[]
  /** Whether a value can stand where a JSON Schema is expected. */
  readonly isSchema: (value: unknown) => boolean
}

const idempotencyKey: Json = {
  name: 'Idempotency-Key',
  in: 'header',
  description:
    'Makes repeating safe: for 12 hours the same key with the same request gets the answer of the first, and does nothing again. Bare or in double quotes.',
  schema: { type: 'string', minLength: 1, maxLength: 257, pattern: '^[\\x20-\\x7e]+$' },
}

function parametersOf(operation: Operation): readonly Json[] {
  const parameter = (name: string, schema: object, place: 'path' | 'query', bounds: Bounds): Json => {
    const { description, ...rest } = Object(printed(schema, bounds, true))
    return { name, in: place, ...(description ? { description } : {}), schema: rest }
  }
  return [
    ...Object.entries(operation.params.properties).map(([name, schema]) => ({
      ...parameter(name, schema, 'path', ofPaths),
      required: true,
    })),
    ...Object.entries(operation.query.properties).map(([name, schema]) => ({
      ...parameter(name, schema, 'query', ofQueries),
      required: operation.query.required?.includes(name) ?? false,
      ...('type' in schema && schema.type === 'array' ? { style: 'form', explode: false } : {}),
    })),
    ...(operation.method === 'POST' ? [idempotencyKey] : []),
    ...conditionsOf(operation),
  ]
}

function printedOperation(operation: Operation): Json {
  return {
    operationId: operation.operationId,
    tags: [operation.tag],
    summary: operation.summary,
    description: operation.description ?? `${operation.summary}.`,
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
    ...callbacksOf(operation),
  }
}

/** What an operation that registers a URL brings about there. */
function callbacksOf(operation: Operation): Json {
  const name = callbackOf(operation)
  return name === null ? {} : { callbacks: { [name]: { $ref: `#/components/callbacks/${name}` } } }
}

function callbackOf({ body, path }: Operation): keyof typeof deliveryCallbacks | null {
  if (body === null || !('properties' in body) || !('url' in Object(body.properties))) return null
  // What is forwarded from a source is what a third party has sent: nothing that could be described here.
  if (path.startsWith('/ingest/')) return null
  return path.includes('/operational-webhook/') ? 'operational' : 'messages'
}

/** The whole table as an OpenAPI 3.1 document; with the event types of an environment, if they are given. */
export function openapi({ version, publicUrl }: OpenApiOptions, declared?: Declared): Json {
  const all: readonly Operation[] = Object.values(operations)
  const paths: Record<string, Record<string, unknown>> = {}
  for (const operation of all) {
    const method = { [operation.method.toLowerCase()]: printedOperation(operation) }
    paths[operation.path] = { ...paths[operation.path], ...method }
  }
  const codes = [...new Set(all.flatMap(problemsOf))].toSorted()
  const responses = problemResponses(all)
  const callbacks = [...new Set(all.map(callbackOf))].filter((name) => name !== null)
  const own = declared === undefined ? anyWebhook : declaredWebhooks(declared.eventTypes, declared.isSchema)
  return {
    openapi: '3.1.0',
    jsonSchemaDialect: 'https://json-schema.org/draft/2020-12/schema',
    info: {
      title: 'Posthorn',
      version,
      summary: 'Sends webhooks: signed, retried, logged, never lost.',
      description:
        'The API of a Posthorn server. It speaks the wire of the `svix` client libraries: point any of them at this server. Every refusal is a problem (RFC 9457) whose `type` is a page that says what to do.',
      contact: { name: 'The operator of this server', url: publicUrl },
      license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
    },
    servers: [
      {
        url: publicUrl,
        description: 'This server. Environments (production, staging, …) are told apart by the key.',
        'x-internal': false,
      },
    ],
    tags: [...new Set(all.map(({ tag }) => tag))]
      .toSorted()
      .map((name) => ({ name, description: tagDescriptions[name] ?? '' })),
    paths,
    // What is ours comes last: an event type of somebody else's cannot stand in its place.
    webhooks: { ...own, ...operationalWebhooks },
    components: {
      securitySchemes: {
        bearer: {
          type: 'http',
          scheme: 'bearer',
          description:
            'An API key (`posthorn keys create` makes one), which needs the scope in `x-scope`; or a portal token, which needs the capability in `x-portal` and cannot call what has none.',
        },
      },
      headers: answerHeaders,
      parameters: deliveryParameters,
      callbacks: Object.fromEntries(callbacks.map((name) => [name, deliveryCallbacks[name]])),
      responses,
      examples: problemExamples(codes, publicUrl),
      schemas: { ...schemasUsedIn([paths, responses]), ...operationalSchemas },
    },
  }
}
