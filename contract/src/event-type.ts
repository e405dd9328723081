import Type, { type Static } from 'typebox'
import { nullable } from './nullable.ts'
import { listOf } from './page.ts'

export const EventTypeName = Type.String({
  pattern: '^(?!\\.{1,2}$)[a-zA-Z0-9\\-_./]{1,256}$',
  description: '1 to 256 of a–z, A–Z, 0–9, "-", "_", ".", "/"; dots group: `invoice.paid`.',
})

export const EventTypeWish = Type.String({
  pattern: '^(?!\\.{1,2}$)([a-zA-Z0-9\\-_./]{1,256}|([a-zA-Z0-9\\-_./]{0,254}\\.)?\\*)$',
  description: 'The name of an event type; or `invoice.*`, all whose name begins with `invoice.`; or `*`, all.',
})

const description = Type.String({ maxLength: 4096, description: 'For people.' })
const FeatureFlags = Type.Array(Type.String({ minLength: 1, maxLength: 256 }), { maxItems: 100 })

const optional = {
  archived: Type.Optional(Type.Boolean({ description: 'Archived event types are hidden from lists. Default: false.' })),
  deprecated: Type.Optional(Type.Boolean()),
  schemas: Type.Optional(
    Type.Unsafe<Readonly<Record<string, unknown>> | null>({
      type: ['object', 'null'],
      description: 'JSON Schemas of the payload by version.',
    }),
  ),
  groupName: Type.Optional(nullable(Type.String({ minLength: 1, maxLength: 256 }))),
  featureFlags: Type.Optional(nullable(FeatureFlags)),
  // One flag was all that older clients knew.
  featureFlag: Type.Optional(
    nullable(
      Type.String({ minLength: 1, maxLength: 256, deprecated: true, description: 'Older form of `featureFlags`.' }),
    ),
  ),
}

const example = {
  description: 'An invoice was paid in full.',
  schemas: { '1': { type: 'object', required: ['id'], properties: { id: { type: 'string' } } } },
}

export const EventTypeIn = Type.Object(
  { name: EventTypeName, description, ...optional },
  { examples: [{ name: 'invoice.paid', ...example }] },
)
export type EventTypeIn = Static<typeof EventTypeIn>

export const EventTypeUpsertIn = Type.Object({ description, ...optional }, { examples: [example] })
export type EventTypeUpsertIn = Static<typeof EventTypeUpsertIn>

export const EventTypePatch = Type.Object(
  { description: Type.Optional(description), ...optional },
  { examples: [{ deprecated: true }] },
)
export type EventTypePatch = Static<typeof EventTypePatch>

export const EventTypeOut = Type.Object(
  {
    name: Type.String(),
    description: Type.String(),
    archived: Type.Boolean(),
    deprecated: Type.Boolean(),
    schemas: Type.Unsafe<Readonly<Record<string, unknown>> | null>({ type: ['object', 'null'] }),
    groupName: nullable(Type.String()),
    featureFlags: nullable(Type.Array(Type.String())),
    featureFlag: nullable(Type.String({ deprecated: true })),
    createdAt: Type.String({ format: 'date-time' }),
    updatedAt: Type.String({ format: 'date-time' }),
  },
  {
    examples: [
      {
        name: 'invoice.paid',
        ...example,
        archived: false,
        deprecated: false,
        groupName: null,
        featureFlags: null,
        featureFlag: null,
        createdAt: '2026-03-01T09:00:00.000Z',
        updatedAt: '2026-03-01T09:00:00.000Z',
      },
    ],
  },
)
export type EventTypeOut = Static<typeof EventTypeOut>

export const ListResponseEventTypeOut = listOf(EventTypeOut)

export const EventExampleIn = Type.Object(
  {
    eventType: EventTypeName,
    exampleIndex: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 1_000,
        description: 'Which of the `examples` of its schema, counted from 0. Without meaning where it has none.',
      }),
    ),
  },
  { examples: [{ eventType: 'invoice.paid' }] },
)
export type EventExampleIn = Static<typeof EventExampleIn>

export const EventTypeImportOpenApiIn = Type.Object(
  {
    spec: Type.Optional(
      Type.Unsafe<Readonly<Record<string, unknown>> | null>({
        type: ['object', 'null'],
        description: 'An OpenAPI document. Either this or `specRaw`.',
      }),
    ),
    specRaw: Type.Optional(nullable(Type.String({ description: 'The text of one, JSON or YAML.' }))),
    dryRun: Type.Optional(Type.Boolean({ description: 'Only tell what would change. Default: false.' })),
    replaceAll: Type.Optional(
      Type.Boolean({ description: 'Archive the event types that are not in the document. Default: false.' }),
    ),
  },
  {
    examples: [
      {
        spec: {
          openapi: '3.1.0',
          webhooks: {
            'invoice.paid': {
              post: {
                description: 'An invoice was paid in full.',
                requestBody: { content: { 'application/json': { schema: { type: 'object' } } } },
              },
            },
          },
        },
      },
    ],
  },
)
export type EventTypeImportOpenApiIn = Static<typeof EventTypeImportOpenApiIn>

export const EventTypeFromOpenApi = Type.Object(
  {
    name: Type.String(),
    description: Type.String(),
    schemas: Type.Unsafe<Readonly<Record<string, unknown>> | null>({ type: ['object', 'null'] }),
    deprecated: Type.Boolean(),
    groupName: nullable(Type.String()),
    featureFlags: nullable(Type.Array(Type.String())),
  },
  {
    examples: [
      {
        ...{ name: 'invoice.paid', description: 'An invoice was paid in full.', schemas: { '1': { type: 'object' } } },
        ...{ deprecated: false, groupName: null, featureFlags: null },
      },
    ],
  },
)
export type EventTypeFromOpenApi = Static<typeof EventTypeFromOpenApi>

// The one place where the client's wire has names with an underscore.
export const EventTypeImportOpenApiOut = Type.Object(
  {
    data: Type.Object({
      modified: Type.Array(Type.String(), { description: 'Names of those that were made, changed or brought back.' }),
      to_modify: nullable(
        Type.Array(EventTypeFromOpenApi, { description: 'With `dryRun`: as they would be; otherwise null.' }),
      ),
      archived: Type.Array(Type.String(), { description: 'Names of those that were archived.' }),
      to_archive: nullable(Type.Array(Type.String(), { description: 'With `dryRun`; otherwise null.' })),
    }),
  },
  { examples: [{ data: { modified: ['invoice.paid'], to_modify: null, archived: [], to_archive: null } }] },
)
export type EventTypeImportOpenApiOut = Static<typeof EventTypeImportOpenApiOut>

/** The bodies that have a name in the reference. */
export const eventTypeSchemas = {
  EventTypeImportOpenApiIn,
  EventTypeFromOpenApi,
  EventTypeImportOpenApiOut,
  EventExampleIn,
  EventTypeIn,
  EventTypeUpsertIn,
  EventTypePatch,
  EventTypeOut,
  ListResponseEventTypeOut,
} as const
