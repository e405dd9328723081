import { setTimeout as wait } from 'node:timers/promises'
import type { Console } from './console.ts'
import { engineNames, freshPostgres } from './database.ts'
import { startGateway } from './gateway.ts'
import { quantileOf, since } from './histogram.ts'
import type { Options } from './options.ts'
import { openConsole, startPostgres } from './postgres.ts'
import { progress } from './progress.ts'
import { startReceiver } from './receiver.ts'
import type { Goal, Report } from './report.ts'
import { makeSeed, type Seed } from './seed.ts'
import { microseconds, milliseconds, table, whole } from './table.ts'

// What does a claim cost with a thousand deliveries pending, and with ten million?

const endpointCount = 200
const leastPending = 1_000
const settings = ['shared_preload_libraries=pg_stat_statements', 'pg_stat_statements.track=all']

/** What the statements of claims have cost PostgreSQL itself: the time varies with the machine, the pages do not. */
interface Cost {
  readonly calls: number
  readonly ms: number
  readonly pages: number
}

// The statements as the store spells them: its ring of endpoints, and within one what it picks, and then takes.
const statements = {
  ring: 'ring (endpoint_id',
  pick: 'select message_id, attempts, trigger, order_key,',
  take: 'update delivery set due_at = $_, lease = $_ from',
} as const
type Statement = keyof typeof statements

async function costOf(console: Console, statement: Statement): Promise<Cost> {
  const [row] = await console.rows<{ calls: string | null; ms: number | null; pages: string | null }>(`
    select sum(calls) as calls, sum(total_exec_time) as ms, sum(shared_blks_hit + shared_blks_read) as pages
    from pg_stat_statements where query like '%${statements[statement]}%' and query not like '%pg_stat_statements%'`)
  if (row?.calls == null) throw new Error(`PostgreSQL has seen no statement with "${statements[statement]}": renamed?`)
  return { calls: Number(row.calls), ms: Number(row.ms), pages: Number(row.pages) }
}

interface Level {
  readonly pending: number
  readonly claims: number
  readonly claimed: number
  readonly meanMs: number
  readonly p99Ms: number
  readonly cost: Readonly<Record<Statement, Cost>>
}

const pendingOf = async (console: Console): Promise<number> => {
  const [row] = await console.rows<{ count: string }>('select count(*) as count from delivery')
  return Number(row?.count)
}

/** Fills up again what the gateway takes, so that about so many are pending all the time. */
async function hold(console: Console, seed: Seed, pending: number, seconds: number): Promise<void> {
  const end = performance.now() + seconds * 1000
  while (performance.now() < end) {
    // Of many, the window takes few: counting them would cost more than it tells.
    const left = pending > 100_000 ? pending : await pendingOf(console)
    if (left <= pending / 2) await seed.add(pending - left)
    await wait(50)
  }
}

export async function claim(options: Options): Promise<Report> {
  await using receiver = await startReceiver(options.receiver)
  await using server = await startPostgres(settings)
  await using database = await freshPostgres(server, 'claim')
  await using gateway = await startGateway(database)
  const endpoints = await gateway.addEndpoints('backlog', receiver.url, endpointCount)
  await using console = await openConsole(database.url)
  await console.run('create extension pg_stat_statements')
  const seed = makeSeed(console, endpoints, Date.now())

  const sizes: number[] = []
  for (let size = leastPending; size <= options.pending; size *= 10) sizes.push(size)
  const levels: Level[] = []
  for (const size of sizes) {
    await seed.add(size - (await pendingOf(console)))
    await hold(console, seed, size, options.warmupS)
    const pendingBefore = await pendingOf(console)
    await console.run('select pg_stat_statements_reset()')
    const before = await gateway.metrics()
    await hold(console, seed, size, options.seconds)
    const after = await gateway.metrics()
    const counted = (name: string) => after.sum(name) - before.sum(name)
    const claims = counted('posthorn_claim_seconds_count')
    const level: Level = {
      pending: size <= 100_000 ? size : (pendingBefore + (await pendingOf(console))) / 2,
      claims,
      claimed: counted('posthorn_deliveries_claimed_total'),
      meanMs: (counted('posthorn_claim_seconds_sum') / claims) * 1000,
      p99Ms:
        quantileOf(since(before.histogram('posthorn_claim_seconds'), after.histogram('posthorn_claim_seconds')), 0.99) *
        1000,
      cost: {
        ring: await costOf(console, 'ring'),
        pick: await costOf(console, 'pick'),
        take: await costOf(console, 'take'),
      },
    }
    levels.push(level)
    progress(
      `${whole(level.pending)} pending: ${whole(level.claims)} claims, mean ${milliseconds(level.meanMs)}, p99 ${milliseconds(level.p99Ms)}`,
    )
  }
  const pagesPerDelivery = ({ claimed, cost }: Level) => (cost.ring.pages + cost.pick.pages + cost.take.pages) / claimed
  const [first, last] = [levels.at(0), levels.at(-1)]
  if (first === undefined || last === undefined) throw new Error(`--pending ${options.pending}: from ${leastPending}`)
  const msPerDelivery = ({ meanMs, claims, claimed }: Level) => (meanMs * claims) / claimed
  const growth = msPerDelivery(last) / msPerDelivery(first)
  const goals: readonly Goal[] = [
    {
      what: `time per delivery claimed, ${whole(last.pending)} pending, of that with ${whole(first.pending)}`,
      wanted: '≤ 1.5 ×',
      seen: `${growth.toFixed(2)} ×`,
      met: growth <= 1.5,
    },
    {
      what: 'claim p99, the worst',
      wanted: '≤ 20 ms',
      seen: milliseconds(Math.max(...levels.map((level) => level.p99Ms))),
      met: levels.every((level) => level.p99Ms <= 20),
    },
  ]
  const per = ({ calls, ms }: Cost) => microseconds((ms * 1000) / calls)
  return {
    title: `Claim: what it costs with up to ${whole(options.pending)} deliveries pending on ${engineNames.postgres}`,
    parts: [
      `One database that grows, and one node that keeps running and delivering; deliveries are put into the tables by SQL, all due, dealt out \
over ${endpointCount} endpoints, and filled up again as they go. Windows of ${options.seconds} s after ${options.warmupS} s. A claim is timed by \
the node (\`posthorn_claim_seconds\`), its statements by PostgreSQL (\`pg_stat_statements\`): the ring looks for the next due time of 64 \
endpoints, a pick looks for what is due at one, which a take then leases. Pages: of 8 KiB, read or found in memory, by all three.`,
      table(
        ['pending', 'claims', 'deliveries each', 'mean', 'p99', 'ring', 'pick', 'take', 'pages per delivery'],
        levels.map((level) => [
          whole(level.pending),
          whole(level.claims),
          whole(level.claimed / level.claims),
          milliseconds(level.meanMs),
          milliseconds(level.p99Ms),
          per(level.cost.ring),
          per(level.cost.pick),
          per(level.cost.take),
          pagesPerDelivery(level).toFixed(1),
        ]),
      ),
    ],
    goals,
    faults: [],
  }
}
