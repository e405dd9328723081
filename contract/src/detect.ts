import Type, { type Static } from 'typebox'
import { nullable } from './nullable.ts'

// It is looked at by every preset there is.
const longest = 256 * 1024

const Pairs = Type.Array(Type.Array(Type.String(), { minItems: 2, maxItems: 2 }))

export const DetectIn = Type.Object(
  {
    method: Type.Optional(nullable(Type.String({ maxLength: 32 }))),
    url: Type.Optional(nullable(Type.String({ description: 'Whole, or its path and query.' }))),
    headers: Type.Optional(
      Type.Union([
        Type.Record(Type.String(), Type.Union([Type.String(), Type.Array(Type.String())])),
        Pairs,
        Type.Null(),
      ]),
    ),
    body: Type.Optional(nullable(Type.String({ maxLength: longest }))),
    bodyBase64: Type.Optional(nullable(Type.String({ maxLength: longest, description: 'Where it is not UTF-8.' }))),
    raw: Type.Optional(
      nullable(
        Type.String({
          maxLength: longest,
          description:
            'Instead of all of these, as it was copied: an HTTP message, a `curl` command, an entry of a log in JSON, headers alone, or a body alone.',
        }),
      ),
    ),
  },
  { examples: [{ raw: 'POST /hooks HTTP/1.1\nX-GitHub-Event: ping\n\n{}' }] },
)

const Wanted = { label: Type.String(), where: Type.String({ description: 'Where it is found at the provider.' }) }

const Candidate = Type.Object({
  preset: Type.String({ description: 'The type of the source to make.' }),
  title: Type.String(),
  certainty: Type.Enum(['sure', 'likely', 'possible'], {
    description: '`sure`: nobody else sends this. `likely`: more than a signature that others use as well.',
  }),
  because: Type.Array(Type.String(), { description: 'What was found, in sentences, the most telling first.' }),
  needs: Type.Object({
    secret: Type.Union([Type.Object(Wanted), Type.Null()], { description: 'Null: it has none.' }),
    settings: Type.Array(Type.Object({ name: Type.String(), ...Wanted, required: Type.Boolean() })),
  }),
  docs: Type.String({ description: "The provider's page about its webhooks." }),
})

export const DetectOut = Type.Object(
  { candidates: Type.Array(Candidate, { description: 'The likeliest first; none where nothing tells.' }) },
  {
    examples: [
      {
        candidates: [
          {
            ...{ preset: 'github', title: 'GitHub', certainty: 'likely' },
            because: ['It has header X-GitHub-Event, as requests of GitHub do.'],
            needs: {
              secret: { label: 'Secret', where: 'Settings of the repository → Webhooks → your webhook → Secret' },
              settings: [],
            },
            docs: 'https://docs.github.com/en/webhooks',
          },
        ],
      },
    ],
  },
)
export type DetectOut = Static<typeof DetectOut>

/** The bodies that have a name in the reference. */
export const detectSchemas = { DetectIn, DetectOut } as const
