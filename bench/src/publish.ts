import { type Databases, type Engine, engineNames } from './database.ts'
import { startGateway, startPassThrough, type Target } from './gateway.ts'
import { fullLoad, type Load, type LoadAsk } from './generator.ts'
import { audit, drained } from './ledger.ts'
import { type MessageForm, usualForm } from './message.ts'
import type { Options } from './options.ts'
import { progress } from './progress.ts'
import { startCountingReceiver } from './receiver.ts'
import type { Goal, Report } from './report.ts'
import { how, inTurns, measure, of, refused, rowsOf, type Side } from './round.ts'
import { mebibytes, milliseconds, table, whole } from './table.ts'

// How many messages per second are accepted and delivered, beside the limit of one process?

const load = (
  options: Options,
  target: Target,
  seconds: number,
  more: Pick<LoadAsk, 'form'> & { readonly timed?: boolean } = {},
): Promise<Load> =>
  fullLoad(options.generator, target, { seconds, connections: options.connections, timed: false, ...more })

/** What is sent, and what the side is called then. */
interface Sent {
  readonly name: string
  readonly form: MessageForm
}

export const passThroughSide = ({ name, form }: Sent = { name: 'pass-through', form: usualForm }): Side => ({
  name,
  async round(options, receiver) {
    await using server = await startPassThrough(receiver.url, options.connections)
    return await measure({
      name,
      options,
      server,
      gateway: null,
      database: null,
      receiver,
      load: (seconds) => load(options, server.target, seconds, { form }),
    })
  },
})

/** Messages published at full load. */
export const publishSide = (
  databases: Databases,
  engine: Engine,
  { name, form }: Sent = { name: `publish, ${engineNames[engine]}`, form: usualForm },
): Side => ({
  name,
  async round(options, receiver) {
    await using database = await databases.fresh(engine)
    await using gateway = await startGateway(database)
    const target = await gateway.addApplication('bench', receiver.url)
    return await measure({
      name,
      options,
      server: gateway,
      gateway,
      database,
      receiver,
      load: (seconds) => load(options, target, seconds, { form }),
    })
  },
})

export const setting = (options: Options) =>
  `${how(options, 'One message with a 300-byte payload per request')} The question \`tenth\` measures from the intended start.`

/** The limit of one process alone. */
export async function passThrough(options: Options): Promise<Report> {
  const [limit] = await inTurns(options, [passThroughSide()])
  if (limit === undefined) throw new Error('nothing measured')
  return {
    title: 'Pass-through: the limit of one process',
    parts: [setting(options), table(['', 'pass-through'], rowsOf('publish→202', [limit]))],
    goals: [],
    faults: limit.faults,
  }
}

/** What the gateway delivers per second on this machine, measured once and shortly. */
export async function shortRate(options: Options, databases: Databases): Promise<number> {
  const [gateway] = await inTurns({ ...options, rounds: 1, seconds: Math.min(options.seconds, 5) }, [
    publishSide(databases, options.database),
  ])
  return gateway?.rounds[0]?.deliveredPerS ?? Number.NaN
}

/** The same load on a receiver that keeps ids: it takes CPU from the gateway, so this pass says what, not how much. */
export async function idPass(options: Options, databases: Databases): Promise<Pick<Report, 'parts' | 'faults'>> {
  await using receiver = await startCountingReceiver()
  await using database = await databases.fresh(options.database)
  await using gateway = await startGateway(database)
  const target = await gateway.addApplication('bench', receiver.url)
  if (options.warmupS > 0) await load(options, target, options.warmupS)
  await drained(gateway)
  await receiver.reset()
  const seen = await load(options, target, options.seconds, { timed: true })
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
      `### Ids at full load\n\nThe same on a Node receiver that keeps every id, on a new gateway on ${engineNames[options.database]}. The receiver and the reading of every \
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

export async function publish(
  options: Options,
  databases: Databases,
): Promise<Report & { readonly deliveredPerS: number }> {
  const [limit, gateway] = await inTurns(options, [passThroughSide(), publishSide(databases, 'sqlite')])
  if (limit === undefined || gateway === undefined) throw new Error('nothing measured')
  const ids = await idPass(options, databases)
  const delivered = of(gateway, (round) => round.deliveredPerS)
  const ratio = delivered.median / of(limit, (round) => round.deliveredPerS).median
  const p99 = of(gateway, (round) => round.p99Ms)
  const drain = of(gateway, (round) => round.drainS)
  const rss = of(gateway, (round) => round.peakRssBytes)
  const goals: readonly Goal[] = [
    { what: 'delivered/s of the pass-through', wanted: '≥ 0.65', seen: ratio.toFixed(2), met: ratio >= 0.65 },
    // A backlog that grew for the whole run takes seconds to go; one that is only under way goes at once.
    {
      what: 'no growing backlog: gone after the load',
      wanted: '≤ 1 s',
      seen: milliseconds(drain.most * 1000),
      met: drain.most <= 1,
    },
    { what: 'publish→202 p99 at full load', wanted: '≤ 15 ms', seen: milliseconds(p99.median), met: p99.median <= 15 },
    { what: 'peak RSS', wanted: '≤ 300 MiB', seen: mebibytes(rss.most), met: rss.most <= 300 * 2 ** 20 },
  ]
  const parts = [
    setting(options),
    table(
      ['', 'pass-through', 'gateway'],
      [...rowsOf('publish→202', [limit, gateway]), ['delivered/s of the pass-through', '1', ratio.toFixed(2)]],
    ),
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
