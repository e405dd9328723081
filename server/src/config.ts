// What the operator decides: read from flags and environment, in one place. Nobody else reads the environment.
import type { ListenAddress, LogFormat, LogLevel } from './config/parsers.ts'
import { table } from './config/table.ts'
import { type Control, usualControl } from './domain/control.ts'
import { formatDuration } from './domain/duration.ts'

type Table = typeof table
type SettingName = keyof Table
type Values = { readonly [Name in SettingName]: ReturnType<Table[Name]['read']> }

/** Everything an operator can decide. Spans are in milliseconds, `maxBody` and `maxInboundBody` in bytes. */
export interface Settings extends Omit<Values, 'publicUrl' | 'log'> {
  /** Without a slash at the end. With port 0 and nothing given, it carries that 0. */
  readonly publicUrl: string
  readonly logFormat: LogFormat
  readonly logLevel: LogLevel
}

/** Texts by setting: what a flag said, or what a command wants where nobody said anything. */
export type SettingTexts = { readonly [Name in SettingName]?: string | undefined }

export interface SettingSources {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Win over the environment. */
  readonly flags: SettingTexts
  /** A command's own defaults, in place of the table's. */
  readonly defaults?: SettingTexts
}

/** One setting as `posthorn config` shows it. */
export interface SettingLine {
  readonly name: SettingName
  readonly env: string
  readonly flag: string
  /** As given, not as parsed; a secret is `set` or `not set`. */
  readonly value: string
  readonly default: string
  readonly source: 'flag' | 'environment' | 'default'
  readonly doc: string
  readonly example: string
  /** What is wrong with the value. */
  readonly fault: string | null
}

/** One or more settings cannot be used; the message says which, what is wrong with each, and shows an example. */
export class SettingsError extends Error {
  constructor(lines: readonly SettingLine[]) {
    const told = lines.map(({ env, flag, value, source, fault, example }) => {
      const given = source === 'flag' ? `--${flag} ${value}` : `${env}=${value}`
      return `  ${given}\n    ${fault}. For example: ${example}`
    })
    super(`${lines.length === 1 ? 'A setting' : `${lines.length} settings`} cannot be used:\n${told.join('\n')}`)
    this.name = 'SettingsError'
  }
}

const names = Object.keys(table) as readonly SettingName[]

/** What `parseArgs` of node:util must know to read every setting as a flag. */
export const settingOptions: Readonly<Record<string, { readonly type: 'string' }>> = Object.fromEntries(
  names.map((name) => [table[name].flag, { type: 'string' } as const]),
)

/** Of what `parseArgs` has read, the settings, by name. */
export function settingFlags(values: Readonly<Record<string, unknown>>): SettingTexts {
  const flags: { [Name in SettingName]?: string } = {}
  for (const name of names) {
    const value = values[table[name].flag]
    if (typeof value === 'string') flags[name] = value
  }
  return flags
}

/** Names in the environment that look like settings but are none: most are misspelt. */
export function unknownVariables(env: SettingSources['env']): readonly string[] {
  const known = new Set<string>(names.map((name) => table[name].env))
  return Object.keys(env).filter((name) => name.startsWith('POSTHORN_') && !known.has(name))
}

/** Every variable there is. */
export const settingVariables: readonly string[] = names.map((name) => table[name].env)

/** Reads every setting: flags win over the environment, an empty variable counts as unset. Throws SettingsError. */
export function loadSettings(sources: SettingSources): Settings {
  const { lines, values } = readAll(sources)
  if (values === null) throw new SettingsError(lines.filter(({ fault }) => fault !== null))
  const { publicUrl, log: chosen, ...rest } = values
  return { ...rest, publicUrl: publicUrl ?? urlOf(values.listen), logFormat: chosen.format, logLevel: chosen.level }
}

/** How the database is dealt with. */
export const storeManner = ({ databaseConnections, databasePooler, migrate }: Settings) => ({
  connections: databaseConnections,
  pooled: databasePooler === 'transaction',
  migrates: migrate,
})

/** What the settings say about deliveries; the levels below may say otherwise. */
export const serverControl = (settings: Settings): Control => ({
  ...usualControl,
  retrySchedule: settings.retrySchedule,
  timeout: settings.attemptTimeout,
  maxInFlight: settings.endpointInFlight,
  retention: settings.retention,
  payloadRetention: settings.payloadRetention,
})

/** Every setting with its value, where that comes from, and what is wrong with it. Does not throw. */
export function describeSettings(sources: SettingSources): readonly SettingLine[] {
  return readAll(sources).lines
}

function readAll(sources: SettingSources): { readonly lines: readonly SettingLine[]; readonly values: Values | null } {
  const values: Partial<Record<SettingName, unknown>> = {}
  const faults = new Map<SettingName, string>()
  const given = new Map<SettingName, { readonly text: string | null; readonly source: SettingLine['source'] }>()
  for (const name of names) {
    const found = give(name, sources)
    given.set(name, found)
    try {
      values[name] = table[name].read(found.text)
    } catch (error) {
      faults.set(name, error instanceof Error ? error.message : String(error))
    }
  }
  // Each value has just come out of its own parser; where one did not, the whole is not used.
  const read = faults.size === 0 ? (values as Values) : null
  if (read !== null) for (const [name, fault] of contradictions(read)) faults.set(name, fault)

  const lines = names.map((name): SettingLine => {
    const { env, flag, doc, example, secret, unset } = table[name]
    const { text, source } = given.get(name) ?? { text: null, source: 'default' }
    const standard = sources.defaults?.[name] ?? table[name].default
    // Whatever stands before an @ in a URL is a credential, also in one that is refused.
    const plain = text?.replace(/\/\/.*@/, '//…@') || 'not set'
    const value = !secret ? plain : text === null ? 'not set' : 'set'
    return { name, env, flag, value, default: standard || unset, source, doc, example, fault: faults.get(name) ?? null }
  })
  return { lines, values: faults.size === 0 ? read : null }
}

function give(
  name: SettingName,
  { env, flags, defaults }: SettingSources,
): { text: string | null; source: SettingLine['source'] } {
  const flag = flags[name]
  if (flag !== undefined) return { text: flag, source: 'flag' }
  // Compose files and unit files pass `NAME=` for what was left out.
  const variable = env[table[name].env]
  if (variable) return { text: variable, source: 'environment' }
  return { text: defaults?.[name] ?? table[name].default, source: 'default' }
}

/** What no single setting can know. */
function contradictions(settings: Values): Map<SettingName, string> {
  const found = new Map<SettingName, string>()
  if (settings.leaseDuration < 2 * settings.attemptTimeout) {
    const least = formatDuration(2 * settings.attemptTimeout)
    found.set('leaseDuration', `must be at least ${least}, twice the attempt timeout, or a slow try loses its delivery`)
  }
  if (settings.endpointInFlight > settings.globalInFlight) {
    found.set('endpointInFlight', `must be at most ${settings.globalInFlight}, the deliveries under way in all`)
  }
  if (settings.hotDeliveries < settings.globalInFlight) {
    found.set('hotDeliveries', `must be at least ${settings.globalInFlight}, the deliveries under way in all`)
  }
  return found
}

function urlOf({ host, port }: ListenAddress): string {
  // All addresses is not an address one can go to.
  const reachable = host === '0.0.0.0' || host === '::' ? 'localhost' : host
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`
}
