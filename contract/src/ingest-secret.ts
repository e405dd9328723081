import Type, { type Static } from 'typebox'
import { EndpointSecretRotateIn } from './endpoint.ts'
import { nullable } from './nullable.ts'

/** The text of a secret, as it is given. */
export const secretText = Type.String({
  minLength: 1,
  maxLength: 16_384,
  description: 'As the provider shows it, or its public key.',
})
const time = (description: string) => Type.Optional(nullable(Type.String({ format: 'date-time', description })))
const secretName = Type.String({
  minLength: 1,
  maxLength: 256,
  description: 'For people; and, where requests say which secret signed them, what they call it.',
})

export const IngestSourceSecretIn = Type.Object(
  {
    value: secretText,
    name: Type.Optional(nullable(secretName)),
    from: time('Passes from then on. Left out: since ever.'),
    until: time('Passes until then. Left out: for ever.'),
  },
  { examples: [{ value: 'whsec_former', name: 'former', until: '2026-04-01T00:00:00Z' }] },
)

const nullableTime = nullable(Type.String({ format: 'date-time' }))

export const secretExample = {
  ...{ id: 'sec_0TkxGmxa000BW2yJ4cWQe1bRkLm', name: null, from: null, until: null, captured: false },
  ...{ createdAt: '2026-03-01T09:00:00.000Z', lastUsedAt: '2026-03-02T10:00:00.000Z' },
}

export const IngestSourceSecretOut = Type.Object(
  {
    id: Type.String(),
    name: nullable(Type.String()),
    from: nullableTime,
    until: nullableTime,
    captured: Type.Boolean({ description: 'It came with a handshake.' }),
    createdAt: Type.String({ format: 'date-time' }),
    lastUsedAt: Type.Optional(
      nullable(Type.String({ format: 'date-time', description: 'When a request last passed with it; not in lists.' })),
    ),
  },
  {
    description: 'Never the secret itself.',
    examples: [secretExample],
  },
)

export const IngestSourceSecretRotateIn = Type.Object(
  {
    key: secretText,
    name: Type.Optional(nullable(secretName)),
    gracePeriodSeconds: Type.Optional(
      nullable({
        ...EndpointSecretRotateIn.properties.gracePeriodSeconds,
        type: 'integer',
        description:
          'How long the secrets before it, of the same name, let requests pass. Default: 86400 (a day); at most 7 days.',
      }),
    ),
  },
  { examples: [{ key: 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD', gracePeriodSeconds: 3600 }] },
)
export type IngestSourceSecretRotateIn = Static<typeof IngestSourceSecretRotateIn>

export const CapturedSecretsOut = Type.Object(
  {
    data: Type.Array(
      Type.Object({
        id: Type.String(),
        key: Type.String(),
        createdAt: Type.String({ format: 'date-time', description: 'When the handshake was.' }),
      }),
    ),
  },
  {
    examples: [
      {
        data: [
          { id: 'sec_0TkxGmxa0009Jd8sVb3nXq5PzUf', key: 'secret_tMrlL1qK5v', createdAt: '2026-03-01T09:00:00.000Z' },
        ],
      },
    ],
  },
)
export type CapturedSecretsOut = Static<typeof CapturedSecretsOut>
