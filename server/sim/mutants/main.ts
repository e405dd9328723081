// `npm run sim:mutants`: each mutant of the engine must be caught by the simulation. Exits 1 where one survives.
import { type ChildProcess, spawn } from 'node:child_process'
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { type Mutant, mutants } from './mutants.ts'

const usage = `Usage: npm run sim:mutants -- [--seeds 1000] [--only 3]

Breaks the engine in one place after the other, in a copy, and simulates up to so many seeds of each; of what was a defect
once, the seed that found it. Every one must be caught. Exit codes: 0 all were, 1 one survived, or what it changes is not there exactly once.`

const root = fileURLToPath(new URL('../../..', import.meta.url))
/** What a simulation needs of the tree. */
const needed = [
  'package.json',
  'server/package.json',
  'server/src',
  'server/sim',
  'server/test/faults/chance.ts',
  'server/test/support/dice.ts',
]
// A thousand seeds take a few seconds of a quiet machine.
const patienceMs = 300_000

/** By whom it was caught, as the simulation says; or why it was not. */
type Fate =
  | { readonly kind: 'caught'; readonly by: string }
  | { readonly kind: 'survived' | 'not there' | 'did not run' }

async function copyOfTree(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'posthorn-mutants-'))
  for (const path of needed) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await cp(join(root, path), join(folder, path), { recursive: true, filter: (from) => !from.endsWith('.test.ts') })
  }
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'))
  return folder
}

async function fateOf(folder: string, { file, find, replace, foundBy }: Mutant, seeds: string): Promise<Fate> {
  const path = join(folder, 'server/src', file)
  const text = await readFile(path, 'utf8')
  if (text.split(find).length !== 2) return { kind: 'not there' }
  await writeFile(
    path,
    text.replace(find, () => replace),
  )
  try {
    const { code, said } = await run(folder, foundBy === undefined ? ['--seeds', seeds] : ['--seed', `${foundBy}`])
    const by = /^seed .* breaks .*$/m.exec(said)?.[0]
    if (code === 1 && by !== undefined) return { kind: 'caught', by }
    return { kind: code === 0 ? 'survived' : 'did not run' }
  } finally {
    await writeFile(path, text)
  }
}

const running = new Set<ChildProcess>()

function run(
  folder: string,
  which: readonly string[],
): Promise<{ readonly code: number | null; readonly said: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['server/sim/main.ts', ...which, '--brief'], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'inherit'],
      timeout: patienceMs,
      killSignal: 'SIGKILL',
    })
    running.add(child)
    let said = ''
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString()
    })
    child.once('error', reject)
    child.once('close', (code) => {
      running.delete(child)
      resolve({ code, said })
    })
  })
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: '1000' },
      only: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    console.log(usage)
    return 0
  }
  const only = values.only === undefined ? null : mutants[Number(values.only) - 1]
  if (only === undefined) {
    console.error(`--only ${values.only}: a number from 1 to ${mutants.length}`)
    return 2
  }
  const folder = await copyOfTree()
  const left: string[] = []
  try {
    for (const [at, mutant] of mutants.entries()) {
      if (only !== null && mutant !== only) continue
      const fate = await fateOf(folder, mutant, values.seeds)
      console.log(
        `${`${at + 1}`.padStart(2)} ${mutant.name}\n     ${fate.kind === 'caught' ? fate.by : fate.kind.toUpperCase()}`,
      )
      if (fate.kind !== 'caught') left.push(mutant.name)
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
  console.log(left.length === 0 ? 'every one was caught' : `${left.length} not caught: ${left.join('; ')}`)
  return left.length === 0 ? 0 : 1
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    for (const child of running) child.kill('SIGKILL')
    process.exit(130)
  })
}

process.exitCode = await main()
