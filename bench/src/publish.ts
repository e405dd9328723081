import { type Gateway, type Server, startGateway, startPassThrough, type Target } from './gateway.ts'
import { fullLoad, type Load } from './generator.ts'
import { audit, countFaults, countsOf, drained } from './ledger.ts'
import type { Options } from './options.ts'
import { progress } from './progress.ts'
import { type Receiver, startCountingReceiver, startReceiver } from './receiver.ts'
import type { Goal, Report } from './report.ts'
import { type Spread, spreadOf } from './spread.ts'
import { mebibytes, microseconds, milliseconds, table, whole } from './table.ts'
import { findTool } from './tool.ts'

// How many messages per second are accepted and delivered, beside the limit of one process?

/** One server under full load, once. */
interface Round {
  readonly acceptedPerS: number
  readonly deliveredPerS: number
  /** Accepted and not yet delivered when the load ended, the most of any second before, and how long it took to go. */
  readonly backlog: number
  readonly backlogMost: number
  readonly drainS: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly cpuUsPerMessage: number
  readonly peakRssBytes: number
  readonly failedAttempts: number
}

interface Measured {
  readonly rounds: readonly Round[]
  readonly faults: readonly string[]
}

const load = (options: Options, target: Target, seconds: number, timed = false): Promise<Load> =>
  fullLoad(options.generator, target, { seconds, connections: options.connections, timed })

const refused = (from: string, { failed }: Load): readonly string[] =>
  failed > 0 ? [`${from}: ${whole(failed)} publish calls were not answered 202`] : []

async function measure(
  options: Options,
  target: Target,
  server: Server,
  gateway: Gateway | null,
  receiver: Receiver,
): Promise<{ readonly round: Round; readonly faults: readonly string[] }> {
  const name = gateway === null ? 'pass-through' : 'gateway'
  const receivedAtStart = await receiver.received()
  const warm = options.warmupS > 0 ? await load(options, target, options.warmupS) : null
  if (gateway !== null) await drained(gateway)
  const [countsBefore, receivedBefore, usageBefore] = [
    gateway === null ? null : await countsOf(gateway),
    await receiver.received(),
    server.usage(),
  ]
  let backlogMost = 0
  const backlogNow = async () => {
    if (gateway === null) return 0
    const { accepted, delivered } = await countsOf(gateway)
    backlogMost = Math.max(backlogMost, accepted - delivered)
    return accepted - delivered
  }
  // A reading a second costs the gateway about a millisecond, and shows a backlog that grows and goes between two ends.
  const watch = setInterval(() => backlogNow().catch(() => {}), 1000)
  const seen = await load(options, target, options.seconds).finally(() => clearInterval(watch))
  const deliveredInTime = (await receiver.received()) - receivedBefore
  const backlog = await backlogNow()
  const drainS = gateway === null ? 0 : await drained(gateway)
  const usage = server.usage()
  const counts = gateway === null ? null : await countsOf(gateway)
  const accepted = counts === null || countsBefore === null ? seen.accepted : counts.accepted - countsBefore.accepted
  const cpuMs = usage === null || usageBefore === null ? Number.NaN : usage.cpuMs - usageBefore.cpuMs
  return {
    round: {
      acceptedPerS: accepted / seen.seconds,
      deliveredPerS: deliveredInTime / seen.seconds,
      backlog,
      backlogMost,
      drainS: drainS ?? Number.NaN,
      p50Ms: seen.p50Ms,
      p99Ms: seen.p99Ms,
      cpuUsPerMessage: (cpuMs * 1000) / accepted,
      peakRssBytes: usage?.peakRssBytes ?? Number.NaN,
      failedAttempts:
        counts === null || countsBefore === null ? 0 : counts.failedAttempts - countsBefore.failedAttempts,
    },
    faults: [
      ...(warm === null ? [] : refused(`${name}, warming up`, warm)),
      ...refused(name, seen),
      ...(drainS === null ? [`${name}: not everything was delivered within two minutes after the load`] : []),
      ...(gateway === null ? [] : await countFaults(gateway, receiver, receivedAtStart)),
    ],
  }
}

async function passThroughRound(options: Options, receiver: Receiver) {
  await using server = await startPassThrough(receiver.url, options.connections)
  return await measure(options, server.target, server, null, receiver)
}

async function gatewayRound(options: Options, receiver: Receiver) {
  await using gateway = await startGateway()
  return await measure(options, await gateway.addApplication('bench', receiver.url), gateway, gateway, receiver)
}

/** Pass-through, gateway, pass-through, gateway …: the machine has other work, and what it does now it does to both. */
async function inTurns(options: Options, sides: readonly (typeof gatewayRound)[]): Promise<readonly Measured[]> {
  await using receiver = await startReceiver(options.receiver)
  const measured = sides.map(() => ({ rounds: [] as Round[], faults: [] as string[] }))
  for (let number = 1; number <= options.rounds; number += 1) {
    for (const [index, side] of sides.entries()) {
      const { round, faults } = await side(options, receiver)
      measured[index]?.rounds.push(round)
      measured[index]?.faults.push(...faults)
      const who = side === gatewayRound ? 'gateway' : 'pass-through'
      progress(
        `round ${number} of ${options.rounds}, ${who}: ${whole(round.deliveredPerS)} delivered/s, p99 ${milliseconds(round.p99Ms)}`,
      )
    }
  }
  return measured
}

const of = (measured: Measured, pick: (round: Round) => number): Spread => spreadOf(measured.rounds.map(pick))

const cell = (spread: Spread, print: (value: number) => string): string =>
  spread.least === spread.most
    ? print(spread.median)
    : `${print(spread.median)} (${print(spread.least)} to ${print(spread.most)})`

const lines: readonly (readonly [name: string, pick: (round: Round) => number, print: (value: number) => string])[] = [
  ['accepted/s', (round) => round.acceptedPerS, whole],
  ['delivered/s', (round) => round.deliveredPerS, whole],
  ['publish→202 p50', (round) => round.p50Ms, milliseconds],
  ['publish→202 p99', (round) => round.p99Ms, milliseconds],
  ['backlog when the load ends', (round) => round.backlog, whole],
  ['backlog, most', (round) => round.backlogMost, whole],
  ['until it is gone', (round) => round.drainS, (seconds) => milliseconds(seconds * 1000)],
  ['CPU per message', (round) => round.cpuUsPerMessage, microseconds],
  ['peak RSS', (round) => round.peakRssBytes, mebibytes],
  ['failed attempts', (round) => round.failedAttempts, whole],
]

function how(options: Options): string {
  const generator =
    options.generator === 'wrk' && findTool('wrk') !== null ? 'wrk, one thread' : 'Node (instead of wrk)'
  const receiver =
    options.receiver === 'nginx' && findTool('nginx') !== null ? 'nginx, one process' : 'Node (instead of nginx)'
  return `One message with a 300-byte payload per request, ${options.connections} connections, one endpoint; ${options.seconds} s after \
${options.warmupS} s of warming up; median of ${options.rounds} (least to most). Generator: ${generator}, a closed loop: a stall of the \
gateway stalls the generator too, so its p99 flatters; the question \`tenth\` measures from the intended start. Receiver: ${receiver}.`
}

/** The limit of one process alone. */
export async function passThrough(options: Options): Promise<Report> {
  const [limit] = await inTurns(options, [passThroughRound])
  if (limit === undefined) throw new Error('nothing measured')
  const rows = lines.map(([name, pick, print]) => [name, cell(of(limit, pick), print)])
  return {
    title: 'Pass-through: the limit of one process',
    parts: [how(options), table(['', 'pass-through'], rows)],
    goals: [],
    faults: limit.faults,
  }
}

/** What the gateway delivers per second on this machine, measured once and shortly. */
export async function shortRate(options: Options): Promise<number> {
  const [gateway] = await inTurns({ ...options, rounds: 1, seconds: Math.min(options.seconds, 5) }, [gatewayRound])
  return gateway?.rounds[0]?.deliveredPerS ?? Number.NaN
}

/** The same load on a receiver that keeps ids: it takes CPU from the gateway, so this pass says what, not how much. */
async function idPass(options: Options): Promise<Pick<Report, 'parts' | 'faults'>> {
  await using receiver = await startCountingReceiver()
  await using gateway = await startGateway()
  const target = await gateway.addApplication('bench', receiver.url)
  if (options.warmupS > 0) await load(options, target, options.warmupS)
  await drained(gateway)
  await receiver.reset()
  const seen = await load(options, target, options.seconds, true)
  const drainS = await drained(gateway)
  const found = await audit(receiver, seen.ids ?? [], options.connections)
  const { latency } = await receiver.seen()
  progress(`ids: ${whole(found.accepted)} accepted, ${found.lost} lost, ${found.doubled} doubled`)
  const rows = [
    ['accepted/s', whole(seen.accepted / seen.seconds)],
    ['accepted, id known', whole(found.accepted)],
    ['lost', whole(found.lost)],
    ['doubled', whole(found.doubled)],
    ['delivered, 202 not read (the generator hung up)', whole(found.unread)],
    ['publish→receiver p50', milliseconds(latency.p50Ms)],
    ['publish→receiver p99', milliseconds(latency.p99Ms)],
  ]
  return {
    parts: [
      `### Ids at full load\n\nThe same on a Node receiver that keeps every id, on a new gateway. The receiver and the reading of every \
answer take CPU from the gateway: lower rates than above are theirs.`,
      table(['', 'gateway'], rows),
    ],
    faults: [
      ...refused('ids at full load', seen),
      ...(drainS === null ? ['ids at full load: not everything was delivered within two minutes after the load'] : []),
      ...found.faults,
    ],
  }
}

export async function publish(options: Options): Promise<Report & { readonly deliveredPerS: number }> {
  const [limit, gateway] = await inTurns(options, [passThroughRound, gatewayRound])
  if (limit === undefined || gateway === undefined) throw new Error('nothing measured')
  const ids = await idPass(options)
  const delivered = of(gateway, (round) => round.deliveredPerS)
  const ratio = delivered.median / of(limit, (round) => round.deliveredPerS).median
  const p99 = of(gateway, (round) => round.p99Ms)
  const drain = of(gateway, (round) => round.drainS)
  const rss = of(gateway, (round) => round.peakRssBytes)
  const goals: readonly Goal[] = [
    { what: 'delivered/s of the pass-through', wanted: '≥ 0.45', seen: ratio.toFixed(2), met: ratio >= 0.45 },
    // A backlog that grew for the whole run takes seconds to go; one that is only under way goes at once.
    {
      what: 'no growing backlog: gone after the load',
      wanted: '≤ 1 s',
      seen: milliseconds(drain.most * 1000),
      met: drain.most <= 1,
    },
    { what: 'publish→202 p99 at full load', wanted: '≤ 25 ms', seen: milliseconds(p99.median), met: p99.median <= 25 },
    { what: 'peak RSS', wanted: '≤ 300 MiB', seen: mebibytes(rss.most), met: rss.most <= 300 * 2 ** 20 },
  ]
  const rows = lines.map(([name, pick, print]) => [name, cell(of(limit, pick), print), cell(of(gateway, pick), print)])
  const parts = [
    how(options),
    table(['', 'pass-through', 'gateway'], [...rows, ['delivered/s of the pass-through', '1', ratio.toFixed(2)]]),
    ...ids.parts,
  ]
  return {
    title: 'Publish: accepted and delivered per second',
    parts,
    goals,
    faults: [...limit.faults, ...gateway.faults, ...ids.faults],
    deliveredPerS: delivered.median,
  }
}
