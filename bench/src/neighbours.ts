import { type Databases, engineNames } from './database.ts'
import { type Gateway, startGateway, type Target } from './gateway.ts'
import { fullLoad } from './generator.ts'
import { drained } from './ledger.ts'
import { type LiveWindow, liveWindow } from './live-window.ts'
import type { Options } from './options.ts'
import { progress } from './progress.ts'
import {
  type CountingReceiver,
  type Receiver,
  startCountingReceiver,
  startDeadReceiver,
  startReceiver,
} from './receiver.ts'
import type { Goal, Report } from './report.ts'
import { refused } from './round.ts'
import { printedSpread, type Spread, spreadOf } from './spread.ts'
import { milliseconds, table, whole } from './table.ts'

// What does a healthy endpoint notice of one beside it that hangs, and of an application that publishes a million?

const usualPerS = 500

interface Phase {
  readonly name: string
  readonly windows: readonly LiveWindow[]
}

const p99Of = (phase: Phase): Spread => spreadOf(phase.windows.map((window) => window.receiver.p99Ms))

async function warmedUp(options: Options, receiver: CountingReceiver, target: Target): Promise<void> {
  const { connections, warmupS } = options
  if (warmupS === 0) return
  await liveWindow(receiver, target, options.rate ?? usualPerS, { connections, seconds: warmupS })
}

async function window(options: Options, receiver: CountingReceiver, target: Target, name: string): Promise<LiveWindow> {
  const { connections, seconds } = options
  const seen = await liveWindow(receiver, target, options.rate ?? usualPerS, { connections, seconds })
  progress(`${name}: publish→receiver p99 ${milliseconds(seen.receiver.p99Ms)}`)
  return seen
}

/**
 * The healthy endpoint alone, and with one in its application that hangs and gets the same messages. In turns, and each
 * time on a new gateway: behind the flood, what that had left behind counted as the hung endpoint's (1.34 times alone
 * instead of 1.13, 2026-11).
 */
async function besideHung(
  options: Options,
  databases: Databases,
  receiver: CountingReceiver,
  hungUrl: string,
): Promise<readonly [alone: Phase, hung: Phase]> {
  const alone = { name: 'alone', others: [], windows: [] as LiveWindow[] }
  const hung = { name: 'one endpoint of its application hangs', others: [hungUrl], windows: [] as LiveWindow[] }
  for (let round = 0; round < options.rounds; round += 1) {
    for (const side of [alone, hung]) {
      await using database = await databases.fresh(options.database)
      await using gateway = await startGateway(database)
      const target = await gateway.addApplication('live', receiver.url, ...side.others)
      await warmedUp(options, receiver, target)
      side.windows.push(await window(options, receiver, target, side.name))
    }
  }
  return [alone, hung]
}

/** Publishes as fast as it goes until so many are accepted and every window is over. */
async function flood(options: Options, target: Target, count: number, over: () => boolean) {
  let [accepted, seconds, failed] = [0, 0, 0]
  while (accepted < count || !over()) {
    const ask = { seconds: 1, connections: options.connections, timed: false }
    const load = await fullLoad(options.generator, target, ask)
    accepted += load.accepted
    seconds += load.seconds
    failed += load.failed
    if (load.accepted === 0) break
  }
  return { accepted, seconds, failed }
}

/** The healthy application beside one that floods; the windows go on for as long as the flood does. */
async function besideFlood(
  options: Options,
  gateway: Gateway,
  receiver: CountingReceiver,
  live: Target,
  sink: Receiver,
) {
  const target = await gateway.addApplication('flood', sink.url)
  const name = 'one application floods'
  const seen: LiveWindow[] = []
  let measured = false
  let flooding = true
  const running = flood(options, target, options.pending, () => measured).finally(() => {
    flooding = false
  })
  // As many as the others have, at least; then for as long as there is a flood.
  while (!measured || flooding) {
    seen.push(await window(options, receiver, live, name))
    measured = seen.length >= options.rounds
  }
  return { phase: { name, windows: seen }, flood: await running }
}

const row = (phase: Phase, alone: Phase): readonly string[] => {
  const of = (pick: (window: LiveWindow) => number) => printedSpread(spreadOf(phase.windows.map(pick)), milliseconds)
  return [
    phase.name,
    of((window) => window.publish.p99Ms),
    of((window) => window.receiver.p50Ms),
    of((window) => window.receiver.p99Ms),
    `${(p99Of(phase).median / p99Of(alone).median).toFixed(2)} ×`,
    of((window) => window.late.p99Ms),
    whole(phase.windows.length),
  ]
}

export async function neighbours(options: Options, databases: Databases): Promise<Report> {
  await using receiver = await startCountingReceiver()
  await using sink = await startReceiver(options.receiver)
  await using dead = await startDeadReceiver('hung')
  const [alone, hung] = await besideHung(options, databases, receiver, dead.url)

  await using database = await databases.fresh(options.database)
  await using gateway = await startGateway(database)
  const live = await gateway.addApplication('live', receiver.url)
  await warmedUp(options, receiver, live)
  const flooded = await besideFlood(options, gateway, receiver, live, sink)
  const floodGone = await drained(gateway)
  const received = await sink.received()
  // wrk hangs up once a second, and what is under way then may have been accepted.
  const lost = flooded.flood.accepted - received

  const phases = [alone, hung, flooded.phase]
  const besideHungRatio = p99Of(hung).median / p99Of(alone).median
  const goals: readonly Goal[] = [
    {
      what: 'publish→receiver p99 beside a hung endpoint, of alone',
      wanted: '≤ 1.2 ×',
      seen: `${besideHungRatio.toFixed(2)} ×`,
      met: besideHungRatio <= 1.2,
    },
  ]
  return {
    title: `Neighbours: what a healthy endpoint notices of others on ${engineNames[options.database]}`,
    parts: [
      `${whole(options.rate ?? usualPerS)} messages/s to the healthy endpoint, at a fixed rate; latencies count from the intended sending. Windows of \
${options.seconds} s after ${options.warmupS} s of warming up; median (least to most). Hung: a second endpoint of the same application gets \
the same messages, takes connections and never answers; alone and hung in turns, on a new gateway each time. \
Flood: another application, with an endpoint that is well, publishes ${whole(flooded.flood.accepted)} messages through \
${options.connections} connections as fast as they are accepted (${whole(flooded.flood.accepted / flooded.flood.seconds)}/s beside the \
healthy one). Its generator and its deliveries use the same cores to the full: what the healthy endpoint then waits for is first of all a core, and \
the last column but one says how late its own generator was for that.`,
      table(
        [
          'healthy endpoint',
          'publish→202 p99',
          'publish→receiver p50',
          'publish→receiver p99',
          'of alone',
          'generator late, p99',
          'windows',
        ],
        phases.map((phase) => row(phase, alone)),
      ),
    ],
    goals,
    faults: [
      ...phases.flatMap(({ name, windows }) =>
        windows.flatMap(({ faults }) => faults.map((fault) => `${name}: ${fault}`)),
      ),
      ...refused('the flood', flooded.flood),
      ...(floodGone === null ? ['the flood was not delivered within two minutes after its end'] : []),
      ...(lost > 0 ? [`${whole(lost)} of ${whole(flooded.flood.accepted)} messages of the flood lost`] : []),
    ],
  }
}
