import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import pg from 'pg'
import { freshDatabase, withoutPostgres } from '../../../test/support/postgres.ts'
import { readDatabaseTarget } from '../../domain/database-target.ts'
import { type ApplicationId, type EndpointId, firstIdAt, type LeaseId, type Millis } from '../../domain/ids.ts'
import type { NewMessage } from '../../ports/store.ts'
import { samples } from '../conformance/samples.ts'
import type { Db, SqlParameters, SqlRow } from '../db.ts'
import { expunge } from '../queries/expunge.ts'
import { packBatch } from '../queries/packed-batch.ts'
import { retention } from '../queries/retention.ts'
import { road } from '../queries/road.ts'
import { clientConfig, PostgresDb } from './connection.ts'
import { ensurePartitions, expectedDays } from './partitions.ts'
import { statementOf, valuesOf } from './statement.ts'

// What grows with traffic. All else has as many rows as there are customers.
const growing = ['message', 'delivery', 'attempt', 'event_key', 'idempotency_key']
const readsAll = new RegExp(`Seq Scan on (${growing.join('|')})$|\\ball of (${growing.join('|')})_`, 'm')
const rows = 5_000
const manner = { applicationName: 'posthorn', pooled: false, origin: 'plans' }

interface PlanNode {
  readonly 'Node Type': string
  readonly Operation?: string
  readonly 'Relation Name'?: string
  readonly 'Index Name'?: string
  readonly 'Index Cond'?: string
  readonly Plans?: readonly PlanNode[]
}

interface Named {
  /** Of each partition, and of its indexes. */
  readonly parents: ReadonlyMap<string, string>
  /** Of each index of what grows, the column that has to be known for it to lead anywhere. */
  readonly firstColumns: ReadonlyMap<string, string>
}

/** How a statement was gone about: what was read, and along which index; of what does not grow, only that it was. */
function shapeOf(node: PlanNode, named: Named): readonly string[] {
  const nameOf = (name = '') => named.parents.get(name) ?? name
  const [table, index] = [nameOf(node['Relation Name']), nameOf(node['Index Name'])]
  const first = named.firstColumns.get(index)
  const inner = (node.Plans ?? []).map((child) => shapeOf(child, named))
  if (!growing.includes(table) && first === undefined && inner.every((one) => one.length === 0)) return []
  const keyed = new RegExp(`[(.]${first}\\b`).test(node['Index Cond'] ?? '')
  const line = [
    node.Operation ?? node['Node Type'],
    index && `${keyed ? 'using' : 'all of'} ${index}`,
    table && `on ${table}`,
  ]
  const children = new Set(
    inner.map((one) => (one.length === 0 ? ['what is small'] : one).map((l) => ` ${l}`).join('\n')),
  )
  return [line.filter(Boolean).join(' '), ...[...children].flatMap((child) => child.split('\n'))]
}

const literal = (value: string | number | null): string =>
  typeof value === 'string' ? pg.escapeLiteral(value) : String(value)

async function connected(url: string, pooled: boolean): Promise<pg.Client> {
  const target = readDatabaseTarget(url)
  const host = target.engine === 'postgres' ? target.hosts[0] : undefined
  if (target.engine !== 'postgres' || host === undefined) throw new Error('the tests were given another engine')
  const client = new pg.Client(clientConfig(target, host, { ...manner, pooled }))
  await client.connect()
  return client
}

async function made() {
  const database = await freshDatabase()
  const client = await connected(database.url, false)
  const now = Date.UTC(2026, 0, 1)
  await ensurePartitions(client, expectedDays(now))
  // Statistics change here when a test says so, and not when the server finds time.
  const { rows: tables } = await client.query<{ name: string }>(
    "select relname as name from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace",
  )
  for (const { name } of tables) await client.query(`alter table ${name} set (autovacuum_enabled = off)`)
  const { rows: parts } = await client.query<{ child: string; parent: string }>(
    `select child.relname as child, parent.relname as parent from pg_inherits
     join pg_class as child on child.oid = inhrelid join pg_class as parent on parent.oid = inhparent`,
  )
  const { rows: firsts } = await client.query<{ name: string; first: string }>(
    `select index.relname as name, attname as first from pg_index join pg_class as index on index.oid = indexrelid
     join pg_attribute on attrelid = indrelid and attnum = indkey[0]
     where indrelid in (${growing.map((name) => `'${name}'::regclass`).join(', ')})`,
  )
  const named: Named = {
    parents: new Map(parts.map(({ child, parent }) => [child, parent])),
    firstColumns: new Map(firsts.map(({ name, first }) => [name, first])),
  }

  const db = new PostgresDb(client, manner, 30_000)
  /** How the server means to go about each statement of `work`: the prepared statements of this very connection. */
  const shapesOf = async (work: (db: Db) => Promise<unknown>): Promise<ReadonlyMap<string, string>> => {
    const shapes = new Map<string, string>()
    const note = async (sql: string, parameters: SqlParameters = {}): Promise<void> => {
      const statement = statementOf(sql)
      const values = valuesOf(statement, parameters).map(literal).join(', ')
      const { rows: explained } = await client.query(
        `explain (format json) execute "${statement.name}"${values === '' ? '' : `(${values})`}`,
      )
      const [{ Plan: plan }] = JSON.parse(explained[0]['QUERY PLAN']) as [{ Plan: PlanNode }]
      shapes.set(statement.text.replaceAll(/\s+/g, ' ').trim(), shapeOf(plan, named).join('\n'))
    }
    await work({
      origin: db.origin,
      hold: (keys) => db.hold(keys),
      vouch: () => db.vouch(),
      transaction: (inside) => db.transaction(inside),
      async all<Row extends SqlRow>(sql: string, parameters?: SqlParameters) {
        const found = await db.all<Row>(sql, parameters)
        await note(sql, parameters)
        return found
      },
      async run(sql: string, parameters?: SqlParameters) {
        const changed = await db.run(sql, parameters)
        await note(sql, parameters)
        return changed
      },
    })
    return shapes
  }
  return {
    ...{ client, now, shapesOf },
    async close() {
      await client.end()
      await database.drop()
    },
  }
}

/** Rows as they are at ten million of them, but fewer: due deliveries of old messages that have failed before. */
const oldestOf = (now: number): string => firstIdAt('message', now).slice(0, 'msg_'.length + 8)
const fill = (now: number, oldest = pg.escapeLiteral(oldestOf(now))) => `
  insert into message (id, application_id, event_type, event_id, payload, accepted_at)
    select ${oldest} || n, 'app_1', 'a', 'event ' || n, '{}', ${now} from numbers;
  insert into event_key (application_id, event_id, message_id, until)
    select 'app_1', 'event ' || n, ${oldest} || n, ${now + 1} from numbers;
  insert into delivery (message_id, endpoint_id, attempts, due_at, lease, trigger, order_key)
    select ${oldest} || n, 'ep_' || right(n, 2), 1, ${now} - 1, null, 0, case when n like '%7' then 'key' end from numbers;
  insert into attempt (id, message_id, endpoint_id, succeeded, trigger, url, status_code, duration_ms, response, response_cut, started_at)
    select 'atmpt_' || n, ${oldest} || n, 'ep_' || right(n, 2), 0, 0, '', 503, 1, '', 0, ${now} from numbers;`
const clear = `truncate ${growing.join(', ')};`
const drain = growing.map((name) => `delete from ${name};`).join(' ')
const customers = `
  insert into environment (id, name, created_at) values ('env_1', 'e', 1);
  insert into application (id, environment_id, name, metadata, created_at, updated_at, revision, deleted_at)
    values ('app_1', 'env_1', 'a', '{}', 1, 1, 1, null), ('app_2', 'env_1', 'b', '{}', 1, 1, 1, 1);
  insert into endpoint (id, application_id, url, description, metadata, sealed_secrets, sealed_headers, created_at, updated_at, revision, deleted_at)
    select 'ep_' || to_char(n, 'FM00'), 'app_1', '', '', '{}', '', '', 1, 1, 1, case when n = 99 then 1 end from generate_series(0, 99) as n;`

const { id, message, attempt } = samples()
const lease: LeaseId = id('lease')
const application: ApplicationId = 'app_1'
const endpoint: EndpointId = 'ep_42'
const keyOf = ({ id: messageId }: NewMessage) => ({ messageId, endpointId: endpoint })
const nothing = { lease, messages: [], deliveries: [], attempts: [], settlements: [], turns: [] }

/** Commits with a row of every kind, and all else that the road asks of the store. */
async function sending(db: Db, now: Millis): Promise<void> {
  const eventId = `of ${id('message')}`
  const messages = [
    message(application, { payloadUntil: 1 }),
    message(application, { eventId }),
    message(application, { eventId, asDuplicate: { receivedAt: now, peer: '', retryNumber: null, retryReason: null } }),
    message(application, { orderingKey: 'key', encoding: 'text' }),
  ]
  const [first = message(application), , , ordered = first] = messages
  const publish = packBatch({
    ...{ ...nothing, now, messages },
    routes: new Map([[application, 0]]),
    eventIdsUntil: new Map([[first.id, now + 1_000]]),
    publishKeys: [{ id: 'key', fingerprint: '', messageId: first.id, acceptedAt: now, until: now + 1_000 }],
    deliveries: messages.map((one) => ({
      ...{ ...keyOf(one), dueAt: now + 1_000, lease },
      orderKey: one === ordered ? 'key' : null,
    })),
  })
  await road.commit(db, publish)
  await road.commit(db, { ...publish, sentBefore: true })
  await road.renew(db, lease, now + 2_000, [keyOf(first)])
  await road.commit(
    db,
    packBatch({
      ...{ ...nothing, now },
      attempts: [attempt(keyOf(first)), attempt(keyOf(ordered))],
      settlements: [
        { ...keyOf(first), tried: 0, kind: 'finish', wipeIn: application },
        { ...keyOf(ordered), tried: 0, kind: 'finish', orderKey: 'key' },
        { ...keyOf(ordered), tried: 0, kind: 'retry', dueAt: now, attempts: 1 },
        { ...keyOf(ordered), tried: 0, kind: 'park', attempts: 1 },
      ],
      turns: [
        { kind: 'failing', endpointId: endpoint, since: now },
        { kind: 'healthy', endpointId: endpoint },
        { kind: 'breaker-opened', endpointId: endpoint, since: now },
        { kind: 'breaker-closed', endpointId: endpoint, since: now },
      ],
    }),
  )
  const ask = { ...{ now: now + 10_000, until: now + 20_000, lease, after: '' as const, visits: 64, share: 4 } }
  await road.claim(db, { ...ask, shares: new Map(), room: 8, bytes: 1_000_000 })
}

/** What is done to deliveries by hand and by chores, a step of each. */
async function ending(db: Db, now: Millis): Promise<void> {
  const kept = [message(application), message(application, { payloadUntil: 1 }), message(application)] as const
  const waiting = kept.map((one) => ({ ...keyOf(one), dueAt: 1, lease: null, orderKey: 'key' }))
  const swept = { messageId: kept[0].id, endpointId: 'ep_99' as const, dueAt: 1, lease: null }
  await road.commit(db, packBatch({ ...nothing, now, messages: kept, deliveries: [...waiting, swept] }))
  const because = { ended: 'canceled', response: '', at: now, id: id('attempt') } as const
  await expunge.messages(db, application, [kept[0].id], because)
  await expunge.attempt(db, kept[0].id, because.id)
  await retention.wipeLapsed(db, because)
  const old = keyOf(kept[2])
  await road.resend(db, old)
  await road.end(db, [attempt(old, { succeeded: false, ended: 'canceled' })], now)
  await road.release(db, lease, [{ ...old, dueAt: now }])
  await road.sweepDeleted(db, 10)
  await retention.applications(db, '', 10)
  await retention.wipePayloads(db, application, id('message'), because)
  await retention.deleteMessages(db, application, '', id('message'), now)
  await retention.deleteEndpoints(db, '', now)
  await retention.deleteApplication(db, 'app_2')
}

describe('on PostgreSQL', { skip: withoutPostgres }, () => {
  test('each statement of the road has one plan, whatever the server knows of tables empty or full', async (t) => {
    const { client, now, shapesOf, close } = await made()
    t.after(close)
    const full = `create temporary table numbers as select n::text from generate_series(100001, ${100_000 + rows}) as n; ${fill(now)} drop table numbers;`
    const states: readonly (readonly [name: string, make: string])[] = [
      ['empty, never analysed', customers],
      ['full, never analysed', full],
      ['full, analysed', 'analyze;'],
      // Its pages are there and its rows are not: the server believes in none, however many come.
      ['full, analysed when drained', `${drain} analyze; ${full}`],
      ['full, analysed when empty', `${clear} analyze; ${full}`],
    ]
    const seen = new Map<string, Map<string, string[]>>()
    for (const [name, make] of states) {
      await client.query(make)
      // What was planned before stays planned until statistics change: a new session plans anew.
      await client.query('discard plans')
      for (const [sql, shape] of await shapesOf(async (db) => {
        await sending(db, now)
        await ending(db, now)
      })) {
        const shapes = seen.get(sql) ?? new Map<string, string[]>()
        seen.set(sql, shapes.set(shape, [...(shapes.get(shape) ?? []), name]))
      }
    }
    assert.ok(seen.size >= 30, `${seen.size} statements were seen`)
    const wrong = [...seen].flatMap(([sql, shapes]) => {
      const scans = [...shapes.keys()].some((shape) => readsAll.test(shape))
      const told = [...shapes].map(([shape, names]) => `${names.join('; ')}:\n${shape}`).join('\n\n')
      return shapes.size > 1 || scans ? [`${sql}\n\n${told}`] : []
    })
    assert.equal(wrong.length, 0, wrong.join('\n\n'))
  })

  for (const pooled of [false, true]) {
    test(`${pooled ? 'behind a pooler' : 'on a connection of its own'}, a statement is planned by the rules for its shape, whatever came before it`, async (t) => {
      const database = await freshDatabase()
      const client = await connected(database.url, pooled)
      t.after(() => client.end().then(() => database.drop()))
      const db = new PostgresDb(client, { ...manner, pooled }, 30_000)
      const rules = `current_setting('enable_seqscan') || current_setting('enable_indexscan') || current_setting('enable_bitmapscan')`
      const byRows = () => db.all(`select ${rules} as rules from @each(:rows)`, { rows: '[[1]]' })
      const inOrder = () => db.all(`select ${rules} as rules`)
      const both = () => Promise.all([byRows(), inOrder(), inOrder(), byRows(), inOrder()])
      const [rowsFirst, orderFirst] = [[{ rules: 'offoffon' }], [{ rules: 'offonoff' }]]
      const told = [rowsFirst, orderFirst, orderFirst, rowsFirst, orderFirst]
      assert.deepEqual(await db.transaction(both), told)
      assert.deepEqual(await db.transaction(both), told)
      assert.deepEqual(await both(), told, 'each on its own')
      const failing = db.transaction(async () => {
        await byRows()
        await db.all('select 1 / 0')
      })
      await assert.rejects(failing)
      assert.deepEqual(await db.transaction(both), told, 'what a rollback undid is said anew')
    })
  }
})
