import Type, { type Static } from 'typebox'
import { Metadata, RateLimit, ThrottleRate, Uid } from './application.ts'
import { EndpointControl, ResolvedControl } from './control.ts'
import { EventTypeName, EventTypeWish } from './event-type.ts'
import { nullable } from './nullable.ts'
import { listOf } from './page.ts'

export const Channel = Type.String({ pattern: '^[a-zA-Z0-9\\-_.:]{1,128}$' })

// The URL, the secret and the headers have rules of their own, with problem codes of their own; here only their types.
const url = Type.String({ description: 'Where deliveries go: `http` or `https`, at most 2,048 characters.' })
const EventTypes = Type.Array(EventTypeWish, {
  minItems: 1,
  maxItems: 1000,
  description: 'The event types it wants; `invoice.*`: all that begin with `invoice.`; null: all.',
})
const Channels = Type.Array(Channel, { minItems: 1, maxItems: 10, description: 'The channels it wants; null: all.' })
const Headers = Type.Record(Type.String(), Type.String(), { description: 'Sent with each delivery.' })
const Secret = Type.String({
  description:
    '`whsec_` and 24 to 64 bytes in base64, or `whsk_` and an Ed25519 key pair. Leave it out to have one made.',
})

const optional = {
  description: Type.Optional(Type.String({ maxLength: 4096 })),
  uid: Type.Optional(nullable(Uid)),
  disabled: Type.Optional(Type.Boolean({ description: 'A disabled endpoint is sent nothing. Default: false.' })),
  eventTypes: Type.Optional(nullable(EventTypes)),
  // Both generations of clients are understood; where both names are given, the newer one counts.
  filterTypes: Type.Optional(nullable({ ...EventTypes, deprecated: true, description: 'Older name of `eventTypes`.' })),
  channels: Type.Optional(nullable(Channels)),
  throttleRate: Type.Optional(
    nullable({
      ...ThrottleRate,
      description: 'Messages a second; null: as `control.throttleRate` of the environment says, else no limit.',
    }),
  ),
  rateLimit: Type.Optional(nullable(RateLimit)),
  filter: Type.Optional(
    nullable(
      Type.String({
        minLength: 1,
        maxLength: 4096,
        description:
          'A CEL expression over `type`, `channels`, `tags`, `headers` and `payload`; only messages of which it is true are sent.',
      }),
    ),
  ),
  metadata: Type.Optional(Metadata),
  control: Type.Optional(nullable(EndpointControl)),
}

const example = { url: 'https://acme.example/webhooks', description: 'Accounting', eventTypes: ['invoice.paid'] }

export const EndpointIn = Type.Object(
  { url, ...optional, secret: Type.Optional(nullable(Secret)), headers: Type.Optional(nullable(Headers)) },
  { examples: [example] },
)
export type EndpointIn = Static<typeof EndpointIn>

export const EndpointUpsertIn = Type.Object({ url, ...optional }, { examples: [example] })
export type EndpointUpsertIn = Static<typeof EndpointUpsertIn>

export const EndpointPatch = Type.Object({ url: Type.Optional(url), ...optional }, { examples: [{ disabled: true }] })
export type EndpointPatch = Static<typeof EndpointPatch>

/** What an endpoint looks like wherever it is shown. */
export const endpointShown = {
  id: Type.String(),
  uid: nullable(Type.String()),
  url: Type.String(),
  description: Type.String(),
  disabled: Type.Boolean(),
  eventTypes: nullable(Type.Array(Type.String())),
  filterTypes: nullable({ ...Type.Array(Type.String()), deprecated: true }),
  channels: nullable(Type.Array(Type.String())),
  throttleRate: nullable(Type.Integer()),
  rateLimit: nullable({ ...Type.Integer(), deprecated: true }),
  filter: nullable(Type.String()),
  control: EndpointControl,
  paused: Type.Boolean({ description: 'Its deliveries are kept back until it is resumed.' }),
  breakerOpenedAt: nullable(
    Type.String({
      format: 'date-time',
      description: 'Since when its breaker holds its deliveries, because most of them failed; null: it does not.',
    }),
  ),
  // Means nothing any more; typed 1.x clients cannot read an endpoint without it.
  version: Type.Integer({ deprecated: true }),
  createdAt: Type.String({ format: 'date-time' }),
  updatedAt: Type.String({ format: 'date-time' }),
}

export const endpointExample = {
  id: 'ep_0TkxGmxa0009Jd8sVb3nXq5PzUf',
  uid: null,
  ...example,
  disabled: false,
  filterTypes: ['invoice.paid'],
  channels: null,
  throttleRate: null,
  rateLimit: null,
  filter: null,
  control: {},
  paused: false,
  breakerOpenedAt: null,
  version: 1,
  createdAt: '2026-03-01T09:00:00.000Z',
  updatedAt: '2026-03-01T09:00:00.000Z',
}

export const EndpointOut = Type.Object(
  {
    ...endpointShown,
    metadata: Type.Record(Type.String(), Type.String()),
    resolved: Type.Optional(ResolvedControl),
  },
  { examples: [{ ...endpointExample, metadata: {} }] },
)
export type EndpointOut = Static<typeof EndpointOut>

export const EndpointHeadersIn = Type.Object({ headers: Headers }, { examples: [{ headers: { 'x-tenant': 'acme' } }] })
export type EndpointHeadersIn = Static<typeof EndpointHeadersIn>

export const EndpointHeadersPatchIn = Type.Object(
  {
    // The newest clients always send it; older ones, and people, may only want to delete.
    headers: Type.Optional(
      Type.Record(Type.String(), nullable(Type.String()), { description: 'Set, or removed where null.' }),
    ),
    deleteHeaders: Type.Optional(Type.Array(Type.String(), { maxItems: 1000, description: 'Names to remove.' })),
  },
  { examples: [{ headers: { 'x-tenant': 'acme' }, deleteHeaders: ['x-old'] }] },
)
export type EndpointHeadersPatchIn = Static<typeof EndpointHeadersPatchIn>

export const EndpointHeadersOut = Type.Object(
  {
    headers: Type.Record(Type.String(), Type.String()),
    sensitive: Type.Array(Type.String(), {
      description: 'Names of headers that are set but whose values are not shown.',
    }),
  },
  { examples: [{ headers: { 'x-tenant': 'acme' }, sensitive: ['authorization'] }] },
)
export type EndpointHeadersOut = Static<typeof EndpointHeadersOut>

export const EndpointSecretOut = Type.Object(
  { key: Type.String() },
  { examples: [{ key: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw' }] },
)
export type EndpointSecretOut = Static<typeof EndpointSecretOut>

export const EndpointSecretRotateIn = Type.Object(
  {
    key: Type.Optional(nullable(Secret)),
    gracePeriodSeconds: Type.Optional(
      nullable(
        Type.Integer({
          minimum: 0,
          maximum: 604_800,
          description:
            'How long the former secret still signs beside the new one. Default: 86400 (a day); at most 7 days.',
        }),
      ),
    ),
  },
  { examples: [{ gracePeriodSeconds: 3600 }] },
)
export type EndpointSecretRotateIn = Static<typeof EndpointSecretRotateIn>

export const ListResponseEndpointOut = listOf(EndpointOut)

/** Messages at an endpoint, by where they stand. */
export const EndpointStats = Type.Object(
  {
    success: Type.Integer(),
    pending: Type.Integer({ description: 'Waiting for their first try.' }),
    sending: Type.Integer({ description: 'Tried, and to be tried again.' }),
    fail: Type.Integer(),
    canceled: Type.Integer(),
  },
  { examples: [{ success: 48_211, pending: 3, sending: 12, fail: 40, canceled: 0 }] },
)
export type EndpointStats = Static<typeof EndpointStats>

export const FilterTestIn = Type.Object(
  {
    filter: Type.Optional(
      nullable(Type.String({ maxLength: 4096, description: 'The filter to try. Left out: the one the endpoint has.' })),
    ),
    eventType: EventTypeName,
    channels: Type.Optional(nullable(Type.Array(Channel, { maxItems: 10 }))),
    tags: Type.Optional(nullable(Type.Array(Type.String({ minLength: 1, maxLength: 128 }), { maxItems: 10 }))),
    payload: Type.Unsafe<unknown>({ type: 'object', description: 'What the message would carry.' }),
  },
  { examples: [{ filter: 'payload.total > 100', eventType: 'invoice.paid', payload: { total: 250 } }] },
)
export type FilterTestIn = Static<typeof FilterTestIn>

export const FilterTestOut = Type.Object(
  {
    matches: Type.Boolean({ description: 'Whether the endpoint would get the message.' }),
    because: Type.Unsafe<'disabled' | 'event-type' | 'channel' | 'filter' | null>({
      type: ['string', 'null'],
      enum: ['disabled', 'event-type', 'channel', 'filter', null],
      description: 'The first reason why it would not.',
    }),
    filter: Type.Unsafe<'yes' | 'no' | 'failed' | 'too-costly' | null>({
      type: ['string', 'null'],
      enum: ['yes', 'no', 'failed', 'too-costly', null],
      description: 'What the filter alone says; null: there is none. What is not `yes` does not match.',
    }),
    reason: nullable(Type.String({ description: 'Why the filter could not be worked out.' })),
  },
  { examples: [{ matches: true, because: null, filter: 'yes', reason: null }] },
)
export type FilterTestOut = Static<typeof FilterTestOut>

/** The bodies that have a name in the reference. */
export const endpointSchemas = {
  FilterTestIn,
  FilterTestOut,
  EndpointStats,
  EndpointIn,
  EndpointUpsertIn,
  EndpointPatch,
  EndpointOut,
  ListResponseEndpointOut,
  EndpointHeadersIn,
  EndpointHeadersPatchIn,
  EndpointHeadersOut,
  EndpointSecretOut,
  EndpointSecretRotateIn,
} as const
