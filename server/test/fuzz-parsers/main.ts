// `npm run fuzz:parsers`: every parser for a while, and what was found. Exits 1 where something was.
import { parseArgs } from 'node:util'
import { writeCorpus } from './corpus.ts'
import type { Fuzzer } from './fuzzer.ts'
import { fuzzers } from './fuzzers.ts'
import { fuzz } from './run.ts'

const usage = `Usage: npm run fuzz:parsers -- [--only name] [--minutes 1 | --runs N] [--seed S]

Feeds what reads the bytes of strangers with inputs that are made, mutated and grown long, and has each judged by another
reading of the same. What is found is made small, printed, and kept in server/test/fuzz-parsers/corpus/, as are inputs with
a new kind of outcome; npm test replays them.

  --only NAME   one of those below
  --minutes M   how long, for each (1)
  --runs N      how many inputs instead, for each
  --seed S      what the dice begin with (1); the same seed over the same corpus makes the same inputs
  --keep no     leave the corpus as it is

Parsers:
${fuzzers.map(({ name, about }) => `  ${name.padEnd(14)}${about}`).join('\n')}

Exit codes: 0 nothing was found, 1 something was, 2 it could not be run.`

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    minutes: { type: 'string', default: '1' },
    runs: { type: 'string' },
    seed: { type: 'string', default: '1' },
    keep: { type: 'string', default: 'yes' },
    help: { type: 'boolean', default: false },
  },
})

function positive(text: string, name: string): number {
  const number = Number(text)
  if (Number.isFinite(number) && number > 0) return number
  throw new Error(`--${name} must be a number above 0, not '${text}'`)
}

async function run(fuzzer: Fuzzer): Promise<number> {
  const [startedAt, seed] = [performance.now(), positive(values.seed, 'seed')]
  const most = values.runs === undefined ? Number.POSITIVE_INFINITY : positive(values.runs, 'runs')
  const until =
    values.runs === undefined ? startedAt + positive(values.minutes, 'minutes') * 60_000 : Number.POSITIVE_INFINITY
  const { runs, growths, findings, cases, fresh } = await fuzz({
    fuzzer,
    seed,
    timed: true,
    goesOn: (runs) => runs < most && performance.now() < until,
  })
  if (values.keep === 'yes') writeCorpus(fuzzer.name, cases)
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1)
  console.log(
    `${fuzzer.name.padEnd(14)} ${findings.length === 0 ? 'ok   ' : 'FOUND'} ${String(runs).padStart(9)} inputs  ${String(growths).padStart(6)} grown  ${String(cases.length).padStart(4)} kept, ${fresh} new  ${seconds} s  seed ${seed}`,
  )
  for (const { input, why } of findings) console.log(`  ${why}\n    input ${JSON.stringify(input)}`)
  return findings.length
}

async function runAll(): Promise<number> {
  if (values.help) {
    console.log(usage)
    return 0
  }
  const chosen = fuzzers.filter(({ name }) => values.only === undefined || name === values.only)
  if (chosen.length === 0) throw new Error(`there is no parser '${values.only}'; --help lists them`)
  let found = 0
  for (const fuzzer of chosen) found += await run(fuzzer)
  return found === 0 ? 0 : 1
}

try {
  process.exitCode = await runAll()
} catch (error) {
  console.error(`fuzz:parsers: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
  process.exitCode = 2
}
