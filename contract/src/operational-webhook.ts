import Type, { type Static } from 'typebox'
import { EndpointIn, endpointExample, endpointShown } from './endpoint.ts'
import { nullable } from './nullable.ts'
import { listOf } from './page.ts'

// Which names there are is said where a wrong one is refused: the list grows.
const EventTypes = Type.Array(Type.String({ minLength: 1, maxLength: 256 }), {
  minItems: 1,
  maxItems: 100,
  description: 'The operational event types it wants; null: all.',
})

const { url, description, uid, disabled, throttleRate, rateLimit, metadata, secret, headers } = EndpointIn.properties
const said = {
  url,
  description,
  uid,
  disabled,
  eventTypes: Type.Optional(nullable(EventTypes)),
  // Both generations of clients are understood; where both names are given, the newer one counts.
  filterTypes: Type.Optional(nullable({ ...EventTypes, deprecated: true, description: 'Older name of `eventTypes`.' })),
  throttleRate,
  rateLimit,
  metadata,
}

const example = {
  url: 'https://ops.example/posthorn',
  description: 'On call',
  eventTypes: ['endpoint.disabled', 'message.attempt.exhausted'],
}

export const OperationalWebhookEndpointIn = Type.Object({ ...said, secret, headers }, { examples: [example] })
export type OperationalWebhookEndpointIn = Static<typeof OperationalWebhookEndpointIn>

export const OperationalWebhookEndpointUpsertIn = Type.Object(said, { examples: [example] })
export type OperationalWebhookEndpointUpsertIn = Static<typeof OperationalWebhookEndpointUpsertIn>

const shown = {
  id: endpointShown.id,
  uid: endpointShown.uid,
  url: endpointShown.url,
  description: endpointShown.description,
  disabled: endpointShown.disabled,
  eventTypes: endpointShown.eventTypes,
  filterTypes: endpointShown.filterTypes,
  throttleRate: endpointShown.throttleRate,
  rateLimit: endpointShown.rateLimit,
  createdAt: endpointShown.createdAt,
  updatedAt: endpointShown.updatedAt,
}
const { id, createdAt, updatedAt } = endpointExample

export const OperationalWebhookEndpointOut = Type.Object(
  { ...shown, metadata: Type.Record(Type.String(), Type.String()) },
  {
    examples: [
      {
        ...{ id, uid: null, ...example, disabled: false, filterTypes: example.eventTypes },
        ...{ throttleRate: null, rateLimit: null, createdAt, updatedAt, metadata: {} },
      },
    ],
  },
)
export type OperationalWebhookEndpointOut = Static<typeof OperationalWebhookEndpointOut>

export const ListResponseOperationalWebhookEndpointOut = listOf(OperationalWebhookEndpointOut)

/** The bodies that have a name in the reference. */
export const operationalWebhookSchemas = {
  OperationalWebhookEndpointIn,
  OperationalWebhookEndpointUpsertIn,
  OperationalWebhookEndpointOut,
  ListResponseOperationalWebhookEndpointOut,
} as const
