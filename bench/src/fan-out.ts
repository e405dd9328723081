import { type Databases, engineNames } from './database.ts'
import { startGateway } from './gateway.ts'
import { fixedCount, fixedRate } from './generator.ts'
import type { Quantiles } from './latency.ts'
import { audit, countFaults, drained } from './ledger.ts'
import type { Options } from './options.ts'
import { progress } from './progress.ts'
import { type CountingReceiver, type Receiver, startCountingReceiver, startReceiver } from './receiver.ts'
import type { Report } from './report.ts'
import { refused } from './round.ts'
import { printedSpread, spreadOf } from './spread.ts'
import { mebibytes, microseconds, milliseconds, table, whole } from './table.ts'

// One message for 1, 10, 100 endpoints: what does a delivery cost when it shares its message with others?

const fanOuts = [1, 10, 100] as const

// As many deliveries a second at every fan-out: what differs is how many messages they are of.
const pacedDeliveriesPerS = 1000

interface Burst {
  readonly deliveredPerS: number
  readonly acceptedPerS: number
  readonly cpuUsPerDelivery: number
  readonly peakRssBytes: number
}

interface Found<Value> {
  readonly value: Value
  readonly faults: readonly string[]
}

const urlsOf = (receiver: Receiver, copies: number): readonly string[] =>
  Array.from({ length: copies }, (_, index) => `${receiver.url}/copy/${index + 1}`)

/** A fixed number of deliveries as fast as they go: messages are accepted faster than a hundred of each are sent. */
async function burst(
  options: Options,
  databases: Databases,
  receiver: Receiver,
  copies: number,
): Promise<Found<Burst>> {
  await using database = await databases.fresh(options.database)
  await using gateway = await startGateway(database)
  const target = await gateway.addApplication('bench', ...urlsOf(receiver, copies))
  const receivedBefore = await receiver.received()
  const publish = async (deliveries: number) => {
    const load = await fixedCount(target, Math.max(1, Math.round(deliveries / copies)), options.connections)
    return { load, rest: await drained(gateway, { copies }) }
  }
  const warm = await publish(options.deliveries / 5)
  const [cpuBefore, start] = [gateway.usage()?.cpuMs ?? Number.NaN, performance.now()]
  const { load, rest } = await publish(options.deliveries)
  const seconds = (performance.now() - start) / 1000
  const usage = gateway.usage()
  const deliveries = load.accepted * copies
  const name = `1 → ${copies}`
  progress(`${name}: ${whole(deliveries / seconds)} delivered/s`)
  return {
    value: {
      deliveredPerS: deliveries / seconds,
      acceptedPerS: load.accepted / load.seconds,
      cpuUsPerDelivery: (((usage?.cpuMs ?? Number.NaN) - cpuBefore) * 1000) / deliveries,
      peakRssBytes: usage?.peakRssBytes ?? Number.NaN,
    },
    faults: [
      ...refused(`${name}, warming up`, warm.load),
      ...refused(name, load),
      ...(rest === null ? [`${name}: not everything was delivered within two minutes after the load`] : []),
      ...(await countFaults(gateway, receiver, receivedBefore, copies)).map((fault) => `${name}: ${fault}`),
    ],
  }
}

/** Deliveries at a fixed rate, on a receiver that keeps ids; from the intended sending to each endpoint. */
async function paced(
  options: Options,
  databases: Databases,
  receiver: CountingReceiver,
  copies: number,
): Promise<Found<Quantiles>> {
  await using database = await databases.fresh(options.database)
  await using gateway = await startGateway(database)
  const target = await gateway.addApplication('bench', ...urlsOf(receiver, copies))
  const messagesPerS = (options.rate ?? pacedDeliveriesPerS) / copies
  await fixedCount(target, Math.max(1, Math.round(options.deliveries / 5 / copies)), options.connections)
  await drained(gateway, { copies })
  await receiver.reset()
  const ask = { connections: options.connections, seconds: options.seconds }
  const load = await fixedRate(target, messagesPerS, ask)
  const rest = await drained(gateway, { copies })
  const expected = load.ids.flatMap((id) => Array.from({ length: copies }, (_, index) => `${id}/${index + 1}`))
  const found = await audit(receiver, expected, 0)
  const { latency } = await receiver.seen()
  const name = `1 → ${copies} at a fixed rate`
  progress(`${name}: publish→receiver p99 ${milliseconds(latency.p99Ms)}`)
  return {
    value: latency,
    faults: [
      ...refused(name, load),
      ...(rest === null ? [`${name}: not everything was delivered within two minutes after the load`] : []),
      ...found.faults.map((fault) => `${name}: ${fault}`),
    ],
  }
}

export async function fanOut(options: Options, databases: Databases): Promise<Report> {
  const sides = fanOuts.map((copies) => ({
    copies,
    bursts: [] as Burst[],
    latencies: [] as Quantiles[],
    faults: [] as string[],
  }))
  let counter: Receiver['kind']
  {
    await using receiver = await startReceiver(options.receiver)
    counter = receiver.kind
    for (let round = 0; round < options.rounds; round += 1)
      for (const side of sides) {
        const { value, faults } = await burst(options, databases, receiver, side.copies)
        side.bursts.push(value)
        side.faults.push(...faults)
      }
  }
  await using receiver = await startCountingReceiver()
  for (let round = 0; round < options.rounds; round += 1)
    for (const side of sides) {
      const { value, faults } = await paced(options, databases, receiver, side.copies)
      side.latencies.push(value)
      side.faults.push(...faults)
    }

  const row = (name: string, pick: (one: Burst) => number, print: (value: number) => string) => [
    name,
    ...sides.map(({ bursts }) => printedSpread(spreadOf(bursts.map(pick)), print)),
  ]
  const latencyRow = (name: string, pick: (one: Quantiles) => number) => [
    name,
    ...sides.map(({ latencies }) => printedSpread(spreadOf(latencies.map(pick)), milliseconds)),
  ]
  const ratios = sides.map(
    ({ bursts }) =>
      spreadOf(bursts.map((one) => one.deliveredPerS)).median /
      spreadOf(sides[0]?.bursts.map((one) => one.deliveredPerS) ?? []).median,
  )
  return {
    title: `Fan-out: one message to 1, 10, 100 endpoints on ${engineNames[options.database]}`,
    parts: [
      `${whole(options.deliveries)} deliveries at each fan-out, of as many messages as that takes, published by Node through \
${options.connections} connections as fast as they are accepted; delivered/s is from the first publish to the last delivery, counted by a \
receiver of its own (${counter}). A new gateway each round, in turns; median of ${options.rounds} (least to most). The \
last rows: ${whole(options.rate ?? pacedDeliveriesPerS)} deliveries/s at a fixed rate for ${options.seconds} s, from the moment a message was \
to be sent to its arrival at each endpoint, on a Node receiver that keeps ids.`,
      table(
        ['', ...fanOuts.map((copies) => `1 → ${copies}`)],
        [
          row('delivered/s', (one) => one.deliveredPerS, whole),
          ['of 1 → 1', ...ratios.map((ratio) => ratio.toFixed(2))],
          row('messages accepted/s', (one) => one.acceptedPerS, whole),
          row('CPU of the process per delivery', (one) => one.cpuUsPerDelivery, microseconds),
          row('peak RSS', (one) => one.peakRssBytes, mebibytes),
          latencyRow('publish→receiver p50, fixed rate', (one) => one.p50Ms),
          latencyRow('publish→receiver p99, fixed rate', (one) => one.p99Ms),
        ],
      ),
    ],
    goals: [],
    faults: sides.flatMap(({ faults }) => faults),
  }
}
