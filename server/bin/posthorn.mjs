#!/usr/bin/env node
// The published command. Posthorn is TypeScript that Node 26 runs as it is; an older system Node hands over to the
// Node 26 that the project (or the package's user) has installed through npm's `node` package.
import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const cli = join(dirname(fileURLToPath(import.meta.url)), '../src/cli/main.ts')
const [major = 0] = process.versions.node.split('.').map(Number)

if (major >= 26) {
  await import(cli)
} else {
  let runtime
  try {
    runtime = join(dirname(createRequire(import.meta.url).resolve('node/package.json')), 'bin/node')
  } catch {
    console.error(`posthorn: needs Node 26 or later, this is ${process.version}. Run 'npm install node@26' here, or upgrade.`)
    process.exit(1)
  }
  const child = spawnSync(runtime, [cli, ...process.argv.slice(2)], { stdio: 'inherit' })
  process.exit(child.status ?? 1)
}
