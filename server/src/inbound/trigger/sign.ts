// The inverse of the verifier: makes a request as the provider would send it, so that people can see a source, or a handler
// of their own, take what is right and refuse what is not.

import type { Millis } from '../../domain/ids.ts'
import type { KeySource, Preset, Ref, Scheme, Timestamp } from '../../domain/preset.ts'
import { allHold } from '../reading/conditions.ts'
import { bytesOf } from '../reading/parts.ts'
import { RequestView, type SettingValues } from '../reading/view.ts'
import { makeSignature, type SigningKeys } from './make-signature.ts'
import { type OutgoingRequest, place } from './place.ts'

export interface ToSign {
  readonly preset: Pick<Preset, 'title' | 'schemes'>
  /** Names of the schemes that count; null: all. */
  readonly schemes: readonly string[] | null
  readonly keys: SigningKeys
  readonly settings: SettingValues
  readonly request: OutgoingRequest
  /** What its timestamp shall say. */
  readonly now: Millis
  /** One bit of the signature is to be wrong. */
  readonly forged?: boolean
}

export type Signed =
  /** `schemes`: those by which it is signed now; none where the provider does not sign. */
  | { readonly kind: 'signed'; readonly request: OutgoingRequest; readonly schemes: readonly string[] }
  /** `because`: a sentence for whoever asked; it names no secret. */
  | { readonly kind: 'not-signable'; readonly because: string }

/**
 * Signs a request, with a new timestamp where the scheme has one. Where it carries signatures already, those are made
 * anew, as far as there are keys for them; every byte that is no signature and no timestamp stays.
 */
export function signRequest(ask: ToSign): Signed {
  const { preset, settings, forged = false } = ask
  const counting = preset.schemes.filter(({ name }) => ask.schemes?.includes(name) ?? true)
  if (counting.length === 0) {
    if (forged) return { kind: 'not-signable', because: `${preset.title} does not sign, so there is nothing to forge.` }
    return { kind: 'signed', request: ask.request, schemes: [] }
  }
  const view = viewOf(ask.request)
  const fitting = counting.filter(({ when = [] }) => allHold(when, view, settings))
  const carried = fitting.filter(({ signature, each }) =>
    // A pointer of a scheme with `each` begins at an item.
    [view]
      .concat(each === undefined ? [] : (view.items(each) ?? []))
      .some((one) => presentAt(signature, one, settings)),
  )

  let { request } = ask
  const made: string[] = []
  const places: string[] = []
  const reasons: string[] = []
  for (const scheme of [...carried, ...fitting]) {
    if (made.length > 0 && !carried.includes(scheme)) break
    const at = presentAt(scheme.signature, view, settings) ?? scheme.signature[0]
    // Two schemes that sign at one place are two readings of one signature.
    if (at === undefined || places.includes(JSON.stringify(at))) continue
    const signed = signBy(scheme, at, { ...ask, request })
    if (signed.kind === 'not-signable') {
      reasons.push(signed.because)
      continue
    }
    request = signed.request
    made.push(scheme.name)
    places.push(JSON.stringify(at))
  }
  if (made.length > 0) return { kind: 'signed', request, schemes: made }
  return {
    kind: 'not-signable',
    because: reasons[0] ?? `No scheme of ${preset.title} that counts is for such a request.`,
  }
}

type Step = { readonly kind: 'signed'; readonly request: OutgoingRequest } | (Signed & { kind: 'not-signable' })

function signBy(scheme: Scheme, at: Ref, { keys, settings, now, forged = false, ...ask }: ToSign): Step {
  const lacks = (what: string): Step => ({
    kind: 'not-signable',
    because: `The scheme ${scheme.name} of ${ask.preset.title} cannot sign it: ${what}.`,
  })
  let request = named(scheme.key, keys, withTime(ask.request, scheme.timestamp, now, settings), settings)
  for (const agreement of scheme.agree ?? []) {
    const said = bytesOf(agreement.is, viewOf(request), { settings })
    if (said !== null) request = place(request, agreement.at, () => said.toString('latin1'), settings) ?? request
  }

  const view = viewOf(request)
  const items = scheme.each === undefined ? null : view.items(scheme.each)
  if (scheme.each !== undefined && items === null) return lacks(`the body has no array at ${scheme.each}`)
  for (const [index, item] of (items ?? [view]).entries()) {
    const former = item.valuesAt(at, settings)[0]
    const signature = makeSignature(scheme, item, { keys, settings, now, former: former ?? null, forged })
    if (signature.kind === 'lacks') return lacks(signature.what)
    const placed = place(
      request,
      items === null ? at : within(at, `${scheme.each}/${index}`),
      () => signature.text,
      settings,
    )
    if (placed === null) return lacks('there is no place for the signature')
    request = placed
  }
  return { kind: 'signed', request }
}

/** The request as the verifier would see it. */
export const viewOf = ({ method, publicUrl, url, headers, body }: OutgoingRequest): RequestView =>
  new RequestView(
    { method, target: url, headers: headers.flat(), peer: '', client: '', body, receivedAt: 0 },
    { url: publicUrl, pathLength: 0 },
  )

/** The first of the places where something stands. */
const presentAt = (refs: readonly Ref[], view: RequestView, settings: SettingValues): Ref | undefined =>
  refs.find((ref) => view.valuesAt(ref, settings).length > 0)

const within = (ref: Ref, pointer: string): Ref => ('body' in ref ? { ...ref, body: pointer + ref.body } : ref)

/** Every place that tells the time tells it anew; where none does, the first. */
function withTime(
  request: OutgoingRequest,
  timestamp: Timestamp | undefined,
  now: Millis,
  settings: SettingValues,
): OutgoingRequest {
  if (timestamp === undefined) return request
  const view = viewOf(request)
  const present = timestamp.at.filter((ref) => view.valuesAt(ref, settings).length > 0)
  const text = timeText(timestamp.unit, now)
  return (present.length > 0 ? present : timestamp.at.slice(0, 1)).reduce(
    (changed, ref) => place(changed, ref, () => text, settings) ?? changed,
    request,
  )
}

function timeText(unit: Timestamp['unit'], now: Millis): string {
  if (unit === 's') return String(Math.floor(now / 1_000))
  return unit === 'ms' ? String(now) : new Date(now).toISOString()
}

/** Where the request names the secret, the name of the one that signs. */
function named(key: KeySource, keys: SigningKeys, request: OutgoingRequest, settings: SettingValues): OutgoingRequest {
  if (key.from !== 'secret' || key.chosenBy === undefined) return request
  const name = keys.secrets.find((secret) => secret.name !== null)?.name
  if (name === undefined || name === null) return request
  return place(request, key.chosenBy, () => name, settings) ?? request
}
