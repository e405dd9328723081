import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { bullmq, type Contender, pgBoss, posthorn, type Running } from './contender.ts'
import type { Databases } from './database.ts'
import { fixedRate, fullLoad } from './generator.ts'
import type { Quantiles } from './latency.ts'
import { audit } from './ledger.ts'
import type { Options } from './options.ts'
import { redisProgram } from './peer/redis.ts'
import { inFlight } from './peer/send.ts'
import { advisedSettings } from './postgres.ts'
import { progress } from './progress.ts'
import { type CountingReceiver, type Receiver, startCountingReceiver, startReceiver } from './receiver.ts'
import type { Report } from './report.ts'
import { refused } from './round.ts'
import { printedSpread, spreadOf } from './spread.ts'
import { mebibytes, microseconds, milliseconds, seconds, table, whole } from './table.ts'
import { root } from './workspace.ts'

// What would a TypeScript team build instead, and how does it do at the same job? Everything here is judged from outside,
// by the generator and the receiver: who is measured is not asked.

// What all of them reach on two cores, with a queue that is mostly empty.
const usualPerS = 500
const drainWithinMs = 120_000
// A peer gives a job that a killed worker held to another after 30 to 60 s, and looks every 30 to 60 s.
const settledWithinMs = 180_000

interface Full {
  readonly acceptedPerS: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly deliveredWhileLoadedPerS: number
  readonly backlog: number
  readonly sustainedPerS: number
  readonly ownCpuUs: number
  readonly storeCpuUs: number
  readonly peakRssBytes: number
}

interface Paced {
  readonly publish: Quantiles
  readonly receiver: Quantiles
}

interface Crash {
  readonly accepted: number
  readonly lost: number
  readonly doubled: number
  readonly settledS: number
}

interface Found {
  readonly full: Full[]
  readonly paced: Paced[]
  readonly crashes: Crash[]
  readonly faults: string[]
}

/** Waits until so many have come and no more do; resolves to when the last one was seen, null when they did not come. */
async function arrived(receiver: Receiver, wanted: number, withinMs: number, quietMs: number): Promise<number | null> {
  const start = performance.now()
  let [seen, last] = [-1, start]
  for (;;) {
    const received = await receiver.received()
    const now = performance.now()
    if (received !== seen) [seen, last] = [received, now]
    if (seen >= wanted && now - last >= quietMs) return last
    if (now - start > withinMs) return null
    await wait(25)
  }
}

/** A closed loop as fast as it goes: what is accepted, and what of it is delivered for as long as it takes. */
async function fullRound(options: Options, contender: Contender, receiver: Receiver, found: Found): Promise<void> {
  await using running = await contender.start(receiver.url)
  const publish = (seconds: number) =>
    fullLoad(options.generator, running.target, { seconds, connections: options.connections, timed: false })
  const before = await receiver.received()
  const warm = await publish(options.warmupS)
  await arrived(receiver, before + warm.accepted, drainWithinMs, 300)
  const [receivedBefore, cpuBefore, start] = [await receiver.received(), running.cpuMs(), performance.now()]
  const load = await publish(options.seconds)
  const loadedMs = performance.now() - start
  const receivedInTime = (await receiver.received()) - receivedBefore
  const last = await arrived(receiver, receivedBefore + load.accepted, drainWithinMs, 300)
  const cpu = running.cpuMs()
  const received = (await receiver.received()) - receivedBefore
  const perMessage = (ms: number) => (ms * 1000) / load.accepted
  // What was under way when the generator hung up may have been taken too.
  const more = received - load.accepted - options.connections
  found.faults.push(
    ...[...refused(`${contender.name}, warming up`, warm), ...refused(contender.name, load)],
    ...(last === null
      ? [
          `${contender.name}: ${whole(load.accepted - received)} of ${whole(load.accepted)} not delivered in two minutes`,
        ]
      : []),
    ...(more > 0 ? [`${contender.name}: ${whole(more)} deliveries more than messages`] : []),
  )
  const sustainedMs = Math.max(loadedMs, (last ?? Number.NaN) - start)
  found.full.push({
    acceptedPerS: load.accepted / load.seconds,
    p50Ms: load.p50Ms,
    p99Ms: load.p99Ms,
    deliveredWhileLoadedPerS: (receivedInTime * 1000) / loadedMs,
    backlog: Math.max(0, load.accepted - receivedInTime),
    sustainedPerS: (received * 1000) / sustainedMs,
    ownCpuUs: perMessage(cpu.own - cpuBefore.own),
    storeCpuUs: perMessage(cpu.store - cpuBefore.store),
    peakRssBytes: running.peakRssBytes(),
  })
  progress(`${contender.name}: ${whole((received * 1000) / sustainedMs)} delivered/s`)
}

/** Ends it and starts it again in the middle of a fixed rate. Calls that got no answer meanwhile are the generator's loss. */
async function crashRound(
  options: Options,
  contender: Contender,
  running: Running,
  receiver: CountingReceiver,
  found: Found,
): Promise<void> {
  await receiver.reset()
  const ask = { seconds: options.seconds, connections: options.connections }
  const load = fixedRate(running.target, options.rate ?? usualPerS, ask)
  await wait((options.seconds * 1000) / 2)
  await running.crash()
  const started = performance.now()
  const { ids, failed } = await load
  await arrived(receiver, ids.length, settledWithinMs, 300)
  // More came than there are ids where some came twice or their 202 was not read: until every id is there.
  let { missing } = await receiver.compare(ids)
  for (; missing > 0 && performance.now() - started < settledWithinMs; { missing } = await receiver.compare(ids))
    await wait(500)
  const settledS = (performance.now() - started) / 1000
  const { lost, doubled } = await audit(receiver, ids, failed)
  if (lost > 0)
    found.faults.push(
      `${contender.name}, killed: ${whole(lost)} accepted messages not delivered in ${settledWithinMs / 60_000} minutes`,
    )
  found.crashes.push({ accepted: ids.length, lost, doubled, settledS })
  progress(`${contender.name}, killed: ${lost} lost, ${doubled} doubled, all there after ${settledS.toFixed(1)} s`)
}

/** A fixed rate that all of them reach, on a receiver that keeps ids; then the same with a crash in its middle. */
async function pacedRound(
  options: Options,
  contender: Contender,
  receiver: CountingReceiver,
  found: Found,
): Promise<void> {
  await using running = await contender.start(receiver.url)
  const connections = options.connections
  const ratePerS = options.rate ?? usualPerS
  await receiver.reset()
  const warm = await fixedRate(running.target, ratePerS, { seconds: options.warmupS, connections })
  await arrived(receiver, warm.ids.length, drainWithinMs, 300)
  await receiver.reset()
  const load = await fixedRate(running.target, ratePerS, { seconds: options.seconds, connections })
  await arrived(receiver, load.ids.length, drainWithinMs, 300)
  const { latency } = await receiver.seen()
  const { faults } = await audit(receiver, load.ids, 0)
  found.faults.push(
    ...refused(`${contender.name} at a fixed rate`, load),
    ...faults.map((fault) => `${contender.name} at a fixed rate: ${fault}`),
  )
  found.paced.push({ publish: load.publish, receiver: latency })
  progress(`${contender.name}: publish→receiver p50 ${milliseconds(latency.p50Ms)}, p99 ${milliseconds(latency.p99Ms)}`)
  if (contender.recoversAtOnce || !options.short) await crashRound(options, contender, running, receiver, found)
}

const versionOf = (name: string): string =>
  (JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8')) as { version: string }).version

/** Throws in one line when something it needs is not installed; asked before anything is measured. */
export const needsOfPeer = (): void => {
  redisProgram()
}

export async function peer(options: Options, databases: Databases): Promise<Report> {
  needsOfPeer()
  const contenders = [
    posthorn(databases, 'sqlite'),
    posthorn(databases, 'postgres'),
    bullmq('always'),
    bullmq('everysec'),
    pgBoss(databases),
  ]
  const sides = contenders.map((contender) => ({
    contender,
    found: { full: [], paced: [], crashes: [], faults: [] } as Found,
  }))
  {
    await using receiver = await startReceiver(options.receiver)
    for (let round = 0; round < options.rounds; round += 1)
      for (const { contender, found } of sides) await fullRound(options, contender, receiver, found)
  }
  await using receiver = await startCountingReceiver()
  for (let round = 0; round < options.rounds; round += 1)
    for (const { contender, found } of sides) await pacedRound(options, contender, receiver, found)

  const row = <One>(
    name: string,
    rounds: (found: Found) => readonly One[],
    pick: (one: One) => number,
    print: (value: number) => string,
  ) => [name, ...sides.map(({ found }) => printedSpread(spreadOf(rounds(found).map(pick)), print))]
  const fullRow = (name: string, pick: (one: Full) => number, print: (value: number) => string) =>
    row(name, (found) => found.full, pick, print)
  const pacedRow = (name: string, pick: (one: Paced) => number) => row(name, (found) => found.paced, pick, milliseconds)
  const crashRow = (name: string, pick: (one: Crash) => number, print: (value: number) => string) =>
    row(name, (found) => found.crashes, pick, print)
  const sustained = sides.map(({ found }) => spreadOf(found.full.map((one) => one.sustainedPerS)).median)
  const ratePerS = options.rate ?? usualPerS
  return {
    title: 'Peer: what a TypeScript team would build instead, at the same job',
    parts: [
      `Publish over HTTP → queue → a worker that signs (npm \`standardwebhooks\` ${versionOf('standardwebhooks')}) and posts (undici \
${versionOf('undici')}), ${inFlight} at once, eight tries: BullMQ ${versionOf('bullmq')} on Redis with an append-only file, its fsync before \
every answer or once a second (the second loses up to a second of acknowledged messages when the power fails); pg-boss \
${versionOf('pg-boss')} on PostgreSQL (${advisedSettings.join(', ')}), as the gateway's. Their code is \`bench/src/peer/\`: two processes, \
one takes and one sends, as no team would let them wait for each other; the gateway is one. They keep no log of attempts, and \
know one endpoint; what the gateway does beside that, it pays for in these numbers.`,
      `One 300-byte payload per request, ${options.connections} connections, ${options.seconds} s after ${options.warmupS} s of warming up, a new \
store each round, in turns; median of ${options.rounds} (least to most). All of it shares the same cores. Sustained: everything that was \
accepted, from the first publish to its last delivery. CPU is that of load and drain.`,
      table(
        ['', ...sides.map(({ contender }) => contender.name)],
        [
          fullRow('accepted/s', (one) => one.acceptedPerS, whole),
          fullRow('delivered/s, sustained', (one) => one.sustainedPerS, whole),
          ["of Posthorn's on SQLite", ...sustained.map((perS) => (perS / (sustained[0] ?? Number.NaN)).toFixed(2))],
          fullRow('delivered/s while loaded', (one) => one.deliveredWhileLoadedPerS, whole),
          fullRow('backlog when the load ends', (one) => one.backlog, whole),
          fullRow('publish→202 p50', (one) => one.p50Ms, milliseconds),
          fullRow('publish→202 p99', (one) => one.p99Ms, milliseconds),
          fullRow('CPU of its processes per message', (one) => one.ownCpuUs, microseconds),
          fullRow('CPU of its store per message', (one) => one.storeCpuUs, microseconds),
          fullRow('peak RSS of its processes', (one) => one.peakRssBytes, mebibytes),
          pacedRow(`publish→202 p50 at ${ratePerS}/s`, (one) => one.publish.p50Ms),
          pacedRow(`publish→202 p99 at ${ratePerS}/s`, (one) => one.publish.p99Ms),
          pacedRow(`publish→receiver p50 at ${ratePerS}/s`, (one) => one.receiver.p50Ms),
          pacedRow(`publish→receiver p99 at ${ratePerS}/s`, (one) => one.receiver.p99Ms),
          crashRow('killed: accepted', (one) => one.accepted, whole),
          crashRow('killed: lost', (one) => one.lost, whole),
          crashRow('killed: doubled', (one) => one.doubled, whole),
          crashRow('killed: all there after', (one) => one.settledS, seconds),
        ],
      ),
      `Killed: at ${ratePerS}/s all processes of the contender, not its store, get SIGKILL at half time and are started again at once; how \
long after that the last accepted message is there.`,
    ],
    goals: [],
    faults: sides.flatMap(({ found }) => found.faults),
  }
}
