// Installs what is missing, and nothing else: run before `npm start`, `npm test` and the other commands.
// Plain JavaScript for the oldest Node a newcomer may have (20); everything after it runs on the Node 26 of package.json.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(fileURLToPath(import.meta.url))
const at = (...parts) => join(root, ...parts)
const lock = at('package-lock.json')
const stamp = at('node_modules', '.posthorn-setup')
const manifests = [
  'package.json',
  'contract/package.json',
  'server/package.json',
  'bench/package.json',
  'package-lock.json',
]

/** What is installed is right when it was installed from these very manifests. */
const wanted = () => {
  const sum = createHash('sha256')
  for (const file of manifests) if (existsSync(at(file))) sum.update(readFileSync(at(file)))
  return sum.digest('hex')
}
const installed = () => (existsSync(stamp) ? readFileSync(stamp, 'utf8') : '')
const runtime = at('node_modules', '.bin', process.platform === 'win32' ? 'node.cmd' : 'node')

if (installed() !== wanted() || !existsSync(runtime)) {
  // --loglevel=error: some packages ask for a newer Node than the one npm itself may be running on here. They will run
  // on the Node 26 that this very install brings, so npm's warning about them would be a false alarm.
  const args = [existsSync(lock) ? 'ci' : 'install', '--no-audit', '--no-fund', '--loglevel=error']
  console.log(`Installing (npm ${args[0]}): once, and again only when the manifests change …`)
  const npm = process.env.npm_execpath
  const ran = npm
    ? spawnSync(process.execPath, [npm, ...args], { cwd: root, stdio: 'inherit' })
    : spawnSync('npm', args, { cwd: root, stdio: 'inherit', shell: process.platform === 'win32' })
  if (ran.status !== 0 || !existsSync(runtime) || statSync(runtime).size === 0) {
    console.error('setup: the install failed; npm said why above. `npm ci --verbose` shows more.')
    process.exit(1)
  }
  writeFileSync(stamp, wanted())
}
