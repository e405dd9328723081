import type { Millis } from '../../domain/ids.ts'
import type { MoveWatcher } from '../../stores/move/move.ts'

const barWidth = 24
const drawEveryMs: Millis = 200
const lineEveryMs: Millis = 5_000

/** How far a move has come: a bar on a terminal, otherwise a line now and then. */
export class MoveProgress implements MoveWatcher {
  readonly #out: NodeJS.WriteStream
  readonly #now: () => Millis
  #doing = 'copying'
  #total = 0
  #done = 0
  /** Where this run began: what a run before has copied says nothing about speed. */
  #from = 0
  #since: Millis = 0
  #drawnAt: Millis = 0

  constructor(out: NodeJS.WriteStream, now: () => Millis) {
    this.#out = out
    this.#now = now
  }

  begun(total: number, done: number): void {
    if (done > 0) this.#out.write(`going on after ${done} rows that are there already\n`)
    this.#begin('copying', total, done)
  }

  copied(table: string, rows: number): void {
    this.#step(table, rows)
  }

  verifying(total: number): void {
    this.end()
    this.#begin('comparing', total, 0)
  }

  verified(table: string, rows: number): void {
    this.#step(table, rows)
  }

  /** Leaves the last line as it is. */
  end(): void {
    this.#write('', '\n')
  }

  #begin(doing: string, total: number, done: number): void {
    this.#doing = doing
    this.#total = total
    this.#done = done
    this.#from = done
    this.#since = this.#now()
    this.#drawnAt = this.#now()
  }

  #step(table: string, rows: number): void {
    this.#done += rows
    const now = this.#now()
    if (now - this.#drawnAt < (this.#out.isTTY ? drawEveryMs : lineEveryMs)) return
    this.#drawnAt = now
    this.#write(table, this.#out.isTTY ? '' : '\n')
  }

  #write(table: string, ending: '' | '\n'): void {
    const seconds = Math.max(0.001, (this.#now() - this.#since) / 1_000)
    const rate = (this.#done - this.#from) / seconds
    const share = this.#total === 0 ? 1 : Math.min(1, this.#done / this.#total)
    const left = rate === 0 || table === '' ? '' : `, ${shownSpan((this.#total - this.#done) / rate)} left`
    const filled = Math.round(share * barWidth)
    const bar = this.#out.isTTY ? `\r\x1b[K[${'#'.repeat(filled)}${'.'.repeat(barWidth - filled)}] ` : ''
    const at = table === '' ? '' : ` ${table}`
    this.#out.write(
      `${bar}${this.#doing}${at}: ${this.#done} of ${this.#total} rows (${Math.floor(share * 100)} %), ${Math.round(rate)} rows/s${left}${ending}`,
    )
  }
}

function shownSpan(seconds: number): string {
  const whole = Math.max(0, Math.ceil(seconds))
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`
}
