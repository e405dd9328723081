import { setTimeout as wait } from 'node:timers/promises'
import { type Database, type Databases, engineNames } from './database.ts'
import { until } from './deadline.ts'
import { type Gateway, startGateway } from './gateway.ts'
import { nowUs } from './message.ts'
import type { Options } from './options.ts'
import { progress } from './progress.ts'
import { type CountingReceiver, startCountingReceiver } from './receiver.ts'
import type { Report } from './report.ts'
import { makeSeed } from './seed.ts'
import { printedSpread, spreadOf } from './spread.ts'
import { mebibytes, milliseconds, table, whole } from './table.ts'

// How long is it from the start of a gateway to its first delivery, with one pending and with a million? And are all of
// them made, by a gateway that was killed while it was at it?

const endpointCount = 10
const firstWithinMs = 60_000
const stallMs = 60_000
// It is killed when it has been delivering for so long, or when it has made its share: a start needs something to do.
const killAfterMs = 500
// What may be under way at a kill and come again: POSTHORN_GLOBAL_IN_FLIGHT, as it usually is.
const inFlight = 1024

interface Start {
  /** From the start of the process to its first answer, and to the first delivery at the receiver. */
  readonly readyMs: number
  readonly firstMs: number
}

/** A stopped gateway's database with so many deliveries due. */
async function pendingOn(databases: Databases, options: Options, receiver: CountingReceiver, pending: number) {
  const database = await databases.fresh(options.database)
  const endpoints = await (async () => {
    await using gateway = await startGateway(database)
    return await gateway.addEndpoints('pending', receiver.url, endpointCount)
  })()
  await using console = await database.open()
  const seed = makeSeed(console, endpoints, Date.now())
  await seed.add(pending)
  if (console.engine === 'postgres') await console.run('checkpoint')
  return { database, ids: seed.ids() }
}

/** The gateway is running; who gets it ends it. Throws when nothing was delivered within a minute, and then has ended it. */
async function startTimed(database: Database, receiver: CountingReceiver): Promise<{ gateway: Gateway; start: Start }> {
  await receiver.mark()
  const startUs = nowUs()
  await using stack = new AsyncDisposableStack()
  const gateway = stack.use(await startGateway(database))
  const readyMs = (nowUs() - startUs) / 1000
  let firstAtUs: number | null = null
  await until('the first delivery', firstWithinMs, 20, async () => {
    firstAtUs = (await receiver.seen()).firstAtUs
    return firstAtUs !== null
  })
  stack.move()
  return { gateway, start: { readyMs, firstMs: ((firstAtUs ?? Number.NaN) - startUs) / 1000 } }
}

/** Resolves when a gateway that is to be killed has delivered for long enough, or `count` in all. */
async function timeToKill(receiver: CountingReceiver, count: number): Promise<void> {
  const end = performance.now() + killAfterMs
  while (performance.now() < end && (await receiver.seen()).unique < count) await wait(10)
}

/** Resolves to the seconds it took; null when nothing came for a minute. */
async function delivered(receiver: CountingReceiver, count: number): Promise<number | null> {
  const start = performance.now()
  let [seen, last] = [0, start]
  for (;;) {
    // Unique and not received: some came twice.
    const { unique } = await receiver.seen()
    const now = performance.now()
    if (unique > seen) [seen, last] = [unique, now]
    if (seen >= count) return (last - start) / 1000
    if (now - last > stallMs) return null
    await wait(500)
  }
}

export async function restart(options: Options, databases: Databases): Promise<Report> {
  await using receiver = await startCountingReceiver()
  const alone: Start[] = []
  for (let round = 0; round < options.rounds; round += 1) {
    const { database, ids } = await pendingOn(databases, options, receiver, 1)
    await using _database = database
    const { gateway, start } = await startTimed(database, receiver)
    await using _gateway = gateway
    alone.push(start)
    progress(`${ids.length} pending: first delivery after ${milliseconds(start.firstMs)}`)
  }

  const { database, ids } = await pendingOn(databases, options, receiver, options.pending)
  await using _ = database
  await receiver.reset()
  const many: Start[] = []
  // Each but the first comes after a kill, so that what its predecessor held is still under a lease.
  for (let round = 0; round < options.rounds; round += 1) {
    const { gateway, start } = await startTimed(database, receiver)
    await using killed = gateway
    many.push(start)
    progress(`${whole(options.pending)} pending: first delivery after ${milliseconds(start.firstMs)}`)
    await timeToKill(receiver, (options.pending * (round + 1)) / (options.rounds + 1))
    await killed.child.kill()
  }
  const { gateway, start } = await startTimed(database, receiver)
  many.push(start)
  await using last = gateway
  const before = (await receiver.seen()).unique
  const seconds = await delivered(receiver, options.pending)
  const seen = await receiver.seen()
  const { missing, unexpected } = await receiver.compare(ids)
  const rss = last.usage()?.peakRssBytes ?? Number.NaN

  const cells = (pick: (start: Start) => number) =>
    [alone, many].map((starts) => printedSpread(spreadOf(starts.map(pick)), milliseconds))
  const ratio =
    spreadOf(many.map(({ firstMs }) => firstMs)).median / spreadOf(alone.map(({ firstMs }) => firstMs)).median
  const mayBeTwice = options.rounds * inFlight
  return {
    title: `Restart: first delivery with ${whole(options.pending)} pending on ${engineNames[options.database]}`,
    parts: [
      `Messages and deliveries are put into the tables by SQL, dealt out over ${endpointCount} endpoints; then the gateway starts. With one \
pending: ${options.rounds} new databases; with many: ${options.rounds + 1} starts on one, each but the first after a kill -9 ${killAfterMs} ms into \
delivering, or when its share was delivered. Median (least to most). The last one delivers all the rest; a Node receiver keeps every id.`,
      table(
        ['', '1 pending', `${whole(options.pending)} pending`],
        [
          ['start → first answer of the API', ...cells(({ readyMs }) => readyMs)],
          ['start → first delivery', ...cells(({ firstMs }) => firstMs)],
          ['of one pending', '1', ratio.toFixed(2)],
          ['delivered/s, the rest', '–', whole((options.pending - before) / (seconds ?? Number.NaN))],
          ['peak RSS', '–', mebibytes(rss)],
          ['lost', '0', whole(missing)],
          [`came twice, of at most ${whole(mayBeTwice)} under way at the kills`, '0', whole(seen.doubled)],
        ],
      ),
    ],
    goals: [],
    faults: [
      ...(seconds === null ? [`nothing was delivered for ${stallMs / 1000} s, and not all had come`] : []),
      ...(missing > 0 ? [`${whole(missing)} of ${whole(options.pending)} deliveries were never made`] : []),
      ...(seen.doubled > mayBeTwice ? [`${whole(seen.doubled)} deliveries came more than once`] : []),
      ...(unexpected > 0 ? [`${whole(unexpected)} deliveries of nothing that was there`] : []),
    ],
  }
}
