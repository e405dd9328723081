// `npm run hardship`: one hardship after the other, each on a gateway of its own. Exits 1 where one was not borne.
import { parseArgs } from 'node:util'
import { Gateway } from './gateway.ts'
import type { Hardship } from './hardship.ts'
import { hardships } from './hardships.ts'
import { kindly } from './receiver.ts'
import { brokenIn, type Outcome, rowOf, tableOf } from './verdict.ts'

const usage = `Usage: npm run hardship -- [--only name] [--short]

One gateway on SQLite, a process of its own, publishes going on all the time, and what can happen to it:

${hardships.map(({ name, about }) => `  ${name.padEnd(16)} ${about}`).join('\n')}

After each, the process must be alive or have started again, hold no more than 20 % more memory than before, and have
delivered everything it answered 202; twice only what was on its way when it was killed.

  --only NAME   just this one
  --short       less of each, and not what takes a minute: what CI runs

Memory is RSS, the least of some seconds in which the process was made to collect its garbage. Before: after a
load, and some of the largest bodies that the public door takes, as any day brings.
Exit codes: 0 all held, 1 something did not, 2 it could not be run.`

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    short: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
const scale = values.short ? 0.1 : 1
const warming = values.short ? 500 : 2_000

async function goThrough(hardship: Hardship): Promise<Outcome> {
  const gateway = await Gateway.open(hardship.options)
  try {
    gateway.load.start()
    await gateway.roadIsOpen(warming, 120_000)
    await gateway.load.stop()
    await gateway.largeBodies()
    const rssBefore = await gateway.settledRss()
    gateway.load.start()
    let seen: string | null = null
    let trouble: string | null = null
    try {
      seen = await hardship.goThrough(gateway, scale)
    } catch (error) {
      trouble = error instanceof Error ? error.message : String(error)
    }
    await gateway.load.stop()
    gateway.troubled.receiver.manner = kindly
    gateway.troubled.receiver.hangUp()
    if (gateway.isAlive) {
      await gateway.drained()
      await gateway.excuse()
    }
    const { shop, troubled, isAlive, ended } = gateway
    const rssAfter = isAlive ? await gateway.settledRss() : 0
    return {
      ...{ name: hardship.name, seen, trouble, isAlive, ended, rssBefore, rssAfter },
      ...{ endedWith: gateway.process.endedWith, shop: shop.books, troubled: troubled.books },
    }
  } finally {
    await gateway.close()
  }
}

async function run(): Promise<number> {
  if (values.help) {
    console.log(usage)
    return 0
  }
  const chosen = hardships.filter(({ name }) => values.only === undefined || name === values.only)
  if (chosen.length === 0) throw new Error(`there is no hardship '${values.only}'; --help lists them`)
  const outcomes: Outcome[] = []
  const left: string[] = []
  for (const hardship of chosen) {
    const why = hardship.impossible?.() ?? null
    if (why !== null) {
      left.push(`${hardship.name} was left out: ${why}`)
      continue
    }
    const startedAt = performance.now()
    const outcome = await goThrough(hardship)
    outcomes.push(outcome)
    console.log(
      `${hardship.name}: ${outcome.seen ?? 'broken off'} (${Math.round((performance.now() - startedAt) / 1000)} s)`,
    )
    for (const line of brokenIn(outcome)) console.log(`  BROKEN: ${line}`)
  }
  if (outcomes.length === 0) throw new Error(left.join('; '))
  console.log(['', tableOf(outcomes.map(rowOf)), ...left].join('\n'))
  return outcomes.every((outcome) => brokenIn(outcome).length === 0) ? 0 : 1
}

// The gateway ends with this process; what was mounted must not stay behind.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))

try {
  process.exitCode = await run()
} catch (error) {
  console.error(`hardship: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
  process.exitCode = 2
}
// A socket that a broken-off hardship left open must not keep this process: all has been said.
process.exit()
