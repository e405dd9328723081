import { pino } from 'pino'
import type { Log, LogOptions } from '../../src/telemetry/log.ts'

export interface LogLine {
  readonly level: number
  readonly msg: string
  readonly [field: string]: unknown
}

export interface CapturedLog {
  readonly log: Log
  /** Every line, read back from what was written. */
  readonly lines: () => readonly LogLine[]
  /** As written. */
  readonly text: () => string
}

/** A log that is kept in memory, written as `makeLog` writes it. */
export function capturedLog(level: LogOptions['level']): CapturedLog {
  const written: string[] = []
  const log = pino({ level, base: null }, { write: (line: string) => written.push(line) })
  return {
    log,
    lines: () => written.map((line) => JSON.parse(line) as LogLine),
    text: () => written.join(''),
  }
}
