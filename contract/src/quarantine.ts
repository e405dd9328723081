import Type, { type Static } from 'typebox'
import { nullable } from './nullable.ts'
import { listOf } from './page.ts'
import { cameShown, contentShown } from './received.ts'

const quarantinedShown = {
  id: Type.String(),
  receivedAt: Type.String({ format: 'date-time' }),
  ...cameShown,
  bytes: Type.Integer({ description: 'Of the body and all that is kept beside it, as it counts for the caps.' }),
  reason: Type.Enum([
    ...(['signature-missing', 'signature-malformed', 'signature-wrong', 'timestamp-missing'] as const),
    ...(['timestamp-malformed', 'stale', 'from-the-future', 'claim-wrong', 'address-not-allowed'] as const),
    ...(['unverifiable', 'schema-violated'] as const),
  ]),
  explanation: Type.Array(Type.String(), { description: 'Why, in sentences for people, the most helpful first.' }),
  acknowledged: Type.Boolean({
    description:
      'Whether its sender was told that it is stored: it was genuine, but not what the schema of the source wants. No cap takes it.',
  }),
}

const example = {
  ...{ id: 'qrtn_0TkxGmxb0003kR7wHt2fYc9NdSv', receivedAt: '2026-03-01T09:00:01.000Z' },
  ...{ method: 'POST', target: '/in/b7Yw3kQm', peer: '10.0.0.2', client: '3.18.12.63', bytes: 29 },
  reason: 'signature-wrong',
  explanation: ['The signature is right for the body without its last line end: something on the way has added one.'],
  acknowledged: false,
}

export const QuarantinedRequestOut = Type.Object(quarantinedShown, { examples: [example] })
export type QuarantinedRequestOut = Static<typeof QuarantinedRequestOut>

export const QuarantinedRequestFullOut = Type.Object(
  { ...quarantinedShown, ...contentShown },
  {
    examples: [
      {
        ...example,
        headers: [['Content-Type', 'application/json']],
        ...{ body: '{"id":"evt_1NG8Du2eZvKYlo2C"}', bodyBase64: null },
        decoded: {
          ...{ kind: 'json', unpacked: [], bytes: 29, json: { id: 'evt_1NG8Du2eZvKYlo2C' }, tokens: [], faults: [] },
        },
      },
    ],
  },
)

export const ListResponseQuarantinedRequestOut = listOf(QuarantinedRequestOut)

export const QuarantineReverifyIn = Type.Object(
  {
    iterator: Type.Optional(
      nullable(
        Type.String({ description: 'From the answer before, where it was not `done`; left out: from the oldest.' }),
      ),
    ),
  },
  { examples: [{}] },
)

export const QuarantineReverifyOut = Type.Object(
  {
    checked: Type.Integer(),
    released: Type.Integer({ description: 'Pass now, and became messages.' }),
    duplicates: Type.Integer({ description: 'Pass now, but were messages already; gone from the quarantine too.' }),
    remaining: Type.Integer({ description: 'Still in quarantine, checked or not.' }),
    iterator: nullable(Type.String({ description: 'Where the next call goes on.' })),
    done: Type.Boolean({ description: 'Everything that was there has been checked.' }),
  },
  { examples: [{ checked: 12, released: 10, duplicates: 1, remaining: 1, iterator: null, done: true }] },
)
export type QuarantineReverifyOut = Static<typeof QuarantineReverifyOut>

/** The bodies that have a name in the reference. */
export const quarantineSchemas = {
  QuarantinedRequestOut,
  QuarantinedRequestFullOut,
  ListResponseQuarantinedRequestOut,
  QuarantineReverifyIn,
  QuarantineReverifyOut,
} as const
