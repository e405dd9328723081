import type { Millis } from '../../domain/ids.ts'
import { checkOutsideUrl } from '../../domain/outside-url.ts'
import type { Ref, Scheme } from '../../domain/preset.ts'
import type { SourceSecret } from '../../domain/source.ts'
import { isValidAt } from '../../domain/source-secret.ts'
import { fitsAlgorithm, type VerificationKey } from '../../domain/verification-key.ts'
import type { RequestView, SettingValues } from '../reading/view.ts'
import { placeOf } from '../reading/wording.ts'
import { signerKey } from './certificate.ts'
import { keysOf } from './key-set.ts'
import { type Refused, refused } from './refused.ts'
import type { FetchedKeys, Wanted } from './verdict.ts'

/** A scheme with what is checked with it, read once. */
export interface PreparedScheme {
  readonly scheme: Scheme
  readonly settings: SettingValues
  /** Null: any age. */
  readonly toleranceMs: Millis | null
  /** Those secrets of the source that are keys for it. */
  readonly keys: readonly SecretKey[]
}

interface SecretKey {
  readonly secret: Pick<SourceSecret, 'id' | 'name' | 'from' | 'until'>
  readonly key: VerificationKey
}

/** A key to try; null: it is none of the source's secrets. */
interface TriedKey {
  readonly id: string | null
  readonly key: VerificationKey
}

export type Keys =
  | { readonly kind: 'keys'; readonly keys: readonly TriedKey[] }
  | { readonly kind: 'needs'; readonly wanted: Wanted }
  | Refused

/** Whether the keys stand elsewhere, so that everything else is looked at first. */
export const areElsewhere = ({ scheme, keys }: PreparedScheme): boolean =>
  scheme.key.from === 'jwks' || (scheme.key.from === 'certificate' && keys.length === 0)

/** What is tried on this request. `token`: what a token says of its key. */
export function keysFor(
  prepared: PreparedScheme,
  view: RequestView,
  now: Millis,
  fetched: FetchedKeys,
  token: { readonly keyId: string | null; readonly algorithm: string } | null,
): Keys {
  const { scheme, settings } = prepared
  if (!areElsewhere(prepared)) return ownKeys(prepared, view, now)
  if (scheme.key.from === 'certificate') return certificateKey(scheme, scheme.key, view, now, fetched, settings)
  if (scheme.key.from === 'jwks') return setKeys(scheme, scheme.key, settings, fetched, token)
  return { kind: 'keys', keys: [] }
}

function ownKeys({ scheme, settings, keys }: PreparedScheme, view: RequestView, now: Millis): Keys {
  if (keys.length === 0) return refused('signature-wrong', 'none of the secrets is a key for this kind of signature')
  let valid: readonly SecretKey[] = keys.filter(({ secret }) => isValidAt(secret, now))
  if (valid.length === 0) return refused('signature-wrong', 'none of the secrets is valid at this time')
  const chosenBy = scheme.key.from === 'secret' ? scheme.key.chosenBy : undefined
  if (chosenBy) valid = chosenFrom(valid, chosenBy, view, settings)
  if (valid.length === 0)
    return refused('signature-wrong', 'none of the secrets has the name that the request asks for')
  return { kind: 'keys', keys: valid.map(({ secret, key }) => ({ id: secret.id, key })) }
}

/** Those of that name; without one, those that have none. */
function chosenFrom(
  keys: readonly SecretKey[],
  by: Ref,
  view: RequestView,
  settings: SettingValues,
): readonly SecretKey[] {
  const [name] = view.valuesAt(by, settings)
  const named = keys.filter(({ secret }) => secret.name !== null && secret.name === name)
  return named.length > 0 ? named : keys.filter(({ secret }) => secret.name === null)
}

function certificateKey(
  scheme: Scheme,
  source: Scheme['key'] & { readonly from: 'certificate' },
  view: RequestView,
  now: Millis,
  fetched: FetchedKeys,
  settings: SettingValues,
): Keys {
  const [url] = view.valuesAt(source.url, settings)
  if (url === undefined)
    return refused('signature-missing', `${placeOf(source.url)}, the URL of the certificate, is not there`)
  const allowed = checkOutsideUrl(url, source)
  if (!allowed.ok)
    return refused('signature-malformed', `the URL of the certificate cannot be trusted: ${allowed.detail}`)
  const there = fetched.get(url)
  if (there?.as !== 'certificate') {
    return { kind: 'needs', wanted: { as: 'certificate', url, hosts: source.hosts, pathEnds: source.pathEnds } }
  }
  const signer = signerKey(there.certificates, now, source.issuedTo)
  if (!signer.ok) return refused('signature-wrong', signer.detail)
  if (!fitsAlgorithm(signer.key, scheme.algorithm)) {
    return refused('signature-wrong', `the key of the certificate is not one for ${scheme.algorithm}`)
  }
  return { kind: 'keys', keys: [{ id: null, key: { kind: 'public', key: signer.key } }] }
}

function setKeys(
  scheme: Scheme,
  source: Scheme['key'] & { readonly from: 'jwks' },
  settings: SettingValues,
  fetched: FetchedKeys,
  token: { readonly keyId: string | null; readonly algorithm: string } | null,
): Keys {
  let url = ''
  for (const part of source.url) {
    const text = typeof part === 'string' ? part : settings[part.setting]
    if (text === undefined) return refused('signature-wrong', 'the URL of the key set has not been set')
    url += text
  }
  // Set by its owner, so it is no fault of the request; but a source that cannot be checked lets nothing pass.
  const allowed = source.hosts.length > 0 ? checkOutsideUrl(url, source).ok : URL.canParse(url)
  if (!allowed) return refused('signature-wrong', 'the URL of the key set that was set is not one to fetch keys from')
  const kid = token?.keyId ?? null
  const there = fetched.get(url)
  if (there?.as !== 'jwks') return { kind: 'needs', wanted: { as: 'jwks', url, hosts: source.hosts, kid } }
  const keys = keysOf(there.keys, kid, token?.algorithm ?? jwaNames[scheme.algorithm] ?? '').filter(
    ({ key }) => scheme.algorithm === 'jwt' || fitsAlgorithm(key, scheme.algorithm),
  )
  if (keys.length === 0)
    return refused('signature-wrong', `the key set at ${url} has no key that the request could be signed with`)
  return { kind: 'keys', keys: keys.map(({ key }) => ({ id: null, key: { kind: 'public', key } })) }
}

/** What key sets call our algorithms. RFC 7518 §3.1, RFC 8037 §3.1. */
const jwaNames: Partial<Record<Scheme['algorithm'], string>> = {
  ed25519: 'EdDSA',
  'ecdsa-p256-sha256': 'ES256',
  'rsa-sha256': 'RS256',
}
