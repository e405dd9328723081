import { DatabaseSync } from 'node:sqlite'

/** One connection for the bench's own questions: what fills a database, and what looks into it. */
export interface Console extends AsyncDisposable {
  readonly engine: 'sqlite' | 'postgres'
  run(sql: string): Promise<void>
  rows<Row>(sql: string): Promise<readonly Row[]>
}

/** While no gateway is on the file. What it writes is on the disk only when it is closed: that is what makes it fast. */
export function openSqliteConsole(path: string): Console {
  const database = new DatabaseSync(path)
  database.exec('pragma synchronous = off; pragma cache_size = -262144')
  return {
    engine: 'sqlite',
    run: async (sql) => database.exec(sql),
    rows: async <Row>(sql: string) => database.prepare(sql).all() as Row[],
    [Symbol.asyncDispose]: async () => {
      database.exec('pragma synchronous = full; pragma wal_checkpoint(truncate)')
      database.close()
    },
  }
}
