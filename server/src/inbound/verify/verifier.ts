import type { Millis } from '../../domain/ids.ts'
import type { RefusalReason } from '../../domain/inbound.ts'
import type { Preset, Scheme } from '../../domain/preset.ts'
import type { SourceSecret, SourceSettings } from '../../domain/source.ts'
import { readKey } from '../../domain/verification-key.ts'
import type { RequestView, SettingValues } from '../reading/view.ts'
import { type Refused, refused } from './refused.ts'
import { checkScheme } from './scheme.ts'
import { areElsewhere, type PreparedScheme } from './scheme-keys.ts'
import type { FetchedKeys, Verdict } from './verdict.ts'

/** What of a source's settings the check of a request depends on. */
export type VerifierSettings = Pick<SourceSettings, 'values' | 'schemes' | 'tolerance'>

export interface VerifierSetup {
  readonly preset: Preset
  readonly secrets: readonly SourceSecret[]
  readonly settings: VerifierSettings
}

/** Checks requests of one source. Keep it as long as its secrets and settings stay the same: making it reads every key. */
export interface Verifier {
  /**
   * `now`: when the request arrived. `fetched`: keys that stand elsewhere, as far as they are at hand; what is not among
   * them is asked for by a verdict `needs`, after everything else was right. Never throws for what a stranger sends.
   */
  verify(view: RequestView, now: Millis, fetched: FetchedKeys): Verdict
}

export function makeVerifier({ preset, secrets, settings }: VerifierSetup): Verifier {
  const values = settingValues(preset, settings.values)
  const schemes = preset.schemes.filter((scheme) => settings.schemes?.includes(scheme.name) ?? true)
  if (schemes.length === 0) return always({ kind: 'unverified', because: 'no-scheme' })
  // Whether there is something to check with must not depend on the request, or a stranger could choose not to be checked.
  const prepared = schemes
    .filter((scheme) => scheme.key.from !== 'secret' || secrets.length > 0)
    .map((scheme) => prepare(scheme, secrets, values, settings.tolerance))
  if (prepared.length === 0) return always({ kind: 'unverified', because: 'no-secret' })
  // Where there are keys for some schemes, the others are none of this source's.
  const keyed = prepared.filter((scheme) => scheme.keys.length > 0 || areElsewhere(scheme))
  const tried = keyed.length > 0 ? keyed : prepared
  return {
    verify(view, now, fetched) {
      let needs: Verdict | null = null
      let furthest: Refused | null = null
      for (const scheme of tried) {
        const outcome = checkScheme(scheme, view, now, fetched)
        if (outcome.kind === 'verified') return outcome
        if (outcome.kind === 'needs') needs ??= outcome
        if (outcome.kind === 'refused' && isFurther(outcome, furthest)) furthest = outcome
      }
      return (
        needs ??
        furthest ??
        refused('signature-missing', `the request is signed in none of the ways of ${preset.title}`)
      )
    },
  }
}

/** Whether a check got further before it failed than another: of several schemes, that one says the most. */
export const isFurther = (found: Refused, than: Refused | null): boolean =>
  than === null || rank[found.reason] > rank[than.reason]

const always = (verdict: Verdict): Verifier => ({ verify: () => verdict })

/** What the owner has set, and what the preset says where they have not. */
export function settingValues(preset: Preset, set: SettingValues): SettingValues {
  const usual = (preset.settings ?? []).flatMap(({ name, default: value }) =>
    value === undefined ? [] : [[name, value]],
  )
  const made = Object.entries(set).filter(([, value]) => value !== '')
  return { ...Object.fromEntries(usual), ...Object.fromEntries(made) }
}

/** Reads a source's secrets as keys of a scheme. `tolerance`: of the source, null where it says nothing. */
export function prepare(
  scheme: Scheme,
  secrets: readonly SourceSecret[],
  settings: SettingValues,
  tolerance: Millis | null,
): PreparedScheme {
  const usual = scheme.timestamp?.tolerance ?? null
  return {
    scheme,
    settings,
    toleranceMs: tolerance ?? (usual === null ? null : usual * 1000),
    keys: secrets.flatMap((secret) => {
      const read = readKey(scheme, secret.value)
      return read.kind === 'key' ? [{ secret, key: read.key }] : []
    }),
  }
}

const rank: Readonly<Record<RefusalReason, number>> = {
  'signature-missing': 1,
  'timestamp-missing': 2,
  'signature-malformed': 3,
  'timestamp-malformed': 4,
  'signature-wrong': 5,
  'claim-wrong': 6,
  'from-the-future': 7,
  stale: 7,
  'address-not-allowed': 0,
  unverifiable: 0,
  'schema-violated': 0,
}
