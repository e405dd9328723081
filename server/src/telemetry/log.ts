import { type Logger, pino } from 'pino'
import { PinoPretty } from 'pino-pretty'

/** One line an event, with ids, sizes and durations; never payloads or secrets. */
export type Log = Logger

export interface LogOptions {
  readonly format: 'pretty' | 'json'
  readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent'
}

export function makeLog({ format, level }: LogOptions): Log {
  const options = { level, base: null, timestamp: pino.stdTimeFunctions.isoTime }
  if (format === 'json') return pino(options)
  return pino(
    options,
    PinoPretty({ colorize: process.stdout.isTTY, translateTime: 'SYS:HH:MM:ss.l', ignore: 'pid,hostname', sync: true }),
  )
}
