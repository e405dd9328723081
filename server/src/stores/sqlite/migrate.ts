import { readdirSync, readFileSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'

const folder = new URL('./migrations/', import.meta.url)

/** Brings the schema to this program's version, forward only, each step in a transaction of its own. */
export function migrate(database: DatabaseSync): void {
  database.exec(
    'create table if not exists schema_step (number integer primary key, name text not null, at integer not null)',
  )
  const done = new Map(
    database
      .prepare('select number, name from schema_step')
      .all()
      .map((row) => [Number(row.number), String(row.name)]),
  )
  const steps = readdirSync(folder)
    .filter((file) => file.endsWith('.sql'))
    .sort()
    .map((file) => ({ number: Number.parseInt(file, 10), name: file.slice(5, -4), file }))
  const newest = Math.max(0, ...done.keys())
  if (newest > steps.length) {
    throw new Error(
      `The database is at schema step ${newest} (${done.get(newest)}), this Posthorn knows ${steps.length}: it was last used by a newer version. Start that version, or restore the backup taken before the upgrade.`,
    )
  }
  for (const { number, name, file } of steps) {
    if (done.has(number)) continue
    database.exec('begin immediate')
    try {
      database.exec(readFileSync(new URL(file, folder), 'utf8'))
      database
        .prepare("insert into schema_step (number, name, at) values (?, ?, unixepoch('subsec') * 1000)")
        .run(number, name)
      database.exec('commit')
    } catch (error) {
      if (database.isTransaction) database.exec('rollback')
      throw error
    }
  }
}
