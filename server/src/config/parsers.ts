// How the text of a setting is read. Each throws Error whose message completes "NAME …".
import { formatDuration, parseDuration, parseDurations } from '../domain/duration.ts'
import type { Millis } from '../domain/ids.ts'

export interface ListenAddress {
  readonly host: string
  /** 0: any free port. */
  readonly port: number
}

export const logFormats = ['pretty', 'json'] as const
export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const
export type LogFormat = (typeof logFormats)[number]
export type LogLevel = (typeof logLevels)[number]

const day: Millis = 24 * 60 * 60_000

export function listenAddress(text: string): ListenAddress {
  const [, v6, name, digits = ''] = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9._-]+)):(\d{1,5})$/.exec(text) ?? []
  const host = v6 ?? name
  if (host === undefined) throw new Error('must be a host and a port, an IPv6 address in brackets')
  const port = Number(digits)
  if (port > 65_535) throw new Error('must have a port of at most 65535')
  return { host, port }
}

export function baseUrl(text: string): string {
  const url = URL.parse(text)
  if (url === null || !/^https?:$/.test(url.protocol)) throw new Error('must be an http or https URL')
  if (url.username || url.password || url.search || url.hash)
    throw new Error('must have no credentials, query or fragment')
  return url.href.replace(/\/+$/, '')
}

export function pooler(text: string): 'none' | 'transaction' {
  if (text !== 'none' && text !== 'transaction') throw new Error('must be none or transaction')
  return text
}

export function apiKey(text: string): string {
  if (!/^[\x21-\x7e]{8,256}$/.test(text)) throw new Error('must be 8 to 256 visible ASCII characters without spaces')
  return text
}

export function masterKey(text: string): Uint8Array {
  const bytes = /^[0-9a-fA-F]{64}$/.test(text) ? Buffer.from(text, 'hex') : Buffer.from(text, 'base64')
  const spelled = /^[0-9a-fA-F]{64}$|^[A-Za-z0-9+/_-]{43}=?$/.test(text)
  if (!spelled || bytes.length !== 32) throw new Error('must be 32 bytes, as 64 hex digits or 44 characters of base64')
  return bytes
}

export function onOrOff(text: string): boolean {
  if (text === 'on') return true
  if (text === 'off') return false
  throw new Error('must be on or off')
}

export function retrySchedule(text: string): readonly Millis[] {
  if (text === 'none') return []
  const spans = parseDurations(text)
  if (spans === null) throw new Error('must be durations with commas between, or "none"')
  if (spans.length > 50) throw new Error('must have at most 50 retries')
  if (spans.some((span) => span > 30 * day)) throw new Error('must have no wait beyond 30d')
  return spans
}

export function share(text: string): number {
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN
  if (!(value >= 0 && value <= 1)) throw new Error('must be a number from 0 to 1')
  return value
}

export function duration(least: Millis, most: Millis): (text: string) => Millis {
  return (text) => {
    const span = parseDuration(text)
    if (span === null) throw new Error('must be a number with a unit: ms, s, m, h or d')
    if (span < least || span > most) throw new Error(`must be ${formatDuration(least)} to ${formatDuration(most)}`)
    return span
  }
}

/** A duration, or 0 for no end. */
export function keeping(least: Millis, most: Millis): (text: string) => Millis {
  const read = duration(least, most)
  return (text) => (text === 'none' || text === '0' ? 0 : read(text))
}

export function origins(text: string): '*' | readonly string[] {
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

export function count(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN
    if (!(value >= least && value <= most)) throw new Error(`must be a whole number from ${least} to ${most}`)
    return value
  }
}

export function size(least: number, most: number): (text: string) => number {
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

export function log(text: string): { readonly format: LogFormat; readonly level: LogLevel } {
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
