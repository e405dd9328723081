import { type Databases, engineNames } from './database.ts'
import { startGateway } from './gateway.ts'
import type { Options } from './options.ts'
import { bodyBytes, type Provider, providers } from './provider.ts'
import { publishSide } from './publish.ts'
import { receivedIds } from './receive-ids.ts'
import { receiveLoad } from './receive-load.ts'
import type { Goal, Report } from './report.ts'
import { how, inTurns, type Measured, measure, of, rowsOf, type Side } from './round.ts'
import { mebibytes, milliseconds, table, whole } from './table.ts'

// How many requests of third parties are verified, stored and acknowledged per second, beside messages published?

// How many times what publish has just reached: a source that needs more fails the run, and loudly. At least so many a
// second, since publish may have had a bad moment.
const signedOfPublished = 2
const leastSignedPerS = 5_000

const signedFor = (publish: Measured, seconds: number): number => {
  const perS = publish.rounds.at(-1)?.acceptedPerS ?? 0
  return Math.ceil(Math.max(perS * signedOfPublished, leastSignedPerS) * seconds)
}

/** Requests of one provider, measured after publish (the first of the sides). */
const receiveSide = (databases: Databases, provider: Provider): Side => ({
  name: provider.type,
  async round(options, receiver, [publish]) {
    if (publish === undefined) throw new Error('publish is measured first')
    await using database = await databases.fresh(options.database)
    await using gateway = await startGateway(database)
    const door = await gateway.addSource(provider, receiver.url)
    const { connections } = options
    return await measure({
      name: provider.type,
      options,
      server: gateway,
      gateway,
      database,
      receiver,
      load: (seconds) =>
        receiveLoad(options.generator, door, { seconds, connections, signed: signedFor(publish, seconds) }),
    })
  },
})

export async function receive(options: Options, databases: Databases): Promise<Report> {
  const [publish, ...received] = await inTurns(options, [
    publishSide(databases, options.database),
    ...providers.map((provider) => receiveSide(databases, provider)),
  ])
  if (publish === undefined) throw new Error('nothing measured')
  const ids = await receivedIds(options, databases)
  const published = of(publish, (round) => round.acceptedPerS).median
  const ratios = received.map((side) => of(side, (round) => round.acceptedPerS).median / published)
  const worst = (pick: (side: Measured) => number) => Math.max(...received.map(pick))
  const p99 = worst((side) => of(side, (round) => round.p99Ms).median)
  const drainS = worst((side) => of(side, (round) => round.drainS).most)
  const rss = worst((side) => of(side, (round) => round.peakRssBytes).most)
  const ratio = Math.min(...ratios)
  const goals: readonly Goal[] = [
    { what: 'accepted/s of publish', wanted: '≥ 0.7', seen: ratio.toFixed(2), met: ratio >= 0.7 },
    { what: 'request→answer p99 at full load', wanted: '≤ 25 ms', seen: milliseconds(p99), met: p99 <= 25 },
    {
      what: 'no growing backlog: gone after the load',
      wanted: '≤ 1 s',
      seen: milliseconds(drainS * 1000),
      met: drainS <= 1,
    },
    { what: 'peak RSS', wanted: '≤ 300 MiB', seen: mebibytes(rss), met: rss <= 300 * 2 ** 20 },
  ]
  const rows = [
    ...rowsOf('request→answer', [publish, ...received]),
    ['accepted/s of publish', '1', ...ratios.map((one) => one.toFixed(2))],
  ]
  return {
    title: `Receive: requests of third parties accepted and forwarded per second on ${engineNames[options.database]}`,
    parts: [
      `${how(
        options,
        `One signed request of ${whole(bodyBytes)} bytes after another to a source with the preset of its provider, each with \
an id of its own, beside messages with a 300-byte payload published by the same gateway`,
      )} Requests are signed before they are sent.`,
      table(['', 'publish', ...providers.map(({ type }) => type)], rows),
      ...ids.parts,
    ],
    // What was promised, was promised of SQLite.
    goals: options.database === 'sqlite' ? goals : [],
    faults: [publish, ...received, ids].flatMap(({ faults }) => faults),
  }
}
