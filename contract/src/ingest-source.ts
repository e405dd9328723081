import Type, { type Static } from 'typebox'
import { ApplicationIn, Metadata, ThrottleRate, Uid } from './application.ts'
import { AppPortalAccessIn } from './authentication.ts'
import { ApplicationControl } from './control.ts'
import {
  CapturedSecretsOut,
  IngestSourceSecretIn,
  IngestSourceSecretOut,
  IngestSourceSecretRotateIn,
  secretExample,
  secretText,
} from './ingest-secret.ts'
import { nullable } from './nullable.ts'
import { listOf } from './page.ts'
import { Preset, PresetAnswer } from './preset.ts'

// What is left out of the descriptor of a custom source is filled in: who only says how it signs need not say the rest.
const CustomPreset = Type.Partial(Preset, {
  additionalProperties: false,
  description: 'Of a `custom` source: its descriptor. What it leaves out is filled in.',
})

const IngestSourceConfigIn = Type.Object(
  {
    secret: Type.Optional(nullable(secretText)),
    publicKey: Type.Optional(
      nullable({ ...secretText, description: 'The same for providers that sign with a key pair.' }),
    ),
    secrets: Type.Optional(
      nullable(
        Type.Array(IngestSourceSecretIn, { maxItems: 20, description: 'Several, each of which lets a request pass.' }),
      ),
    ),
    timestampGraceSeconds: Type.Optional(
      nullable(
        Type.Integer({ minimum: 1, maximum: 31_536_000, deprecated: true, description: 'See `toleranceSeconds`.' }),
      ),
    ),
    preset: Type.Optional(nullable(CustomPreset)),
  },
  {
    additionalProperties: true,
    description:
      'The secrets, and whatever else the preset asks for (`settings` of `GET /ingest/api/v1/preset/{name}`), by name. What is left out stays as it was as long as the type does; null takes it away.',
    examples: [{ secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw' }],
  },
)

const choice = <const Values extends readonly (string | number)[]>(type: string, values: Values, description: string) =>
  Type.Optional(Type.Unsafe<Values[number] | null>({ type: [type, 'null'], enum: [...values, null], description }))
const seconds = (minimum: number, maximum: number, description: string) =>
  Type.Optional(nullable(Type.Integer({ minimum, maximum, description })))
const day = 86_400

const Schemas = Type.Record(Type.String({ maxLength: 256 }), Type.Unknown(), {
  maxProperties: 100,
  description: 'JSON Schemas of payloads by event type; `*`: of all others.',
})
const Ack = {
  ...PresetAnswer,
  description: 'What is answered for a message that is stored, instead of what the preset says. As `ack` of a preset.',
}

const modes = ['observe', 'enforce'] as const
const states = ['active', 'paused', 'disabled'] as const
const checks = ['off', 'warn', 'quarantine'] as const
const disabledAnswers = [200, 410, 503] as const

const said = {
  mode: choice(
    'string',
    modes,
    '`enforce`: what does not pass is refused. `observe`: it is marked and taken. Left out: `enforce` as soon as anything can be verified.',
  ),
  state: choice(
    'string',
    states,
    '`paused`: requests are taken, deliveries wait. `disabled`: requests are turned away. Default: `active`.',
  ),
  disabledAnswer: choice(
    'integer',
    disabledAnswers,
    'What a disabled source answers: 410 tells many providers to stop for good, 200 takes and drops, 503 asks them to come again. Default: 410.',
  ),
  publicUrl: Type.Optional(
    nullable(
      Type.String({
        minLength: 1,
        maxLength: 2048,
        description:
          'The URL that is registered at the provider, where that is another than `ingestUrl`. Some sign it.',
      }),
    ),
  ),
  schemes: Type.Optional(
    nullable(
      Type.Array(Type.String({ minLength: 1, maxLength: 256 }), {
        minItems: 1,
        maxItems: 50,
        description: 'Names of the schemes of the preset that count. Default: all.',
      }),
    ),
  ),
  toleranceSeconds: seconds(1, 365 * day, 'How old a signed timestamp may be. Default: as the preset says.'),
  duplicateWindowSeconds: seconds(
    0,
    365 * day,
    'How long an id is remembered. Default: as long as the provider may repeat a request, and at least a day.',
  ),
  allowedAddresses: Type.Optional(
    nullable(
      Type.Array(Type.String({ minLength: 1, maxLength: 64 }), {
        maxItems: 1000,
        description:
          'Who may call: addresses, networks (`192.0.2.0/24`), and `provider` for those that it publishes. Default: anybody.',
      }),
    ),
  ),
  schemas: Type.Optional(nullable(Schemas)),
  schemaCheck: choice(
    'string',
    checks,
    'What becomes of a payload that does not fit its schema. `quarantine`: it is kept apart. Default: `off`.',
  ),
  ack: Type.Optional(nullable(Ack)),
  forwardChallenges: Type.Optional(
    nullable(Type.Boolean({ description: 'Whether challenges and test calls become messages too. Default: false.' })),
  ),
  control: Type.Optional(nullable(ApplicationControl)),
  throttleRate: Type.Optional(
    nullable({ ...ThrottleRate, description: 'Deliveries a second to all its endpoints together; null: no limit.' }),
  ),
}

const { name } = ApplicationIn.properties
const type = Type.String({
  minLength: 1,
  maxLength: 64,
  description: 'The name of a preset (`GET /ingest/api/v1/preset`), or `custom`.',
})

const example = {
  name: 'Payments',
  type: 'stripe',
  uid: 'stripe-live',
  config: { secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw' },
}

export const IngestSourceIn = Type.Object(
  {
    name,
    type,
    uid: Type.Optional(nullable(Uid)),
    config: Type.Optional(nullable(IngestSourceConfigIn)),
    metadata: Type.Optional(Metadata),
    ...said,
  },
  { examples: [example] },
)
export type IngestSourceIn = Static<typeof IngestSourceIn>

export const IngestSourcePatch = Type.Partial(IngestSourceIn, { examples: [{ state: 'paused' }] })
export type IngestSourcePatch = Static<typeof IngestSourcePatch>

const nullableTime = nullable(Type.String({ format: 'date-time' }))

const HandshakeOut = Type.Object(
  {
    name: Type.String({ description: 'As the preset calls the challenge.' }),
    succeededAt: nullableTime,
    failedAt: nullableTime,
    failure: nullable(Type.String({ description: 'Why it last failed.' })),
    successes: Type.Integer(),
    failures: Type.Integer(),
  },
  {
    examples: [
      {
        ...{ name: 'url-verification', succeededAt: '2026-03-01T09:00:00.000Z', failedAt: null, failure: null },
        ...{ successes: 1, failures: 0 },
      },
    ],
  },
)

const QuarantinedOut = Type.Object(
  { count: Type.Integer(), bytes: Type.Integer() },
  { description: 'What was refused and is kept; not in lists.', examples: [{ count: 2, bytes: 4096 }] },
)

const oneOf = (type: string, values: readonly (string | number)[]) => ({ type, enum: [...values] })

export const IngestSourceOut = Type.Object(
  {
    id: Type.String(),
    uid: nullable(Type.String()),
    name: Type.String(),
    type: Type.String(),
    config: Type.Unsafe<Readonly<Record<string, unknown>>>({
      type: 'object',
      additionalProperties: true,
      description: 'What the preset asks for, but nothing secret.',
    }),
    ingestUrl: Type.String({ description: 'Where the provider is to send its webhooks.' }),
    metadata: Type.Record(Type.String(), Type.String()),
    mode: Type.Unsafe<(typeof modes)[number]>(oneOf('string', modes)),
    state: Type.Unsafe<(typeof states)[number]>(oneOf('string', states)),
    disabledAnswer: Type.Unsafe<(typeof disabledAnswers)[number]>(oneOf('integer', disabledAnswers)),
    publicUrl: nullable(Type.String()),
    schemes: nullable(Type.Array(Type.String())),
    toleranceSeconds: nullable(Type.Integer()),
    duplicateWindowSeconds: nullable(Type.Integer()),
    allowedAddresses: nullable(Type.Array(Type.String())),
    schemas: nullable(Schemas),
    schemaCheck: Type.Unsafe<(typeof checks)[number]>(oneOf('string', checks)),
    ack: Type.Unsafe<object | null>(nullable(Ack)),
    forwardChallenges: Type.Boolean(),
    control: ApplicationControl,
    throttleRate: nullable(Type.Integer()),
    secrets: Type.Array(IngestSourceSecretOut, { maxItems: 100 }),
    verifying: Type.Boolean({
      description: 'Whether there is anything that its requests are verified with. If not, they are marked unverified.',
    }),
    handshakes: Type.Optional(
      Type.Array(HandshakeOut, { description: 'What has become of challenges, by kind; not in lists.' }),
    ),
    quarantined: Type.Optional(QuarantinedOut),
    createdAt: Type.String({ format: 'date-time' }),
    updatedAt: Type.String({ format: 'date-time' }),
  },
  {
    examples: [
      {
        ...{ id: 'src_0TkxGmxa0007Z2yJ4cWQe1bRkLm', uid: 'stripe-live', name: 'Payments', type: 'stripe', config: {} },
        ...{ ingestUrl: 'https://hooks.example/in/n3bMZ5w0V0cB2lq6v0cO2dJtH5mZcR8y', metadata: {} },
        ...{ mode: 'enforce', state: 'active', disabledAnswer: 410, publicUrl: null, schemes: null },
        ...{ toleranceSeconds: null, duplicateWindowSeconds: null, allowedAddresses: null, schemas: null },
        ...{ schemaCheck: 'off', ack: null, forwardChallenges: false, control: {}, throttleRate: null },
        ...{ secrets: [secretExample], verifying: true, handshakes: [] },
        ...{ quarantined: { count: 0, bytes: 0 } },
        ...{ createdAt: '2026-03-01T09:00:00.000Z', updatedAt: '2026-03-01T09:00:00.000Z' },
      },
    ],
  },
)
export type IngestSourceOut = Static<typeof IngestSourceOut>

export const ListResponseIngestSourceOut = listOf(IngestSourceOut)

export const RotateTokenOut = Type.Object(
  { ingestUrl: Type.String({ description: 'Where the provider is to send its webhooks from now on.' }) },
  { examples: [{ ingestUrl: 'https://hooks.example/in/n3bMZ5w0V0cB2lq6v0cO2dJtH5mZcR8y' }] },
)
export type RotateTokenOut = Static<typeof RotateTokenOut>

const { expiry, readOnly } = AppPortalAccessIn.properties
export const IngestSourceConsumerPortalAccessIn = Type.Object({ expiry, readOnly }, { examples: [{ expiry: 3600 }] })
export type IngestSourceConsumerPortalAccessIn = Static<typeof IngestSourceConsumerPortalAccessIn>

export const ListResponsePreset = listOf(Preset)

/** The bodies that have a name in the reference. */
export const ingestSchemas = {
  CapturedSecretsOut,
  IngestSourceSecretIn,
  IngestSourceConfigIn,
  IngestSourceIn,
  IngestSourcePatch,
  IngestSourceSecretOut,
  HandshakeOut,
  QuarantinedOut,
  IngestSourceOut,
  ListResponseIngestSourceOut,
  IngestSourceSecretRotateIn,
  RotateTokenOut,
  IngestSourceConsumerPortalAccessIn,
  ListResponsePreset,
} as const
