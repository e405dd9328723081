import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'

/** Another project's server at work for tests, in a folder of its own. */
export interface WatchedServer {
  /** What it has said so far. */
  log(): string
  ended(): boolean
  /** Ends it, and removes its folder. */
  stop(): Promise<void>
}

/**
 * Runs `program` until it is stopped, or this process ends, however that ends: a watchdog in a session of its own holds one
 * end of a pipe, and stops the server (SIGINT) when the other end is gone.
 */
export function watchedServer(
  program: string,
  args: readonly string[],
  { folder, user }: { readonly folder: string; readonly user: { readonly uid: number; readonly gid: number } | null },
): WatchedServer {
  const watchdog = spawn('/bin/sh', ['-c', watchdogScript, 'posthorn-test-server', folder, program, ...args], {
    ...user,
    cwd: folder,
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  watchdog.unref()
  // The type says Writable; it is the socket of a pipe, which else would keep a test's process alive.
  const pipe = watchdog.stdin
  if (pipe !== null && 'unref' in pipe && typeof pipe.unref === 'function') pipe.unref()
  return {
    log() {
      const path = join(folder, 'log')
      return existsSync(path) ? readFileSync(path, 'utf8') : ''
    },
    ended: () => watchdog.exitCode !== null,
    stop: () => ended(watchdog),
  }
}

// SIGINT lets PostgreSQL and PgBouncer end what they have begun, and end at once. The folder goes only when whoever started
// this is gone or done: a start that failed is tried again on the same data.
const watchdogScript = `
trap : INT TERM HUP
folder=$1; shift
"$@" </dev/null >>"$folder/log" 2>&1 &
pid=$!
cat >/dev/null
kill -INT $pid 2>/dev/null
wait $pid
cd / && rm -rf "$folder"
`

function ended(watchdog: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (watchdog.exitCode !== null) return resolve()
    watchdog.ref()
    watchdog.once('exit', () => resolve())
    watchdog.stdin?.end()
  })
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => (typeof address === 'object' && address !== null ? resolve(address.port) : reject()))
    })
  })
}
