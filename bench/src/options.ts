import { parseArgs } from 'node:util'
import type { Engine } from './database.ts'
import type { Provider } from './provider.ts'

/** What SQLite has no answer to: several nodes, planners that go by statistics, rows that die. */
export const ofPostgres = ['drain', 'claim', 'plans', 'soak'] as const
const questions = [
  'publish',
  'tenth',
  'receive',
  'fan-out',
  'payload',
  'backlog',
  'neighbours',
  'retries',
  'growth',
  'restart',
  'peer',
  'pass-through',
  'profile',
  ...ofPostgres,
  'all',
] as const
export type Question = (typeof questions)[number]

// How many deliveries wait, where nothing else is said.
const usualPending: Partial<Record<Question, number>> = { claim: 10_000_000, plans: 10_000_000 }

/** What the caller wants to know, and how long it may take. */
export interface Options {
  readonly question: Question
  readonly database: Engine
  /** Seconds instead of minutes, nothing written: shows that it runs. */
  readonly short: boolean
  /** Length of one measured window, after `warmupS`. */
  readonly seconds: number
  readonly warmupS: number
  readonly connections: number
  /** How often each side is measured, in turns. */
  readonly rounds: number
  readonly receiver: 'nginx' | 'node'
  readonly generator: 'wrk' | 'node'
  /** Messages per second where the rate is fixed. Null: the question's own choice. */
  readonly rate: number | null
  /** Deliveries that wait, to be drained, claimed from, planned for; messages of who floods. */
  readonly pending: number
  /** Of `growth`: how many messages are stored, from the fewest to the most. */
  readonly stored: readonly number[]
  /** Of `fan-out`: how many are made at each. */
  readonly deliveries: number
  /** Of `profile`: what is watched. */
  readonly of: 'publish' | Provider['type']
  /** Of `soak`. */
  readonly minutes: number
  /** How that endpoint is dead: it takes the connection and says nothing, or nobody listens there. */
  readonly dead: 'hung' | 'refused'
}

export const usage = `npm run bench -- [question] [options]

Questions
  publish        how many messages per second are accepted and delivered, beside the limit of one process (default)
  tenth          latency at a tenth of that rate
  receive        how many signed requests of third parties are accepted and forwarded per second, beside publish
  fan-out        what a delivery costs when a message goes to 1, 10, 100 endpoints
  payload        what 300 B, 8 kB, 256 kB cost, beside what they cost the limit of one process
  backlog        what a million deliveries waiting for a dead endpoint cost another endpoint, and memory
  neighbours     what a healthy endpoint notices of one that hangs, and of an application that publishes a million
  retries        what it costs when one delivery in ten is refused once
  growth         whether publishing and listing take longer with 10 thousand, 1 million, 10 million stored messages
  restart        time to the first delivery with a million pending, also after a kill
  peer           BullMQ on Redis and pg-boss on PostgreSQL at the same job (apt-get install redis-server postgresql)
  pass-through   the limit of one process alone
  profile        where the CPU time and the garbage of a message come from
  all            all of these, on PostgreSQL also drain, claim and plans; writes bench/results/<date>-<machine>.md

Questions to PostgreSQL (--database postgres goes without saying)
  drain          three nodes, a million due deliveries: each made once, and what a claim costs meanwhile
  claim          what a claim costs with 1 thousand to 10 million deliveries pending
  plans          how PostgreSQL goes about each statement, empty and with 10 million rows, whatever it knows of them
  soak           full speed for an hour: does the table of deliveries bloat?

Options
  --database sqlite|postgres   what the gateway keeps its rows in (sqlite); publish then measures both in turns
  --seconds N       length of one measured window (20)
  --warmup N        seconds before it (5)
  --connections N   (64)
  --rounds N        how often each side is measured, in turns (2)
  --rate N          messages per second where the rate is fixed (tenth: a tenth of what publish reached; backlog: 1000;
                    neighbours, growth, peer: 500); of fan-out: deliveries
  --pending N       deliveries that wait, or are published by who floods (1000000; claim and plans: 10000000)
  --stored N,N,…    of growth: from the fewest to the most (10000,1000000,10000000)
  --deliveries N    of fan-out: how many at each (100000)
  --of publish|stripe|github   of profile: messages that are published, or requests of a provider (publish)
  --minutes N       length of soak (60)
  --dead hung|refused   of backlog: how its endpoint is dead (hung)
  --receiver nginx|node, --generator wrk|node
  --short           seconds instead of minutes: shows that it runs, not how fast it is; writes no file

The report goes to standard output as Markdown, progress to standard error.
Exit code 1: a message was lost or doubled, or a request failed. 2: the bench could not run.`

/** A wrong word on the command line. */
export class UsageError extends Error {}

const whole = (name: string, text: string | undefined, least: number, otherwise: number): number => {
  if (text === undefined) return otherwise
  const value = Number(text)
  if (!Number.isInteger(value) || value < least)
    throw new UsageError(`--${name} ${text}: a whole number from ${least}, as in --${name} 20`)
  return value
}

const oneOf = <T extends string>(name: string, text: string, choices: readonly T[]): T => {
  const found = choices.find((choice) => choice === text)
  if (found === undefined) throw new UsageError(`${name} ${text}: one of ${choices.join(', ')}`)
  return found
}

/** Null: help was asked for. `one`: the question, where these are the options of `all`. Throws UsageError. */
export function optionsOf(args: readonly string[], one?: Exclude<Question, 'all'>): Options | null {
  const text = { type: 'string' } as const
  const flag = { type: 'boolean' } as const
  const { values, positionals } = (() => {
    try {
      return parseArgs({
        args: [...args],
        allowPositionals: true,
        options: {
          seconds: text,
          warmup: text,
          connections: text,
          rounds: text,
          rate: text,
          pending: text,
          minutes: text,
          database: text,
          dead: { ...text, default: 'hung' },
          receiver: { ...text, default: 'nginx' },
          generator: { ...text, default: 'wrk' },
          deliveries: text,
          of: { ...text, default: 'publish' },
          stored: text,
          short: flag,
          help: { ...flag, short: 'h' },
        },
      })
    } catch (error) {
      throw new UsageError(error instanceof Error ? error.message : String(error))
    }
  })()
  if (values.help) return null
  if (positionals.length > 1) throw new UsageError(`one question at a time, not ${positionals.join(' ')}`)
  const short = values.short ?? false
  const question = one ?? oneOf('question', positionals[0] ?? 'publish', questions)
  const onlyPostgres = ofPostgres.some((name) => name === question)
  const usualDatabase = onlyPostgres ? 'postgres' : 'sqlite'
  const said = one !== undefined && onlyPostgres ? undefined : values.database
  const database = oneOf('--database', said ?? usualDatabase, ['sqlite', 'postgres'])
  if (onlyPostgres && database === 'sqlite') throw new UsageError(`${question}: a question to PostgreSQL only`)
  return {
    question,
    database,
    short,
    seconds: whole('seconds', values.seconds, 1, short ? 1 : 20),
    warmupS: whole('warmup', values.warmup, 0, short ? 1 : 5),
    connections: whole('connections', values.connections, 1, 64),
    rounds: whole('rounds', values.rounds, 1, short ? 1 : 2),
    rate: values.rate === undefined ? null : whole('rate', values.rate, 1, 1),
    pending: whole('pending', values.pending, 1, short ? 5_000 : (usualPending[question] ?? 1_000_000)),
    stored: (values.stored ?? (short ? '1000,10000' : '10000,1000000,10000000'))
      .split(',')
      .map((count) => whole('stored', count, 1000, 0)),
    deliveries: whole('deliveries', values.deliveries, 100, short ? 1_000 : 100_000),
    of: oneOf('--of', values.of, ['publish', 'stripe', 'github']),
    minutes: whole('minutes', values.minutes, 1, short ? 1 : 60),
    dead: oneOf('--dead', values.dead, ['hung', 'refused']),
    receiver: oneOf('--receiver', values.receiver, ['nginx', 'node']),
    generator: oneOf('--generator', values.generator, ['wrk', 'node']),
  }
}
