import Type, { type Static } from 'typebox'
import { ApplicationIn } from './application.ts'
import { nullable } from './nullable.ts'

/** What a portal token can be allowed. `ViewBase` is part of every set. */
export const capabilities = [
  'ViewBase',
  'ViewEndpointSecret',
  'ManageEndpointSecret',
  'ManageTransformations',
  'CreateAttempts',
  'ManageEndpoint',
] as const
export type Capability = (typeof capabilities)[number]

const AppPortalCapability = Type.Enum([...capabilities], {
  description:
    '`ViewBase`: see everything but credentials, always included. `ViewEndpointSecret`: see signing secrets. ' +
    '`ManageEndpointSecret`: rotate them, too. `ManageEndpoint`: all of that, and create, change and delete endpoints. ' +
    '`CreateAttempts`: send again, and send examples. `ManageTransformations`: nothing yet.',
  examples: ['ViewBase'],
})

const hour = 3_600
const sevenDays = 7 * 24 * hour

export const AppPortalAccessIn = Type.Object(
  {
    application: Type.Optional(nullable(ApplicationIn)),
    capabilities: Type.Optional(
      nullable(
        Type.Array(AppPortalCapability, {
          maxItems: 20,
          description: 'What the token may do; `ViewBase` is added. Left out: everything.',
        }),
      ),
    ),
    readOnly: Type.Optional(
      nullable(
        Type.Boolean({
          deprecated: true,
          description: 'Older form of `capabilities`; true: `ViewBase` only, whatever `capabilities` says.',
        }),
      ),
    ),
    featureFlags: Type.Optional(
      nullable(
        Type.Array(Type.String({ minLength: 1, maxLength: 256 }), {
          maxItems: 100,
          description: 'Event types with feature flags are shown only if one of them is among these.',
        }),
      ),
    ),
    expiry: Type.Optional(
      nullable(
        Type.Integer({ minimum: hour, maximum: sevenDays, description: 'Seconds until it ends. Default: seven days.' }),
      ),
    ),
    sessionId: Type.Optional(
      nullable(
        Type.String({
          minLength: 1,
          maxLength: 256,
          description: 'A name of yours, to end the tokens of one session.',
        }),
      ),
    ),
  },
  { examples: [{ capabilities: ['ViewBase', 'CreateAttempts'], expiry: hour, sessionId: 'session-1' }] },
)
export type AppPortalAccessIn = Static<typeof AppPortalAccessIn>

export const AppPortalAccessOut = Type.Object(
  {
    url: Type.String({
      format: 'uri',
      description: 'For the customer. The token is in its fragment, so no log sees it.',
    }),
    token: Type.String({ description: 'For `Authorization: Bearer …`. Shown now and never again.' }),
  },
  {
    examples: [
      {
        url: 'https://hooks.example/portal#key=phapp_n3bMZ5w0V0cB2lq6v0cO2dJtH5mZcR8yV4uQ7eXkT1A&app=app_0TkxGmxa0007Z2yJ4cWQe1bRkLm',
        token: 'phapp_n3bMZ5w0V0cB2lq6v0cO2dJtH5mZcR8yV4uQ7eXkT1A',
      },
    ],
  },
)
export type AppPortalAccessOut = Static<typeof AppPortalAccessOut>

export const ApplicationTokenExpireIn = Type.Object(
  {
    expiry: Type.Optional(
      nullable(Type.Integer({ minimum: 0, maximum: sevenDays, description: 'Seconds until they end. Default: now.' })),
    ),
    sessionIds: Type.Optional(
      nullable(
        Type.Array(Type.String({ minLength: 1, maxLength: 256 }), {
          maxItems: 1_000,
          description: 'Only the tokens of these sessions. None: all of the application.',
        }),
      ),
    ),
  },
  { examples: [{ expiry: 60, sessionIds: ['session-1'] }] },
)
export type ApplicationTokenExpireIn = Static<typeof ApplicationTokenExpireIn>

/** The bodies that have a name in the reference. */
export const authenticationSchemas = {
  AppPortalCapability,
  AppPortalAccessIn,
  AppPortalAccessOut,
  ApplicationTokenExpireIn,
} as const
