import type { Millis } from '../../domain/ids.ts'
import { bytesOf } from '../reading/parts.ts'
import type { RequestView } from '../reading/view.ts'
import { placesOf, spanOf } from '../reading/wording.ts'
import { claims, readToken, type Token, tokenIsSignedBy, tokenTime } from './primitives/token.ts'
import { type Refused, refused } from './refused.ts'
import { areElsewhere, keysFor, type PreparedScheme } from './scheme-keys.ts'
import { urlsOf } from './url-forms.ts'
import type { FetchedKeys, Verdict } from './verdict.ts'

type Outcome = Exclude<Verdict, { kind: 'unverified' }>

/** Whether one of the tokens is good: signed by a key of the scheme, of this time, and saying what it should. */
export function checkTokens(
  prepared: PreparedScheme,
  view: RequestView,
  now: Millis,
  fetched: FetchedKeys,
  texts: readonly Uint8Array[],
): Outcome {
  const place = placesOf(prepared.scheme.signature)
  let last: Outcome = refused('signature-malformed', `${place} is not a signed token (JWT)`)
  for (const text of texts) {
    const token = readToken(Buffer.from(text).toString('latin1'))
    if (token === null) continue
    last = checkToken(prepared, view, now, fetched, token)
    if (last.kind === 'verified') return last
  }
  return last
}

function checkToken(
  prepared: PreparedScheme,
  view: RequestView,
  now: Millis,
  fetched: FetchedKeys,
  token: Token,
): Outcome {
  const { scheme } = prepared
  const place = placesOf(scheme.signature)
  if (!scheme.jwt?.algorithms.includes(token.algorithm)) {
    return refused('signature-malformed', `${place} is signed with an algorithm that is not expected`)
  }
  const contentFault = (): Refused | null => timeFault(token, place, now) ?? claimFault(prepared, view, token)
  const early = areElsewhere(prepared) ? contentFault() : null
  if (early) return early
  const keys = keysFor(prepared, view, now, fetched, token)
  if (keys.kind !== 'keys') return keys
  const signer = keys.keys.find(({ key }) => tokenIsSignedBy(token, key))
  if (!signer)
    return refused(
      'signature-wrong',
      `${place} is not signed by ${keys.keys.length === 1 ? 'the key' : 'any of the keys'}`,
    )
  return contentFault() ?? { kind: 'verified', scheme: scheme.name, secret: signer.id }
}

function timeFault(token: Token, place: string, now: Millis): Refused | null {
  const time = tokenTime(token, now)
  switch (time.kind) {
    case 'good':
      return null
    case 'malformed':
      return refused('timestamp-malformed', `claim exp or nbf of ${place} is not a number`)
    case 'expired':
      return refused('stale', `${place} had expired ${spanOf(time.byMs)} before it arrived`)
    case 'early':
      return refused('from-the-future', `${place} is valid only ${spanOf(time.byMs)} after it arrived`)
  }
}

function claimFault({ scheme, settings }: PreparedScheme, view: RequestView, token: Token): Refused | null {
  const { jwt } = scheme
  const urls = scheme.url === undefined ? [undefined] : scheme.url.flatMap((form) => urlsOf(form, view.url()))
  for (const [name, parts] of Object.entries(jwt?.claims ?? {})) {
    if (jwt?.withBody?.includes(name) && view.request.body.length === 0) {
      if (!Object.hasOwn(token.claims, name)) continue
      return refused('claim-wrong', `claim ${name} of the token speaks of a body, but there is none`)
    }
    const says = urls.some((url) => {
      const expected = bytesOf(parts, view, { settings, url })
      return expected !== null && claims(token, name, expected)
    })
    if (!says) return refused('claim-wrong', `claim ${name} of the token is not what it should be for this request`)
  }
  return null
}
