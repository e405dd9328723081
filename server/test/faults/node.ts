import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Starvation } from './slowness.ts'
import type { Timeline } from './timeline.ts'
import type { Wire } from './wire.ts'

const bin = fileURLToPath(new URL('../../bin/posthorn.mjs', import.meta.url))
const pageBytes = 4096

/** One process of a node, from its start to its end. Times are `Date.now()`. */
export interface Life {
  /** As receivers see it in the user agent. */
  readonly name: string
  readonly startedAt: number
  listeningAt: number | null
  /** When it was sent a signal to end, whichever. */
  toldToEndAt: number | null
  ended: { readonly at: number; readonly how: 'killed' | 'stopped' | 'by itself'; readonly code: number | null } | null
  /** When it was suspended; the last one may still be. */
  readonly frozen: { readonly from: number; until: number }[]
  /** Lines of its log that tell of trouble, and everything it wrote that is no log. */
  readonly complaints: string[]
  mostRssBytes: number
  readonly starved: Starvation
}

export interface NodeOptions {
  readonly name: string
  readonly port: number
  /** Between it and the database; two where it has a list of hosts. */
  readonly wires: readonly Wire[]
  readonly settings: Readonly<Record<string, string>>
  readonly timeline: Timeline
}

/** A node as an operator runs it: a process that is started again when it could not start, and never otherwise. */
export class FleetNode {
  readonly name: string
  readonly url: string
  readonly wires: readonly Wire[]
  readonly lives: Life[] = []
  readonly #options: NodeOptions
  #child: ChildProcess | null = null
  #ending: 'killed' | 'stopped' | null = null
  #wanted = false

  constructor(options: NodeOptions) {
    this.#options = options
    this.name = options.name
    this.url = `http://127.0.0.1:${options.port}`
    this.wires = options.wires
  }

  get life(): Life | null {
    const life = this.lives.at(-1)
    return life === undefined || life.ended !== null ? null : life
  }

  get listens(): boolean {
    return this.life?.listeningAt != null
  }

  get isFrozen(): boolean {
    return this.life?.frozen.at(-1)?.until === Number.POSITIVE_INFINITY
  }

  /** Starts it, again and again as long as it cannot, as a supervisor would. Resolves when it listens. */
  async start(): Promise<void> {
    this.#wanted = true
    while (this.#wanted) {
      if (await this.#begin()) return
      this.#options.timeline.note(`${this.name} could not start: ${this.lives.at(-1)?.complaints.at(-1) ?? ''}`)
      await pause(300)
    }
  }

  /** SIGKILL. */
  async kill(): Promise<void> {
    await this.#end('killed', 'SIGKILL')
  }

  /** SIGTERM, and what it ended with. */
  async stop(): Promise<number | null> {
    return this.#end('stopped', 'SIGTERM')
  }

  freeze(): void {
    this.#child?.kill('SIGSTOP')
    this.life?.frozen.push({ from: Date.now(), until: Number.POSITIVE_INFINITY })
  }

  thaw(): void {
    const last = this.life?.frozen.at(-1)
    if (last === undefined || last.until !== Number.POSITIVE_INFINITY) return
    this.#child?.kill('SIGCONT')
    last.until = Date.now()
  }

  /** Notes how much memory it has now, and how long it has waited for a processor. */
  weigh(): void {
    const [child, life] = [this.#child, this.life]
    if (child?.pid === undefined || life === null) return
    life.starved.note(child.pid)
    try {
      const pages = Number(readFileSync(`/proc/${child.pid}/statm`, 'utf8').split(' ')[1])
      life.mostRssBytes = Math.max(life.mostRssBytes, pages * pageBytes)
    } catch {
      // Gone between two lines, or a system that does not tell.
    }
  }

  async #end(how: 'killed' | 'stopped', signal: NodeJS.Signals): Promise<number | null> {
    this.#wanted = false
    const child = this.#child
    if (child === null) return null
    this.#ending = how
    const gone = once(child, 'exit')
    const { life } = this
    if (life !== null) life.toldToEndAt ??= Date.now()
    child.kill(signal)
    if (this.isFrozen) child.kill('SIGCONT')
    await gone
    return child.exitCode
  }

  /** Resolves to whether it listens; false: it has ended before. */
  #begin(): Promise<boolean> {
    const { name, settings } = this.#options
    const life: Life = {
      name: `${name}-life-${this.lives.length + 1}`,
      startedAt: Date.now(),
      listeningAt: null,
      toldToEndAt: null,
      ended: null,
      frozen: [],
      complaints: [],
      mostRssBytes: 0,
      starved: new Starvation(),
    }
    this.lives.push(life)
    this.#ending = null
    const child = spawn(process.execPath, [bin, 'serve'], {
      env: {
        PATH: process.env.PATH,
        POSTHORN_LISTEN: this.url.slice('http://'.length),
        POSTHORN_PUBLIC_URL: `http://${life.name}.test`,
        POSTHORN_LOG: 'json,info',
        ...settings,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#child = child
    const orphaned = (): void => void child.kill('SIGKILL')
    process.once('exit', orphaned)
    return new Promise((resolve) => {
      createInterface({ input: child.stdout }).on('line', (line) => {
        if (!line.includes('"msg":"posthorn is listening"')) return complain(life, line)
        life.listeningAt = Date.now()
        resolve(true)
      })
      createInterface({ input: child.stderr }).on('line', (line) => life.complaints.push(line))
      child.once('exit', (code) => {
        process.off('exit', orphaned)
        life.ended = { at: Date.now(), how: this.#ending ?? 'by itself', code }
        if (this.#child === child) this.#child = null
        resolve(false)
      })
    })
  }
}

const isError = /^\{"level":[56]0,/

/** Keeps what tells of trouble: of the rest there is much. */
function complain(life: Life, line: string): void {
  if (!line.startsWith('{')) life.complaints.push(line)
  else if (isError.test(line)) life.complaints.push(inShort(line))
}

/** What is said, and of its error the message and where that came from. */
function inShort(line: string): string {
  const { msg, err, time } = JSON.parse(line) as {
    msg?: string
    time?: string
    err?: { message: string; stack?: string }
  }
  const from = (err?.stack ?? '').split('\n').flatMap((frame) => /at (.*)/.exec(frame)?.[1] ?? [])
  const ours = from.map((frame) => frame.replace(/\(?file:.*\/(node_modules|src)\//, '($1/'))
  return [time, msg, err?.message, ...ours].filter((part) => part !== undefined).join(' | ')
}
