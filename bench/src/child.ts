import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { until } from './deadline.ts'

/** A process that we started and that we end, by its own id. */
export interface Child extends AsyncDisposable {
  readonly pid: number
  /** Resolves to the exit code; null when a signal ended it. */
  readonly ended: Promise<number | null>
  stop(): Promise<void>
  /** Ends it as a crash does: it gets no chance to put anything away. */
  kill(): Promise<void>
}

export interface ChildOptions {
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** Where its output is kept; the end of it is shown when it fails. */
  readonly folder: string
  /** Who runs it, where it is not to be us. */
  readonly user?: { readonly uid: number; readonly gid: number }
  /** What asks it to end; SIGTERM where nothing is said. */
  readonly stopSignal?: 'SIGINT' | 'SIGTERM'
  /** Asked until it says true; left out, the process counts as ready at once. */
  readonly ready?: () => Promise<boolean>
}

const readyWithinMs = 30_000
// A gateway gives what is in flight up to 10 s (docs/run.md), and then closes its store.
const stopWithinMs = 20_000

const alive = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of alive) child.kill('SIGKILL')
})

/** Starts a process and waits until it is ready. Throws with the end of its output when it does not get there. */
export async function startChild(options: ChildOptions): Promise<Child> {
  const log = join(options.folder, `${options.name}.log`)
  const output = openSync(log, 'a')
  const child = spawn(options.command, options.args, {
    stdio: ['ignore', output, output],
    // Nothing of the caller's settings but what a process needs to run at all.
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...options.env },
    ...options.user,
  })
  closeSync(output)
  alive.add(child)
  let over = false
  let failure = ''
  const ended = new Promise<number | null>((resolve) => {
    child.once('exit', (code) => resolve(code))
    child.once('error', (error) => {
      failure = error.message
      resolve(null)
    })
  }).finally(() => {
    over = true
    alive.delete(child)
  })
  const stop = async () => {
    if (over) return
    child.kill(options.stopSignal ?? 'SIGTERM')
    const late = setTimeout(() => child.kill('SIGKILL'), stopWithinMs)
    await ended
    clearTimeout(late)
  }
  const kill = async () => {
    child.kill('SIGKILL')
    await ended
  }
  try {
    await until(options.name, readyWithinMs, 20, async () => {
      if (over) throw new Error(`${options.name} ended before it was ready ${failure}`)
      return options.ready === undefined || (await options.ready().catch(() => false))
    })
  } catch (error) {
    await stop()
    const tail = readFileSync(log, 'utf8').slice(-2000)
    throw new Error(`${error instanceof Error ? error.message : error}\n${tail}`)
  }
  return { pid: child.pid ?? 0, ended, stop, kill, [Symbol.asyncDispose]: stop }
}

/** A port on loopback that nobody has at this moment. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      const port = address !== null && typeof address === 'object' ? address.port : 0
      server.close(() => resolve(port))
    })
  })
}
