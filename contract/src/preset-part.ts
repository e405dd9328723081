import Type, { type Static, type TObject } from 'typebox'

// Descriptors come from users as well, and are tried on every request of their source: everything in them has a bound, and
// a member that is not known is refused. One that is misspelled would otherwise be a check that is never made.
export const strict = { additionalProperties: false } as const
export const text = (description: string, maxLength = 500) => Type.String({ minLength: 1, maxLength, description })
export const name = (description: string) => Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$', description })
/** As in `hostPatternFault` of the server: a name, at least the last two labels of it said, that cannot be an address. */
export const host = Type.String({
  pattern: '^(\\*\\.)?(([A-Za-z0-9-]{1,63}|<region>)\\.)*[A-Za-z0-9-]{1,63}\\.[A-Za-z][A-Za-z0-9-]{1,62}$',
  maxLength: 253,
  description: 'A host name. A leading `*.` stands for one or more labels, `<region>` for the name of an AWS region.',
})
const headerName = { pattern: "^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,200}$" } // RFC 9110 §5.1
export const pointer = (description: string) => Type.String({ pattern: '^(/[^/]{0,200}){0,20}$', description })

/**
 * One of several kinds of object that are told apart by what they have. The members of all stand in one schema, and
 * `oneOf` says only which must be there: a fault then names the member that is wrong, and not every kind that it is none of.
 */
function kindOf<Kinds extends readonly TObject[]>(kinds: Kinds, description: string, example: Static<Kinds[number]>) {
  return Type.Unsafe<Static<Kinds[number]>>({
    type: 'object',
    oneOf: kinds.map(hasItsOwn),
    ...membersOf(kinds),
    description,
    examples: [example],
  })
}

/** The same, or a text that stands for itself. */
function textOr<Kinds extends readonly TObject[]>(kinds: Kinds, description: string, example: Static<Kinds[number]>) {
  return Type.Unsafe<Static<Kinds[number]> | string>({
    type: ['string', 'object'],
    maxLength: 10_000,
    oneOf: [{ type: 'string' }, ...kinds.map(hasItsOwn)],
    ...membersOf(kinds),
    description,
    examples: [example],
  })
}

function hasItsOwn({ required }: TObject) {
  const needed: readonly string[] = required ?? []
  return { type: 'object', properties: Object.fromEntries(needed.map((key) => [key, true])), required: needed }
}

function membersOf(kinds: readonly TObject[]) {
  const dependent = kinds.flatMap(({ properties, required }) => {
    const needed: readonly string[] = required ?? []
    return Object.keys(properties).flatMap((key) => (needed.includes(key) ? [] : [[key, needed]]))
  })
  return {
    properties: Object.assign({}, ...kinds.map(({ properties }) => properties)),
    ...strict,
    ...(dependent.length > 0 ? { dependentRequired: Object.fromEntries(dependent) } : {}),
  }
}

export const settingName = name('Of `settings`.')

const refKinds = [
  Type.Object({
    header: Type.Unsafe<string | { setting: string }>({
      type: ['string', 'object'],
      ...headerName,
      properties: { setting: settingName },
      required: ['setting'],
      additionalProperties: false,
      description: 'A header, in any case; `{"setting": …}`: the one whose name has been set.',
    }),
    parameter: Type.Optional(text('Of a header that is a list of `name=value`: the value of this name.', 200)),
    separator: Type.Optional(text('Between the parameters of a header; usually a comma.', 10)),
  }),
  Type.Object({ query: text('A parameter of the query, decoded.', 200) }),
  Type.Object({
    form: text('A field of a form, urlencoded or multipart.', 200),
    pointer: Type.Optional(pointer('JSON Pointer into the JSON that the field holds.')),
  }),
  Type.Object({
    body: pointer(
      'JSON Pointer (RFC 6901) into the body, or into the claims of a body that is a token; `*` stands for every item of an array. Empty: the whole.',
    ),
    inner: Type.Optional(
      Type.Array(pointer('Into the JSON that stands there as a text.'), {
        minItems: 1,
        maxItems: 5,
        description: 'Further pointers, each into the JSON text that the one before leads to.',
      }),
    ),
  }),
  Type.Object({
    request: Type.Enum(['method', 'url', 'path', 'body'], {
      description: '`url`: as the provider knows it; `path`: its path and query; `body`: the bytes.',
    }),
  }),
  Type.Object({ setting: name('What the owner of the source has set.') }),
] as const

export const PresetRef = kindOf(refKinds, 'Where a value stands in a request. Several values may stand there.', {
  header: 'X-Signature',
})
export const refs = (maxItems: number, description: string) =>
  Type.Array(PresetRef, { minItems: 1, maxItems, description })

const plainKinds = [
  ...refKinds,
  Type.Object({ optional: PresetRef }, { description: 'Empty where it is not there.' }),
  Type.Object({ crc32: Type.Literal('body', { description: 'CRC-32 of the body, decimal and unsigned.' }) }),
  Type.Object({ secret: Type.Literal(true, { description: 'The secret itself: for plain hashes.' }) }),
  Type.Object({
    sortedForm: Type.Literal(true, {
      description: 'Each field of a form, name and value, sorted by name; repeated values once each and sorted.',
    }),
  }),
  Type.Object({
    fields: Type.Array(text('A member of the body.', 200), {
      minItems: 1,
      maxItems: 50,
      description: 'Members of the JSON body that are there, in this order, each as name, line feed, value, line feed.',
    }),
  }),
  Type.Object({
    headersNamedBy: Type.String({ ...headerName, description: 'A header that names others in a comma list.' }),
    join: Type.String({ maxLength: 10, description: 'Between those headers, each of which is `name:value`.' }),
  }),
] as const

export const PresetPlainPart = textOr(plainKinds, 'A text stands for itself.', { request: 'body' })
const plainParts = Type.Array(PresetPlainPart, { minItems: 1, maxItems: 50 })
export const TextEncoding = Type.Enum(['hex', 'base64', 'base64url'])
const DigestName = Type.Enum(['sha1', 'sha256', 'sha512', 'md5'])

export const PresetPart = textOr(
  [
    ...plainKinds,
    Type.Object({ hash: DigestName, of: plainParts, encoding: TextEncoding }),
    Type.Object({ hmac: DigestName, of: plainParts, encoding: TextEncoding }),
  ] as const,
  'A piece of what is signed, or of an answer. A text stands for itself; what is not there makes the whole fail. `hmac`: under the current secret of the source (of several the one that lasts longest, then the newest), for answers to challenges.',
  { hash: 'sha256', of: [{ request: 'body' }], encoding: 'hex' },
)
export const parts = (description: string) => Type.Array(PresetPart, { minItems: 1, maxItems: 50, description })
export const partsByName = (description: string) =>
  Type.Record(Type.String(), Type.Array(PresetPart, { minItems: 1, maxItems: 50 }), {
    maxProperties: 20,
    propertyNames: { maxLength: 200 },
    description,
  })

export const PresetCondition = Type.Object(
  {
    at: PresetRef,
    equals: Type.Optional(
      Type.Unsafe<string | number | boolean | null>({ type: ['string', 'number', 'boolean', 'null'], maxLength: 500 }),
    ),
    like: Type.Optional(
      text('The whole value looks like this; `*` stands for any characters or none, nothing else is special.', 200),
    ),
    absent: Type.Optional(Type.Literal(true)),
  },
  {
    ...strict,
    description: 'Something that must be so. Without a comparison: the value is there.',
    examples: [{ at: { body: '/type' }, equals: 'ping' }],
  },
)
export const conditions = (description: string) => Type.Array(PresetCondition, { maxItems: 20, description })
