// `npm run faults -- --seeds 50`: one seed after the other on one cluster. Exits 1 where a rule was broken.
import { parseArgs } from 'node:util'
import { findPostgres, serverUser } from '../support/postgres-server.ts'
import { Cluster } from './cluster.ts'
import { type RoundResult, round } from './round.ts'

const usage = `Usage: npm run faults -- [--seeds 50] [--first 1] [--seconds 12] [--verbose]

Three nodes on a PostgreSQL with a synchronous standby, under load, while nodes are killed and suspended, connections
cut and stalled, and the database restarted and failed over. Each seed is a script of what goes wrong, on a fresh
database; at its end everything that was accepted must have arrived, once recorded, in order, within its rate.

  --seeds N     how many, one after the other
  --first N     the first of them; a seed that failed is repeated with --first N --seeds 1
  --seconds S   how long each has load and faults
  --verbose     shows what is done as it is done

A seed repeats what is done and when; how processes race is not bit for bit the same.
Exit codes: 0 nothing was broken, 1 something was, 2 it could not be run.`

function number(text: string, name: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text)
  throw new Error(`--${name} must be a whole number from 1, not '${text}'`)
}

const mostShown = 8
const mostComplaints = 40

function report(seed: number, { offences, timeline, complaints }: RoundResult): void {
  console.log(timeline.join('\n'))
  for (const line of complaints.slice(0, mostComplaints)) console.log(`  ${line}`)
  for (const { rule, breaches } of offences) {
    console.log(`  seed ${seed} broke: ${rule} (${breaches.length})`)
    for (const breach of breaches.slice(0, mostShown)) console.log(`    ${breach}`)
  }
}

async function run(): Promise<number> {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: '50' },
      first: { type: 'string', default: '1' },
      seconds: { type: 'string', default: '12' },
      verbose: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    console.log(usage)
    return 0
  }
  const [seeds, first] = [number(values.seeds, 'seeds'), number(values.first, 'first')]
  const seconds = number(values.seconds, 'seconds')
  const found = findPostgres()
  if ('missing' in found) throw new Error(`this needs PostgreSQL, but ${found.missing}`)
  const cluster = await Cluster.start(found.bin, serverUser())
  const broken: number[] = []
  try {
    for (let seed = first; seed < first + seeds; seed++) {
      const startedAt = performance.now()
      const result = await round({ seed, seconds, cluster, ...(values.verbose ? { tell: console.log } : {}) })
      const took = ((performance.now() - startedAt) / 1_000).toFixed(1)
      console.log(`seed ${seed}  ${result.offences.length === 0 ? 'ok' : 'BROKEN'}  ${took} s  ${result.summary}`)
      if (result.offences.length === 0) continue
      broken.push(seed)
      report(seed, values.verbose ? { ...result, timeline: [] } : result)
    }
  } finally {
    await cluster.stop()
  }
  console.log(
    broken.length === 0 ? `${seeds} seeds, none broken` : `${broken.length} of ${seeds} broken: ${broken.join(', ')}`,
  )
  return broken.length === 0 ? 0 : 1
}

// Nodes end with this process, and so do the servers.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))

try {
  process.exitCode = await run()
} catch (error) {
  console.error(`faults: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
  process.exitCode = 2
}
// Once after fifty seeds something that a killed server had left open kept this process alive (2026-11): all has been said.
process.exit()
