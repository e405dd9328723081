import type { Millis } from '../../domain/ids.ts'
import type { Preset, Scheme } from '../../domain/preset.ts'
import type { SourceSecret } from '../../domain/source.ts'
import { isValidAt, secretFault } from '../../domain/source-secret.ts'
import type { RequestView } from '../reading/view.ts'
import { sentence, spanOf } from '../reading/wording.ts'
import type { Refused } from './refused.ts'
import { checkScheme, urlForms } from './scheme.ts'
import { areElsewhere, type PreparedScheme } from './scheme-keys.ts'
import { algorithmVariants, bodyVariants, mentions, secretVariants, urlVariants, type Variant } from './variants.ts'
import type { FetchedKeys } from './verdict.ts'
import { isFurther, prepare, settingValues, type VerifierSetup } from './verifier.ts'

export interface ToExplain extends VerifierSetup {
  readonly view: RequestView
  /** As it was for the verdict. */
  readonly now: Millis
  readonly verdict: Refused
  readonly fetched: FetchedKeys
  readonly others: SignatureHeaders
}

/** Titles of presets by the header, lower case, in which they have their signature. */
export type SignatureHeaders = ReadonlyMap<string, readonly string[]>

// Anybody may send what is refused. A MAC over 1 MiB takes a millisecond, and meanwhile nobody else is served.
const mostTries = 40
const mostBytes = 4 * 1024 * 1024

/**
 * Why a request was refused, as sentences for a person, the most helpful first: the check is tried again in the ways in
 * which it usually fails, within bounds. What is found says how it could pass, so only those who may read the source
 * should see it; secrets are named, never shown.
 */
export function explain(input: ToExplain): readonly string[] {
  const { verdict } = input
  const failed = furthest(input)
  const hints = failed ? hintsOn(failed, input) : []
  const unusable = unusableSecrets(input)
  switch (verdict.reason) {
    case 'stale':
    case 'from-the-future':
      return [verdict.detail, ...(failed ? ageHints(failed, verdict.reason) : []), ...hints]
    case 'signature-missing':
      return [...switchedOff(input), ...otherFamilies(input), verdict.detail, ...hints]
    default: {
      const mended = failed ? wouldPass(failed, input) : []
      // Some providers sign in the headers of others as well: that is a hint only where there is no better one.
      const others = mended.length === 0 ? otherFamilies(input) : []
      const guessed = [...unusable, ...mended, ...others].length > 0
      return [
        ...unusable,
        ...mended,
        ...others,
        verdict.detail,
        ...(guessed || !failed ? [] : causes(failed, input)),
        ...hints,
      ]
    }
  }
}

/** What is asked about presets once, and not for each request. */
export function signatureHeaders(presets: readonly Preset[]): SignatureHeaders {
  const titles = new Map<string, string[]>()
  for (const preset of presets) {
    for (const header of new Set(preset.schemes.flatMap(headersOf))) {
      if (!ordinary.has(header)) titles.set(header, [...(titles.get(header) ?? []), preset.title])
    }
  }
  return titles
}

/** They say little of who sends them. */
const ordinary: ReadonlySet<string> = new Set(['authorization', 'signature', 'x-signature'])

const headersOf = ({ signature }: Scheme): readonly string[] =>
  signature.flatMap((ref) => ('header' in ref && typeof ref.header === 'string' ? [ref.header.toLowerCase()] : []))

interface Failed {
  readonly prepared: PreparedScheme
  readonly outcome: Refused
}

/** The scheme that the verdict speaks of. */
function furthest(input: ToExplain): Failed | null {
  const { preset, secrets, settings, view, now, fetched } = input
  const values = settingValues(preset, settings.values)
  let found: Failed | null = null
  for (const scheme of preset.schemes) {
    if (settings.schemes && !settings.schemes.includes(scheme.name)) continue
    const prepared = prepare(scheme, secrets, values, settings.tolerance)
    const outcome = checkScheme(prepared, view, now, fetched)
    if (outcome.kind === 'refused' && isFurther(outcome, found?.outcome ?? null)) found = { prepared, outcome }
  }
  return found
}

/** The first way in which it would pass after all. */
function wouldPass({ prepared }: Failed, input: ToExplain): readonly string[] {
  const { view, secrets, now, fetched } = input
  const { scheme, settings } = prepared
  const size = Math.max(1, view.request.body.length)
  let left = Math.min(mostTries, Math.floor(mostBytes / size))
  const active = secrets.filter((secret) => isValidAt(secret, now))

  const passes = (variant: Omit<Variant, 'says'>, given: readonly SourceSecret[]): boolean => {
    const tried = variant.scheme ?? scheme
    const look = variant.view ?? view
    const always = given.map((secret) => ({ ...secret, name: null, from: null, until: null }))
    const ready = { ...prepare(tried, always, settings, null), toleranceMs: null }
    left -= Math.max(1, ready.keys.length) * urlForms(tried, look).length
    return left >= 0 && checkScheme(ready, look, now, fetched).kind === 'verified'
  }

  for (const secret of secrets) {
    if (passes({}, [secret])) return [withSecret(secret, scheme, now)]
  }
  function* variants(): Generator<Variant> {
    for (const secret of active) yield* secretVariants(scheme, secret)
    yield* bodyVariants(scheme, view)
    yield* urlVariants(scheme, view)
    yield* algorithmVariants(scheme)
  }
  for (const variant of variants()) {
    if (left <= 0) return []
    if (passes(variant, variant.secret ? [variant.secret] : active)) return [`It would pass if ${variant.says}.`]
  }
  return []
}

function withSecret(secret: SourceSecret, scheme: Scheme, now: Millis): string {
  const { from, until } = secret
  if (from !== null && now < from) {
    return `It would pass with ${secretName(secret)}, but that is valid only ${spanOf(from - now)} after it arrived.`
  }
  if (until !== null && now >= until) {
    return `It would pass with ${secretName(secret)}, but that had ended ${spanOf(now - until)} before it arrived.`
  }
  const chosen =
    scheme.key.from === 'secret' && scheme.key.chosenBy ? ', but the request asks for one of another name' : ''
  return `It would pass with ${secretName(secret)}${chosen}.`
}

const secretName = ({ name, id }: SourceSecret): string => (name === null ? `secret ${id}` : `secret “${name}”`)

/** Secrets that are keys of no scheme: whoever entered them meant something else. */
const unusableSecrets = ({ preset, secrets, settings }: ToExplain): readonly string[] =>
  secrets.flatMap((secret) => {
    const fault = secretFault(preset, settings.schemes, secret.value)
    return fault === null ? [] : [sentence(`${secretName(secret)} cannot be used: it ${fault}`)]
  })

/** A scheme that the owner has left out. */
function switchedOff({ preset, secrets, settings, view, now, fetched }: ToExplain): readonly string[] {
  const values = settingValues(preset, settings.values)
  const off = preset.schemes.filter(({ name }) => settings.schemes && !settings.schemes.includes(name))
  const passing = off.find(
    (scheme) =>
      checkScheme(prepare(scheme, secrets, values, settings.tolerance), view, now, fetched).kind === 'verified',
  )
  return passing ? [`It would pass by scheme ${passing.name}, which does not count for this source.`] : []
}

/** Signatures that it does have, but of others. */
function otherFamilies({ preset, view, others }: ToExplain): readonly string[] {
  const own = new Set(preset.schemes.flatMap(headersOf))
  const { headers } = view.request
  const there = new Set(headers.flatMap((name, at) => (at % 2 === 0 ? [name.toLowerCase()] : [])))
  return [...there].flatMap((header) => {
    const titles = own.has(header) ? [] : (others.get(header) ?? []).filter((title) => title !== preset.title)
    if (titles.length === 0) return []
    const more = titles.length > 3 ? ` and ${titles.length - 3} more` : ''
    return [
      `It has header ${header}, in which ${titles.slice(0, 3).join(', ')}${more} ${titles.length === 1 ? 'signs' : 'sign'}: is the source of the right type?`,
    ]
  })
}

function ageHints({ prepared }: Failed, reason: 'stale' | 'from-the-future'): readonly string[] {
  // With keys from elsewhere the time is looked at before the signature.
  const signed = areElsewhere(prepared) ? '' : 'its signature is right: '
  return reason === 'stale'
    ? [
        sentence(
          `${signed}it was sent late or once more, or the clock of this machine is ahead; the source may allow more`,
        ),
      ]
    : [sentence(`${signed}the clock of this machine is behind, or that of the sender ahead`)]
}

/** What is left where nothing that was tried would pass: what only the owner of the source can compare. */
function causes({ prepared: { scheme } }: Failed, { view, verdict, preset }: ToExplain): readonly string[] {
  if (verdict.reason !== 'signature-wrong') return []
  const url = mentions(scheme, 'url')
    ? [`It is checked as sent to ${view.url()}: if another URL is registered, set it as publicUrl of the source.`]
    : []
  const ofSecret =
    scheme.key.from === 'secret'
      ? [
          `Compare the secret with what ${preset.title} shows as “${preset.secret?.label ?? 'secret'}”: each webhook there may have its own, and test mode another.`,
        ]
      : []
  return [...url, ...ofSecret, 'If that is right, something changed the request on its way, or it is forged.']
}

function hintsOn({ prepared: { scheme } }: Failed, { view, verdict }: ToExplain): readonly string[] {
  const hints: string[] = []
  for (const ref of scheme.signature) {
    if (!('header' in ref) || typeof ref.header !== 'string') continue
    const count = view.header(ref.header).length
    if (count > 1) hints.push(`Header ${ref.header} is there ${count} times.`)
  }
  if (verdict.reason === 'signature-malformed') {
    const { prefix, encoding } = scheme
    const wanted = [...(prefix === undefined ? [] : [`“${prefix}”`]), ...(encoding === undefined ? [] : [encoding])]
    if (wanted.length > 0) hints.push(`Expected: ${wanted.join(' and then ')}.`)
  }
  return hints
}
