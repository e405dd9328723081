// BENCH: one file per question. Generator, receiver and gateway are processes of their own; nothing here imports the
// gateway, it is started and asked as any caller would.
import { backlog } from './backlog.ts'
import { claim } from './claim.ts'
import { type Databases, makeDatabases } from './database.ts'
import { drain } from './drain.ts'
import { machine } from './machine.ts'
import { type Options, optionsOf, UsageError, usage } from './options.ts'
import { plans } from './plans.ts'
import { passThrough, publish, shortRate } from './publish.ts'
import { publishBeside } from './publish-beside.ts'
import { receive } from './receive.ts'
import { printed, type Report } from './report.ts'
import { soak } from './soak.ts'
import { tenth } from './tenth.ts'

// Processes we started and folders we made are ended and removed as this one exits, however it does.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))

async function* answers(options: Options, databases: Databases): AsyncGenerator<Report> {
  const full = options.database === 'postgres' ? publishBeside : publish
  switch (options.question) {
    case 'publish':
      yield full(options, databases)
      break
    case 'tenth':
      yield tenth(options, databases, options.rate === null ? await shortRate(options, databases) : Number.NaN)
      break
    case 'backlog':
      yield backlog(options, databases)
      break
    case 'receive':
      yield receive(options, databases)
      break
    case 'pass-through':
      yield passThrough(options)
      break
    case 'drain':
      yield drain(options, databases)
      break
    case 'claim':
      yield claim(options)
      break
    case 'plans':
      yield plans(options)
      break
    case 'soak':
      yield soak(options, databases)
      break
    case 'all': {
      const published = await full(options, databases)
      yield published
      yield tenth(options, databases, published.deliveredPerS)
      yield receive(options, databases)
      yield backlog(options, databases)
    }
  }
}

try {
  const args = process.argv.slice(2)
  const options = optionsOf(args)
  if (options === null) {
    console.log(usage)
  } else {
    console.log(`# Benchmark\n\n${await machine(args)}`)
    let faults = 0
    await using databases = makeDatabases()
    for await (const report of answers(options, databases)) {
      console.log(`\n${printed(report)}`)
      faults += report.faults.length
    }
    process.exitCode = faults > 0 ? 1 : 0
  }
} catch (error) {
  console.error(
    `bench: ${error instanceof UsageError ? `${error.message}\n\n${usage}` : error instanceof Error ? error.message : error}`,
  )
  process.exitCode = 2
}
