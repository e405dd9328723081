import { type Databases, engineNames } from './database.ts'
import type { Options } from './options.ts'
import { advisedSettings } from './postgres.ts'
import { idPass, publishSide, setting } from './publish.ts'
import type { Goal, Report } from './report.ts'
import { inTurns, of, rowsOf } from './round.ts'
import { milliseconds, table } from './table.ts'

// How many messages per second does one node take on PostgreSQL, beside the same node on SQLite?

export async function publishBeside(
  options: Options,
  databases: Databases,
): Promise<Report & { readonly deliveredPerS: number }> {
  const engines = ['sqlite', 'postgres'] as const
  const [sqlite, postgres] = await inTurns(
    options,
    engines.map((engine) => publishSide(databases, engine)),
  )
  if (sqlite === undefined || postgres === undefined) throw new Error('nothing measured')
  const ids = await idPass(options, databases)
  const delivered = of(postgres, (round) => round.deliveredPerS)
  const ratio = delivered.median / of(sqlite, (round) => round.deliveredPerS).median
  const p99 = of(postgres, (round) => round.p99Ms)
  const drain = of(postgres, (round) => round.drainS)
  const goals: readonly Goal[] = [
    { what: "delivered/s of SQLite's", wanted: '≥ 0.5', seen: ratio.toFixed(2), met: ratio >= 0.5 },
    { what: 'publish→202 p99 at full load', wanted: '≤ 40 ms', seen: milliseconds(p99.median), met: p99.median <= 40 },
    {
      what: 'no growing backlog: gone after the load',
      wanted: '≤ 1 s',
      seen: milliseconds(drain.most * 1000),
      met: drain.most <= 1,
    },
  ]
  return {
    title: 'Publish on PostgreSQL: accepted and delivered per second by one node, beside SQLite',
    parts: [
      `${setting(options)} Each round has a new database; PostgreSQL is a private one on the same cores and the same disk, idle while \
SQLite is measured, reached over TCP, with fsync and these settings: ${advisedSettings.join(', ')}. Its CPU is that of all its processes, autovacuum, checkpoints and WAL included.`,
      table(
        ['', ...engines.map((engine) => engineNames[engine])],
        [...rowsOf('publish→202', [sqlite, postgres]), ["delivered/s of SQLite's", '1', ratio.toFixed(2)]],
      ),
      ...ids.parts,
    ],
    goals,
    faults: [...sqlite.faults, ...postgres.faults, ...ids.faults],
    deliveredPerS: delivered.median,
  }
}
