// What becomes of a source's settings and secrets when somebody says something about them, and what is wrong with that.
import { parseNetwork } from './address.ts'
import type { Millis } from './ids.ts'
import { pointerTo } from './json-pointer.ts'
import { nearest } from './nearest.ts'
import type { Preset } from './preset.ts'
import { answerFaults, presetFaults } from './preset-check.ts'
import type { Fault } from './problem.ts'
import type { SourceSecret, SourceSettings } from './source.ts'
import { keyFault, verifies } from './source-secret.ts'

/** A secret as somebody gives it. `pointer`: where in the request. */
export interface SecretWish {
  readonly value: string
  readonly name: string | null
  readonly from: Millis | null
  readonly until: Millis | null
  readonly pointer: string
}

type Said = Omit<SourceSettings, 'values' | 'modeSaid' | 'custom'>

/** What is left out stays as it was; null is the usual again. */
export interface SourceSaying {
  readonly settings: { readonly [Key in keyof Said]?: Said[Key] | null | undefined }
  /** Undefined: those that are there stay. */
  readonly secrets: readonly SecretWish[] | undefined
  /** Members of `config`, of which those count that the preset asks for. */
  readonly values: Readonly<Record<string, unknown>>
  /** The descriptor of a `custom` source. */
  readonly custom: Preset | undefined
}

/** What of a source depends on one another. */
export interface SourceCore {
  readonly type: string
  readonly settings: SourceSettings
  readonly secrets: readonly SourceSecret[]
}

const usual: SourceSettings = {
  ...{ mode: 'observe', modeSaid: false, state: 'active', disabledAnswer: 410, publicUrl: null, values: {} },
  ...{ schemes: null, tolerance: null, duplicateWindow: null, allowedAddresses: null, schemas: null },
  ...{ schemaCheck: 'off', ack: null, forwardChallenges: false, custom: null },
}

/**
 * What is said of a source of this type, put on what it held before (null: nothing yet). What belongs to another provider
 * does not stay: secrets, what its preset asked for, names of schemes.
 */
export function coreAfter(
  held: SourceCore | null,
  type: string,
  said: SourceSaying,
  preset: Preset,
  now: Millis,
  newSecretId: () => string,
): { readonly core: SourceCore; readonly faults: readonly Fault[] } {
  const same = held !== null && held.type === type
  const before: SourceSettings = {
    ...(held?.settings ?? usual),
    ...(same ? {} : { values: {}, custom: null }),
    ...(same && said.custom === undefined ? {} : { schemes: null }),
  }
  const secrets = secretsAfter(same ? held.secrets : [], said.secrets, now, newSecretId)
  // Who changes only its name is not asked for what a newer preset wants besides.
  const asked = !same || said.secrets !== undefined || said.custom !== undefined || Object.keys(said.values).length > 0
  const { values, faults } = valuesAfter(before.values, said.values, preset, asked)
  const merged = { ...before, ...settled(said.settings, before), values, custom: said.custom ?? before.custom }
  const settings = withMode(merged, preset, secrets)
  const found = [
    ...faults,
    ...(said.custom === undefined ? [] : presetFaults(said.custom, '/config/preset')),
    ...(said.settings.ack ? answerFaults(said.settings.ack, '/ack') : []),
    ...secretFaults(said.secrets ?? [], preset),
    ...settingFaults(settings, secrets, preset),
  ]
  return { core: { type, settings, secrets }, faults: found }
}

function settled(said: SourceSaying['settings'], before: SourceSettings): Partial<SourceSettings> {
  const parts = Object.entries(said).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value ?? usual[name as keyof Said]]],
  )
  const { mode } = said
  const modeSaid = mode === undefined ? before.modeSaid : mode !== null
  return { ...(Object.fromEntries(parts) as Partial<SourceSettings>), modeSaid }
}

/** The settings once these secrets are there: the mode, unless its owner has said it, follows from what can be verified. */
export function withMode(settings: SourceSettings, preset: Preset, secrets: readonly SourceSecret[]): SourceSettings {
  if (settings.modeSaid) return settings
  return { ...settings, mode: verifies(preset, settings.schemes, secrets) ? 'enforce' : 'observe' }
}

/** A secret whose value was there before is the same one: what is known of its use stays with it. */
function secretsAfter(
  held: readonly SourceSecret[],
  wished: readonly SecretWish[] | undefined,
  now: Millis,
  newId: () => string,
): readonly SourceSecret[] {
  if (wished === undefined) return held
  return wished.map(({ value, name, from, until }) => {
    const same = held.find((secret) => secret.value === value)
    const { id, captured, createdAt } = same ?? { id: newId(), captured: false, createdAt: now }
    return { id, name, value, from, until, captured, createdAt }
  })
}

function secretFaults(wished: readonly SecretWish[], preset: Preset): readonly Fault[] {
  return wished.flatMap(({ value, from, until, pointer }, at) => {
    const faults: Fault[] = []
    const fault = keyFault(value, preset)
    if (fault !== null) faults.push({ pointer, message: fault })
    if (wished.findIndex((other) => other.value === value) < at) faults.push({ pointer, message: 'is there twice' })
    if (from !== null && until !== null && until <= from) faults.push({ pointer, message: 'ends before it begins' })
    return faults
  })
}

const longestValue = 4096

function valuesAfter(
  held: SourceSettings['values'],
  said: Readonly<Record<string, unknown>>,
  { settings = [] }: Preset,
  asked: boolean,
): { readonly values: SourceSettings['values']; readonly faults: readonly Fault[] } {
  const faults = misspelt(Object.keys(said), [...settings.map(({ name }) => name), ...ofSecrets])
  const values: Record<string, string> = {}
  for (const { name, label, where, required = false, default: usually } of settings) {
    const pointer = `/config/${name}`
    const value = Object.hasOwn(said, name) ? said[name] : held[name]
    if (value === undefined || value === null) {
      if (asked && required && usually === undefined)
        faults.push({ pointer, message: `is required: ${label}. ${where.replace(/\.$/, '')}` })
    } else if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') {
      faults.push({ pointer, message: 'must be a text' })
    } else if (value === '' || String(value).length > longestValue) {
      faults.push({ pointer, message: `must be 1 to ${longestValue} characters` })
    } else values[name] = String(value)
  }
  return { values, faults }
}

// What else `config` takes.
const ofSecrets = ['secret', 'secrets', 'publicKey', 'preset', 'timestampGraceSeconds']
const longestName = 64

/**
 * What nobody knows is ignored, as everywhere; but whoever mistypes what requests are to be checked with would get a source that
 * checks nothing.
 */
function misspelt(names: readonly string[], known: readonly string[]): Fault[] {
  return names.flatMap((name) => {
    const meant = known.includes(name) || name.length > longestName ? null : nearest(name, known)
    return meant === null
      ? []
      : [{ pointer: pointerTo('/config', name), message: `is nothing that it takes; did you mean ${meant}?` }]
  })
}

const headerName = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/ // RFC 9110, 5.6.2

function settingFaults(settings: SourceSettings, secrets: readonly SourceSecret[], preset: Preset): readonly Fault[] {
  const { mode, modeSaid, schemes, publicUrl, allowedAddresses, duplicateWindow, values } = settings
  const faults: Fault[] = []
  const refuse = (pointer: string, message: string): void => void faults.push({ pointer, message })

  if (mode === 'enforce' && modeSaid && !verifies(preset, schemes, secrets) && !captures(preset)) {
    refuse('/mode', cannotEnforce(preset))
  }
  const names = preset.schemes.map(({ name }) => name)
  for (const [at, name] of (schemes ?? []).entries()) {
    if (!names.includes(name)) refuse(`/schemes/${at}`, `must be one of ${names.join(', ') || 'none: there are none'}`)
  }
  if (publicUrl !== null && !isPublicUrl(publicUrl)) {
    refuse(
      '/publicUrl',
      'must be an absolute http or https URL without a fragment, as it is registered at the provider',
    )
  }
  for (const [at, entry] of (allowedAddresses ?? []).entries()) {
    const pointer = `/allowedAddresses/${at}`
    if (entry !== 'provider') {
      if (parseNetwork(entry) === null)
        refuse(pointer, 'must be an address or a network such as 192.0.2.0/24, or provider')
    } else if (!preset.ips?.ranges.length)
      refuse(pointer, `cannot be: ${preset.title} publishes no addresses that are known here`)
  }
  const repeats = preset.retryWindow * 1000
  if (duplicateWindow !== null && duplicateWindow < repeats) {
    refuse(
      '/duplicateWindowSeconds',
      `must be at least ${preset.retryWindow}: so long may ${preset.title} repeat a request`,
    )
  }
  for (const name of headerSettings(preset)) {
    const value = values[name]
    if (value !== undefined && !headerName.test(value)) refuse(`/config/${name}`, 'must be the name of a header')
  }
  return faults
}

const captures = ({ challenges = [] }: Preset): boolean => challenges.some(({ capture }) => capture !== undefined)

const cannotEnforce = ({ schemes, secret, title }: Preset): string =>
  schemes.length === 0
    ? `cannot be enforce: ${title} signs nothing, so nothing can be verified`
    : `cannot be enforce without a secret: give one in config${secret === null ? '' : ` (${secret.label}. ${secret.where})`}, or leave mode out`

function isPublicUrl(text: string): boolean {
  return /^https?:\/\/[^\s#\\]+$/i.test(text) && URL.canParse(text)
}

/** Settings of a preset that name a header. */
function headerSettings(preset: Preset): ReadonlySet<string> {
  const found = new Set<string>()
  const look = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return
    const setting: unknown = 'header' in value ? Object(value.header).setting : undefined
    if (typeof setting === 'string') found.add(setting)
    for (const inner of Object.values(value)) look(inner)
  }
  look(preset)
  return found
}

/** What is shown of `config`: nothing that is compared with what a request brings. */
export function valuesShown(
  { values }: Pick<SourceSettings, 'values'>,
  { challenges = [] }: Preset,
): Readonly<Record<string, string>> {
  const compared = new Set(challenges.flatMap(({ check }) => (check === undefined ? [] : [check.setting])))
  return Object.fromEntries(Object.entries(values).filter(([name]) => !compared.has(name)))
}

/**
 * The secrets once another is given: those before of the same name pass until `graceMs` are over, if they do not end
 * sooner. What has ended already is forgotten.
 */
export function rotated(
  held: readonly SourceSecret[],
  next: SourceSecret,
  now: Millis,
  graceMs: Millis,
): readonly SourceSecret[] {
  const end = now + graceMs
  const kept = held
    .filter(({ value, until }) => value !== next.value && (until === null || until > now))
    .map((secret) =>
      secret.name !== next.name || (secret.until !== null && secret.until <= end) ? secret : { ...secret, until: end },
    )
    .filter(({ until }) => until === null || until > now)
  return [...kept, next]
}
