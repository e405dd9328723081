import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import pg from 'pg'
import { freshDatabase, withoutPostgres } from '../../test/support/postgres.ts'
import { migrate as migratePostgres } from './postgres/migrate.ts'
import { migrate as migrateSqlite } from './sqlite/migrate.ts'

// Both schemas as lines of the same words, so that what one has and the other has not can be listed. Partitions of a
// table do not count, nor what only makes an engine faster (fill factors, without rowid, triggers that notify).

interface Index {
  readonly table: string
  readonly name: string
  readonly unique: boolean
  readonly columns: readonly string[]
  readonly where: string
}

interface Schema {
  readonly lines: readonly string[]
  readonly indexes: readonly Index[]
}

/** What is meant to be different, and why. A line that no longer is has to go. */
const meant: Readonly<Record<string, string>> = {}

test('the schemas of both engines have the same tables, columns, defaults, keys and indexes', {
  skip: withoutPostgres,
}, async (t) => {
  const { url, drop } = await freshDatabase()
  const client = new pg.Client(url)
  t.after(async () => {
    await client.end()
    await drop()
  })
  await client.connect()
  await migratePostgres(client)

  const [inSqlite, inPostgres] = [sqliteSchema(), await postgresSchema(client)]
  const sqlite = [...inSqlite.lines, ...inSqlite.indexes.map(indexLine)]
  const postgres = [
    ...inPostgres.lines,
    ...inPostgres.indexes.map((index) => indexLine(cutTo(inSqlite.indexes, index))),
  ]
  const found = [
    ...sqlite.filter((line) => !postgres.includes(line)).map((line) => `SQLite: ${line}`),
    ...postgres.filter((line) => !sqlite.includes(line)).map((line) => `PostgreSQL: ${line}`),
  ]
  assert.deepEqual(found.sort(), Object.keys(meant).sort())
  assert.ok(sqlite.length > 200, `${sqlite.length} lines were read`)
})

const indexLine = ({ table, name, unique, columns, where }: Index): string =>
  `${unique ? 'unique ' : ''}index ${name} on ${table} (${columns.join(', ')})${where === '' ? '' : ` where ${where}`}`

/** PostgreSQL's may go on where SQLite's ends: there an index carries the key of a table without rowid by itself. */
function cutTo(others: readonly Index[], index: Index): Index {
  const other = others.find(({ name }) => name === index.name)
  if (other === undefined || index.unique || index.columns.length < other.columns.length) return index
  return { ...index, columns: index.columns.slice(0, other.columns.length) }
}

function columnLine(
  table: string,
  column: { name: string; kind: string; nullable: boolean; default: string | null },
): string {
  const more = `${column.nullable ? '' : ' not null'}${column.default === null ? '' : ` default ${column.default}`}`
  return `column ${table}.${column.name} ${column.kind}${more}`
}

function sqliteSchema(): Schema {
  const database = new DatabaseSync(':memory:')
  migrateSqlite(database)
  const all = (sql: string, ...values: string[]) => database.prepare(sql).all(...values)
  const tables = all("select name from sqlite_schema where type = 'table' and name not like 'sqlite_%'").map(
    ({ name }) => String(name),
  )
  const lines: string[] = []
  const indexes: Index[] = []
  for (const table of tables) {
    const columns = all('select * from pragma_table_xinfo(?) order by cid', table)
    for (const { name, type, notnull, dflt_value, pk } of columns)
      lines.push(
        columnLine(table, {
          ...{ name: String(name), kind: String(type).toLowerCase(), nullable: notnull === 0 && pk === 0 },
          default: dflt_value === null ? null : String(dflt_value),
        }),
      )
    const key = columns.filter(({ pk }) => Number(pk) > 0).sort((a, b) => Number(a.pk) - Number(b.pk))
    lines.push(`primary key of ${table} (${key.map(({ name }) => name).join(', ')})`)
    for (const { from, table: to, to: column } of all('select * from pragma_foreign_key_list(?)', table))
      lines.push(`${table}.${from} references ${to} (${column})`)
    for (const { name, unique, origin } of all('select * from pragma_index_list(?)', table)) {
      const on = all('select name from pragma_index_info(?) order by seqno', String(name)).map((row) =>
        String(row.name),
      )
      if (origin === 'u') lines.push(`unique ${table} (${on.join(', ')})`)
      if (origin !== 'c') continue
      const sql = String(all('select sql from sqlite_schema where name = ?', String(name))[0]?.sql)
      const where = plain(/\bwhere\b(.*)$/is.exec(sql)?.[1] ?? '')
      indexes.push({ table, name: String(name), unique: unique === 1, columns: on, where })
    }
  }
  database.close()
  return { lines, indexes }
}

async function postgresSchema(client: pg.Client): Promise<Schema> {
  const all = async (sql: string) => (await client.query<Record<string, string>>(sql)).rows
  const ours = "c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition"
  const columns = await all(`
    select c.relname as table, a.attname as name, format_type(a.atttypid, a.atttypmod) as type,
      case when a.attnotnull then 'no' else 'yes' end as nullable,
      pg_get_expr(d.adbin, d.adrelid) as default, coalesce(l.collname, '') as collation
    from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
    left join pg_collation l on l.oid = a.attcollation
    where ${ours}`)
  const columnsOf = (key: string, relation: string): string => `(select string_agg(a.attname, ', ' order by k.place)
    from unnest(${key}) with ordinality k (number, place)
    join pg_attribute a on a.attrelid = ${relation} and a.attnum = k.number)`
  const constraints = await all(`
    select c.relname as table, o.contype as type, ${columnsOf('o.conkey', 'c.oid')} as columns,
      f.relname as other, ${columnsOf('o.confkey', 'f.oid')} as others
    from pg_class c join pg_constraint o on o.conrelid = c.oid left join pg_class f on f.oid = o.confrelid
    where ${ours} and o.contype in ('p', 'u', 'f')`)
  const keyed = new Set(constraints.filter(({ type }) => type === 'p').map(({ table }) => table))
  const tables = new Set(columns.map(({ table }) => table))
  const indexes = await all(`
    select c.relname as table, i.relname as name, case when x.indisunique then 'yes' else 'no' end as unique,
      ${columnsOf('x.indkey', 'c.oid')} as columns, pg_get_expr(x.indpred, x.indrelid) as where
    from pg_class c join pg_index x on x.indrelid = c.oid join pg_class i on i.oid = x.indexrelid
    where ${ours} and not exists (select 1 from pg_constraint o where o.conindid = i.oid and o.contype in ('p', 'u'))`)
  return {
    lines: [
      ...columns.map(({ table = '', name = '', type = '', nullable, default: value, collation }) => {
        // Ids are paged by as bytes, whatever the order of the database is.
        const kind =
          type === 'bigint' ? 'integer' : type === 'text' && collation === 'C' ? 'text' : `${type} ${collation}`
        return columnLine(table, { name, kind, nullable: nullable === 'yes', default: value ? plain(value) : null })
      }),
      ...[...tables].filter((table) => !keyed.has(table)).map((table) => `primary key of ${table} ()`),
      ...constraints.map(({ table, type, columns, other, others }) =>
        type === 'p'
          ? `primary key of ${table} (${columns})`
          : type === 'u'
            ? `unique ${table} (${columns})`
            : `${table}.${columns} references ${other} (${others})`,
      ),
    ],
    indexes: indexes.map(({ table = '', name = '', unique, columns = '', where }) => ({
      ...{ table, name, unique: unique === 'yes', columns: columns.split(', '), where: plain(where ?? '') },
    })),
  }
}

/** An expression without what each engine's printer adds to it. */
const plain = (expression: string): string =>
  expression
    .replaceAll(/::\w+/g, '')
    .replaceAll(/[()]/g, '')
    .replaceAll(/'(\d+)'/g, '$1')
    .replaceAll(/ collate "?c"?/gi, '')
    .replaceAll(/\s+/g, ' ')
    .trim()
    .toLowerCase()
