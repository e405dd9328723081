import Type, { type Static } from 'typebox'
import { EnvironmentControl } from './control.ts'
import { EventTypeIn, EventTypeOut } from './event-type.ts'
import { nullable } from './nullable.ts'
import { listOf } from './page.ts'

const SchemaValidation = Type.Enum(['off', 'warn', 'reject'], {
  description:
    'Whether payloads are checked against the schema of their event type: `off`, `warn` (accepted, and said so), `reject`.',
})
const StrictEventTypes = Type.Boolean({
  description: 'Whether messages of event types that are not declared, or are archived, are refused. Default: false.',
})

const example = { control: { retentionDays: 30 }, schemaValidation: 'warn', strictEventTypes: false }

export const EnvironmentSettingsOut = Type.Object(
  { control: EnvironmentControl, schemaValidation: SchemaValidation, strictEventTypes: StrictEventTypes },
  { examples: [example] },
)
export type EnvironmentSettingsOut = Static<typeof EnvironmentSettingsOut>

export const EnvironmentSettingsPatch = Type.Object(
  {
    control: Type.Optional(nullable(EnvironmentControl)),
    schemaValidation: Type.Optional(SchemaValidation),
    strictEventTypes: Type.Optional(StrictEventTypes),
  },
  { examples: [{ control: { retentionDays: 30 } }] },
)
export type EnvironmentSettingsPatch = Static<typeof EnvironmentSettingsPatch>

export const EnvironmentIn = Type.Object(
  {
    eventTypes: Type.Optional(nullable(Type.Array(EventTypeIn, { maxItems: 5_000 }))),
    settings: Type.Optional(nullable(EnvironmentSettingsPatch)),
    connectors: Type.Optional(
      nullable(Type.Array(Type.Unknown(), { maxItems: 0, description: 'There are none here yet: must be empty.' })),
    ),
  },
  {
    description: 'What an export gave; what is left out stays as it is.',
    examples: [{ eventTypes: [{ name: 'invoice.paid', description: 'An invoice was paid in full.' }] }],
  },
)
export type EnvironmentIn = Static<typeof EnvironmentIn>

export const EnvironmentOut = Type.Object(
  {
    version: Type.Integer({ description: 'Of this form.' }),
    createdAt: Type.String({ format: 'date-time', description: 'When it was exported.' }),
    eventTypes: Type.Array(EventTypeOut),
    settings: EnvironmentSettingsOut,
    connectors: Type.Array(Type.Unknown(), { maxItems: 0 }),
  },
  {
    examples: [
      { version: 1, createdAt: '2026-03-01T09:00:00.000Z', eventTypes: [], settings: example, connectors: [] },
    ],
  },
)
export type EnvironmentOut = Static<typeof EnvironmentOut>

export const UndeclaredEventTypeOut = Type.Object(
  {
    name: Type.String(),
    archived: Type.Boolean({ description: 'Whether it is declared, and archived.' }),
    seenAt: Type.String({ format: 'date-time', description: 'When it was first published.' }),
  },
  { examples: [{ name: 'invoice.piad', archived: false, seenAt: '2026-03-01T09:00:01.000Z' }] },
)
export type UndeclaredEventTypeOut = Static<typeof UndeclaredEventTypeOut>

export const ListResponseUndeclaredEventTypeOut = listOf(UndeclaredEventTypeOut)

/** The bodies that have a name in the reference. */
export const environmentSchemas = {
  EnvironmentSettingsOut,
  EnvironmentSettingsPatch,
  EnvironmentIn,
  EnvironmentOut,
  UndeclaredEventTypeOut,
  ListResponseUndeclaredEventTypeOut,
} as const
