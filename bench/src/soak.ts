import type { Console } from './console.ts'
import { type Databases, engineNames } from './database.ts'
import { startGateway } from './gateway.ts'
import { fullLoad } from './generator.ts'
import { countFaults, countsOf, drained } from './ledger.ts'
import type { Options } from './options.ts'
import { openConsole } from './postgres.ts'
import { progress } from './progress.ts'
import { startReceiver } from './receiver.ts'
import type { Goal, Report } from './report.ts'
import { refused } from './round.ts'
import { mebibytes, table, whole } from './table.ts'

// Does the table of deliveries stay small at full speed, or does it bloat for as long as the load lasts?

// A page is 8 KiB and a table grows by several at once: differences below this say nothing.
const noiseBytes = 16 * 2 ** 20

interface Sample {
  readonly minute: number
  readonly acceptedPerS: number
  readonly waiting: number
  readonly queueTableBytes: number
  readonly queueIndexBytes: number
  readonly deadRows: number
  readonly historyBytes: number
  readonly walBytesPerS: number
  readonly rssBytes: number
}

interface Sizes {
  readonly queue_table: string
  readonly queue_indexes: string
  readonly dead: string
  readonly history: string
  readonly wal: string
}

// Partitions have no storage in their parent's name: history is the sum over pg_inherits.
const sizesOf = async (console: Console): Promise<Sizes> => {
  const [row] = await console.rows<Sizes>(`
    select pg_table_size('delivery') as queue_table, pg_indexes_size('delivery') as queue_indexes,
      (select n_dead_tup from pg_stat_user_tables where relname = 'delivery') as dead,
      (select coalesce(sum(pg_total_relation_size(inhrelid)), 0) from pg_inherits
       where inhparent in ('message'::regclass, 'attempt'::regclass)) as history,
      pg_current_wal_lsn() - '0/0' as wal`)
  if (row === undefined) throw new Error('PostgreSQL did not tell its sizes')
  return row
}

export async function soak(options: Options, databases: Databases): Promise<Report> {
  await using receiver = await startReceiver(options.receiver)
  await using database = await databases.fresh('postgres')
  await using gateway = await startGateway(database)
  const target = await gateway.addApplication('bench', receiver.url)
  await using console = await openConsole(database.url)
  const receivedBefore = await receiver.received()
  const samples: Sample[] = []
  let [before, acceptedBefore, at] = [await sizesOf(console), 0, performance.now()]
  const sample = async () => {
    const now = performance.now()
    const [sizes, counts] = [await sizesOf(console), await countsOf(gateway)]
    const seconds = (now - at) / 1000
    const taken: Sample = {
      minute: samples.length + 1,
      acceptedPerS: (counts.accepted - acceptedBefore) / seconds,
      waiting: counts.accepted - counts.delivered,
      queueTableBytes: Number(sizes.queue_table),
      queueIndexBytes: Number(sizes.queue_indexes),
      deadRows: Number(sizes.dead),
      historyBytes: Number(sizes.history),
      walBytesPerS: (Number(sizes.wal) - Number(before.wal)) / seconds,
      rssBytes: gateway.usage()?.rssBytes ?? Number.NaN,
    }
    ;[before, acceptedBefore, at] = [sizes, counts.accepted, now]
    samples.push(taken)
    progress(
      `minute ${taken.minute}: ${whole(taken.acceptedPerS)} accepted/s, delivery ${mebibytes(taken.queueTableBytes + taken.queueIndexBytes)}`,
    )
  }
  const failures: unknown[] = []
  const watch = setInterval(() => sample().catch((error: unknown) => failures.push(error)), 60_000)
  const ask = { seconds: options.minutes * 60, connections: options.connections, timed: false }
  const seen = await fullLoad(options.generator, target, ask).finally(() => clearInterval(watch))
  await sample()
  const drainS = await drained(gateway)

  const queueBytes = ({ queueTableBytes, queueIndexBytes }: Sample) => queueTableBytes + queueIndexBytes
  const half = Math.ceil(samples.length / 2)
  const most = (some: readonly Sample[]) => Math.max(...some.map(queueBytes))
  const [early, late] = [most(samples.slice(0, half)), most(samples.slice(half))]
  const bounded = late <= early * 1.25 + noiseBytes
  const goals: readonly Goal[] = [
    {
      what: 'delivery with its indexes, the most of the second half of the time',
      wanted: `≤ 1.25 × that of the first + ${mebibytes(noiseBytes)}`,
      seen: `${mebibytes(early)}, then ${mebibytes(late)}`,
      met: bounded,
    },
    {
      what: 'RSS at the end, of that at half time',
      wanted: '≤ 1.25 ×',
      seen: `${((samples.at(-1)?.rssBytes ?? Number.NaN) / (samples[half - 1]?.rssBytes ?? Number.NaN)).toFixed(2)} ×`,
      met: (samples.at(-1)?.rssBytes ?? Number.NaN) <= (samples[half - 1]?.rssBytes ?? Number.NaN) * 1.25,
    },
  ]
  const rows = samples.map((one) => [
    String(one.minute),
    whole(one.acceptedPerS),
    whole(one.waiting),
    mebibytes(one.queueTableBytes),
    mebibytes(one.queueIndexBytes),
    whole(one.deadRows),
    mebibytes(one.historyBytes),
    `${mebibytes(one.walBytesPerS)}/s`,
    mebibytes(one.rssBytes),
  ])
  return {
    title: `Soak: ${options.minutes} minutes at full speed on ${engineNames.postgres}`,
    parts: [
      `One node, ${options.connections} connections, one endpoint; a reading each minute. The bloat of \`delivery\` counts as bounded when the \
table and its indexes, at their largest in the second half of the time, are at most a quarter larger than in the first half (and ${mebibytes(noiseBytes)}, \
below which a difference says nothing): every row in it lives for milliseconds, so that all of its size is room to work in. Dead rows are those \
that await the next vacuum, by PostgreSQL's own count. History: \`message\` and \`attempt\`, which grow with what is kept.`,
      table(['minute', 'accepted/s', 'waiting', 'delivery', 'its indexes', 'dead rows', 'history', 'WAL', 'RSS'], rows),
      `${whole(seen.accepted)} accepted in all, ${whole(seen.accepted / seen.seconds)}/s.`,
    ],
    goals,
    faults: [
      ...refused('soak', seen),
      ...failures.map((failure) => `a reading failed: ${failure instanceof Error ? failure.message : failure}`),
      ...(drainS === null ? ['not everything was delivered within two minutes after the load'] : []),
      ...(await countFaults(gateway, receiver, receivedBefore)),
    ],
  }
}
