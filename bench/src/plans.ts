import type { Console } from './console.ts'
import { freshPostgres } from './database.ts'
import { exercise } from './exercise.ts'
import { type Explained, explainedIn, explainSettings, type Names } from './explained.ts'
import { startGateway } from './gateway.ts'
import type { Options } from './options.ts'
import { openConsole, startPostgres } from './postgres.ts'
import { progress } from './progress.ts'
import { startDeadReceiver, startReceiver } from './receiver.ts'
import type { Goal, Report } from './report.ts'
import { makeSeed } from './seed.ts'
import { table, whole } from './table.ts'

// How does PostgreSQL go about each statement, empty and with ten million rows, whatever it believes about them?

const endpointCount = 200
// What grows with traffic, and whose plans matter. All others have as many rows as there are customers.
const growing = ['message', 'delivery', 'attempt', 'event_key', 'idempotency_key'] as const
const named = growing.map((name) => `'${name}'`).join(', ')
const ofGrowing = `
  select oid from pg_class where relname in (${named}) and relnamespace = 'public'::regnamespace
  union select inhrelid from pg_inherits where inhparent in (
    select oid from pg_class where relname in (${named}) and relnamespace = 'public'::regnamespace)`
const withIndexes = `select oid from (${ofGrowing}) as tables
  union select indexrelid from pg_index where indrelid in (${ofGrowing})`

interface State {
  readonly name: string
  readonly rows: 'none' | 'all'
  /** Brings the statistics there, on what the state before has left. */
  readonly make: string
}

// relpages 0 and reltuples -1 are what `create table` notes; reltuples 0 with pages is what `analyze` notes of a table that
// has just been drained: then PostgreSQL believes in no rows, however many come.
const states: readonly State[] = [
  { name: '0, never analysed', rows: 'none', make: 'select 1' },
  { name: '0, analysed', rows: 'none', make: `truncate ${growing.join(', ')}; analyze` },
  { name: 'all, analysed when empty', rows: 'all', make: 'select 1' },
  {
    name: 'all, never analysed',
    rows: 'all',
    make: `update pg_class set reltuples = -1, relpages = 0, relallvisible = 0 where oid in (${withIndexes});
      delete from pg_statistic where starelid in (${ofGrowing})`,
  },
  { name: 'all, analysed', rows: 'all', make: 'analyze' },
  {
    name: 'all, analysed when drained',
    rows: 'all',
    make: `update pg_class set reltuples = 0 where oid in (${withIndexes})`,
  },
]

async function namesOf(console: Console): Promise<Names> {
  const partitions = await console.rows<{ child: string; parent: string }>(`
    select child.relname as child, parent.relname as parent from pg_inherits
    join pg_class as child on child.oid = inhrelid join pg_class as parent on parent.oid = inhparent`)
  const indexes = await console.rows<{ name: string; first: string }>(`
    select index.relname as name, attname as first from pg_index join pg_class as index on index.oid = indexrelid
    join pg_attribute on attrelid = indrelid and attnum = indkey[0] where indrelid in (${ofGrowing})`)
  return {
    parents: new Map(partitions.map(({ child, parent }) => [child, parent])),
    growing: new Set(growing),
    firstColumns: new Map(indexes.map(({ name, first }) => [name, first])),
  }
}

// What asks PostgreSQL of itself names them too.
const touchesGrowing = ({ sql }: Explained): boolean =>
  !/\bpg_/.test(sql) && growing.some((name) => new RegExp(`\\b${name}\\b`).test(sql))

export async function plans(options: Options): Promise<Report> {
  await using receiver = await startReceiver(options.receiver)
  await using dead = await startDeadReceiver('refused')
  await using server = await startPostgres(explainSettings)
  await using database = await freshPostgres(server, 'plans')
  // The bench's own statements are not explained, and neither is what fills the tables.
  await using console = await openConsole(database.url)
  await console.run('set auto_explain.log_min_duration = -1')
  const settings = { POSTHORN_RETRY_SCHEDULE: '1s,1s' }

  const endpoints = await (async () => {
    await using gateway = await startGateway(database, { settings })
    return await gateway.addEndpoints('backlog', receiver.url, endpointCount)
  })()
  const seed = makeSeed(console, endpoints, Date.now(), 'with history')
  const seen: ReadonlyMap<string, Explained>[] = []
  for (const { name, rows, make } of states) {
    if (rows === 'all' && seed.count() === 0) await seed.add(options.pending)
    await console.run(make)
    const from = server.logBytes()
    {
      await using gateway = await startGateway(database, { settings })
      await exercise(gateway, receiver, dead.url)
    }
    const explained = explainedIn(server.log(from), 'plans', await namesOf(console)).filter(touchesGrowing)
    seen.push(new Map(explained.map((one) => [one.sql, one])))
    progress(`${name}: ${explained.length} statements`)
  }

  const statements = [...new Set(seen.flatMap((state) => [...state.keys()]))]
  const rows = statements.map((sql) => {
    const of = seen.map((state) => state.get(sql))
    const every = [...new Set(of.flatMap((one) => one?.plans ?? []))]
    return {
      ...{ sql, every },
      pages: of.map((one) => one?.pages ?? null),
      // Which of its plans it had in each state.
      letters: of.map((one) => (one?.plans ?? []).map((plan) => letterOf(every.indexOf(plan))).join('')),
      wholeTables: [...new Set(of.flatMap((one) => one?.wholeTables ?? []))],
    }
  })
  const flipping = rows.filter(({ every }) => every.length > 1)
  const scanning = rows.filter(({ wholeTables }) => wholeTables.length > 0)
  const goals: readonly Goal[] = [
    {
      what: 'statements whose plan is not always the same',
      wanted: '0',
      seen: whole(flipping.length),
      met: flipping.length === 0,
    },
    {
      what: 'statements that read a growing table or an index of it from end to end',
      wanted: '0',
      seen: whole(scanning.length),
      met: scanning.length === 0,
    },
  ]
  return {
    title: `Plans: each statement at 0 and at ${whole(options.pending)} rows`,
    parts: [
      `A node does a little of everything (\`exercise.ts\`) on its own connections; PostgreSQL writes down how it went about each statement as it \
ran (auto_explain). ${whole(options.pending)} messages, each with an eventId, a due delivery and an attempt. Each state has a new node; autovacuum \
is off, so that the statistics are those that the state names. A letter is a plan, the number the pages of 8 KiB that the costliest execution \
touched: a statement may have many rows, so it is to be compared along its line. Statements on tables that grow with traffic.`,
      table(
        ['', ...states.map(({ name }) => name)],
        rows.map(({ letters, pages }, index) => [
          String(index + 1),
          ...letters.map((letter, state) => (letter === '' ? '–' : `${letter} ${whole(pages[state] ?? Number.NaN)}`)),
        ]),
      ),
      ...rows.map(({ sql, every }, index) =>
        [
          `**${index + 1}** \`${sql.length > 300 ? `${sql.slice(0, 300)} …` : sql}\``,
          ...every.map((plan, at) => `\`\`\`\n${every.length > 1 ? `${letterOf(at)}\n` : ''}${plan}\n\`\`\``),
        ].join('\n\n'),
      ),
    ],
    goals,
    faults: [],
  }
}

const letterOf = (index: number): string => String.fromCharCode('a'.charCodeAt(0) + index)
