import { operationalMessages } from '../operational-message.ts'
import { embedded } from './embedded.ts'
import { type Json, printed } from './schema.ts'

const signedHeaders = {
  'webhook-id': {
    description: 'The same with every try to deliver this message: whoever has seen it has seen the message.',
    schema: { type: 'string', pattern: '^[0-9A-Za-z_]+$', maxLength: 64 },
  },
  'webhook-timestamp': {
    description: 'When this try was signed, in seconds since 1970. What is too old may be a replay.',
    schema: { type: 'string', pattern: '^[0-9]+$', maxLength: 20 },
  },
  'webhook-signature': {
    description:
      'Signatures by Standard Webhooks with each secret of the endpoint, separated by spaces: `v1,` (HMAC-SHA256) or `v1a,` (Ed25519), then base64.',
    schema: { type: 'string', pattern: '^v1a?,', maxLength: 16_384 },
  },
} as const

/** The headers of a delivery, as the document's components. */
export const deliveryParameters: Json = Object.fromEntries(
  Object.entries(signedHeaders).map(([name, of]) => [name, { name, in: 'header', required: true, ...of }]),
)

const retryAfter = {
  'Retry-After': {
    description: 'Seconds or a date: nothing is sent sooner, up to 24 hours.',
    schema: { type: 'string', pattern: '^[\\x20-\\x7e]+$', maxLength: 64 },
  },
}

/** What a receiver can answer, and what we make of it. */
const receiverAnswers: Json = {
  '2XX': { description: 'Delivered.' },
  '410': { description: 'Gone: the endpoint is disabled and sent nothing more.' },
  '429': { description: 'Not so fast: tried again, no sooner than asked.', headers: retryAfter },
  '503': { description: 'Not now: tried again, no sooner than asked.', headers: retryAfter },
  default: { description: 'Failed; a redirect too. Tried again by the schedule of the endpoint.' },
}

const delivery = (operationId: string, summary: string, description: string, schema: unknown): Json => ({
  operationId,
  summary,
  description,
  // Nobody needs our keys to receive: the signature shows who sends.
  security: [],
  parameters: Object.keys(signedHeaders).map((name) => ({ $ref: `#/components/parameters/${name}` })),
  requestBody: { required: true, content: { 'application/json': { schema } } },
  responses: receiverAnswers,
})

/** The body of several messages in one request, for endpoints that ask for it (`batchSize`). */
const batch = {
  type: 'array',
  minItems: 1,
  maxItems: 1_000,
  items: {
    type: 'object',
    required: ['id', 'type', 'timestamp', 'payload'],
    properties: {
      id: { type: 'string', description: "The message's id.", pattern: '^msg_[0-9A-Za-z]+$', maxLength: 64 },
      type: {
        type: 'string',
        description: "The message's event type.",
        pattern: '^[a-zA-Z0-9\\-_./]+$',
        maxLength: 256,
      },
      timestamp: { type: 'string', format: 'date-time', maxLength: 64 },
      contentType: {
        type: 'string',
        description: 'Where the message has a content type of its own; its payload is then a string.',
        pattern: '^[\\x20-\\x7e]+$',
        maxLength: 256,
      },
      payload: { description: 'As it was published.' },
    },
  },
}

const anyPayload = { type: 'object', description: 'As it was published, byte for byte.' }

const operational = Object.entries(operationalMessages).map(([name, { when, payload }]) => ({
  name,
  when,
  schema: printed(payload),
}))

const messages = delivery(
  'callback:messages',
  'A message',
  'Sent to the URL of each endpoint that wants the message, and again until it is taken or the schedule ends.',
  { anyOf: [anyPayload, batch] },
)

/** What is sent to a URL that an operation registers, as the document's components. */
export const deliveryCallbacks = {
  messages: { '{$request.body#/url}': { post: messages } },
  operational: {
    '{$request.body#/url}': {
      post: delivery(
        'callback:operational',
        'An operational message',
        'Sent to each operational endpoint that wants it.',
        {
          oneOf: operational.map(({ name }) => ({ $ref: `#/components/schemas/${schemaName(name)}` })),
        },
      ),
    },
  },
}

/** `endpoint.breaker.opened` → `EndpointBreakerOpenedMessage` */
function schemaName(eventType: string): string {
  const words = eventType.split(/[._]/).map((word) => word.charAt(0).toUpperCase() + word.slice(1))
  return `${words.join('')}Message`
}

/** The payloads of operational messages, as the document's components. */
export const operationalSchemas: Json = Object.fromEntries(
  operational.map(({ name, schema }) => [schemaName(name), schema]),
)

/** Path items of `webhooks` that come with every environment. */
export const operationalWebhooks: Json = Object.fromEntries(
  operational.map(({ name, when }) => [
    name,
    { post: delivery(`webhook:${name}`, `\`${name}\``, when, { $ref: `#/components/schemas/${schemaName(name)}` }) },
  ]),
)

/** The path item that stands for event types nobody has named. */
export const anyWebhook: Json = {
  'your-event-type': {
    post: {
      ...messages,
      operationId: 'webhook:your-event-type',
      description: 'Any event type of yours. Read with a key, this document describes each that is declared.',
    },
  },
}

/** An event type of an environment, as far as receivers need to know it. */
export interface DeclaredEventType {
  readonly name: string
  readonly description: string
  readonly deprecated: boolean
  /** The JSON Schema of its payload; undefined: none. */
  readonly schema: unknown
}

/** Path items of `webhooks` for declared event types. A schema that `isSchema` does not take is left out. */
export function declaredWebhooks(
  eventTypes: readonly DeclaredEventType[],
  isSchema: (schema: unknown) => boolean,
): Json {
  return Object.fromEntries(
    eventTypes.map(({ name, description, deprecated, schema }) => {
      const place = `#/webhooks/${name.replaceAll('~', '~0').replaceAll('/', '~1')}/post/requestBody/content/application~1json/schema`
      const payload = schema === undefined ? anyPayload : embedded(schema, place)
      const post = delivery(
        `webhook:${name}`,
        `\`${name}\``,
        description || name,
        isSchema(payload) ? payload : anyPayload,
      )
      return [name, { post: deprecated ? { ...post, deprecated } : post }]
    }),
  )
}
