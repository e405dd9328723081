import Type, { type Static } from 'typebox'
import { ApplicationControl } from './control.ts'
import { nullable } from './nullable.ts'
import { listOf } from './page.ts'

/** The caller's own name for a thing, usable in paths instead of our id. */
export const Uid = Type.String({
  pattern: '^[a-zA-Z0-9\\-_.]{1,256}$',
  description: 'Your own name for it: 1 to 256 of a–z, A–Z, 0–9, "-", "_", "."; it must not look like an id of ours.',
})

/** Free text pairs of the caller. That they stay under 4 KiB in all is checked where they are kept. */
export const Metadata = Type.Record(Type.String({ maxLength: 256 }), Type.String({ maxLength: 4096 }), {
  maxProperties: 50,
  description: 'Up to 50 texts of yours, 4 KiB in all.',
})

export const ThrottleRate = Type.Integer({
  minimum: 1,
  maximum: 1_000_000,
  description: 'Messages a second; null: no limit.',
})

// Rates were called `rateLimit` by the 1.x clients, which still send and read that name.
export const RateLimit = { ...ThrottleRate, deprecated: true, description: 'Older name of `throttleRate`.' }

const name = Type.String({ minLength: 1, maxLength: 256, description: 'For people.' })
const example = { name: 'Acme Inc.', uid: 'acme-1', metadata: { plan: 'gold' } }

export const ApplicationIn = Type.Object(
  {
    name,
    uid: Type.Optional(nullable(Uid)),
    throttleRate: Type.Optional(nullable(ThrottleRate)),
    rateLimit: Type.Optional(nullable(RateLimit)),
    metadata: Type.Optional(Metadata),
    control: Type.Optional(nullable(ApplicationControl)),
  },
  { examples: [example] },
)
export type ApplicationIn = Static<typeof ApplicationIn>

export const ApplicationPatch = Type.Partial(ApplicationIn, { examples: [{ name: 'Acme Ltd.' }] })
export type ApplicationPatch = Static<typeof ApplicationPatch>

export const ApplicationOut = Type.Object(
  {
    id: Type.String(),
    uid: nullable(Type.String()),
    name: Type.String(),
    throttleRate: nullable(Type.Integer()),
    rateLimit: nullable({ ...Type.Integer(), deprecated: true }),
    metadata: Type.Record(Type.String(), Type.String()),
    control: ApplicationControl,
    createdAt: Type.String({ format: 'date-time' }),
    updatedAt: Type.String({ format: 'date-time' }),
  },
  {
    examples: [
      {
        ...example,
        id: 'app_0TkxGmxa0007Z2yJ4cWQe1bRkLm',
        throttleRate: null,
        rateLimit: null,
        control: {},
        createdAt: '2026-03-01T09:00:00.000Z',
        updatedAt: '2026-03-01T09:00:00.000Z',
      },
    ],
  },
)
export type ApplicationOut = Static<typeof ApplicationOut>

export const ListResponseApplicationOut = listOf(ApplicationOut)

/** The bodies that have a name in the reference. */
export const applicationSchemas = {
  ApplicationIn,
  ApplicationPatch,
  ApplicationOut,
  ListResponseApplicationOut,
} as const
