import Type from 'typebox'
import { nullable } from './nullable.ts'
import { listOf } from './page.ts'

const time = (description: string) => Type.String({ format: 'date-time', description })

/** Where a received request came from, as far as every list shows it. */
export const cameShown = {
  method: nullable(Type.String()),
  target: nullable(Type.String({ description: 'The request target as it stood in the request line.' })),
  peer: nullable(Type.String({ description: 'The address at the other end of the connection.' })),
  client: nullable(
    Type.String({ description: 'The address of whoever began it, behind `POSTHORN_TRUSTED_PROXIES` proxies.' }),
  ),
  bytes: nullable(Type.Integer({ description: 'Of the body. Null: it is gone.' })),
}

const Token = Type.Object({
  at: Type.String({ description: 'Where it stands: a header, the body, a form field, or a JSON Pointer.' }),
  header: Type.Unsafe<unknown>({}),
  payload: Type.Unsafe<unknown>({ description: 'Null: it is encrypted, or no JSON.' }),
})

const Part = Type.Object({
  name: nullable(Type.String()),
  filename: nullable(Type.String()),
  contentType: nullable(Type.String()),
  bytes: Type.Integer(),
  text: nullable(Type.String({ description: 'Where it is a text of at most 16 KiB.' })),
})

const Pair = Type.Array(Type.String(), { minItems: 2, maxItems: 2 })

/** A body made readable. */
const Decoded = Type.Object(
  {
    kind: Type.Enum(['empty', 'binary', 'json', 'xml', 'text', 'form', 'multipart']),
    unpacked: Type.Array(Type.String(), { description: 'Content encodings that were undone for this view.' }),
    bytes: Type.Integer({ description: 'Of the body once they were undone.' }),
    json: Type.Optional(Type.Unsafe<unknown>({ description: 'As it was spelled.' })),
    text: Type.Optional(Type.String({ description: 'Left out where it is the same as `body`.' })),
    fields: Type.Optional(Type.Array(Pair, { description: 'Of a form: name and value, in their order.' })),
    parts: Type.Optional(Type.Array(Part)),
    tokens: Type.Array(Token, {
      description: 'JSON Web Tokens it brings along, taken apart. That one is shown does not mean that it is genuine.',
    }),
    faults: Type.Array(Type.String(), { description: 'What was wrong with it, or could not be done.' }),
  },
  { description: 'Worked out for reading. What is verified and forwarded are the bytes.' },
)

/** What only one that is looked at by itself shows. */
export const contentShown = {
  headers: Type.Array(Pair, {
    description:
      'Name and value, in their order, with repeats. Where a name tells of a credential, the value is `***` for keys without scope `manage`.',
  }),
  body: nullable(Type.String({ description: 'Where it is UTF-8.' })),
  bodyBase64: nullable(Type.String({ description: 'Where it is not.' })),
  decoded: nullable(Decoded),
}

const verification = {
  type: 'object',
  properties: {
    kind: { type: 'string', enum: ['verified', 'unverified', 'refused'] },
    scheme: { type: 'string', description: 'Verified: the scheme of the preset that passed.' },
    secret: { type: ['string', 'null'], description: 'Verified: the id of the secret that passed.' },
    because: {
      type: 'string',
      enum: ['no-scheme', 'no-secret'],
      description: 'Unverified: there is nothing to verify with.',
    },
    reason: { type: 'string', description: 'Refused (in mode `observe`): why it would not have been let in.' },
    explanation: { type: 'array', items: { type: 'string' } },
  },
  required: ['kind'],
} as const
const Verification = Type.Unsafe<{ readonly kind: string } | null>({ ...verification, type: ['object', 'null'] })

const receivedShown = {
  id: Type.String(),
  eventType: Type.String(),
  eventId: nullable(Type.String({ description: 'What makes it the same event as another request.' })),
  receivedAt: time('When the request had arrived.'),
  ...cameShown,
  verification: Verification,
  duplicates: Type.Integer({
    description: 'Requests that repeated it; they were answered alike and not stored again.',
  }),
}

const example = {
  ...{ id: 'msg_0TkxGmxb0003kR7wHt2fYc9NdSv', eventType: 'invoice.paid', eventId: 'evt_1NG8Du2eZvKYlo2C' },
  ...{ receivedAt: '2026-03-01T09:00:01.000Z', method: 'POST', target: '/in/b7Yw3kQm/stripe' },
  ...{ peer: '10.0.0.2', client: '3.18.12.63', bytes: 27 },
  verification: { kind: 'verified', scheme: 'v1', secret: 'ssec_1' },
  duplicates: 1,
}

const ReceivedMessageOut = Type.Object(receivedShown, { examples: [example] })

export const ReceivedMessageFullOut = Type.Object(
  {
    ...receivedShown,
    ...contentShown,
    latestDuplicate: Type.Union([
      Type.Object({
        receivedAt: time('When it came.'),
        peer: Type.String(),
        retryNumber: nullable(Type.String({ description: 'What the provider says of its retry.' })),
        retryReason: nullable(Type.String()),
      }),
      Type.Null(),
    ]),
  },
  {
    examples: [
      {
        ...example,
        headers: [
          ['Host', 'hooks.example.com'],
          ['Content-Type', 'application/json'],
          ['Stripe-Signature', 't=1772355601,v1=5257a869e7ecebeda32affa62cdca3fa51cad7e77a0e56ff536d0ce8e108d8bd'],
        ],
        ...{ body: '{"id":"evt_1NG8Du2eZvKYlo2C"}', bodyBase64: null },
        decoded: {
          ...{ kind: 'json', unpacked: [], bytes: 27, json: { id: 'evt_1NG8Du2eZvKYlo2C' }, tokens: [], faults: [] },
        },
        latestDuplicate: {
          ...{ receivedAt: '2026-03-01T10:00:01.000Z', peer: '10.0.0.2', retryNumber: null, retryReason: null },
        },
      },
    ],
  },
)

export const ListResponseReceivedMessageOut = listOf(ReceivedMessageOut)

/** The bodies that have a name in the reference. */
export const receivedSchemas = { ReceivedMessageOut, ReceivedMessageFullOut, ListResponseReceivedMessageOut } as const
