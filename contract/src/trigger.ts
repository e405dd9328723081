import Type, { type Static } from 'typebox'
import { nullable } from './nullable.ts'

export const SourceTriggerIn = Type.Object(
  {
    event: Type.String({
      minLength: 1,
      maxLength: 256,
      description: 'An event that is recorded of the provider. One that is not is refused with those that are.',
    }),
    provider: Type.Optional(
      nullable(
        Type.String({
          maxLength: 64,
          description: 'Whose recorded request it is made from. Left out: the one of the type of the source.',
        }),
      ),
    ),
    kind: Type.Optional(
      Type.Enum(['valid', 'forged', 'stale'], {
        description:
          '`valid`: it passes. `forged`: its signature is wrong by a bit. `stale`: it is an hour older than is tolerated. Default: `valid`.',
      }),
    ),
    privateKey: Type.Optional(
      nullable(
        Type.String({
          maxLength: 16_384,
          description:
            'PEM, or `whsk_…`. Where the provider signs with a key pair: one of your own, whose public half is the secret of the source. It is not kept.',
        }),
      ),
    ),
  },
  { examples: [{ event: 'invoice.paid' }] },
)

export const SourceTriggerOut = Type.Object(
  {
    event: Type.String(),
    provider: Type.String(),
    schemes: Type.Array(Type.String(), {
      description: 'By which it is signed; none where the provider does not sign.',
    }),
    request: Type.Object({
      method: Type.String(),
      url: Type.String({ description: 'The public URL of the source, with what the provider adds to it.' }),
      headers: Type.Array(Type.Array(Type.String(), { minItems: 2, maxItems: 2 }), {
        description:
          'Name and value, in their order. What the connection needs (Host, Content-Length) is not among them.',
      }),
      body: nullable(Type.String({ description: 'Where it is UTF-8. To be sent byte for byte.' })),
      bodyBase64: nullable(Type.String({ description: 'Where it is not.' })),
    }),
  },
  {
    examples: [
      {
        ...{ event: 'invoice.paid', provider: 'stripe', schemes: ['v1'] },
        request: {
          ...{ method: 'POST', url: 'https://hooks.example/in/n3bMZ5w0V0cB2lq6v0cO2dJtH5mZcR8y' },
          headers: [
            ['Content-Type', 'application/json; charset=utf-8'],
            ['Stripe-Signature', 't=1772355601,v1=5257a869e7ecebeda32affa62cdca3fa51cad7e77a0e56ff536d0ce8e108d8bd'],
          ],
          ...{ body: '{"id":"evt_7Ru0Ma5kTqWXsd9P"}', bodyBase64: null },
        },
      },
    ],
  },
)
export type SourceTriggerOut = Static<typeof SourceTriggerOut>

/** The bodies that have a name in the reference. */
export const triggerSchemas = { SourceTriggerIn, SourceTriggerOut } as const
