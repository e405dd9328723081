// Every setting there is, in one table that also prints its own reference. Nobody else reads the environment.
import { type Control, usualControl } from './domain/control.ts'
import { formatDuration, parseDuration, parseDurations } from './domain/duration.ts'
import { type EgressAllow, parseEgressAllow } from './domain/egress.ts'
import type { Millis } from './domain/ids.ts'
import { defaultRetryPolicy } from './domain/retry.ts'

interface ListenAddress {
  readonly host: string
  /** 0: any free port. */
  readonly port: number
}

const logFormats = ['pretty', 'json'] as const
const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const
type LogFormat = (typeof logFormats)[number]
type LogLevel = (typeof logLevels)[number]

interface Setting<T> {
  readonly env: string
  readonly flag: string
  /** Null: may stay unset. */
  readonly default: string | null
  /** What happens while it is unset. */
  readonly unset: string
  readonly example: string
  readonly doc: string
  /** Never shown, not even when it is wrong. */
  readonly secret: boolean
  /** Throws Error whose message completes "NAME …". */
  read(text: string | null): T
}

type Written<T> = Pick<Setting<T>, 'env' | 'flag' | 'doc'> & {
  readonly parse: (text: string) => T
  readonly secret?: true
}

const setting = <T>({
  parse,
  ...rest
}: Written<T> & { readonly default: string; readonly example?: string }): Setting<T> => ({
  unset: 'none',
  example: rest.default,
  secret: false,
  ...rest,
  read: (text) => parse(text ?? rest.default),
})

const optional = <T>({
  parse,
  ...rest
}: Written<T> & { readonly unset: string; readonly example: string }): Setting<T | null> => ({
  default: null,
  secret: false,
  ...rest,
  read: (text) => (text === null ? null : parse(text)),
})

const minute: Millis = 60_000
const day: Millis = 24 * 60 * minute

const table = {
  listen: setting({
    env: 'POSTHORN_LISTEN',
    flag: 'listen',
    parse: listenAddress,
    default: '127.0.0.1:8071',
    doc: 'Address and port to listen on. 0.0.0.0 or [::] for all addresses of the machine; port 0 for any free one.',
  }),
  publicUrl: optional({
    env: 'POSTHORN_PUBLIC_URL',
    flag: 'public-url',
    parse: baseUrl,
    unset: 'http:// and the address listened on',
    example: 'https://hooks.example.com',
    doc: 'Where others reach this server: what links in problems, documentation and the user agent start with.',
  }),
  database: setting({
    env: 'POSTHORN_DATABASE',
    flag: 'database',
    parse: database,
    default: 'sqlite:./posthorn.db',
    doc: 'Where everything is kept: sqlite: and the path of a file. A key file (back it up) and a lock file stand beside it.',
  }),
  apiKey: optional({
    env: 'POSTHORN_API_KEY',
    flag: 'api-key',
    parse: apiKey,
    secret: true,
    unset: 'one is made at the first start and printed once',
    example: 'a word of 8 or more characters, from `openssl rand -hex 24`',
    doc: 'An admin key of the environment "default", so that a deployment knows its key beforehand. A flag shows in the list of processes: prefer the variable.',
  }),
  masterKey: optional({
    env: 'POSTHORN_MASTER_KEY',
    flag: 'master-key',
    parse: masterKey,
    secret: true,
    unset: 'read from a key file beside the database, made at the first start',
    example: '32 bytes in base64 or hex, from `openssl rand -base64 32`',
    doc: 'Seals endpoint secrets and headers in the database. Without the key they were sealed with they cannot be read again: back it up.',
  }),
  egressAllow: setting<EgressAllow>({
    env: 'POSTHORN_EGRESS_ALLOW',
    flag: 'egress-allow',
    parse: parseEgressAllow,
    default: '',
    example: '127.0.0.0/8,receiver.internal',
    doc: 'Networks and hosts, comma-separated, that deliveries may reach although they are not public.',
  }),
  retrySchedule: setting({
    env: 'POSTHORN_RETRY_SCHEDULE',
    flag: 'retry-schedule',
    parse: retrySchedule,
    default: defaultRetryPolicy.delaysMs.map(formatDuration).join(','),
    doc: 'The wait before each retry, from the end of the try before; their number is the number of retries. "none": one try only.',
  }),
  retryJitter: setting({
    env: 'POSTHORN_RETRY_JITTER',
    flag: 'retry-jitter',
    parse: share,
    default: String(defaultRetryPolicy.jitter),
    doc: 'By how much of itself a wait may be longer or shorter, 0 to 1, so that failures do not come back in step.',
  }),
  attemptTimeout: setting({
    env: 'POSTHORN_ATTEMPT_TIMEOUT',
    flag: 'attempt-timeout',
    parse: duration(1_000, minute),
    default: '15s',
    doc: 'How long a receiver may take to answer, from the connection to the last byte.',
  }),
  maxBody: setting({
    env: 'POSTHORN_MAX_BODY',
    flag: 'max-body',
    parse: size(1024, 64 * 1024 * 1024),
    default: '1MiB',
    doc: 'The largest request body taken; beyond it the answer is 413.',
  }),
  apiRate: optional({
    env: 'POSTHORN_API_RATE',
    flag: 'api-rate',
    parse: count(1, 1_000_000),
    unset: 'as many as come',
    example: '100',
    doc: 'Requests a second that one API key or portal token may make; beyond it the answer is 429.',
  }),
  corsOrigins: setting({
    env: 'POSTHORN_CORS_ORIGINS',
    flag: 'cors-origins',
    parse: origins,
    default: '',
    example: 'https://app.example.com,https://admin.example.com',
    doc: 'Origins, comma-separated, whose web pages may call the API from a browser; * for all. Keys belong on servers: pages should hold portal tokens.',
  }),
  endpointInFlight: setting({
    env: 'POSTHORN_ENDPOINT_IN_FLIGHT',
    flag: 'endpoint-in-flight',
    parse: count(1, 10_000),
    default: '64',
    doc: 'Deliveries under way to one endpoint at the same time.',
  }),
  globalInFlight: setting({
    env: 'POSTHORN_GLOBAL_IN_FLIGHT',
    flag: 'global-in-flight',
    parse: count(1, 60_000),
    default: '1024',
    doc: 'Deliveries under way in all at the same time. Each is a connection: mind the limit of open files.',
  }),
  hotDeliveries: setting({
    env: 'POSTHORN_HOT_DELIVERIES',
    flag: 'hot-deliveries',
    parse: count(1, 1_000_000),
    default: '8192',
    doc: 'Deliveries held in memory; the rest wait in the database. This bounds memory, not the backlog.',
  }),
  leaseDuration: setting({
    env: 'POSTHORN_LEASE_DURATION',
    flag: 'lease-duration',
    parse: duration(2_000, 60 * minute),
    default: '60s',
    doc: 'After how long the deliveries of a process that died may be taken by another. More than twice the attempt timeout.',
  }),
  disableAfter: setting({
    env: 'POSTHORN_DISABLE_AFTER',
    flag: 'disable-after',
    parse: duration(minute, 365 * day),
    default: '5d',
    doc: 'An endpoint of which every attempt failed for this long is disabled.',
  }),
  retention: setting({
    env: 'POSTHORN_RETENTION',
    flag: 'retention',
    parse: keeping(minute, 3_650 * day),
    default: formatDuration(usualControl.retention),
    doc: 'How long messages and their attempts are kept, where environment or application do not say otherwise. "none": for ever.',
  }),
  payloadRetention: setting({
    env: 'POSTHORN_PAYLOAD_RETENTION',
    flag: 'payload-retention',
    parse: keeping(minute, 3_650 * day),
    default: 'none',
    example: '7d',
    doc: 'How long payloads are kept, where nobody else says otherwise. "none": as long as their messages.',
  }),
  shutdownGrace: setting({
    env: 'POSTHORN_SHUTDOWN_GRACE',
    flag: 'shutdown-grace',
    parse: duration(0, 10 * minute),
    default: '10s',
    doc: 'How long a stop waits for what is in flight; the rest is due at once for the next process.',
  }),
  log: setting({
    env: 'POSTHORN_LOG',
    flag: 'log',
    parse: log,
    default: 'json,info',
    example: 'pretty,debug',
    doc: `Format (${logFormats.join(', ')}) and least level (${logLevels.join(', ')}), either or both.`,
  }),
} as const

type Table = typeof table
type SettingName = keyof Table
type Values = { readonly [Name in SettingName]: ReturnType<Table[Name]['read']> }

/** Everything an operator can decide. Spans are in milliseconds, `maxBody` in bytes. */
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
  if (settings.leaseDuration <= 2 * settings.attemptTimeout) {
    const least = formatDuration(2 * settings.attemptTimeout)
    found.set(
      'leaseDuration',
      `must be more than ${least}, twice the attempt timeout, or a slow try loses its delivery`,
    )
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

function listenAddress(text: string): ListenAddress {
  const [, v6, name, digits = ''] = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9._-]+)):(\d{1,5})$/.exec(text) ?? []
  const host = v6 ?? name
  if (host === undefined) throw new Error('must be a host and a port, an IPv6 address in brackets')
  const port = Number(digits)
  if (port > 65_535) throw new Error('must have a port of at most 65535')
  return { host, port }
}

function baseUrl(text: string): string {
  const url = URL.parse(text)
  if (url === null || !/^https?:$/.test(url.protocol)) throw new Error('must be an http or https URL')
  if (url.username || url.password || url.search || url.hash)
    throw new Error('must have no credentials, query or fragment')
  return url.href.replace(/\/+$/, '')
}

function database(text: string): { readonly engine: 'sqlite'; readonly path: string } {
  if (/^postgres(ql)?:/i.test(text))
    throw new Error('names PostgreSQL, which this version does not speak yet; SQLite is what it has')
  const path = text.startsWith('sqlite:') ? text.slice('sqlite:'.length).replace(/^\/\/(?=\/)/, '') : ''
  if (path === ':memory:')
    throw new Error('names a database in memory, which would forget what it has promised to deliver')
  if (path === '' || path.startsWith('//')) throw new Error('must be sqlite: and the path of a file')
  return { engine: 'sqlite', path }
}

function apiKey(text: string): string {
  if (!/^[\x21-\x7e]{8,256}$/.test(text)) throw new Error('must be 8 to 256 visible ASCII characters without spaces')
  return text
}

function masterKey(text: string): Uint8Array {
  const bytes = /^[0-9a-fA-F]{64}$/.test(text) ? Buffer.from(text, 'hex') : Buffer.from(text, 'base64')
  const spelled = /^[0-9a-fA-F]{64}$|^[A-Za-z0-9+/_-]{43}=?$/.test(text)
  if (!spelled || bytes.length !== 32) throw new Error('must be 32 bytes, as 64 hex digits or 44 characters of base64')
  return bytes
}

function retrySchedule(text: string): readonly Millis[] {
  if (text === 'none') return []
  const spans = parseDurations(text)
  if (spans === null) throw new Error('must be durations with commas between, or "none"')
  if (spans.length > 50) throw new Error('must have at most 50 retries')
  if (spans.some((span) => span > 30 * day)) throw new Error('must have no wait beyond 30d')
  return spans
}

function share(text: string): number {
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN
  if (!(value >= 0 && value <= 1)) throw new Error('must be a number from 0 to 1')
  return value
}

function duration(least: Millis, most: Millis): (text: string) => Millis {
  return (text) => {
    const span = parseDuration(text)
    if (span === null) throw new Error('must be a number with a unit: ms, s, m, h or d')
    if (span < least || span > most) throw new Error(`must be ${formatDuration(least)} to ${formatDuration(most)}`)
    return span
  }
}

/** A duration, or 0 for no end. */
function keeping(least: Millis, most: Millis): (text: string) => Millis {
  const read = duration(least, most)
  return (text) => (text === 'none' || text === '0' ? 0 : read(text))
}

function origins(text: string): '*' | readonly string[] {
  if (text.trim() === '*') return '*'
  const parts = text.split(',').map((part) => part.trim())
  return parts
    .filter((part) => part !== '')
    .map((part) => {
      if (!URL.canParse(part) || new URL(part).origin !== part) {
        throw new Error(`must be origins as browsers say them, scheme and host and port without a path, not '${part}'`)
      }
      return part
    })
}

function count(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN
    if (!(value >= least && value <= most)) throw new Error(`must be a whole number from ${least} to ${most}`)
    return value
  }
}

function size(least: number, most: number): (text: string) => number {
  const factors: Readonly<Record<string, number>> = { B: 1, KiB: 1024, MiB: 1024 * 1024 }
  return (text) => {
    const [, digits = '', unit = ''] = /^(\d{1,9})(B|KiB|MiB)$/.exec(text) ?? []
    const factor = factors[unit]
    if (factor === undefined) throw new Error('must be a whole number with a unit: B, KiB or MiB')
    const bytes = Number(digits) * factor
    if (bytes < least || bytes > most) throw new Error(`must be ${least / 1024}KiB to ${most / 1024 / 1024}MiB`)
    return bytes
  }
}

function log(text: string): { readonly format: LogFormat; readonly level: LogLevel } {
  const words = text.split(',').map((word) => word.trim())
  const formats = logFormats.filter((format) => words.includes(format))
  const levels = logLevels.filter((level) => words.includes(level))
  if (formats.length > 1 || levels.length > 1 || formats.length + levels.length !== words.length) {
    throw new Error(
      `must be a format (${logFormats.join(', ')}), a level (${logLevels.join(', ')}), or both with a comma`,
    )
  }
  return { format: formats[0] ?? 'json', level: levels[0] ?? 'info' }
}
