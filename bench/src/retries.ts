import { type Databases, engineNames } from './database.ts'
import { startGateway } from './gateway.ts'
import { fullLoad } from './generator.ts'
import { audit, countsOf, drained } from './ledger.ts'
import type { Options } from './options.ts'
import { progress } from './progress.ts'
import { type CountingReceiver, startCountingReceiver } from './receiver.ts'
import type { Report } from './report.ts'
import { refused } from './round.ts'
import { printedSpread, spreadOf } from './spread.ts'
import { microseconds, milliseconds, seconds, table, whole } from './table.ts'

// One delivery in ten is refused when it first comes: what does that cost the others, and does every one of them arrive?

// Of the usual schedule, the first wait, without jitter, so that what comes later is the gateway's doing.
const retryAfterMsOf = (options: Options): number => (options.short ? 1_000 : 5_000)

interface Round {
  readonly acceptedPerS: number
  readonly deliveredWhileLoadedPerS: number
  /** From the end of the load until everything was delivered, those that had to wait for their second try included. */
  readonly drainS: number
  readonly cpuUs: number
  readonly firstP50Ms: number
  readonly firstP99Ms: number
  readonly refusedShare: number
  /** How long after it was due a refused one was there. */
  readonly retriedP50Ms: number
  readonly retriedP99Ms: number
  readonly accepted: number
  readonly lost: number
  readonly doubled: number
}

const sides = [
  { name: 'none fails', path: '' },
  { name: 'one in ten fails once', path: '/flaky' },
] as const

async function measure(
  options: Options,
  databases: Databases,
  receiver: CountingReceiver,
  { name, path }: (typeof sides)[number],
): Promise<{ readonly round: Round; readonly faults: readonly string[] }> {
  await using database = await databases.fresh(options.database)
  const retryAfterMs = retryAfterMsOf(options)
  await using gateway = await startGateway(database, {
    settings: { POSTHORN_RETRY_SCHEDULE: `${retryAfterMs / 1000}s,5m`, POSTHORN_RETRY_JITTER: '0' },
  })
  const target = await gateway.addApplication('bench', `${receiver.url}${path}`)
  const load = (seconds: number) =>
    fullLoad(options.generator, target, { seconds, connections: options.connections, timed: true })
  if (options.warmupS > 0) await load(options.warmupS)
  await drained(gateway)
  await receiver.reset()
  const before = { cpuMs: gateway.usage()?.cpuMs ?? Number.NaN, ...(await countsOf(gateway)) }
  const seen = await load(options.seconds)
  const receivedInTime = await receiver.received()
  const drainS = await drained(gateway)
  const counts = await countsOf(gateway)
  const cpuMs = (gateway.usage()?.cpuMs ?? Number.NaN) - before.cpuMs
  const found = await audit(receiver, seen.ids ?? [], options.connections)
  const at = await receiver.seen()
  const failed = counts.failedAttempts - before.failedAttempts
  const round = {
    acceptedPerS: seen.accepted / seen.seconds,
    deliveredWhileLoadedPerS: receivedInTime / seen.seconds,
    drainS: drainS ?? Number.NaN,
    cpuUs: (cpuMs * 1000) / (counts.accepted - before.accepted),
    firstP50Ms: at.latency.p50Ms,
    firstP99Ms: at.latency.p99Ms,
    refusedShare: at.refused / (counts.accepted - before.accepted),
    retriedP50Ms: at.refused === 0 ? Number.NaN : at.retriedLatency.p50Ms - retryAfterMs,
    retriedP99Ms: at.refused === 0 ? Number.NaN : at.retriedLatency.p99Ms - retryAfterMs,
    accepted: found.accepted,
    lost: found.lost,
    doubled: found.doubled,
  }
  progress(`${name}: ${whole(round.acceptedPerS)} accepted/s, ${whole(at.refused)} refused once`)
  return {
    round,
    faults: [
      ...refused(name, seen),
      ...(drainS === null ? [`${name}: not everything was delivered within two minutes after the load`] : []),
      ...(failed !== at.refused
        ? [`${name}: the receiver refused ${whole(at.refused)}, ${whole(failed)} attempts failed`]
        : []),
      ...found.faults.map((fault) => `${name}: ${fault}`),
    ],
  }
}

export async function retries(options: Options, databases: Databases): Promise<Report> {
  await using receiver = await startCountingReceiver()
  const rounds: readonly Round[][] = sides.map(() => [])
  const faults: string[] = []
  for (let number = 0; number < options.rounds; number += 1)
    for (const [index, side] of sides.entries()) {
      const seen = await measure(options, databases, receiver, side)
      rounds[index]?.push(seen.round)
      faults.push(...seen.faults)
    }
  const spread = (index: number, pick: (round: Round) => number) => spreadOf((rounds[index] ?? []).map(pick))
  const row = (name: string, pick: (round: Round) => number, print: (value: number) => string) => [
    name,
    ...sides.map((_, index) => printedSpread(spread(index, pick), print)),
  ]
  const ratio = spread(1, (round) => round.acceptedPerS).median / spread(0, (round) => round.acceptedPerS).median
  return {
    title: `Retries: one delivery in ten refused once, on ${engineNames[options.database]}`,
    parts: [
      `One 300-byte message per request, ${options.connections} connections, ${options.seconds} s after ${options.warmupS} s of warming up; a \
new gateway each round, in turns; median of ${options.rounds} (least to most). The receiver, Node's, keeps ids and answers 503 to one \
message in ten, chosen by its id, when it first comes; it is tried again ${retryAfterMsOf(options) / 1000} s later, without jitter. CPU is of load and drain.`,
      table(
        ['', ...sides.map(({ name }) => name)],
        [
          row('accepted/s', (round) => round.acceptedPerS, whole),
          ['of where none fails', '1', ratio.toFixed(2)],
          row('delivered/s while loaded', (round) => round.deliveredWhileLoadedPerS, whole),
          row('until the rest was there', (round) => round.drainS, seconds),
          row('CPU of the process per message', (round) => round.cpuUs, microseconds),
          row('publish→receiver p50, at the first try', (round) => round.firstP50Ms, milliseconds),
          row('publish→receiver p99, at the first try', (round) => round.firstP99Ms, milliseconds),
          row(
            'refused once',
            (round) => round.refusedShare,
            (share) => `${(share * 100).toFixed(1)} %`,
          ),
          row('there after it was due, p50', (round) => round.retriedP50Ms, milliseconds),
          row('there after it was due, p99', (round) => round.retriedP99Ms, milliseconds),
          row('accepted, id known', (round) => round.accepted, whole),
          row('lost', (round) => round.lost, whole),
          row('doubled', (round) => round.doubled, whole),
        ],
      ),
    ],
    goals: [],
    faults,
  }
}
