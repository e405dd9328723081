import type { Database } from './database.ts'
import type { Gateway, Server } from './gateway.ts'
import type { Load } from './generator.ts'
import { countFaults, countsOf, drained } from './ledger.ts'
import type { Options } from './options.ts'
import { progress } from './progress.ts'
import { type Receiver, startReceiver } from './receiver.ts'
import { printedSpread, type Spread, spreadOf } from './spread.ts'
import { mebibytes, microseconds, milliseconds, whole } from './table.ts'
import { findTool } from './tool.ts'

/** One server under full load, once. */
export interface Round {
  readonly acceptedPerS: number
  readonly deliveredPerS: number
  /** Accepted and not yet delivered when the load ended, the most of any second before, and how long it took to go. */
  readonly backlog: number
  readonly backlogMost: number
  readonly drainS: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly cpuUsPerMessage: number
  /** Of the database's own processes; 0 where it has none. */
  readonly databaseCpuUsPerMessage: number
  readonly peakRssBytes: number
  readonly failedAttempts: number
}

export interface Measured {
  readonly rounds: readonly Round[]
  readonly faults: readonly string[]
}

interface MeasuredRound {
  readonly round: Round
  readonly faults: readonly string[]
}

/** One of those that are measured in turns. Each round has a new server; `measured`: the rounds before, of all sides. */
export interface Side {
  readonly name: string
  round(options: Options, receiver: Receiver, measured: readonly Measured[]): Promise<MeasuredRound>
}

export const refused = (from: string, { failed }: Pick<Load, 'failed'>): readonly string[] =>
  failed > 0 ? [`${from}: ${whole(failed)} requests were not accepted`] : []

/** `gateway`: the server, where it is one that counts what it accepts. `load`: the full load, for some seconds. */
export async function measure({
  name,
  options,
  server,
  gateway,
  database,
  receiver,
  load,
}: {
  readonly name: string
  readonly options: Options
  readonly server: Server
  readonly gateway: Gateway | null
  readonly database: Database | null
  readonly receiver: Receiver
  readonly load: (seconds: number) => Promise<Load>
}): Promise<MeasuredRound> {
  const receivedAtStart = await receiver.received()
  const warm = options.warmupS > 0 ? await load(options.warmupS) : null
  if (gateway !== null) await drained(gateway)
  const databaseCpu = () => (database === null ? 0 : (database.cpuMs() ?? Number.NaN))
  const [countsBefore, receivedBefore, usageBefore, databaseCpuBefore] = [
    gateway === null ? null : await countsOf(gateway),
    await receiver.received(),
    server.usage(),
    databaseCpu(),
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
  const seen = await load(options.seconds).finally(() => clearInterval(watch))
  const deliveredInTime = (await receiver.received()) - receivedBefore
  const backlog = await backlogNow()
  const drainS = gateway === null ? 0 : await drained(gateway)
  const usage = server.usage()
  const databaseCpuMs = databaseCpu() - databaseCpuBefore
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
      databaseCpuUsPerMessage: (databaseCpuMs * 1000) / accepted,
      peakRssBytes: usage?.peakRssBytes ?? Number.NaN,
      failedAttempts:
        counts === null || countsBefore === null ? 0 : counts.failedAttempts - countsBefore.failedAttempts,
    },
    faults: [
      ...(warm === null ? [] : refused(`${name}, warming up`, warm)),
      ...refused(name, seen),
      ...(seen.accepted > accepted
        ? [`${name}: ${whole(seen.accepted - accepted)} answers said accepted, and no message was made`]
        : []),
      ...(drainS === null ? [`${name}: not everything was delivered within two minutes after the load`] : []),
      ...(gateway === null ? [] : await countFaults(gateway, receiver, receivedAtStart)),
    ],
  }
}

/** One side, the other, the one, the other …: the machine has other work, and what it does now it does to all. */
export async function inTurns(options: Options, sides: readonly Side[]): Promise<readonly Measured[]> {
  await using receiver = await startReceiver(options.receiver)
  const measured = sides.map(() => ({ rounds: [] as Round[], faults: [] as string[] }))
  for (let number = 1; number <= options.rounds; number += 1) {
    for (const [index, side] of sides.entries()) {
      const { round, faults } = await side.round(options, receiver, measured)
      measured[index]?.rounds.push(round)
      measured[index]?.faults.push(...faults)
      progress(
        `round ${number} of ${options.rounds}, ${side.name}: ${whole(round.deliveredPerS)} delivered/s, p99 ${milliseconds(round.p99Ms)}`,
      )
    }
  }
  return measured
}

export const of = (measured: Measured, pick: (round: Round) => number): Spread => spreadOf(measured.rounds.map(pick))

/** The rows of a table with a column for each side. `answer`: from what to what the latency is. */
export function rowsOf(answer: string, sides: readonly Measured[]): readonly (readonly string[])[] {
  type Line = readonly [name: string, pick: (round: Round) => number, print: (value: number) => string]
  const databaseCpu: Line = ['CPU of PostgreSQL per message', (round) => round.databaseCpuUsPerMessage, microseconds]
  const ofDatabase = sides.some((side) => of(side, databaseCpu[1]).most > 0) ? [databaseCpu] : []
  const lines: readonly Line[] = [
    ['accepted/s', (round) => round.acceptedPerS, whole],
    ['delivered/s', (round) => round.deliveredPerS, whole],
    [`${answer} p50`, (round) => round.p50Ms, milliseconds],
    [`${answer} p99`, (round) => round.p99Ms, milliseconds],
    ['backlog when the load ends', (round) => round.backlog, whole],
    ['backlog, most', (round) => round.backlogMost, whole],
    ['until it is gone', (round) => round.drainS, (seconds) => milliseconds(seconds * 1000)],
    ['CPU of the process per message', (round) => round.cpuUsPerMessage, microseconds],
    ...ofDatabase,
    ['peak RSS', (round) => round.peakRssBytes, mebibytes],
    ['failed attempts', (round) => round.failedAttempts, whole],
  ]
  return lines.map(([name, pick, print]) => [name, ...sides.map((side) => printedSpread(of(side, pick), print))])
}

/** What the numbers were made with, as sentences. */
export function how(options: Options, what: string): string {
  const generator =
    options.generator === 'wrk' && findTool('wrk') !== null ? 'wrk, one thread' : 'Node (instead of wrk)'
  const receiver =
    options.receiver === 'nginx' && findTool('nginx') !== null ? 'nginx, one process' : 'Node (instead of nginx)'
  return `${what}, ${options.connections} connections, one endpoint; ${options.seconds} s after ${options.warmupS} s of \
warming up; median of ${options.rounds} (least to most). Generator: ${generator}, a closed loop: a stall of the gateway \
stalls the generator too, so its p99 flatters. Receiver: ${receiver}.`
}
