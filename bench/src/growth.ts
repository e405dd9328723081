import { type Database, type Databases, engineNames } from './database.ts'
import { type Endpoints, type Gateway, startGateway, type Target } from './gateway.ts'
import { fixedRate } from './generator.ts'
import { makeLatency } from './latency.ts'
import { drained } from './ledger.ts'
import { liveWindow } from './live-window.ts'
import { nowUs } from './message.ts'
import type { Options } from './options.ts'
import { progress } from './progress.ts'
import { type CountingReceiver, startCountingReceiver } from './receiver.ts'
import type { Goal, Report } from './report.ts'
import { makeSeed } from './seed.ts'
import { printedSpread, spreadOf } from './spread.ts'
import { mebibytes, milliseconds, table, whole } from './table.ts'

// Do publishing and listing take longer the more is stored?

const usualPerS = 500
const page = 50
const listCalls = 300
const shortListCalls = 30
const flatWithin = 1.1

interface Stored {
  readonly database: Database
  readonly endpoints: Endpoints
  readonly messages: number
  /** Half of what is stored is older. */
  readonly middleMs: number
}

/** What one question took, by its name. */
type Readings = Map<string, { readonly p50Ms: number; readonly p99Ms: number }>

async function stored(databases: Databases, options: Options, url: string, messages: number): Promise<Stored> {
  const database = await databases.fresh(options.database)
  const endpoints = await (async () => {
    await using gateway = await startGateway(database)
    return await gateway.addEndpoints('growth', url, 1)
  })()
  await using console = await database.open()
  const startMs = Date.now()
  const seed = makeSeed(console, endpoints, startMs, 'settled')
  await seed.add(messages)
  // What autovacuum does to a table that has grown by itself.
  await console.run(console.engine === 'postgres' ? 'vacuum analyze' : 'pragma optimize')
  progress(`${whole(messages)} stored`)
  return { database, endpoints, messages, middleMs: (startMs + seed.lastMs()) / 2 }
}

async function lists(
  gateway: Gateway,
  { endpoints, middleMs }: Stored,
  calls: number,
  into: Readings,
): Promise<readonly string[]> {
  const faults: string[] = []
  const before = encodeURIComponent(new Date(Math.ceil(middleMs)).toISOString())
  const [endpoint = ''] = endpoints.endpointIds
  const app = `/api/v1/app/${endpoints.applicationId}`
  const paths = {
    'newest messages': `${app}/msg?limit=${page}`,
    'messages from the middle': `${app}/msg?limit=${page}&before=${before}`,
    'newest attempts': `${app}/attempt/endpoint/${endpoint}?limit=${page}`,
    'attempts from the middle': `${app}/attempt/endpoint/${endpoint}?limit=${page}&before=${before}`,
  }
  for (const [name, path] of Object.entries(paths)) {
    const latency = makeLatency()
    for (let call = 0; call < calls; call += 1) {
      const at = nowUs()
      const { data } = (await gateway.call('GET', path)) as { data: readonly unknown[] }
      latency.record(nowUs() - at)
      if (data.length !== page) faults.push(`${name}: ${data.length} of ${page} came`)
    }
    into.set(name, latency.quantiles())
  }
  return faults.slice(0, 1)
}

async function measure(options: Options, receiver: CountingReceiver, one: Stored) {
  await using gateway = await startGateway(one.database)
  const target: Target = gateway.targetOf(one.endpoints.applicationId)
  const [ratePerS, { connections, seconds }] = [options.rate ?? usualPerS, options]
  if (options.warmupS > 0) await fixedRate(target, ratePerS, { connections, seconds: options.warmupS })
  await drained(gateway)
  const readings: Readings = new Map()
  const window = await liveWindow(receiver, target, ratePerS, { connections, seconds })
  readings.set('publish→202', window.publish)
  readings.set('publish→receiver', window.receiver)
  await drained(gateway)
  const faults = await lists(gateway, one, options.short ? shortListCalls : listCalls, readings)
  progress(`${whole(one.messages)} stored: publish p50 ${milliseconds(window.publish.p50Ms)}`)
  return { readings, faults: [...window.faults, ...faults].map((fault) => `${whole(one.messages)} stored: ${fault}`) }
}

export async function growth(options: Options, databases: Databases): Promise<Report> {
  await using receiver = await startCountingReceiver()
  await using kept = new AsyncDisposableStack()
  const sides: { readonly stored: Stored; readonly rounds: Readings[]; readonly bytes: number }[] = []
  for (const messages of options.stored) {
    const one = await stored(databases, options, receiver.url, messages)
    kept.use(one.database)
    sides.push({ stored: one, rounds: [], bytes: await one.database.bytes() })
  }
  const faults: string[] = []
  for (let round = 0; round < options.rounds; round += 1)
    for (const side of sides) {
      const seen = await measure(options, receiver, side.stored)
      side.rounds.push(seen.readings)
      faults.push(...seen.faults)
    }

  const questions = [...(sides[0]?.rounds[0]?.keys() ?? [])]
  const of = (side: (typeof sides)[number], question: string, quantile: 'p50Ms' | 'p99Ms') =>
    spreadOf(side.rounds.map((readings) => readings.get(question)?.[quantile] ?? Number.NaN))
  const ratiosOf = (question: string, quantile: 'p50Ms' | 'p99Ms') =>
    sides.map((side) => of(side, question, quantile).median / of(sides[0] ?? side, question, quantile).median)
  const rows = questions.flatMap((question) =>
    (['p50Ms', 'p99Ms'] as const).flatMap((quantile) => {
      const name = `${question}, ${quantile === 'p50Ms' ? 'p50' : 'p99'}`
      return [
        [name, ...sides.map((side) => printedSpread(of(side, question, quantile), milliseconds))],
        ['of the fewest', ...ratiosOf(question, quantile).map((ratio) => `${ratio.toFixed(2)} ×`)],
      ]
    }),
  )
  const goals: readonly Goal[] = questions.map((question) => {
    const most = Math.max(...ratiosOf(question, 'p50Ms'))
    return {
      what: `${question}: p50 of the fewest`,
      wanted: `≤ ${flatWithin} ×`,
      seen: `${most.toFixed(2)} ×`,
      met: most <= flatWithin,
    }
  })
  return {
    title: `Growth: ${options.stored.map(whole).join(', ')} stored messages on ${engineNames[options.database]}`,
    parts: [
      `Messages with 300-byte payloads, each delivered by one attempt, are put into the tables of a database for each size by SQL; then, in turns, a \
gateway starts on each: ${whole(options.rate ?? usualPerS)} messages/s at a fixed rate for ${options.seconds} s after ${options.warmupS} s of \
warming up, from the intended sending; then lists of ${page}, one call after the other. Median of ${options.rounds} (least to most).`,
      table(
        ['', ...sides.map(({ stored }) => whole(stored.messages))],
        [...rows, ['on disk', ...sides.map(({ bytes }) => mebibytes(bytes))]],
      ),
    ],
    goals,
    faults,
  }
}
