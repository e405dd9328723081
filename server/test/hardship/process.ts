import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const bin = fileURLToPath(new URL('../../bin/posthorn.mjs', import.meta.url))
const told = new URL('./told.ts', import.meta.url).href
const pageBytes = 4096
const patienceMs = 30_000

/** One life of the gateway's process. */
export class GatewayProcess {
  readonly url: string
  readonly #child: ChildProcess
  readonly #gone: Promise<unknown>
  readonly #orders: string
  readonly complaints: readonly string[]
  aheadMs = 0
  #number = 0

  private constructor(url: string, child: ChildProcess, gone: Promise<unknown>, orders: string, complaints: string[]) {
    this.url = url
    this.#child = child
    this.#gone = gone
    this.#orders = orders
    this.complaints = complaints
  }

  /** Rejects with what it said where it ends before it listens. `wrapped`: a command that runs it in other surroundings. */
  static async start(
    settings: Readonly<Record<string, string>>,
    orders: string,
    wrapped: readonly string[] = [],
  ): Promise<GatewayProcess> {
    const [command = process.execPath, ...words] = [...wrapped, process.execPath, bin, 'serve']
    const child = spawn(command, words, {
      env: {
        PATH: process.env.PATH,
        POSTHORN_LOG: 'json,info',
        NODE_OPTIONS: `--expose-gc --import ${told}`,
        HARDSHIP_ORDERS: orders,
        ...settings,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const gone = once(child, 'exit')
    const orphaned = (): void => void child.kill('SIGKILL')
    process.once('exit', orphaned)
    const complaints: string[] = []
    const url = await new Promise<string>((resolve, reject) => {
      createInterface({ input: child.stdout }).on('line', (line) => {
        const listening = /"url":"([^"]+)"[^\n]*"msg":"posthorn is listening"/.exec(line)?.[1]
        if (listening !== undefined) resolve(listening)
        else if (/^\{"level":[56]0,/.test(line) || !line.startsWith('{')) complaints.push(line)
      })
      createInterface({ input: child.stderr }).on('line', (line) => complaints.push(line))
      child.once('error', reject)
      child.once('exit', (code) => {
        process.off('exit', orphaned)
        reject(new Error(`posthorn ended with ${code} before it listened: ${complaints.slice(-3).join(' | ')}`))
      })
    })
    return new GatewayProcess(url, child, gone, orders, complaints)
  }

  get isAlive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** Code or signal. */
  get endedWith(): string {
    return String(this.#child.signalCode ?? this.#child.exitCode)
  }

  /** SIGKILL: no goodbye, nothing flushed. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#gone
  }

  /** SIGTERM. */
  async stop(): Promise<void> {
    this.#child.kill('SIGTERM')
    await this.#gone
  }

  get rssBytes(): number {
    return Number(readFileSync(`/proc/${this.#child.pid}/statm`, 'utf8').split(' ')[1]) * pageBytes
  }

  /** Has the process collect its garbage; its clock stays as far ahead of the machine's as `aheadMs` says. */
  async order(): Promise<void> {
    this.#number += 1
    writeFileSync(this.#orders, JSON.stringify({ number: this.#number, aheadMs: this.aheadMs }))
    this.#child.kill('SIGUSR2')
    const done = `${this.#orders}.done`
    for (const until = performance.now() + patienceMs; performance.now() < until; await pause(20)) {
      if (existsSync(done) && readFileSync(done, 'utf8').includes(`"number":${this.#number},`)) return
    }
    throw new Error(`the process did not follow its orders within ${patienceMs / 1000} s`)
  }
}
