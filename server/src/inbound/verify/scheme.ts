import { isDeepStrictEqual } from 'node:util'
import type { Millis } from '../../domain/ids.ts'
import type { Algorithm, Part, Ref, Scheme } from '../../domain/preset.ts'
import type { VerificationKey } from '../../domain/verification-key.ts'
import { allHold } from '../reading/conditions.ts'
import { bytesAt, bytesOf, type Piece, piecesOf } from '../reading/parts.ts'
import type { RequestView } from '../reading/view.ts'
import { partName, placeOf, placesOf, spanOf } from '../reading/wording.ts'
import { isAsymmetric, isSignedBy, whole } from './primitives/asymmetric.ts'
import { same } from './primitives/compare.ts'
import { hashOf, hmacOf, isHash, isHmac } from './primitives/digest.ts'
import { type Refused, refused } from './refused.ts'
import { areElsewhere, keysFor, type PreparedScheme } from './scheme-keys.ts'
import { checkTokens } from './scheme-token.ts'
import { claimedSignatures } from './signatures.ts'
import { readTime, timeFault } from './timestamps.ts'
import { urlsOf } from './url-forms.ts'
import type { FetchedKeys, Verdict } from './verdict.ts'

/** `other`: it is not this scheme's request. */
export type SchemeOutcome = Exclude<Verdict, { kind: 'unverified' }> | { readonly kind: 'other' }

/** Whether a request passes by one scheme. */
export function checkScheme(
  prepared: PreparedScheme,
  view: RequestView,
  now: Millis,
  fetched: FetchedKeys,
): SchemeOutcome {
  const { each } = prepared.scheme
  if (each === undefined) return checkOne(prepared, view, now, fetched)
  const items = view.items(each)
  if (items === null) return { kind: 'other' }
  let last: SchemeOutcome = refused(
    'signature-missing',
    `${each} of the body is empty, and its items are what is signed`,
  )
  for (const item of items) {
    last = checkOne(prepared, item, now, fetched)
    if (last.kind !== 'verified') return last
  }
  return last
}

function checkOne(prepared: PreparedScheme, view: RequestView, now: Millis, fetched: FetchedKeys): SchemeOutcome {
  const { scheme, settings } = prepared
  if (scheme.when && !allHold(scheme.when, view, settings)) return { kind: 'other' }
  const claimed = claimedSignatures(scheme, view, settings)
  if (claimed.kind === 'missing') return refused('signature-missing', `${placesOf(scheme.signature)} is not there`)
  if (claimed.kind === 'malformed') {
    return refused('signature-malformed', `${placesOf(scheme.signature)} ${claimed.detail}`)
  }
  const doubled = (scheme.template ?? []).flatMap(refsOf).find((ref) => new Set(view.valuesAt(ref, settings)).size > 1)
  if (doubled) {
    return refused('signature-malformed', `${placeOf(doubled)} is signed, but there with several values`)
  }
  const time = timeOf(prepared, view)
  if (time?.kind === 'refused') return time
  const laterFault = (): Refused | null => agreementFault(prepared, view) ?? (time && ageFault(prepared, time.at, now))
  // What stands elsewhere is fetched for nobody whose request would be refused anyway. Where the keys are at hand, the
  // signature comes first: that the time is wrong says little of a request that is forged.
  const early = areElsewhere(prepared) ? laterFault() : null
  if (early) return early
  const check = scheme.algorithm === 'jwt' ? checkTokens : checkSignatures
  const outcome = check(prepared, view, now, fetched, claimed.signatures)
  return outcome.kind === 'verified' ? (laterFault() ?? outcome) : outcome
}

/** What a part is made of: of several values only one was signed, and whoever reads the request later may take another. */
function refsOf(part: Part): readonly Ref[] {
  if (typeof part === 'string') return []
  if ('of' in part) return part.of.flatMap(refsOf)
  if ('optional' in part) return refsOf(part.optional)
  return 'header' in part || 'query' in part || 'form' in part || 'body' in part ? [part] : []
}

function checkSignatures(
  prepared: PreparedScheme,
  view: RequestView,
  now: Millis,
  fetched: FetchedKeys,
  signatures: readonly Uint8Array[],
): SchemeOutcome {
  const { scheme } = prepared
  const { algorithm } = scheme
  const urls = urlForms(scheme, view)
  const contents = isHash(algorithm) ? null : contentsOf(prepared, view, urls)
  if (contents && !contents.ok) return contents.fault
  const keys = keysFor(prepared, view, now, fetched, null)
  if (keys.kind !== 'keys') return keys
  for (const { id, key } of keys.keys) {
    const signed = contents ?? contentsOf(prepared, view, urls, key)
    if (!signed.ok) return signed.fault
    if (signed.contents.some((content) => passes(algorithm, key, content, signatures))) {
      return { kind: 'verified', scheme: scheme.name, secret: id }
    }
  }
  const tried = keys.keys.length === 1 ? 'the key' : `any of ${keys.keys.length} keys`
  const isSecret = algorithm === 'equality' || algorithm === 'basic'
  return refused(
    'signature-wrong',
    `${placesOf(scheme.signature)} is not ${isSecret ? '' : 'a signature of this request by '}${tried}`,
  )
}

function passes(
  algorithm: Algorithm,
  key: VerificationKey,
  content: readonly Piece[],
  signatures: readonly Uint8Array[],
): boolean {
  if (isAsymmetric(algorithm)) {
    const all = whole(content)
    return key.kind === 'public' && signatures.some((signature) => isSignedBy(algorithm, key.key, all, signature))
  }
  if (key.kind !== 'shared') return false
  const right = isHmac(algorithm)
    ? hmacOf(algorithm, key.key, content)
    : isHash(algorithm)
      ? hashOf(algorithm, content)
      : key.bytes
  // Every candidate is compared, so that the time it takes does not tell which one it was.
  let found = false
  for (const signature of signatures) found = same(right, signature) || found
  return found
}

type Contents =
  | { readonly ok: true; readonly contents: readonly (readonly Piece[])[] }
  | { readonly ok: false; readonly fault: Refused }

/** What is signed, for each spelling of the URL. */
function contentsOf(
  { scheme, settings }: PreparedScheme,
  view: RequestView,
  urls: readonly (string | undefined)[],
  key?: VerificationKey,
): Contents {
  const { template = [], timestamp } = scheme
  const secret = key?.kind === 'shared' ? key.bytes : undefined
  const contents: (readonly Piece[])[] = []
  for (const url of urls) {
    const around = { settings, url, secret }
    const pieces = piecesOf(template, view, around)
    if (pieces) {
      contents.push(pieces)
      continue
    }
    const missing = template.find((part) => piecesOf([part], view, around) === null) ?? ''
    const isTime = timestamp?.at.some((ref) => isDeepStrictEqual(ref, missing))
    const fault = `${partName(missing)} is signed, but not there`
    return { ok: false, fault: refused(isTime ? 'timestamp-missing' : 'signature-missing', fault) }
  }
  return { ok: true, contents }
}

/** The spellings of the URL to try; one undefined where the scheme does not say. */
export function urlForms({ url: forms }: Scheme, view: RequestView): readonly (string | undefined)[] {
  return forms === undefined ? [undefined] : [...new Set(forms.flatMap((form) => urlsOf(form, view.url())))]
}

/** The time that will be judged; null: none is. */
function timeOf(
  { scheme, settings, toleranceMs }: PreparedScheme,
  view: RequestView,
): { kind: 'time'; at: Millis } | Refused | null {
  const { timestamp } = scheme
  if (!timestamp || toleranceMs === null) return null
  const time = readTime(timestamp, view, settings)
  if (time.kind === 'time') return time
  const place = placesOf(timestamp.at)
  return time.kind === 'missing'
    ? refused('timestamp-missing', `${place} is not there`)
    : refused('timestamp-malformed', `${place} is not ${unitName[timestamp.unit]}`)
}

const unitName = { s: 'a time in seconds', ms: 'a time in milliseconds', iso: 'a time such as 2026-01-31T12:00:00Z' }

function agreementFault({ scheme, settings }: PreparedScheme, view: RequestView): Refused | null {
  for (const { at, is } of scheme.agree ?? []) {
    const right = bytesOf(is, view, { settings })
    const there = view.valuesAt(at, settings)
    if (right === null || !there.some((value) => same(bytesAt(at, value), right))) {
      return refused('claim-wrong', `${placeOf(at)} does not agree with the rest of the request`)
    }
  }
  return null
}

function ageFault({ scheme, toleranceMs }: PreparedScheme, at: Millis, now: Millis): Refused | null {
  const { timestamp } = scheme
  if (!timestamp || toleranceMs === null) return null
  const fault = timeFault(at, now, timestamp.sides, toleranceMs)
  if (!fault) return null
  const allowed = `${spanOf(toleranceMs)} are allowed`
  return fault.kind === 'stale'
    ? refused('stale', `the request was made ${spanOf(fault.byMs)} before it arrived, ${allowed}`)
    : refused('from-the-future', `the request says that it was made ${spanOf(fault.byMs)} after it arrived, ${allowed}`)
}
