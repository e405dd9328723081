// `npm run fuzz -- --seeds 50`: one seed after the other on one gateway. Exits 1 where an answer was wrong.
import { parseArgs } from 'node:util'
import type { Weight } from './gateway.ts'
import type { RoundResult } from './round.ts'
import { run } from './run.ts'

const usage = `Usage: npm run fuzz -- [--seeds 20] [--seed 1] [--requests 400]

Asks a gateway of its own for every operation of the OpenAPI document that it serves: first what fits, then what does
not (values, text, paths, queries, headers, framing, ids of deleted things and of another environment). No answer may
be a 5xx but a documented 503 or 501, none may take a second of the gateway's time, each must be as the document says,
and what the process holds when garbage was collected must not grow.

  --seeds N      how many, one after the other
  --seed S       the first of them; a seed that failed is repeated with --seed S --seeds 1
  --requests R   how many each

Exit codes: 0 nothing was wrong, 1 something was, 2 it could not be run.`

function number(text: string, name: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text)
  throw new Error(`--${name} must be a whole number from 1, not '${text}'`)
}

const mostShown = 10

function tell(
  seed: number,
  { failures, statuses, slowestMs }: RoundResult,
  { rss, held }: Weight,
  seconds: number,
): void {
  const mib = (bytes: number): string => `${Math.round(bytes / 1024 / 1024)} MiB`
  const answers = [...statuses].toSorted().map(([status, times]) => `${status} ×${times}`)
  const verdict = failures.length === 0 ? 'ok' : 'WRONG'
  const weight = `${mib(held)} held, ${mib(rss)} in all`
  console.log(
    `seed ${seed}  ${verdict}  ${seconds.toFixed(1)} s, slowest ${Math.round(slowestMs)} ms, ${weight}  ${answers.join(', ')}`,
  )
  show(failures)
}

function show(failures: RoundResult['failures']): void {
  for (const { request, operationId, twists, faults, curl } of failures.slice(0, mostShown)) {
    console.log(`  request ${request} for ${operationId}${twists.length > 0 ? ` (${twists.join('; ')})` : ''}`)
    for (const fault of faults) console.log(`    ${fault}`)
    console.log(`    ${curl}`)
  }
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: '20' },
      seed: { type: 'string', default: '1' },
      requests: { type: 'string', default: '400' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    console.log(usage)
    return 0
  }
  const seeds = number(values.seeds, 'seeds')
  const { neighbour, rounds, growth } = await run({
    ...{ seeds, first: number(values.seed, 'seed'), requests: number(values.requests, 'requests'), tell },
  })
  if (neighbour.failures.length > 0) console.log('WRONG  before the first seed')
  show(neighbour.failures)
  const asked = rounds.flatMap((result) => [...result.asked])
  const operations = new Set(asked.map(([operationId]) => operationId))
  const served = new Set(asked.filter(([, { served }]) => served > 0).map(([operationId]) => operationId))
  const times = asked.reduce((sum, [, { times }]) => sum + times, 0)
  console.log(`${times} requests to ${operations.size} operations, ${served.size} of which were served at least once`)
  const never = [...operations].filter((operationId) => !served.has(operationId))
  if (never.length > 0) console.log(`never served: ${never.join(', ')}`)
  if (growth !== null) console.log(`WRONG  ${growth}`)
  const wrong = [neighbour, ...rounds].some(({ failures }) => failures.length > 0) || growth !== null
  return wrong ? 1 : 0
}

// The gateway ends with this process.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))

try {
  process.exitCode = await main()
} catch (error) {
  console.error(`fuzz: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
  process.exitCode = 2
}
// A request that never ended must not keep this process: all has been said.
process.exit()
