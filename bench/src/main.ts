// BENCH: one file per question. Generator, receiver and gateway are processes of their own; nothing here imports the
// gateway, it is started and asked as any caller would.
import { backlog } from './backlog.ts'
import { claim } from './claim.ts'
import { type Databases, makeDatabases } from './database.ts'
import { drain } from './drain.ts'
import { fanOut } from './fan-out.ts'
import { growth } from './growth.ts'
import { machine } from './machine.ts'
import { neighbours } from './neighbours.ts'
import { type Options, ofPostgres, optionsOf, type Question, UsageError, usage } from './options.ts'
import { payload } from './payload.ts'
import { needsOfPeer, peer } from './peer.ts'
import { plans } from './plans.ts'
import { profile } from './profile.ts'
import { passThrough, publish, shortRate } from './publish.ts'
import { publishBeside } from './publish-beside.ts'
import { receive } from './receive.ts'
import { printed, type Report } from './report.ts'
import { restart } from './restart.ts'
import { writeResults } from './results.ts'
import { retries } from './retries.ts'
import { soak } from './soak.ts'
import { tenth } from './tenth.ts'

// Processes we started and folders we made are ended and removed as this one exits, however it does.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))

type Answer = (options: Options, databases: Databases) => Promise<Report>

const fullPublish = (options: Options, databases: Databases) =>
  (options.database === 'postgres' ? publishBeside : publish)(options, databases)

const answers: Readonly<Record<Exclude<Question, 'all'>, Answer>> = {
  publish: fullPublish,
  tenth: async (options, databases) =>
    tenth(options, databases, options.rate === null ? await shortRate(options, databases) : Number.NaN),
  receive,
  'fan-out': fanOut,
  payload,
  backlog,
  neighbours,
  retries,
  growth,
  restart,
  peer,
  'pass-through': passThrough,
  profile,
  drain,
  claim,
  plans,
  soak,
}

/** But for `pass-through`, which publish has beside it, and the hour of `soak`. */
async function* all(args: readonly string[], options: Options, databases: Databases): AsyncGenerator<Report> {
  needsOfPeer()
  const published = await fullPublish(options, databases)
  yield published
  yield tenth(options, databases, published.deliveredPerS)
  const shared = [
    'receive',
    'fan-out',
    'payload',
    'backlog',
    'neighbours',
    'retries',
    'growth',
    'restart',
    'peer',
    'profile',
  ] as const
  const more = options.database === 'postgres' ? ofPostgres.filter((question) => question !== 'soak') : []
  // Some have usual numbers of their own.
  for (const question of [...shared, ...more]) yield answers[question](optionsOf(args, question) ?? options, databases)
}

try {
  const args = process.argv.slice(2)
  const options = optionsOf(args)
  if (options === null) {
    console.log(usage)
  } else {
    const parts = [`# Benchmark\n\n${await machine(args)}`]
    console.log(parts[0])
    let faults = 0
    await using databases = makeDatabases()
    const { question } = options
    const reports = question === 'all' ? all(args, options, databases) : [answers[question](options, databases)]
    for await (const report of reports) {
      parts.push(printed(report))
      console.log(`\n${parts.at(-1)}`)
      faults += report.faults.length
    }
    if (question === 'all' && !options.short) console.error(`written: ${writeResults(options.database, parts)}`)
    process.exitCode = faults > 0 ? 1 : 0
  }
} catch (error) {
  console.error(
    `bench: ${error instanceof UsageError ? `${error.message}\n\n${usage}` : error instanceof Error ? error.message : error}`,
  )
  process.exitCode = 2
}
// Whatever is still open when a question failed, all has been said: a gateway that was left running kept this one from
// ending (2026-11).
process.exit()
