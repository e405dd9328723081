// MOVE: everything of one database into another, whatever their engines. Table by table in the order of its key, so that
// one place says how far it has come; that place stands in the target, in the same transaction as what was written.

import { createHash } from 'node:crypto'
import { type Db, first, type SqlParameters, type SqlRow } from '../db.ts'
import { moveMark, type Schema, SchemaError, stepName, thisVersion, usableSchema } from '../migrations.ts'
import { MoveError, type Side } from './side.ts'
import { carried, movedTables, type Table } from './tables.ts'

/** What a move tells while it goes on. */
export interface MoveWatcher {
  /** `total`: rows of all tables; `done`: how many of them a move before has copied already. */
  begun(total: number, done: number): void
  copied(table: string, rows: number): void
  verifying(total: number): void
  verified(table: string, rows: number): void
}

// Large enough that a round trip and a commit do not count, small enough that two of them are held easily.
const mostRows = 2_000
const mostBytes = 8 * 1024 * 1024

/** Copies everything and verifies it. May be broken off at any moment and run again. Throws MoveError or SchemaError. */
export async function move(source: Side, target: Side, now: number, watcher: MoveWatcher): Promise<number> {
  const from = await source.connect()
  const tables = movedTables()
  const identity = await identityOf(from)
  await prepare(target.schema)
  const to = await target.connect()
  const begunAt = await beginOrGoOn(to, tables, { source: identity, now, shown: target.shown })

  const totals = new Map<string, number>()
  for (const { name } of tables) totals.set(name, await countOf(from, name))
  const total = [...totals.values()].reduce((sum, rows) => sum + rows, 0)
  watcher.begun(total, await copiedRows(to))
  for (const table of tables) await copyTable(table, from, to, target, begunAt, watcher)
  watcher.verifying(total)
  for (const table of tables) {
    const [sent, arrived] = await Promise.all([sumOf(table, from, begunAt), sumOf(table, to, begunAt)])
    if (sent.rows !== arrived.rows || sent.digest !== arrived.digest)
      throw new MoveError(
        `${table.name} is not the same on both sides (${sent.rows} rows there, ${arrived.rows} here). Was ${source.shown} used after the move had begun? It still has everything: empty ${target.shown} and begin again.`,
      )
    watcher.verified(table.name, sent.rows)
  }
  await target.settle()
  await to.transaction(async () => {
    await to.run('drop table move_progress')
    await to.run(`delete from schema_step where number = ${moveMark}`)
  })
  return total
}

/** The newest schema, whether it is there already or an earlier move has begun with it. */
async function prepare(schema: Schema): Promise<void> {
  const applied = await schema.applied()
  if (!applied.some(({ number }) => number === moveMark)) {
    await schema.migrate()
    return
  }
  const { pending } = usableSchema(
    schema.steps,
    applied.filter(({ number }) => number !== moveMark),
  )
  if (pending.length > 0)
    throw new SchemaError(
      `A move of another version has begun here, and ${pending.map(stepName).join(', ')} is missing: empty the database and begin again.`,
    )
}

/** Who this source is, as long as nobody adds an environment: its environments and keys. */
async function identityOf(from: Db): Promise<string> {
  const rows = [
    await from.all('select id, created_at from environment order by id'),
    await from.all('select id, hash from api_key order by id'),
  ]
  return createHash('sha256').update(JSON.stringify(rows)).digest('hex')
}

/** Resolves to when the move began. Until it is done, no node starts on the target. */
async function beginOrGoOn(
  to: Db,
  tables: readonly Table[],
  { source, now, shown }: { readonly source: string; readonly now: number; readonly shown: string },
): Promise<number> {
  const mark = await first<{ at: number }>(to, `select at from schema_step where number = ${moveMark}`)
  if (mark !== null) {
    const begun = await first<{ place: string }>(to, "select place from move_progress where name = ''")
    if (begun?.place !== source)
      throw new MoveError(`A move from another database has begun in ${shown}: empty it, or name that one.`)
    return mark.at
  }
  for (const { name } of tables)
    if ((await first(to, `select 1 as there from ${name} limit 1`)) !== null)
      throw new MoveError(`${shown} is not empty: ${name} has rows. Name a database that nobody has used yet.`)
  await to.transaction(async () => {
    await to.run('create table move_progress (name text primary key, place text not null, copied bigint not null)')
    await to.run("insert into move_progress (name, place, copied) values ('', :source, 0)", { source })
    await to.run(
      `insert into schema_step (number, name, at, breaking, version)
       values (${moveMark}, 'move', cast(:now as bigint), 1, '${thisVersion}')`,
      { now },
    )
  })
  return now
}

async function copyTable(
  table: Table,
  from: Db,
  to: Db,
  target: Side,
  begunAt: number,
  watcher: MoveWatcher,
): Promise<void> {
  const { name } = table
  const known = await first<{ place: string }>(to, 'select place from move_progress where name = :name', { name })
  const insert = insertOf(table)
  for await (const rows of batchesOf(table, from, known === null ? null : keyIn(known.place))) {
    const moved = rows.map((row) => carried(table, row, begunAt))
    const last = moved.at(-1)
    if (last === undefined) continue
    const messageIds = name === 'message' ? moved.map(({ id }) => id) : name === 'attempt' ? moved.map(messageIdOf) : []
    await target.expect(messageIds.map(String))
    await to.transaction(async () => {
      await to.run(insert, {
        rows: JSON.stringify(moved.map((row) => table.columns.map((column) => row[column.name]))),
      })
      await to.run(
        `insert into move_progress (name, place, copied) values (:name, :place, :copied)
         on conflict (name) do update set place = excluded.place, copied = move_progress.copied + excluded.copied`,
        { name, place: JSON.stringify(table.key.map((column) => last[column])), copied: moved.length },
      )
    })
    watcher.copied(name, moved.length)
  }
}

const messageIdOf = (row: SqlRow): SqlRow[string] | undefined => row.message_id

const keyIn = (place: string): readonly string[] => JSON.parse(place) as readonly string[]

const insertOf = ({ name, columns }: Table): string =>
  `insert into ${name} (${columns.map((column) => column.name).join(', ')})
   select ${columns.map(({ integer }, at) => (integer ? `cast(value->>${at} as bigint)` : `value->>${at}`)).join(', ')}
   from @each(:rows)`

/**
 * All rows behind a key (null: all), in its order, a few thousand or a few megabytes at a time: first their sizes, then as
 * many as fit.
 */
async function* batchesOf(table: Table, db: Db, after: readonly string[] | null): AsyncGenerator<readonly SqlRow[]> {
  const { name, columns, key } = table
  const order = key.join(', ')
  const behind = `where (${order}) > (${key.map((_, at) => `cast(:k${at} as text)`).join(', ')})`
  const texts = columns.filter(({ integer }) => !integer).map((column) => `coalesce(octet_length(${column.name}), 0)`)
  const texted = (list: string, where: string): string =>
    `select ${list} from ${name} ${where} order by ${order} limit cast(:limit as bigint)`
  const size = `${texts.join(' + ')} as size`
  const all = columns.map((column) => column.name).join(', ')
  let place = after
  for (;;) {
    const where = place === null ? '' : behind
    const parameters: SqlParameters = Object.fromEntries((place ?? []).map((value, at) => [`k${at}`, value]))
    const sizes = await db.all<{ size: number }>(texted(size, where), { ...parameters, limit: mostRows })
    const rows = await db.all(texted(all, where), { ...parameters, limit: fitting(sizes) })
    const last = rows.at(-1)
    if (last === undefined) return
    yield rows
    place = key.map((column) => String(last[column]))
  }
}

/** How many of the next rows are read together: one at least. */
function fitting(sizes: readonly { readonly size: number }[]): number {
  let bytes = 0
  const at = sizes.findIndex(({ size }) => {
    bytes += size
    return bytes > mostBytes
  })
  return at === -1 ? Math.max(1, sizes.length) : Math.max(1, at)
}

/** Number and digest of a table's rows as they are written, in the order of its key. */
async function sumOf(
  table: Table,
  db: Db,
  begunAt: number,
): Promise<{ readonly rows: number; readonly digest: string }> {
  const hash = createHash('sha256')
  let rows = 0
  for await (const batch of batchesOf(table, db, null)) {
    for (const row of batch) {
      const moved = carried(table, row, begunAt)
      hash.update(JSON.stringify(table.columns.map((column) => moved[column.name])))
    }
    rows += batch.length
  }
  return { rows, digest: hash.digest('hex') }
}

const countOf = async (db: Db, table: string): Promise<number> =>
  (await first<{ rows: number }>(db, `select count(*) as rows from ${table}`))?.rows ?? 0

const copiedRows = async (to: Db): Promise<number> =>
  (await first<{ rows: number }>(to, 'select coalesce(sum(copied), 0) as rows from move_progress'))?.rows ?? 0
