import Type, { type Static } from 'typebox'
import {
  conditions,
  host,
  name,
  PresetRef,
  parts,
  partsByName,
  pointer,
  refs,
  settingName,
  strict,
  TextEncoding,
  text,
} from './preset-part.ts'

const hosts = (description: string) => Type.Array(host, { maxItems: 20, description })

export const PresetSecretKey = Type.Object(
  {
    from: Type.Literal('secret'),
    encoding: Type.Enum(['utf8', 'hex', 'base64', 'pem', 'spki-base64', 'raw-hex', 'raw-base64'], {
      description:
        'What the text of the secret becomes. `pem`, `spki-base64` and the 32 bytes of Ed25519 (`raw-…`) are public keys.',
    }),
    strip: Type.Optional(text('A prefix that is no part of it.', 50)),
    required: Type.Optional(Type.Literal(true, { description: 'Without `strip`, it is no key of this scheme.' })),
    except: Type.Optional(text('What begins so is no key of this scheme.', 50)),
    chosenBy: Type.Optional(PresetRef),
  },
  {
    ...strict,
    description: 'One of the secrets of the source. `chosenBy`: this value is the name of the secret.',
    examples: [{ from: 'secret', encoding: 'utf8' }],
  },
)

export const PresetCertificateKey = Type.Object(
  {
    from: Type.Literal('certificate'),
    url: PresetRef,
    hosts: hosts('Where it may be fetched from.'),
    pathEnds: Type.Optional(text('How the path of the URL must end.', 100)),
    issuedTo: Type.Optional(hosts('Names that the certificate must be issued to, by a trusted authority.')),
  },
  {
    ...strict,
    description: 'The key of a certificate whose URL is in the request.',
    examples: [{ from: 'certificate', url: { body: '/SigningCertURL' }, hosts: ['keys.acme.example'] }],
  },
)

export const PresetKeySetKey = Type.Object(
  {
    from: Type.Literal('jwks'),
    url: Type.Array(
      Type.Unsafe<string | { setting: string }>({
        type: ['string', 'object'],
        maxLength: 500,
        properties: { setting: settingName },
        required: ['setting'],
        additionalProperties: false,
      }),
      { minItems: 1, maxItems: 5 },
    ),
    hosts: hosts('Where it may be fetched from; none: the URL is your own, at any host and port.'),
  },
  {
    ...strict,
    description: 'A key of a set (RFC 7517), whose URL is fixed or has been set.',
    examples: [{ from: 'jwks', url: ['https://acme.example/jwks.json'], hosts: ['acme.example'] }],
  },
)

const keyKinds = [PresetSecretKey, PresetCertificateKey, PresetKeySetKey] as const

export const PresetKey = Type.Unsafe<Static<(typeof keyKinds)[number]>>({
  type: 'object',
  discriminator: { propertyName: 'from' },
  oneOf: keyKinds,
  examples: [{ from: 'secret', encoding: 'utf8' }],
})

export const exampleScheme = {
  name: 'v1',
  algorithm: 'hmac-sha256',
  key: { from: 'secret', encoding: 'utf8' },
  signature: [{ header: 'X-Acme-Signature' }],
  prefix: 'sha256=',
  encoding: 'hex',
  template: [{ header: 'X-Acme-Timestamp' }, '.', { request: 'body' }],
  timestamp: { at: [{ header: 'X-Acme-Timestamp' }], unit: 's', tolerance: 300, sides: 'both' },
}

export const PresetScheme = Type.Object(
  {
    name: name('What it is called where it is shown; unique in its preset.'),
    when: Type.Optional(conditions('It is not this scheme’s request where one of these is not so.')),
    algorithm: Type.Enum(
      [
        'hmac-sha1',
        'hmac-sha256',
        'hmac-sha512',
        'hash-sha1',
        'hash-sha256',
        'ed25519',
        'ecdsa-p256-sha256',
        'rsa-sha1',
        'rsa-sha256',
        'jwt',
        'equality',
        'basic',
      ],
      {
        description:
          '`hash-…`: a bare hash, with the secret in the template. `equality`: the value is the secret. `basic`: HTTP Basic, the secret is `user:password`.',
      },
    ),
    key: PresetKey,
    signature: refs(20, 'Where signatures may stand; any of them may be the right one.'),
    prefix: Type.Optional(text('What stands before the signature.', 50)),
    list: Type.Optional(text('What separates several signatures in one value.', 10)),
    encoding: Type.Optional(TextEncoding),
    template: Type.Optional(parts('What is signed, in this order. Equality, basic and tokens have none.')),
    timestamp: Type.Optional(
      Type.Object(
        {
          at: refs(5, 'The first that is there. It should be signed too.'),
          unit: Type.Enum(['s', 'ms', 'iso']),
          tolerance: Type.Unsafe<number | null>({
            type: ['number', 'null'],
            minimum: 0,
            maximum: 31_536_000,
            description: 'How old it may be when the request arrives, in seconds; null: any age.',
          }),
          sides: Type.Enum(['past', 'both'], { description: '`both`: nor further in the future than that.' }),
        },
        strict,
      ),
    ),
    agree: Type.Optional(
      Type.Array(Type.Object({ at: PresetRef, is: parts('What must stand there.') }, strict), {
        maxItems: 10,
        description:
          'What must moreover be so: a hash of the body in a URL that is signed, or what the owner has set, where the key signs for all customers of the provider.',
      }),
    ),
    url: Type.Optional(
      Type.Array(
        Type.Enum(['exact', 'with-port', 'without-port', 'percent-decoded', 'legacy-query', 'without-query']),
        { minItems: 1, maxItems: 6, description: 'The spellings of the URL that are tried, where it is signed.' },
      ),
    ),
    each: Type.Optional(
      pointer('To an array of the body, each item of which is verified by itself; pointers then begin at the item.'),
    ),
    jwt: Type.Optional(
      Type.Object(
        {
          algorithms: Type.Array(
            Type.Enum(['HS256', 'HS384', 'HS512', 'RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512', 'EdDSA']),
            { minItems: 1, maxItems: 9 },
          ),
          claims: partsByName('What these claims must say.'),
          withBody: Type.Optional(
            Type.Array(text('One of `claims`.', 200), {
              maxItems: 20,
              description: 'Those that are there exactly when there is a body.',
            }),
          ),
        },
        strict,
      ),
    ),
  },
  {
    ...strict,
    description: 'One way in which a provider signs. A request passes when one of them passes.',
    examples: [exampleScheme],
  },
)
