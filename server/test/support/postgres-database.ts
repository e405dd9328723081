import pg from 'pg'
import type { Database, Row, Value } from './database.ts'
import { freshDatabase, type TestDatabase } from './postgres.ts'

// Whole numbers of 64 bits; none of ours is beyond what a double holds.
const numbers = { getTypeParser: (oid: number) => (oid === 20 ? Number : pg.types.getTypeParser(oid)) }

// SQLSTATE 53100 is PostgreSQL's for a disk that is full. A function is replaced without a lock on the tables, each of which
// gets its trigger apart: whoever writes to both meanwhile is in nobody's way.
const refusal = (does: string): string =>
  `create or replace function refuse() returns trigger language plpgsql as $$ begin ${does}; return new; end $$`
const refusing = refusal(`raise exception 'could not extend file' using errcode = 'disk_full'`)
const triggerOn = (table: string): string =>
  `create or replace trigger refuse before insert on ${table} for each row execute function refuse()`

export interface PostgresDatabase extends Database {
  tablesHolding(text: string): Promise<readonly string[]>
}

/** Connects when it is first asked. */
export function openPostgres(url: string): PostgresDatabase {
  const client = new pg.Client({ connectionString: url, types: numbers })
  client.on('error', () => {}) // Whoever asks next hears of it.
  let connected: Promise<unknown> | null = null
  const query = async (sql: string, values: readonly Value[] = []): Promise<readonly Row[]> => {
    connected ??= client.connect()
    await connected
    let at = 0
    const numbered = values.length === 0 ? sql : sql.replaceAll('?', () => `$${++at}`)
    return (await client.query<Record<string, unknown>>(numbered, [...values])).rows
  }
  const exec = async (sql: string): Promise<void> => void (await query(sql))
  return {
    rows: (sql, ...values) => query(sql, values),
    count: async (sql, ...values) => Number(Object.values((await query(sql, values))[0] ?? {})[0]),
    exec,
    refuse: async () => {
      for (const sql of [refusing, triggerOn('message'), triggerOn('attempt')]) await exec(sql)
    },
    accept: () => exec(refusal('null')),
    hold: () => exec('begin; lock table message, attempt in exclusive mode'),
    letGo: () => exec('commit'),
    close: async () => (connected === null ? undefined : client.end()),
    async tablesHolding(text) {
      const holding: string[] = []
      for (const table of await tablesOf(query)) {
        const [row] = await query(`select exists (select 1 from ${table} as t where strpos(t::text, ?) > 0) as there`, [
          text,
        ])
        if (row?.there === true) holding.push(table)
      }
      return holding
    },
  }
}

type Query = (sql: string, values?: readonly Value[]) => Promise<readonly Row[]>

/** Without partitions, which are of their table. */
const tablesOf = async (query: Query): Promise<readonly string[]> =>
  (
    await query(`select quote_ident(relname) as name from pg_class
      where relkind in ('r', 'p') and not relispartition and relnamespace = 'public'::regnamespace order by relname`)
  ).map(({ name }) => String(name))

const partitions = `
  select format('create table if not exists %I partition of %I %s', part.relname, whole.relname,
                pg_get_expr(part.relpartbound, part.oid)) as make
  from pg_inherits join pg_class part on part.oid = inhrelid join pg_class whole on whole.oid = inhparent
  where part.relkind = 'r'`

/** All rows as they are committed at one moment, in a database of its own: nothing of who is connected comes along. */
export async function copyOfPostgres(url: string): Promise<TestDatabase> {
  const copy = await freshDatabase()
  const [from, to] = [openPostgres(url), openPostgres(copy.url)]
  try {
    await from.exec('begin isolation level repeatable read read only')
    for (const { make } of await from.rows(partitions)) await to.exec(String(make))
    // No foreign keys and no triggers: the rows fit each other as they are.
    await to.exec('set session_replication_role = replica')
    for (const table of await tablesOf((sql) => from.rows(sql))) {
      const [all] = await from.rows(`select coalesce(json_agg(t), '[]')::text as rows from ${table} as t`)
      await to.exec(`delete from ${table}`)
      await to.rows(`insert into ${table} select * from json_populate_recordset(null::${table}, ?)`, String(all?.rows))
    }
    return copy
  } finally {
    await Promise.all([from.close(), to.close()])
  }
}
