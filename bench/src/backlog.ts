import { type Databases, engineNames } from './database.ts'
import { until } from './deadline.ts'
import { type Gateway, startGateway, type Target } from './gateway.ts'
import { fixedRate, fullLoad } from './generator.ts'
import { audit, countsOf, drained } from './ledger.ts'
import type { Options } from './options.ts'
import { progress } from './progress.ts'
import { type CountingReceiver, startCountingReceiver, startDeadReceiver } from './receiver.ts'
import type { Goal, Report } from './report.ts'
import { spreadOf } from './spread.ts'
import { mebibytes, milliseconds, table, whole } from './table.ts'

// What do a million deliveries waiting for a dead endpoint cost another endpoint, and how much memory?

// In a window of 20 s, a p99 has two hundred values above it.
const quietPerS = 1000
const fillWithinS = 600

interface Neighbour {
  readonly publishP99Ms: readonly number[]
  readonly receiverP50Ms: readonly number[]
  readonly receiverP99Ms: readonly number[]
  readonly faults: readonly string[]
}

/** The other endpoint: a fixed rate of messages, all of which must arrive. */
async function neighbour(
  options: Options,
  gateway: Gateway,
  receiver: CountingReceiver,
  target: Target,
  undeliverable: number,
): Promise<Neighbour> {
  const seen = {
    publishP99Ms: [] as number[],
    receiverP50Ms: [] as number[],
    receiverP99Ms: [] as number[],
    faults: [] as string[],
  }
  const ratePerS = options.rate ?? quietPerS
  for (let round = 0; round < options.rounds; round += 1) {
    await receiver.reset()
    const paced = await fixedRate(target, ratePerS, { connections: options.connections, seconds: options.seconds })
    if ((await drained(gateway, { undeliverable })) === null)
      seen.faults.push('the live endpoint was not served within two minutes')
    if (paced.failed > 0) seen.faults.push(`${whole(paced.failed)} publish calls were not answered 202`)
    seen.faults.push(...(await audit(receiver, paced.ids, 0)).faults)
    const { latency } = await receiver.seen()
    seen.publishP99Ms.push(paced.publish.p99Ms)
    seen.receiverP50Ms.push(latency.p50Ms)
    seen.receiverP99Ms.push(latency.p99Ms)
    progress(`live endpoint: publish→receiver p50 ${milliseconds(latency.p50Ms)}, p99 ${milliseconds(latency.p99Ms)}`)
  }
  return seen
}

/** Publishes until `pending` messages more are accepted; resolves to how many it became and the seconds of load. */
async function fill(options: Options, gateway: Gateway, target: Target) {
  const already = (await countsOf(gateway)).accepted
  let [accepted, seconds, failed] = [0, 0, 0]
  while (accepted < options.pending && seconds < fillWithinS) {
    // The rate is not known before the first second; afterwards runs are as long as the rest should take.
    const rest = seconds === 0 ? 1 : ((options.pending - accepted) * seconds) / accepted
    const ask = { seconds: Math.max(1, Math.min(10, Math.floor(rest))), connections: options.connections, timed: false }
    const seen = await fullLoad(options.generator, target, ask)
    seconds += seen.seconds
    failed += seen.failed
    accepted = (await countsOf(gateway)).accepted - already
    progress(
      `filling: ${whole(accepted)} of ${whole(options.pending)} waiting, RSS ${mebibytes(gateway.usage()?.rssBytes ?? Number.NaN)}`,
    )
    if (seen.accepted === 0) break
  }
  // Calls that were under way when the generator left may still be accepted, on a busy machine some time later.
  let looks = 0
  await until('the last accepted message', 30_000, 250, async () => {
    const before = accepted
    accepted = (await countsOf(gateway)).accepted - already
    looks = accepted === before ? looks + 1 : 0
    return looks === 5
  })
  return { accepted, seconds, failed }
}

export async function backlog(options: Options, databases: Databases): Promise<Report> {
  await using receiver = await startCountingReceiver()
  await using dead = await startDeadReceiver(options.dead)
  await using database = await databases.fresh(options.database)
  await using gateway = await startGateway(database)
  const live = await gateway.addApplication('live', receiver.url)
  const ratePerS = options.rate ?? quietPerS
  if (options.warmupS > 0)
    await fixedRate(live, ratePerS, { connections: options.connections, seconds: options.warmupS })
  await drained(gateway)
  const quiet = await neighbour(options, gateway, receiver, live, 0)
  const rssQuiet = gateway.usage()?.rssBytes ?? Number.NaN

  const filled = await fill(options, gateway, await gateway.addApplication('dead', dead.url))
  const loaded = await neighbour(options, gateway, receiver, live, filled.accepted)
  const usage = gateway.usage()
  const metrics = await gateway.metrics()
  const { failedAttempts } = await countsOf(gateway)

  const [quietP99, loadedP99] = [spreadOf(quiet.receiverP99Ms), spreadOf(loaded.receiverP99Ms)]
  const ratio = loadedP99.median / quietP99.median
  const peak = usage?.peakRssBytes ?? Number.NaN
  const side = (name: string, of: Neighbour) => {
    const p99 = spreadOf(of.receiverP99Ms)
    return [
      name,
      milliseconds(spreadOf(of.publishP99Ms).median),
      milliseconds(spreadOf(of.receiverP50Ms).median),
      `${milliseconds(p99.median)} (${milliseconds(p99.least)} to ${milliseconds(p99.most)})`,
    ]
  }
  const goals: readonly Goal[] = [
    {
      what: 'waiting for the dead endpoint',
      wanted: whole(options.pending),
      seen: whole(filled.accepted),
      met: filled.accepted >= options.pending,
    },
    { what: 'publish→receiver p99 of quiet', wanted: '≤ 1.2 ×', seen: `${ratio.toFixed(2)} ×`, met: ratio <= 1.2 },
    { what: 'peak RSS', wanted: '≤ 300 MiB', seen: mebibytes(peak), met: peak <= 300 * 2 ** 20 },
  ]
  const rows = [
    ['filled at', `${whole(filled.accepted / filled.seconds)}/s`],
    ['waiting in the store, by the gateway', whole(metrics.sum('posthorn_stored_backlog'))],
    ['hot in memory, by the gateway', whole(metrics.sum('posthorn_hot_deliveries'))],
    ['attempts at the dead endpoint that ended', whole(failedAttempts)],
    ['RSS before', mebibytes(rssQuiet)],
    ['RSS after', mebibytes(usage?.rssBytes ?? Number.NaN)],
    ['peak RSS', mebibytes(peak)],
    ['on disk', mebibytes(await database.bytes())],
  ]
  const how = options.dead === 'hung' ? 'takes connections and never answers' : 'refuses connections'
  return {
    title: `Backlog: ${whole(filled.accepted)} deliveries waiting for a dead endpoint on ${engineNames[options.database]}`,
    parts: [
      `The dead endpoint ${how}. Beside it a live endpoint of another application gets ${whole(ratePerS)} messages/s at a fixed rate, before \
and after the backlog was filled; latencies count from the intended sending. Median of ${options.rounds} windows of ${options.seconds} s \
(least to most).`,
      table(
        ['live endpoint', 'publish→202 p99', 'publish→receiver p50', 'publish→receiver p99'],
        [side('quiet', quiet), side('beside the backlog', loaded)],
      ),
      table(['', 'gateway'], rows),
    ],
    goals,
    faults: [
      ...quiet.faults,
      ...(filled.failed > 0 ? [`filling: ${whole(filled.failed)} publish calls were not answered 202`] : []),
      ...loaded.faults,
    ],
  }
}
