import Type, { type Static } from 'typebox'
import { ApplicationIn, Uid } from './application.ts'
import { Channel } from './endpoint.ts'
import { EventTypeName } from './event-type.ts'
import { nullable } from './nullable.ts'
import { listOf } from './page.ts'
import { ProblemOut } from './problem.ts'

const payload = Type.Unsafe<unknown>({
  type: 'object',
  description: 'Sent as the body of the webhook, byte for byte as spelled here.',
})

/** The parts of a message a publish call is checked against by hand: this schema is what the reference prints. */
export const MessageIn = Type.Object(
  {
    eventType: EventTypeName,
    payload,
    eventId: Type.Optional(
      nullable({ ...Uid, description: 'Your own id of the fact: the same one is accepted once in an application.' }),
    ),
    channels: Type.Optional(nullable(Type.Array(Channel, { maxItems: 10 }))),
    tags: Type.Optional(nullable(Type.Array(Type.String({ minLength: 1, maxLength: 128 }), { maxItems: 10 }))),
    orderingKey: Type.Optional(
      nullable(
        Type.String({
          minLength: 1,
          maxLength: 256,
          description:
            'Messages with the same key reach endpoints that ask for an order (`control.ordering`) one after the other.',
        }),
      ),
    ),
    deliverAt: Type.Optional(
      nullable(
        Type.String({
          format: 'date-time',
          description:
            'Not sent before; it can be canceled until then. In the past: at once. Not beside `orderingKey`.',
        }),
      ),
    ),
    expiresAt: Type.Optional(
      nullable(Type.String({ format: 'date-time', description: 'Not delivered by then, it is not delivered at all.' })),
    ),
    payloadRetentionPeriod: Type.Optional(
      nullable(
        Type.Integer({
          minimum: 1,
          maximum: 3_650,
          description:
            'Days after which the payload is removed, whatever its application says; never later than the message itself.',
        }),
      ),
    ),
    payloadRetentionHours: Type.Optional(
      nullable(Type.Integer({ minimum: 1, maximum: 87_600, description: 'The same in hours; one of both, not both.' })),
    ),
    application: Type.Optional(
      Type.Union([ApplicationIn, Type.Null()], {
        description: 'Creates the application of the path, under that uid, if there is none yet.',
      }),
    ),
    transformationsParams: Type.Optional(
      Type.Unsafe<{ readonly rawPayload?: string; readonly headers?: Readonly<Record<string, string>> } | null>({
        type: ['object', 'null'],
        properties: {
          rawPayload: {
            type: 'string',
            description: 'The exact body to send, in place of `payload`; need not be JSON.',
          },
          headers: {
            type: 'object',
            properties: { 'content-type': { type: 'string', maxLength: 256 } },
          },
        },
      }),
    ),
  },
  { examples: [{ eventType: 'invoice.paid', payload: { id: 'inv_1', total: 1250 }, eventId: 'evt-2026-000017' }] },
)
export type MessageIn = Static<typeof MessageIn>

export const MessageBatchIn = Type.Object(
  { messages: Type.Array(MessageIn, { minItems: 1, maxItems: 1000 }) },
  {
    description: 'Each as for one message, but that a batch makes no application.',
    examples: [{ messages: [{ eventType: 'invoice.paid', payload: { id: 'inv_1' } }] }],
  },
)
export type MessageBatchIn = Static<typeof MessageBatchIn>

/** What a message looks like wherever it is shown. */
export const messageShown = {
  id: Type.String(),
  eventType: Type.String(),
  eventId: nullable(Type.String()),
  payload: Type.Unsafe<unknown>({ description: 'As it was spelled; `{}` where it was not asked for or is gone.' }),
  payloadEncoding: Type.Optional(
    Type.Enum(['text', 'base64'], {
      description:
        'Only of what came to a source and is not JSON: `payload` is then a string with the text, or with the bytes in base64.',
    }),
  ),
  channels: nullable(Type.Array(Type.String())),
  tags: nullable(Type.Array(Type.String())),
  timestamp: Type.String({ format: 'date-time' }),
  deliverAt: nullable(Type.String({ format: 'date-time' })),
  expiresAt: nullable(Type.String({ format: 'date-time' })),
  orderingKey: nullable(Type.String()),
}

export const messageExample = {
  id: 'msg_0TkxGmxb0003kR7wHt2fYc9NdSv',
  eventType: 'invoice.paid',
  eventId: 'evt-2026-000017',
  payload: { id: 'inv_1', total: 1250 },
  channels: null,
  tags: null,
  timestamp: '2026-03-01T09:00:01.000Z',
  deliverAt: null,
  expiresAt: null,
  orderingKey: null,
}

export const MessageOut = Type.Object(messageShown, { examples: [messageExample] })
export type MessageOut = Static<typeof MessageOut>

const Warning = Type.Object({
  pointer: Type.String({ description: 'JSON Pointer into the request.' }),
  message: Type.String(),
})

/** How a publish is answered. */
export const MessageAccepted = Type.Object(
  {
    ...messageShown,
    warnings: Type.Optional(
      Type.Array(Warning, {
        description: 'Where the payload does not fit its schema, if the environment says `schemaValidation: warn`.',
      }),
    ),
  },
  { examples: [messageExample] },
)

export const MessageBatchOut = Type.Object(
  {
    data: Type.Array(
      Type.Object({
        status: Type.Integer({ description: '202: accepted and stored; else the status of the problem.' }),
        message: Type.Optional(MessageAccepted),
        problem: Type.Optional(ProblemOut),
      }),
      { description: 'What became of each message, in the order they were given.' },
    ),
  },
  { examples: [{ data: [{ status: 202, message: messageExample }] }] },
)
export type MessageBatchOut = Static<typeof MessageBatchOut>

export const MessageExplainOut = Type.Object(
  {
    data: Type.Array(
      Type.Object({
        endpointId: Type.String(),
        endpointUid: nullable(Type.String()),
        url: Type.String(),
        verdict: Type.Enum(['sent', 'waiting', 'not-sent']),
        result: Type.Optional(Type.Enum(['delivered', 'failed', 'canceled'], { description: 'Where it was sent.' })),
        waitingFor: Type.Optional(
          Type.Enum(
            [
              ...(['in-flight', 'turn', 'rate', 'batch', 'schedule', 'retry', 'order', 'parked'] as const),
              ...(['pause', 'breaker', 'disabled', 'node'] as const),
            ],
            { description: 'Where it waits.' },
          ),
        ),
        until: Type.Optional(
          nullable(
            Type.String({ format: 'date-time', description: 'Null: until something happens that has no date.' }),
          ),
        ),
        nodeId: Type.Optional(Type.String({ description: 'Where it waits for a `node`: the one that holds it.' })),
        because: Type.Optional(
          Type.Enum(['event-type', 'channel', 'filter', 'disabled', 'created-later', 'changed'], {
            description: 'Where it was not sent.',
          }),
        ),
        detail: Type.Optional(nullable(Type.String())),
        attempts: Type.Optional(
          Type.Array(
            Type.Object({
              id: Type.String(),
              succeeded: Type.Optional(Type.Boolean()),
              ended: Type.Optional(Type.Enum(['canceled', 'expired'])),
              responseStatusCode: Type.Integer({ description: '0 where there was no answer.' }),
              timestamp: Type.String({ format: 'date-time' }),
            }),
            { maxItems: 250, description: 'Oldest first; of more than 250 attempts of the message, the latest.' },
          ),
        ),
      }),
    ),
  },
  {
    examples: [
      {
        data: [
          {
            ...{
              endpointId: 'ep_0TkxGmxa0009Jd8sVb3nXq5PzUf',
              endpointUid: null,
              url: 'https://acme.example/webhooks',
            },
            ...{ verdict: 'waiting', waitingFor: 'retry', until: '2026-03-01T09:05:06.000Z', attempts: [] },
          },
        ],
      },
    ],
  },
)

export const MessageCancelOut = Type.Object(
  { canceled: Type.Integer({ description: 'Deliveries that were waiting and will not be made.' }) },
  { examples: [{ canceled: 2 }] },
)

export const ListResponseMessageOut = listOf(MessageOut)

export const MessagePrecheckIn = Type.Object(
  { eventType: EventTypeName, channels: Type.Optional(nullable(Type.Array(Channel, { maxItems: 10 }))) },
  { examples: [{ eventType: 'invoice.paid' }] },
)
export type MessagePrecheckIn = Static<typeof MessagePrecheckIn>

export const MessagePrecheckOut = Type.Object(
  { active: Type.Boolean({ description: 'Whether an endpoint would get such a message.' }) },
  { examples: [{ active: true }] },
)
export type MessagePrecheckOut = Static<typeof MessagePrecheckOut>
export const BulkExpungeContentsIn = Type.Object(
  {
    ids: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 256 }), {
        maxItems: 1_000,
        description: 'Ids or eventIds; at most 1,000 in one call.',
      }),
    ),
  },
  { examples: [{ ids: [messageExample.id, messageExample.eventId] }] },
)

export const BulkExpungeContentsOut = Type.Object(
  {
    results: Type.Record(Type.String(), Type.Enum(['expunged', 'not-found']), {
      description: 'What became of each, by the name it was asked for.',
    }),
  },
  { examples: [{ results: { [messageExample.id]: 'expunged', 'evt-2025-999999': 'not-found' } }] },
)
export type BulkExpungeContentsOut = Static<typeof BulkExpungeContentsOut>

/** The bodies that have a name in the reference. */
export const messageSchemas = {
  MessageIn,
  MessageAccepted,
  MessageBatchIn,
  MessageBatchOut,
  MessageCancelOut,
  MessageExplainOut,
  MessageOut,
  ListResponseMessageOut,
  MessagePrecheckIn,
  MessagePrecheckOut,
  BulkExpungeContentsIn,
  BulkExpungeContentsOut,
} as const
