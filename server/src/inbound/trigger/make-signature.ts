import { createPrivateKey, type KeyObject } from 'node:crypto'
import type { Millis } from '../../domain/ids.ts'
import type { Scheme } from '../../domain/preset.ts'
import { readJson } from '../../domain/read-json.ts'
import { privateKeyOf, readSecret } from '../../domain/secret-text.ts'
import { fitsAlgorithm, readKey, type VerificationKey } from '../../domain/verification-key.ts'
import { bytesOf, piecesOf } from '../reading/parts.ts'
import type { RequestView, SettingValues } from '../reading/view.ts'
import { isAsymmetric, signatureBy } from '../verify/primitives/asymmetric.ts'
import { hashOf, hmacOf, isHmac } from '../verify/primitives/digest.ts'
import { isKeyFor, tokenSignature } from '../verify/primitives/token.ts'

export interface SigningKeys {
  /** Those that count now, the one to be preferred first. */
  readonly secrets: readonly { readonly name: string | null; readonly value: string }[]
  /** PEM, or `whsk_…`: for schemes whose secret is the public half; null: there is none. */
  readonly privateKey: string | null
}

interface Around {
  readonly keys: SigningKeys
  readonly settings: SettingValues
  readonly now: Millis
  /** What stood where the signature belongs; null: nothing. */
  readonly former: string | null
  readonly forged: boolean
}

export type Signature =
  | { readonly kind: 'made'; readonly text: string }
  /** What is missing, for the end of a sentence. */
  | { readonly kind: 'lacks'; readonly what: string }

const lacks = (what: string): Signature => ({ kind: 'lacks', what })
const notThere = lacks('something that it signs is not in the request')
const noSecret = lacks('there is no secret of the form that it wants')
const noPrivateKey = ({ key }: Scheme): Signature =>
  lacks(
    key.from === 'secret'
      ? 'it needs the private key whose public half is the secret'
      : 'it needs the private key of the provider itself, as the public half is fetched from there',
  )

/** The text that belongs where a scheme has its signature, prefix and all. */
export function makeSignature(scheme: Scheme, view: RequestView, around: Around): Signature {
  const { algorithm, prefix = '', encoding, template = [] } = scheme
  const { keys, settings, forged } = around
  if (algorithm === 'jwt') return makeToken(scheme, view, around)

  const made = (signature: Uint8Array, inEncoding: BufferEncoding = encoding ?? 'hex'): Signature => ({
    kind: 'made',
    text: prefix + (forged ? spoiled(signature) : Buffer.from(signature)).toString(inEncoding),
  })
  if (isAsymmetric(algorithm)) {
    // What is to be wrong needs no key.
    if (keys.privateKey === null) return forged ? made(Buffer.alloc(64, 7)) : noPrivateKey(scheme)
    const key = readPrivateKey(keys.privateKey)
    if (key === null || !fitsAlgorithm(key, algorithm)) return lacks(`the private key is none for ${algorithm}`)
    const signed = bytesOf(template, view, { settings })
    return signed === null ? notThere : made(signatureBy(algorithm, key, signed))
  }

  const key = sharedKeyOf(scheme, keys)
  if (key === null) return noSecret
  if (algorithm === 'equality') return made(key.bytes, encoding ?? 'utf8')
  if (algorithm === 'basic') {
    const credentials = (forged ? spoiled(key.bytes) : Buffer.from(key.bytes)).toString('base64')
    return { kind: 'made', text: `Basic ${credentials}` }
  }
  const pieces = piecesOf(template, view, { settings, secret: key.bytes })
  if (pieces === null) return notThere
  return made(isHmac(algorithm) ? hmacOf(algorithm, key.key, pieces) : hashOf(algorithm, pieces))
}

const spoiled = (bytes: Uint8Array): Buffer => {
  const other = Buffer.from(bytes)
  other[0] = (other[0] ?? 0) ^ 1
  return other
}

/** The first secret that is a shared key of this scheme; null: there is none. */
function sharedKeyOf(scheme: Scheme, { secrets }: SigningKeys): Extract<VerificationKey, { kind: 'shared' }> | null {
  const named = scheme.key.from === 'secret' && scheme.key.chosenBy !== undefined
  const order = named ? [...secrets].sort((a, b) => Number(a.name === null) - Number(b.name === null)) : secrets
  for (const { value } of order) {
    const read = readKey(scheme, value)
    if (read.kind === 'key' && read.key.kind === 'shared') return read.key
  }
  return null
}

function readPrivateKey(text: string): KeyObject | null {
  const read = readSecret(text)
  if (read.kind === 'whsk') return privateKeyOf(read.seed)
  try {
    return createPrivateKey(text)
  } catch {
    return null
  }
}

const minutes = 5

/** A compact token (RFC 7515) with the claims that stood there, those that the scheme wants, and new times. */
function makeToken(scheme: Scheme, view: RequestView, { keys, settings, now, former, forged }: Around): Signature {
  const { algorithms = [], claims = {}, withBody = [] } = scheme.jwt ?? {}
  const held = [
    sharedKeyOf(scheme, keys)?.key ?? null,
    keys.privateKey === null ? null : readPrivateKey(keys.privateKey),
  ].filter((key) => key !== null)
  const [signer] = algorithms.flatMap((algorithm) =>
    held.filter((key) => isKeyFor(algorithm, key)).map((key) => ({ algorithm, key })),
  )
  if (signer === undefined) return algorithms.some((name) => name.startsWith('HS')) ? noSecret : noPrivateKey(scheme)

  const seconds = Math.floor(now / 1_000)
  const wanted = Object.entries(claims).flatMap(([name, parts]) => {
    if (withBody.includes(name) && view.request.body.length === 0) return []
    const text = bytesOf(parts, view, { settings })?.toString('utf8')
    return text === undefined ? [] : [[name, text] as const]
  })
  const stood = claimsOf(former, scheme.prefix ?? '')
  for (const name of withBody) delete stood[name]
  const payload = { ...stood, ...Object.fromEntries(wanted), iat: seconds, nbf: seconds, exp: seconds + minutes * 60 }
  const text = [{ alg: signer.algorithm, typ: 'JWT' }, payload].map(segment).join('.')
  const signature = tokenSignature(signer.algorithm, signer.key, text)
  const shown = (forged ? spoiled(signature) : signature).toString('base64url')
  return { kind: 'made', text: `${scheme.prefix ?? ''}${text}.${shown}` }
}

const segment = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

function claimsOf(token: string | null, prefix: string): Record<string, unknown> {
  const payload = token?.slice(prefix.length).split('.')[1]
  try {
    const claims: unknown = readJson(Buffer.from(payload ?? '', 'base64url').toString('utf8'))
    return typeof claims === 'object' && claims !== null && !Array.isArray(claims) ? { ...claims } : {}
  } catch {
    return {}
  }
}
