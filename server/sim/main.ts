// `npm run sim -- --seeds 10000`: one seed after the other. Exits 1 where a rule was broken.
import { parseArgs } from 'node:util'
import { drawScenario } from './draw.ts'
import type { Violation } from './model.ts'
import type { Scenario } from './scenario.ts'
import { shrink } from './shrink.ts'
import { simulate } from './simulate.ts'

const usage = `Usage: npm run sim -- [--seeds 1000] [--from 1] [--seed S] [--trace]

The real engine on a clock of its own, with a simulated store and simulated receivers: nodes crash, sleep and come back,
commits fail or their answers get lost, receivers hang, reset, flap and are gone; people pause, cancel, resend and
change rates meanwhile. Each run is judged by the rules of server/sim/rules/.

  --seeds N   how many, one after the other
  --from S    the first of them
  --seed S    this one only
  --trace     shows what happens, line by line
  --brief     does not make a failing one smaller

The same seed is the same run, event by event. One that fails is made smaller before it is shown, and the run ends.
Exit codes: 0 nothing was broken, 1 something was, 2 it could not be run.`

function number(text: string, name: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text)
  throw new Error(`--${name} must be a whole number from 1, not '${text}'`)
}

const print = (line: string): void => console.log(line)

async function showSmallest(scenario: Scenario, violation: Violation): Promise<void> {
  console.log(`again: npm run sim -- --seed ${scenario.seed} --trace\n`)
  const smallest = await shrink(scenario, violation)
  console.log(`${JSON.stringify(smallest)}\n\nWhat happens in this smaller one:\n`)
  await simulate(smallest, print)
}

interface Sum {
  runs: number
  events: number
  messages: number
  sends: number
  elapsedMs: number
}

async function run(): Promise<number> {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: '1000' },
      from: { type: 'string', default: '1' },
      seed: { type: 'string' },
      trace: { type: 'boolean', default: false },
      brief: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    console.log(usage)
    return 0
  }
  const only = values.seed === undefined ? null : number(values.seed, 'seed')
  const first = only ?? number(values.from, 'from')
  const seeds = only === null ? number(values.seeds, 'seeds') : 1
  const sum: Sum = { runs: 0, events: 0, messages: 0, sends: 0, elapsedMs: 0 }
  for (let seed = first; seed < first + seeds; seed++) {
    const scenario = drawScenario(seed)
    const result = await simulate(scenario, values.trace ? print : null)
    if (result.violation !== null) {
      console.log(`seed ${seed} breaks '${result.violation.rule}': ${result.violation.told}`)
      if (!values.brief) await showSmallest(scenario, result.violation)
      return 1
    }
    sum.runs += 1
    sum.events += result.events
    sum.messages += result.messages
    sum.sends += result.sends
    sum.elapsedMs += result.elapsed
  }
  console.log(summary(sum))
  return 0
}

/** By the time that the processor worked for it: others may be at work on the machine. */
function summary({ runs, events, messages, sends, elapsedMs }: Sum): string {
  const { user, system } = process.cpuUsage()
  const seconds = (user + system) / 1_000_000
  return [
    `${runs} seeds, nothing was broken: ${messages} messages, ${sends} requests, ${events} events in ${(elapsedMs / 3_600_000).toFixed(1)} hours of theirs`,
    `${(runs / seconds).toFixed(0)} seeds per second of one core (${seconds.toFixed(1)} s)`,
  ].join('\n')
}

process.exitCode = await run().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error)
  return 2
})
