import { type Databases, engineNames } from './database.ts'
import { messageOf } from './message.ts'
import type { Options } from './options.ts'
import { passThroughSide, publishSide } from './publish.ts'
import type { Report } from './report.ts'
import { how, inTurns, of, rowsOf } from './round.ts'
import { table, whole } from './table.ts'

// What does the size of a payload cost, beside what it costs the limit of one process?

const sizes = [
  { name: '300 B', bytes: 300 },
  { name: '8 kB', bytes: 8 * 1024 },
  { name: '256 kB', bytes: 256 * 1024 },
] as const

export async function payload(options: Options, databases: Databases): Promise<Report> {
  const pairs = sizes.map(({ name, bytes }) => ({ name, form: messageOf(bytes) }))
  const measured = await inTurns(
    options,
    pairs.flatMap(({ name, form }) => [
      passThroughSide({ name: `pass-through, ${name}`, form }),
      publishSide(databases, options.database, { name: `gateway, ${name}`, form }),
    ]),
  )
  const perS = measured.map((side) => of(side, (round) => round.deliveredPerS).median)
  const bytesPerS = perS.map((rate, index) => rate * (pairs[Math.floor(index / 2)]?.form.payloadBytes ?? Number.NaN))
  const ratios = perS.map((rate, index) =>
    index % 2 === 0 ? '1' : (rate / (perS[index - 1] ?? Number.NaN)).toFixed(2),
  )
  return {
    title: `Payload: 300 B, 8 kB, 256 kB on ${engineNames[options.database]}`,
    parts: [
      `${how(options, 'One message per request, its payload JSON of many small values')} Megabytes are those of payloads, \
delivered; the gateway writes them to disk once before it answers.`,
      table(
        ['', ...pairs.flatMap(({ name }) => [`pass-through, ${name}`, `gateway, ${name}`])],
        [
          ...rowsOf('publish→202', measured),
          ['megabytes/s', ...bytesPerS.map((rate) => whole(rate / 1e6))],
          ['delivered/s of the pass-through', ...ratios],
        ],
      ),
    ],
    goals: [],
    faults: measured.flatMap(({ faults }) => faults),
  }
}
