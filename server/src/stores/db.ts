// STORES: SQL, written once in queries/ in what both engines speak. An engine's folder gives a connection, migrations
// and a few fragments. Stores decide nothing; what a row means is the domain's business.

/** What SQL takes and gives back. Times are integer milliseconds, flags 0 or 1, lists and records JSON text. */
type SqlValue = string | number | null
export type SqlRow = Readonly<Record<string, SqlValue>>
export type SqlParameters = Readonly<Record<string, SqlValue>>

/**
 * One connection, one statement at a time. Statements name their parameters (`:now`) and may use the fragments
 * `@each(:rows)` — the elements of a JSON array as a column `value`, to be read with `value->>0` —, `@skip_locked`,
 * `@now_ms` — the database's clock, in milliseconds —, and, behind a column, `@among(:rows)` — it is the first of one of these
 * rows —, `@exactly(x)` — it is `x`, which comes first and is then looked up — and `@in(an_index)` — it is looked up in that
 * index, which serves nobody who does not say so. A parameter `:rows` holds rows that are looked up one by one, by their keys;
 * filters, and what is read in an order, have other names.
 * Each text is prepared once and kept: never build a statement from values.
 */
export interface Db {
  /** Names whoever opened the store, of which this may be one of several connections. */
  readonly origin: string
  all<Row extends SqlRow>(sql: string, parameters?: SqlParameters): Promise<readonly Row[]>
  /** Resolves to the number of rows changed. */
  run(sql: string, parameters?: SqlParameters): Promise<number>
  /** All of it or nothing; on disk when it resolves. What `work` does not await goes out together, in its order. */
  transaction<T>(work: () => Promise<T>): Promise<T>
  /**
   * Until the transaction ends, nobody else holds any of these keys: what is read after it has been asked for is what
   * others before us have committed. Where only one connection writes, that is so anyway.
   */
  hold(keys: readonly string[]): Promise<void>
  /**
   * What this transaction has read is going to be promised: it ends only when that is as safe as what it writes. A commit
   * that waits for a standby is seen by others as soon as its session is ended, which need not be when the standby has it.
   */
  vouch(): Promise<void>
}

/** A value is of a kind that no column takes: to ask again is of no use. */
export class Unkeepable extends Error {
  constructor(cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause })
    this.name = 'Unkeepable'
  }
}

/** What was to be unique is there already: somebody else was faster. */
export class UniqueViolation extends Error {
  constructor(cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause })
    this.name = 'UniqueViolation'
  }
}

export async function first<Row extends SqlRow>(db: Db, sql: string, parameters?: SqlParameters): Promise<Row | null> {
  return (await db.all<Row>(sql, parameters))[0] ?? null
}
