import { type Databases, engineNames } from './database.ts'
import { startGateway } from './gateway.ts'
import { fixedRate, fullLoad } from './generator.ts'
import type { Quantiles } from './latency.ts'
import { audit, drained } from './ledger.ts'
import type { Options } from './options.ts'
import { progress } from './progress.ts'
import { startCountingReceiver } from './receiver.ts'
import type { Goal, Report } from './report.ts'
import { printedSpread, type Spread, spreadOf } from './spread.ts'
import { milliseconds, table, whole } from './table.ts'

// How long does a message take when the gateway has time: at a tenth of what it can do?

const cell = (spread: Spread): string => printedSpread(spread, milliseconds)

/** `fullPerS`: what the gateway delivers per second at full load. */
export async function tenth(options: Options, databases: Databases, fullPerS: number): Promise<Report> {
  const ratePerS = Math.max(1, Math.round(options.rate ?? fullPerS / 10))
  await using receiver = await startCountingReceiver()
  await using database = await databases.fresh(options.database)
  await using gateway = await startGateway(database)
  const target = await gateway.addApplication('bench', receiver.url)
  const ask = { connections: options.connections }
  // At full load, so that what is measured is the gateway and not its compiler.
  if (options.warmupS > 0) await fullLoad(options.generator, target, { ...ask, seconds: options.warmupS, timed: false })
  const faults: string[] = []
  const windows: { readonly publish: Quantiles; readonly receiver: Quantiles; readonly late: Quantiles }[] = []
  let [accepted, lost, doubled] = [0, 0, 0]
  for (let number = 1; number <= options.rounds; number += 1) {
    await drained(gateway)
    await receiver.reset()
    const paced = await fixedRate(target, ratePerS, { ...ask, seconds: options.seconds })
    if ((await drained(gateway)) === null) faults.push('not everything was delivered within two minutes after the load')
    if (paced.failed > 0) faults.push(`${whole(paced.failed)} publish calls were not answered 202`)
    const found = await audit(receiver, paced.ids, 0)
    faults.push(...found.faults)
    accepted += found.accepted
    lost += found.lost
    doubled += found.doubled
    const { latency } = await receiver.seen()
    windows.push({ publish: paced.publish, receiver: latency, late: paced.late })
    progress(
      `${whole(ratePerS)}/s: publish→202 p99 ${milliseconds(paced.publish.p99Ms)}, publish→receiver p99 ${milliseconds(latency.p99Ms)}`,
    )
  }
  const of = (pick: (window: (typeof windows)[number]) => number) => spreadOf(windows.map(pick))
  const publishP99 = of((window) => window.publish.p99Ms)
  const receiverP99 = of((window) => window.receiver.p99Ms)
  const rows = [
    [
      'publish→202',
      cell(of((window) => window.publish.p50Ms)),
      cell(publishP99),
      cell(of((window) => window.publish.maxMs)),
    ],
    [
      'publish→receiver',
      cell(of((window) => window.receiver.p50Ms)),
      cell(receiverP99),
      cell(of((window) => window.receiver.maxMs)),
    ],
    [
      'of that, the generator was late',
      cell(of((window) => window.late.p50Ms)),
      cell(of((window) => window.late.p99Ms)),
      cell(of((window) => window.late.maxMs)),
    ],
  ]
  const goals: readonly Goal[] = [
    { what: 'publish→202 p99', wanted: '≤ 5 ms', seen: milliseconds(publishP99.median), met: publishP99.median <= 5 },
    {
      what: 'publish→receiver p99',
      wanted: '≤ 15 ms',
      seen: milliseconds(receiverP99.median),
      met: receiverP99.median <= 15,
    },
  ]
  return {
    title: `Tenth: latency at ${whole(ratePerS)} messages/s on ${engineNames[options.database]}`,
    parts: [
      `A Node generator with a fixed rate and a Node receiver that keeps ids. Every latency counts from the moment the message was to be \
sent, so that a stall counts in full. Warmed up for ${options.warmupS} s at full load. Median of ${options.rounds} windows of ${options.seconds} s (least to most).`,
      table(['', 'p50', 'p99', 'most'], rows),
      `${whole(accepted)} accepted, ${whole(lost)} lost, ${whole(doubled)} doubled.`,
    ],
    // What was promised, was promised of SQLite.
    goals: options.database === 'sqlite' ? goals : [],
    faults,
  }
}
