#!/usr/bin/env node
// The published command. Posthorn is TypeScript that Node 26 runs as it is; an older system Node hands over to the
// Node 26 that the project (or the package's user) has installed through npm's `node` package.
import { spawn } from 'node:child_process'
import * as module from 'node:module'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const cli = join(dirname(fileURLToPath(import.meta.url)), '../src/cli/main.ts')
const [major = 0] = process.versions.node.split('.').map(Number)

if (major >= 26) {
  // Compiled code is kept between starts, for the store's threads too (they read the variable): a third off the time until
  // the first answer, and 45 MB less memory, since no thread loads the TypeScript stripper (Node 26.10, 2026-11).
  module.enableCompileCache()
  process.env.NODE_COMPILE_CACHE ??= module.getCompileCacheDir() ?? ''
  // Names of receivers are looked up in libuv's threads: four dead names must not hold up every other look-up.
  process.env.UV_THREADPOOL_SIZE ??= '16'
  // What a message leaves behind is garbage within milliseconds: a larger nursery takes 40 MB more and is no faster
  // (bench publish, 2026-11).
  const flags = ['--max-semi-space-size=16']
  // On two cores the collector's helpers take from the threads that work more than they save: without them 13 to 22 % less CPU
  // a message, p99 of publish 12 to 13 ms instead of 15 (bench publish in turns, three rounds, 2026-11).
  if (availableParallelism() <= 2) flags.push('--single-threaded-gc')
  const missing = flags.filter((flag) => !process.execArgv.includes(flag))
  // V8 takes these at the start only, so the process starts itself anew, under the same id.
  if (process.platform !== 'win32' && missing.length > 0) {
    const words = [...process.execArgv, ...missing, fileURLToPath(import.meta.url), ...process.argv.slice(2)]
    process.execve(process.execPath, [process.execPath, ...words], process.env)
  }
  await import(cli)
} else {
  const child = spawn(runtime(), [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: 'inherit' })
  // Whoever stops this process means the gateway: it must not live on without it.
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('exit', (code, signal) => process.exit(code ?? (signal === null ? 1 : 128)))
}

function runtime() {
  try {
    return join(dirname(module.createRequire(import.meta.url).resolve('node/package.json')), 'bin/node')
  } catch {
    console.error(
      `posthorn: needs Node 26 or later, this is ${process.version}. Run 'npm install node@26', or upgrade.`,
    )
    return process.exit(2)
  }
}
