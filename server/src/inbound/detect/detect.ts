// DETECT: which provider a captured request looks like. It compares with what presets say, and verifies nothing.

import type { Condition, Preset, Ref, Scheme } from '../../domain/preset.ts'
import { allHold } from '../reading/conditions.ts'
import { RequestView, type SettingValues } from '../reading/view.ts'
import { placeOf } from '../reading/wording.ts'
import { readToken } from '../verify/primitives/token.ts'
import { claimedSignatures } from '../verify/signatures.ts'
import { settingValues } from '../verify/verifier.ts'
import type { CapturedRequest } from './captured.ts'

/** `sure`: nobody else sends this. `likely`: more than a signature that others use as well. */
type Certainty = 'sure' | 'likely' | 'possible'

/** A provider that a captured request looks like. */
export interface Candidate {
  readonly preset: Preset
  readonly certainty: Certainty
  /** Only to compare with: how much was found. */
  readonly score: number
  /** What was found, as sentences; the most telling first. */
  readonly because: readonly string[]
}

/** Something that was found, and how much it says: what few providers have says more. */
interface Finding {
  readonly kind: 'signature' | 'recognised' | 'challenge' | 'header'
  readonly weight: number
  /** No other preset has it. */
  readonly own: boolean
  readonly sentence: string
}

// What anybody sends says nothing.
const common = new Set([
  'authorization',
  'content-type',
  'user-agent',
  'content-encoding',
  'host',
  'accept',
  'x-request-id',
])

// More than sign alike, so that none of those is left out for its name.
const mostCandidates = 30

// No request that was ever sent has more; every preset looks at all of them.
const mostHeaders = 200
const longestHeader = 16 * 1024

/** Names the providers that a request may be of, the likeliest first. Nothing is verified by it. */
export type Detect = (request: CapturedRequest) => readonly Candidate[]

export function makeDetect(presets: readonly Preset[]): Detect {
  const traits = presets.map((preset) => traitsOf(preset))
  const owners = new Map<string, number>()
  for (const trait of traits.flatMap(({ keys }) => [...keys])) owners.set(trait, (owners.get(trait) ?? 0) + 1)

  return ({ method, url, headers, body }) => {
    const target = url.replace(/^\w+:\/\/[^/?#]*/, '')
    const plausible = headers.slice(0, mostHeaders).filter(([, value]) => value.length <= longestHeader)
    const request = { method, target, headers: plausible.flat(), peer: '', client: '', body, receivedAt: 0 }
    const view = new RequestView(request, { url: 'https://unknown.example', pathLength: 0 })
    const scored = traits.flatMap((trait) => {
      const { findings, denied } = findingsIn(trait, view, (key) => owners.get(key) ?? 1)
      // A name of somebody else's is not told for nothing but what the two have in common.
      const score = findings.reduce((sum, { weight }) => sum + weight, denied ? -4 : 0)
      const telling = findings.some(({ kind, own }) => kind !== 'header' || own)
      return telling && score > 0 ? [candidateOf(trait.preset, findings, denied, score)] : []
    })
    // Some send the headers of others as well.
    const best = Math.max(...scored.map(({ score }) => score))
    const isAlone = scored.filter(({ score }) => score === best).length === 1
    return scored
      .sort(byScore)
      .slice(0, mostCandidates)
      .map((one) =>
        one.certainty === 'sure' && !(isAlone && one.score === best) ? { ...one, certainty: 'likely' } : one,
      )
  }
}

// Of many that sign alike the specification that they follow is named first: its preset serves them all.
const families = ['svix', 'standard-webhooks']

const byScore = (a: Candidate, b: Candidate): number =>
  b.score - a.score ||
  families.indexOf(b.preset.name) - families.indexOf(a.preset.name) ||
  a.preset.name.localeCompare(b.preset.name)

function candidateOf(preset: Preset, findings: readonly Finding[], denied: boolean, score: number): Candidate {
  const signed = findings.some(({ kind }) => kind === 'signature')
  const recognised = findings.some(({ kind }) => kind === 'recognised')
  const own = findings.some((finding) => finding.own)
  const certainty =
    own && !denied && (signed || preset.schemes.length === 0)
      ? 'sure'
      : recognised || (own && !denied)
        ? 'likely'
        : 'possible'
  const because = [...findings].sort((a, b) => b.weight - a.weight).map(({ sentence }) => sentence)
  return { preset, certainty, score, because }
}

/** What a preset is known by, read once. */
interface Traits {
  readonly preset: Preset
  readonly values: SettingValues
  /** Of headers that it names beside those of signatures. */
  readonly headers: readonly string[]
  readonly keys: ReadonlySet<string>
}

function traitsOf(preset: Preset): Traits {
  const { id, type = [], orderingKey = [], retry = {}, schemes, challenges = [], recognise = [] } = preset
  const refs: readonly Ref[] = [
    ...[...id.alternatives, ...type, ...orderingKey].flat(),
    ...Object.values(retry),
    ...schemes.flatMap(({ timestamp, when = [], template = [], key }) => [
      ...(timestamp?.at ?? []),
      ...when.filter(({ absent }) => !absent).map(({ at }) => at),
      ...template.filter((part): part is Ref & { header: string } => typeof part === 'object' && 'header' in part),
      ...(key.from === 'certificate' ? [key.url] : []),
    ]),
    ...[...recognise, ...challenges.flatMap(({ match }) => match)].map(({ at }) => at),
  ]
  const signatures = schemes.flatMap((scheme) => scheme.signature.map((ref) => signatureKey(scheme, ref)))
  const headers = [...new Set(refs.flatMap((ref) => headerOf(ref) ?? []))].filter((name) => !common.has(name))
  return {
    preset,
    values: settingValues(preset, {}),
    headers,
    keys: new Set([...signatures, ...headers.map((name) => `header ${name}`), ...recognise.map(conditionKey)]),
  }
}

/** In lower case; null: it is none, or its owner chooses it. */
const headerOf = (ref: Ref): string | null =>
  'header' in ref && typeof ref.header === 'string' ? ref.header.toLowerCase() : null
const signatureKey = ({ prefix = '' }: Scheme, ref: Ref): string =>
  `signature ${headerOf(ref) ?? JSON.stringify(ref)} ${prefix}`
const conditionKey = (condition: Condition): string => `condition ${JSON.stringify(condition)}`

function findingsIn(
  { preset, values, headers }: Traits,
  view: RequestView,
  ownersOf: (key: string) => number,
): { readonly findings: readonly Finding[]; readonly denied: boolean } {
  const findings: Finding[] = []
  const signatureHeaders = new Set<string>()
  for (const scheme of preset.schemes) {
    for (const ref of scheme.signature) {
      const header = headerOf(ref)
      // A header that the owner chooses may be any.
      if ('header' in ref && header === null) continue
      if (
        (header !== null && (common.has(header) || signatureHeaders.has(header))) ||
        !carries(scheme, ref, view, values)
      )
        continue
      if (header !== null) signatureHeaders.add(header)
      const owners = ownersOf(signatureKey(scheme, ref))
      findings.push({
        ...{ kind: 'signature', weight: 3 + 5 / owners, own: owners === 1 },
        sentence: `It carries ${placeOf(ref)}, ${owners === 1 ? `which ${preset.title} signs` : `which ${preset.title} and others sign`} with.`,
      })
    }
  }
  const { recognise = [] } = preset
  const recognised = recognise.length > 0 && allHold(recognise, view, values)
  if (recognised) {
    const own = recognise.some((condition) => ownersOf(conditionKey(condition)) === 1 && 'header' in condition.at)
    findings.push({
      ...{ kind: 'recognised', weight: 4 + recognise.length, own },
      sentence: `It has ${recognise.map(conditionTold).join(', and ')}, as requests of ${preset.title} do.`,
    })
  }
  const challenge = preset.challenges?.find(({ match }) => allHold(match, view, values))
  if (challenge) {
    findings.push({
      ...{ kind: 'challenge', weight: 3, own: false },
      sentence: `It is like the challenge ${challenge.name} of ${preset.title}: it has ${challenge.match.map(conditionTold).join(', and ')}.`,
    })
  }
  const told = new Set([...signatureHeaders, ...(recognised ? recognise.map(({ at }) => headerOf(at)) : [])])
  for (const name of headers) {
    if (told.has(name) || view.header(name).length === 0) continue
    const owners = ownersOf(`header ${name}`)
    findings.push({ kind: 'header', weight: 1 / owners, own: owners === 1, sentence: `It has header ${name}.` })
  }
  return { findings, denied: recognise.length > 0 && !recognised && challenge === undefined }
}

/** Whether something stands there that can be a signature of this scheme. */
function carries(scheme: Scheme, ref: Ref, view: RequestView, values: SettingValues): boolean {
  if (scheme.when && !allHold(scheme.when, view, values)) return false
  const views = scheme.each === undefined ? [view] : (view.items(scheme.each) ?? [])
  if (!views.some((one) => claimedSignatures({ ...scheme, signature: [ref] }, one, values).kind === 'some'))
    return false
  const isToken = (value: string): boolean => readToken(value.trim().slice(scheme.prefix?.length ?? 0)) !== null
  return scheme.algorithm !== 'jwt' || view.valuesAt(ref, values).some(isToken)
}

function conditionTold({ at, equals, like, absent }: Condition): string {
  const place = placeOf(at)
  if (absent) return `no ${place}`
  return equals !== undefined ? `“${equals}” as ${place}` : like !== undefined ? `${place} like “${like}”` : place
}
