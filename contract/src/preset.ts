import Type, { type Static } from 'typebox'
import {
  conditions,
  host,
  name,
  PresetCondition,
  PresetPart,
  PresetPlainPart,
  PresetRef,
  parts,
  partsByName,
  settingName,
  strict,
  text,
} from './preset-part.ts'
import {
  exampleScheme,
  PresetCertificateKey,
  PresetKey,
  PresetKeySetKey,
  PresetScheme,
  PresetSecretKey,
} from './preset-scheme.ts'

const seconds = (description: string) => Type.Number({ minimum: 0, maximum: 31_536_000, description })
const status = (description: string) => Type.Integer({ minimum: 200, maximum: 599, description })

export const PresetAnswer = Type.Object(
  {
    status: status('Of the answer.'),
    headers: Type.Optional(partsByName('Headers of the answer.')),
    contentType: Type.Optional(text('Of the answer.', 200)),
    text: Type.Optional(parts('The body.')),
    json: Type.Optional(
      Type.Record(
        Type.String(),
        Type.Unsafe<Static<typeof PresetPart>[] | number | boolean>({
          type: ['array', 'number', 'boolean'],
          items: PresetPart,
          maxItems: 50,
        }),
        {
          maxProperties: 20,
          propertyNames: { maxLength: 200 },
          description: 'The body as an object with these members: lists of parts become texts.',
        },
      ),
    ),
  },
  {
    ...strict,
    description: 'What the gateway answers. Without `text` and `json`: nothing but the status.',
    examples: [{ status: 200, contentType: 'text/plain', text: [{ query: 'challenge' }] }],
  },
)

const PresetChallenge = Type.Object(
  {
    name: name('What it is called where it is shown.'),
    match: Type.Array(PresetCondition, { minItems: 1, maxItems: 20, description: 'All must be so.' }),
    verified: Type.Optional(Type.Literal(true, { description: 'Only where its signature is right.' })),
    check: Type.Optional(
      Type.Object(
        { at: PresetRef, setting: settingName, refusal: status('Of the answer where it is another value.') },
        { ...strict, description: 'This value must be what has been set.' },
      ),
    ),
    capture: Type.Optional(PresetRef),
    answer: Type.Unsafe<Static<typeof PresetAnswer> | null>({ ...PresetAnswer, type: ['object', 'null'] }),
    fetch: Type.Optional(
      Type.Object(
        {
          url: PresetRef,
          hosts: Type.Unsafe<string[] | { setting: string }>({
            type: ['array', 'object'],
            items: host,
            maxItems: 20,
            properties: { setting: settingName },
            required: ['setting'],
            additionalProperties: false,
          }),
        },
        {
          ...strict,
          description:
            'This URL is fetched after all else was right, only from these hosts, or those listed in a setting, separated by commas.',
        },
      ),
    ),
  },
  {
    ...strict,
    description:
      'A probe that the gateway itself answers, for ever, and that is no message. `capture`: the value becomes a secret while there is none. `answer` null: as for any message.',
    examples: [
      {
        name: 'ping',
        match: [{ at: { body: '/type' }, equals: 'ping' }],
        verified: true,
        answer: { status: 200, json: { challenge: [{ body: '/challenge' }] } },
      },
    ],
  },
)

const alternatives = (description: string) =>
  Type.Array(Type.Array(PresetRef, { minItems: 1, maxItems: 10 }), { maxItems: 20, description })

export const Preset = Type.Object(
  {
    name: Type.String({ pattern: '^[a-z0-9][a-z0-9-]{0,63}$', description: 'Lower case and dashes.' }),
    title: text('The name of the provider.', 100),
    docs: Type.String({ maxLength: 2_048, description: 'The provider’s page about its webhooks.' }),
    basis: Type.Enum(['read', 'third-party', 'general-knowledge'], {
      description: '`read`: in the provider’s page, library or source. Otherwise check before relying on it.',
    }),
    source: Type.Optional(text('Where that is.', 1_000)),
    notes: Type.Optional(Type.Array(text('A sentence or two.', 2_000), { maxItems: 50 })),
    recognise: Type.Optional(conditions('What its requests are recognised by, beside the headers of its schemes.')),
    secret: Type.Unsafe<{ label: string; where: string } | null>({
      ...Type.Object({ label: text('What the provider calls it.'), where: text('Where it is found.', 1_000) }, strict),
      type: ['object', 'null'],
      description: 'Null: it has none.',
    }),
    settings: Type.Optional(
      Type.Array(
        Type.Object(
          {
            name: settingName,
            label: text('What the provider calls it.'),
            where: text('Where it is found.', 1_000),
            required: Type.Optional(Type.Literal(true)),
            default: Type.Optional(Type.String({ maxLength: 2_048 })),
          },
          strict,
        ),
        { maxItems: 20, description: 'What the owner of a source sets beside secrets.' },
      ),
    ),
    schemes: Type.Array(PresetScheme, {
      maxItems: 20,
      description: 'Empty: it does not sign. The strongest first.',
    }),
    id: Type.Object(
      {
        alternatives: alternatives('The first of which every part is there.'),
        otherwise: Type.Enum(['body', 'none'], {
          description: '`body`: method, query and body. `none`: each request is a message of its own.',
        }),
        oneId: Type.Optional(
          Type.Literal(true, {
            description:
              'The alternatives are names for one id: what is sent under one and repeated under another is the same.',
          }),
        ),
      },
      { ...strict, description: 'What makes two requests the same.' },
    ),
    type: Type.Optional(alternatives('The event type: parts joined by dots.')),
    orderingKey: Type.Optional(alternatives('What must be delivered in order.')),
    retry: Type.Optional(
      Type.Object(
        { number: Type.Optional(PresetRef), reason: Type.Optional(PresetRef) },
        { ...strict, description: 'What it says of its retries.' },
      ),
    ),
    challenges: Type.Optional(Type.Array(PresetChallenge, { maxItems: 20 })),
    ack: Type.Optional(PresetAnswer),
    refusal: Type.Optional(status('The answer to a bad signature; usually 401.')),
    deadline: Type.Optional(seconds('How long it waits for the answer, in seconds.')),
    retryWindow: seconds('For how long it may repeat a request, in seconds; 0: it never does.'),
    giveUpOn: Type.Optional(
      Type.Array(Type.Integer({ minimum: 100, maximum: 599 }), {
        maxItems: 100,
        description: 'Statuses after which it gives up, or switches the webhook off.',
      }),
    ),
    ips: Type.Optional(
      Type.Object(
        {
          published: Type.String({ maxLength: 2_048, description: 'Where it publishes them.' }),
          ranges: Type.Array(text('In CIDR form.', 50), { maxItems: 1_000 }),
          asOf: Type.String({ pattern: '^\\d{4}-\\d\\d-\\d\\d$', description: 'A day.' }),
        },
        { ...strict, description: 'The addresses it posts from.' },
      ),
    ),
  },
  {
    ...strict,
    description: 'How one provider signs, shakes hands and names its events.',
    examples: [
      {
        name: 'acme',
        title: 'Acme',
        docs: 'https://acme.example/docs/webhooks',
        basis: 'read',
        secret: { label: 'Signing secret', where: 'Settings → Webhooks' },
        schemes: [exampleScheme],
        id: { alternatives: [[{ body: '/id' }]], otherwise: 'body' },
        type: [[{ body: '/type' }]],
        retryWindow: 86_400,
      },
    ],
  },
)
export type Preset = Static<typeof Preset>

/** The bodies that have a name in the reference. */
export const presetSchemas = {
  Preset,
  PresetScheme,
  PresetKey,
  PresetSecretKey,
  PresetCertificateKey,
  PresetKeySetKey,
  PresetRef,
  PresetPart,
  PresetPlainPart,
  PresetCondition,
  PresetAnswer,
  PresetChallenge,
} as const
