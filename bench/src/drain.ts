import { setTimeout as wait } from 'node:timers/promises'
import { type Database, type Databases, engineNames } from './database.ts'
import { type Endpoints, type Gateway, startGateway } from './gateway.ts'
import { quantileOf, shareWithin, together } from './histogram.ts'
import type { Options } from './options.ts'
import { openConsole } from './postgres.ts'
import { progress } from './progress.ts'
import { type CountingReceiver, startCountingReceiver } from './receiver.ts'
import type { Goal, Report } from './report.ts'
import { roundTrips } from './round-trip.ts'
import { makeSeed } from './seed.ts'
import { mebibytes, microseconds, milliseconds, table, whole } from './table.ts'

// How do three nodes share a million due deliveries: is each made once, and what does a claim cost meanwhile?

const nodeCount = 3
const endpointCount = 200
const doors = 20
const stallMs = 60_000

/** The tables, and endpoints that deliveries can be for: of a gateway that is gone again. */
async function endpointsOn(database: Database, urls: readonly string[]): Promise<Endpoints> {
  await using gateway = await startGateway(database)
  return await gateway.addEndpoints('backlog', urls, endpointCount)
}

/** Resolves to the seconds from the first delivery that arrived to the last; null when they stopped coming. */
async function untilEmpty(receiver: CountingReceiver, empty: () => Promise<boolean>): Promise<number | null> {
  let [start, last, seen] = [Number.NaN, performance.now(), 0]
  let told = performance.now()
  for (;;) {
    const received = await receiver.received()
    const now = performance.now()
    if (received > seen) {
      if (seen === 0) start = now
      ;[seen, last] = [received, now]
    }
    if (await empty()) return (last - start) / 1000
    if (now - last > stallMs) return null
    if (now - told > 10_000) {
      told = now
      progress(`${whole(seen)} delivered, ${whole((seen * 1000) / (now - start))}/s`)
    }
    await wait(200)
  }
}

export async function drain(options: Options, databases: Databases): Promise<Report> {
  await using receiver = await startCountingReceiver(doors)
  await using database = await databases.fresh('postgres')
  const endpoints = await endpointsOn(database, receiver.urls)
  await using console = await openConsole(database.url)
  const seed = makeSeed(console, endpoints, Date.now())
  await seed.add(options.pending)
  await console.run('checkpoint')

  await using nodes = new AsyncDisposableStack()
  const databaseCpuBefore = database.cpuMs() ?? Number.NaN
  const gateways: readonly Gateway[] = await Promise.all(
    Array.from({ length: nodeCount }, async (_, index) =>
      nodes.use(await startGateway(database, { name: `node-${index + 1}` })),
    ),
  )
  const ended = new AbortController()
  const tripping = roundTrips(database.url, ended.signal)
  const seconds = await untilEmpty(receiver, async () => {
    const [row] = await console.rows<{ empty: boolean }>('select not exists (select 1 from delivery) as empty')
    return row?.empty === true
  })
  ended.abort()
  const trips = await tripping
  const databaseCpuMs = (database.cpuMs() ?? Number.NaN) - databaseCpuBefore
  const seen = await receiver.seen()
  const { missing, unexpected } = await receiver.compare(seed.ids())
  const [recorded] = await console.rows<{ attempts: string; messages: string }>(
    'select count(*) as attempts, count(distinct message_id) as messages from attempt',
  )
  const failed = await console.rows<{ why: string; attempts: string }>(
    `select coalesce(status_code::text || ' ', '') || coalesce(left(response, 200), '') as why, count(*) as attempts
     from attempt where succeeded = 0 group by 1 order by 2 desc limit 5`,
  )
  const metrics = await Promise.all(gateways.map((gateway) => gateway.metrics()))
  const claims = together(metrics.map((page) => page.histogram('posthorn_claim_seconds')))
  const [p50, p99] = [quantileOf(claims, 0.5) * 1000, quantileOf(claims, 0.99) * 1000]
  const within = shareWithin(claims, 0.02)
  const usages = gateways.map((gateway) => gateway.usage())
  const nodeCpuMs = usages.reduce((sum, usage) => sum + (usage?.cpuMs ?? Number.NaN), 0)
  const shares = metrics.map((page) => page.sum('posthorn_attempts_total', { outcome: 'delivered' }))

  const faults = [
    ...(seconds === null ? [`nothing was delivered for ${stallMs / 1000} s, and the queue is not empty`] : []),
    ...(missing > 0 ? [`${whole(missing)} of ${whole(options.pending)} deliveries were never made`] : []),
    ...(seen.doubled > 0 ? [`${whole(seen.doubled)} deliveries were made more than once`] : []),
    ...failed.map(({ why, attempts }) => `${whole(Number(attempts))} attempts failed: ${why}`),
    ...(unexpected > 0 ? [`${whole(unexpected)} deliveries of nothing that was there`] : []),
    ...(Number(recorded?.attempts) !== options.pending || Number(recorded?.messages) !== options.pending
      ? [`${recorded?.attempts} attempts of ${recorded?.messages} messages are recorded, not ${options.pending}`]
      : []),
  ]
  const goals: readonly Goal[] = [
    { what: 'lost', wanted: '0', seen: whole(missing), met: missing === 0 },
    { what: 'delivered twice', wanted: '0', seen: whole(seen.doubled), met: seen.doubled === 0 },
    {
      what: 'claims within 20 ms',
      wanted: '≥ 99 %',
      seen: `${(within * 100).toFixed(2)} %`,
      met: within >= 0.99,
    },
  ]
  const rows = [
    ['drained in', seconds === null ? '–' : `${seconds.toFixed(1)} s`],
    ['delivered/s', whole(options.pending / (seconds ?? Number.NaN))],
    ['by each node', shares.map(whole).join(', ')],
    ['claims that took something', whole(claims.get(Number.POSITIVE_INFINITY) ?? 0)],
    ['claim p50', milliseconds(p50)],
    ['claim p99', milliseconds(p99)],
    ['`select 1` meanwhile p50', milliseconds(trips.p50Ms)],
    ['`select 1` meanwhile p99', milliseconds(trips.p99Ms)],
    ['CPU of the nodes per delivery', microseconds((nodeCpuMs * 1000) / options.pending)],
    ['CPU of PostgreSQL per delivery', microseconds((databaseCpuMs * 1000) / options.pending)],
    ['peak RSS of a node', mebibytes(Math.max(...usages.map((usage) => usage?.peakRssBytes ?? Number.NaN)))],
    ['on disk', mebibytes(await database.bytes())],
  ]
  return {
    title: `Drain: ${whole(options.pending)} due deliveries, ${nodeCount} nodes on ${engineNames.postgres}`,
    parts: [
      `Messages and deliveries are put into the tables by SQL, dealt out over ${endpointCount} endpoints at ${doors} origins; then ${nodeCount} nodes start. A Node \
receiver keeps every id. All of it, PostgreSQL and receiver too, shares the same cores. A claim is timed by the node itself \
(\`posthorn_claim_seconds\`: to the store and back, three round trips, looks that take nothing are not counted); quantiles are even within \
a bucket, what is within 20 ms is exact. Beside it another process, which does nothing else, asks \`select 1\` every 50 ms: what one round trip \
costs on these cores meanwhile.`,
      table(['', `${nodeCount} nodes`], rows),
    ],
    goals,
    faults,
  }
}
