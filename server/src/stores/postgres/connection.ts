import { readFileSync } from 'node:fs'
import type pg from 'pg'
import type { PostgresTarget, PostgresTls } from '../../domain/database-target.ts'
import type { Db, SqlParameters, SqlRow } from '../db.ts'
import { UniqueViolation, Unkeepable } from '../db.ts'
import { cutOff, sqlState, Unreachable } from './lost.ts'
import { patience } from './patience.ts'
import { type StatementShape, statementOf, valuesOf } from './statement.ts'

/** What this process says of itself to the server, and how it wants to be treated. */
export interface ConnectionManner {
  /** In `pg_stat_activity`. */
  readonly applicationName: string
  /** Behind a pooler that changes servers between transactions: nothing may be kept on a connection. */
  readonly pooled: boolean
  /** Names this store to others: see `Db.origin`. */
  readonly origin: string
}

/*
 * A plan is made once for a prepared statement, with the statistics of that moment, and a table that was empty then may
 * have ten million rows an hour later. So the planner is not given the choice: whatever can be read off an index is. A
 * sort stays possible, and where there is no index at all, so does reading the table (it only counts as dear). Just-in-time
 * compiling goes by the cost of a plan, which this makes meaningless, and takes longer than any statement here. Memoize
 * keeps what keys that repeat lead to; ours do not.
 * Tried before: with stale statistics one batched update fell from 35,000 rows a second to 3,300 (2026-11).
 */
const planning = {
  enable_seqscan: 'off',
  enable_hashjoin: 'off',
  enable_mergejoin: 'off',
  enable_material: 'off',
  enable_memoize: 'off',
  jit: 'off',
  plan_cache_mode: 'force_generic_plan',
}
/*
 * Which side of a join comes first goes by the rows that the planner believes in. Of a queue that was just drained it believes
 * in none, and goes through all of its index, whatever is in it by then, to look for each row among those that were sent. A
 * bitmap is not made without a key: where nothing else may be used, what was sent comes first. And what is read in order must
 * not be gathered and sorted. Where neither helps, statements say more (`Db`): `between` is an equality that nothing can be
 * merged by, so that no index is read for its order; an array is no side of a join. Shown by plans.test.ts.
 */
const planningOf: Readonly<Record<StatementShape, string>> = {
  'by-rows': 'set enable_indexscan = off; set enable_bitmapscan = on; set enable_sort = off',
  'in-order': 'set enable_indexscan = on; set enable_bitmapscan = off; set enable_sort = on',
}
/** What each connection was last told of that. */
const shapeOn = new WeakMap<pg.ClientBase, StatementShape>()

// A connection that was cut somewhere on its way must not hold its locks for hours.
const keptAlive = {
  tcp_keepalives_idle: '10',
  tcp_keepalives_interval: '5',
  tcp_keepalives_count: '3',
  idle_in_transaction_session_timeout: '15s',
  client_connection_check_interval: '5s',
}

const settings = { ...planning, ...keptAlive }
const options = Object.entries(settings)
  .map(([name, value]) => `-c ${name}=${value}`)
  .join(' ')
// A node that is stopped in the middle must not hold its locks behind a pooler, either.
const ofTransactions = {
  ...planning,
  idle_in_transaction_session_timeout: `'${keptAlive.idle_in_transaction_session_timeout}'`,
}
const beginPooled = `begin; ${Object.entries(ofTransactions)
  .map(([name, value]) => `set local ${name} = ${value}`)
  .join('; ')}`

// Counts and sums are of 64 bits or decimal; all that are asked for fit a double. Flags are 0 or 1, as in SQLite.
const numeric = new Set([20, 21, 23, 700, 701, 1700])
const boolean = 16
const readers = {
  getTypeParser: (oid: number) =>
    numeric.has(oid) ? Number : oid === boolean ? (text: string) => (text === 't' ? 1 : 0) : (text: string) => text,
} as unknown as pg.CustomTypesConfig

/** How `pg` reaches one of a target's hosts. */
export function clientConfig(
  target: PostgresTarget,
  { host, port }: { readonly host: string; readonly port: number },
  { applicationName, pooled }: ConnectionManner,
): pg.ClientConfig & { readonly pipeline: true } {
  return {
    ...{ host, port, user: target.user, database: target.database, types: readers },
    // Not undefined: pg would look for a password in the environment and in a file.
    password: target.password ?? '',
    ssl: tlsOf(target.tls),
    application_name: applicationName,
    ...(pooled ? {} : { options }),
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    pipeline: true,
  }
}

function tlsOf({ mode, rootCertificate, certificate, key }: PostgresTls): pg.ClientConfig['ssl'] {
  if (mode === 'disable') return false
  return {
    rejectUnauthorized: mode !== 'require',
    ...(rootCertificate === null ? {} : { ca: pem('sslrootcert', rootCertificate) }),
    ...(certificate === null ? {} : { cert: pem('sslcert', certificate) }),
    ...(key === null ? {} : { key: pem('sslkey', key) }),
    // The authority is trusted for whatever name it has signed.
    ...(mode === 'verify-full' ? {} : { checkServerIdentity: () => undefined }),
  }
}

/** Read for each connection: certificates are renewed while nodes run. */
function pem(parameter: string, path: string): string {
  const text = (() => {
    try {
      return readFileSync(path, 'utf8')
    } catch (error) {
      throw new Error(`the file of ${parameter} cannot be read: ${error instanceof Error ? error.message : error}`)
    }
  })()
  // An authority that cannot be read would only be an unknown one.
  if (!text.includes('-----BEGIN ')) throw new Error(`${path}, the file of ${parameter}, is not in PEM`)
  return text
}

const uniqueViolation = '23505'
// Data exceptions, and what may be missing in no row. Not what breaks a rule of its table (23514): a missing day is that, too.
const unkeepable = /^(22...|23502)$/
const afterAFailure = '25P02'

function failureOf(error: unknown): unknown {
  const state = sqlState(error) ?? ''
  if (state === uniqueViolation) return new UniqueViolation(error)
  return unkeepable.test(state) ? new Unkeepable(error) : error
}

/**
 * One connection as `Db`, for one caller at a time. Statements that are not awaited go out together and cost one round
 * trip; they are run in their order. `withinMs`: a statement that takes longer ends the connection, since nobody can tell
 * what has become of it.
 */
export class PostgresDb implements Db {
  readonly origin: string
  readonly #client: pg.ClientBase
  readonly #pooled: boolean
  readonly #withinMs: number
  #inTransaction = false
  /** What failed first in the transaction, whether anybody awaited it or not. */
  #failure: unknown = null

  constructor(client: pg.ClientBase, { pooled, origin }: ConnectionManner, withinMs: number) {
    this.origin = origin
    this.#client = client
    this.#pooled = pooled
    this.#withinMs = withinMs
  }

  async all<Row extends SqlRow>(sql: string, parameters: SqlParameters = {}): Promise<readonly Row[]> {
    return (await this.#ask(sql, parameters)).rows as Row[]
  }

  async run(sql: string, parameters: SqlParameters = {}): Promise<number> {
    return (await this.#ask(sql, parameters)).rowCount ?? 0
  }

  async hold(keys: readonly string[]): Promise<void> {
    if (keys.length > 0) await this.#query(holding, { rows: JSON.stringify(keys.map((key) => [key])) })
  }

  async vouch(): Promise<void> {
    await this.#query(vouching, {})
  }

  async transaction<T>(work: () => Promise<T>): Promise<T> {
    if (this.#inTransaction) return work()
    this.#inTransaction = true
    this.#failure = null
    try {
      if (this.#pooled) shapeOn.delete(this.#client)
      const begun = this.#plain(this.#pooled ? beginPooled : 'begin')
      begun.catch(() => {})
      const result = await work()
      await begun
      // A transaction in which something failed is answered so, too.
      const { command } = await this.#plain('commit')
      if (command !== 'COMMIT') throw this.#failure ?? new Error('the transaction was rolled back')
      return result
    } catch (error) {
      // With it goes what was set meanwhile.
      shapeOn.delete(this.#client)
      await this.#plain('rollback').catch(() => {})
      // What was asked behind it is only told that there was one.
      throw sqlState(error) === afterAFailure ? (this.#failure ?? error) : error
    } finally {
      this.#inTransaction = false
    }
  }

  /**
   * Behind a pooler nothing but a transaction keeps its settings, so a statement on its own becomes one: at no further round
   * trip. Not the whole call: what a call leaves by an error it answers must be undone as it is elsewhere.
   */
  async #ask(sql: string, parameters: SqlParameters): Promise<pg.QueryResult> {
    if (!this.#pooled || this.#inTransaction) return this.#query(sql, parameters)
    shapeOn.delete(this.#client)
    const begun = this.#plain(beginPooled)
    const asked = this.#query(sql, parameters)
    const ended = this.#plain('commit')
    for (const one of [begun, ended]) one.catch(() => {})
    const result = await asked
    await begun
    await ended
    return result
  }

  #plain(text: string): Promise<pg.QueryResult> {
    return this.#within(this.#client.query({ text }))
  }

  async #query(sql: string, parameters: SqlParameters): Promise<pg.QueryResult> {
    const statement = statementOf(sql)
    const values = valuesOf(statement, parameters)
    const { name, text, shape } = statement
    this.#plan(shape)
    try {
      return await this.#within(this.#client.query({ ...(this.#pooled ? {} : { name }), text, values }))
    } catch (error) {
      const failure = failureOf(error)
      this.#failure ??= failure
      throw failure
    }
  }

  /** Goes ahead of the statement, in the same round trip; where it fails, the statement does too. */
  #plan(shape: StatementShape): void {
    if (shapeOn.get(this.#client) === shape) return
    shapeOn.set(this.#client, shape)
    const text = this.#pooled ? planningOf[shape].replaceAll('set ', 'set local ') : planningOf[shape]
    this.#plain(text).catch(() => shapeOn.delete(this.#client))
  }

  #within(asked: Promise<pg.QueryResult>): Promise<pg.QueryResult> {
    return new Promise((resolve, reject) => {
      const answered = patience.after(this.#withinMs, () => {
        cutOff(this.#client)
        reject(new Unreachable(`the database did not answer within ${this.#withinMs} ms`))
      })
      asked.finally(answered).then(resolve, reject)
    })
  }
}

// Whoever has written to the log waits at his commit for all that stands before it (xact.c, RecordTransactionCommit); who
// has only read does not.
const vouching = "select pg_logical_emit_message(true, 'posthorn', '')"

// Sorted, so that two who hold the same keys wait for each other in one direction only. Few locks, since the server has
// room for some thousands in all: keys that share one wait for each other without need, for a commit's time.
const holding = `
  select pg_advisory_xact_lock(1886352244, place) from (
    select distinct mod(hashtext(value->>0), 512) as place from @each(:rows) order by 1) as places`
