import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, type TestContext, test } from 'node:test'
import pg from 'pg'
import { bareDatabase, withoutPostgres } from '../../test/support/postgres.ts'
import { type DatabaseTarget, readDatabaseTarget } from '../domain/database-target.ts'
import type { Store } from '../ports/store.ts'
import { old, oldRows } from './conformance/old-rows.ts'
import type { Step } from './migrations.ts'
import { openStore } from './open.ts'
import { migrate as migratePostgres, postgresSteps } from './postgres/migrate.ts'
import { daysOfIds, ensurePartitions } from './postgres/partitions.ts'
import { migrate as migrateSqlite, sqliteSteps } from './sqlite/migrate.ts'

const manner = { connections: 6, pooled: false, migrates: true }

type Row = Readonly<Record<string, string | number | null>>

/** A database of an engine, changed as no Posthorn would. */
interface Bench {
  readonly target: DatabaseTarget
  migrate(steps: readonly Step[]): Promise<void>
  insert(table: string, row: Row): Promise<void>
  /** Rows by table. */
  counts(): Promise<Readonly<Record<string, number>>>
  close(): Promise<void>
}

interface Engine {
  readonly name: string
  readonly skip: string | false
  readonly steps: readonly Step[]
  make(t: TestContext): Promise<Bench>
}

const sqlite: Engine = {
  ...{ name: 'sqlite', skip: false, steps: sqliteSteps() },
  async make(t) {
    const folder = await mkdtemp(join(tmpdir(), 'posthorn-upgrade-'))
    t.after(() => rm(folder, { recursive: true }))
    const path = join(folder, 'old.db')
    const database = new DatabaseSync(path)
    const tables = "select name from sqlite_schema where type = 'table' and name not like 'sqlite_%'"
    return {
      target: { engine: 'sqlite', path },
      async migrate(steps) {
        migrateSqlite(database, steps)
      },
      async insert(table, row) {
        const names = Object.keys(row)
        const places = names.map(() => '?').join(', ')
        database.prepare(`insert into ${table} (${names.join(', ')}) values (${places})`).run(...Object.values(row))
      },
      async counts() {
        const names = database
          .prepare(tables)
          .all()
          .map(({ name }) => String(name))
        const count = (table: string): number => Number(database.prepare(`select count(*) as n from ${table}`).get()?.n)
        return Object.fromEntries(names.map((table) => [table, count(table)]))
      },
      close: async () => database.close(),
    }
  },
}

const postgres: Engine = {
  ...{ name: 'postgres', skip: withoutPostgres, steps: postgresSteps() },
  async make(t) {
    const { url, drop } = await bareDatabase()
    t.after(drop)
    const client = new pg.Client(url)
    await client.connect()
    const tables = `select relname as name from pg_class
      where relkind in ('r', 'p') and not relispartition and relnamespace = 'public'::regnamespace`
    return {
      target: readDatabaseTarget(url),
      async migrate(steps) {
        await migratePostgres(client, steps)
        await ensurePartitions(client, daysOfIds([old.message, old.received]))
      },
      async insert(table, row) {
        const names = Object.keys(row)
        const places = names.map((_, at) => `$${at + 1}`).join(', ')
        await client.query(`insert into ${table} (${names.join(', ')}) values (${places})`, Object.values(row))
      },
      async counts() {
        const { rows } = await client.query<{ name: string }>(tables)
        const counts: Record<string, number> = {}
        for (const { name } of rows)
          counts[name] = Number((await client.query(`select count(*) as n from ${name}`)).rows[0]?.n)
        return counts
      },
      close: () => client.end(),
    }
  },
}

for (const engine of [sqlite, postgres]) {
  describe(`upgrading on ${engine.name}`, { skip: engine.skip }, () => {
    for (const { number, name } of engine.steps.slice(0, -1)) {
      test(`a database as step ${number} (${name}) has left it is brought up to date with all it holds`, async (t) => {
        const bench = await engine.make(t)
        await bench.migrate(engine.steps.slice(0, number))
        for (const [table, row] of oldRows(number)) await bench.insert(table, row)
        const { schema_step: steps, ...before } = await bench.counts()
        assert.equal(steps, number)
        const empty = Object.keys(before).filter((table) => before[table] === 0)
        assert.deepEqual(empty, [], 'old-rows.ts has no row for these tables')

        const { store, close } = await openStore(bench.target, 'command', manner)
        try {
          assert.partialDeepStrictEqual(await bench.counts(), { ...before, schema_step: engine.steps.length })
          await holdsWhatWasWritten(store, number)
        } finally {
          await close()
          await bench.close()
        }
      })
    }
  })
}

/** What a version could not say yet is as it was then: nothing is checked, kept back, or removed. */
async function holdsWhatWasWritten(store: Store, version: number): Promise<void> {
  const { at } = old
  const from2 = version >= 2
  const changed = { createdAt: at, updatedAt: at + 1, revision: 2 }
  const page = { beyond: null, descending: false, limit: 10 } as const
  const holds = async (actual: Promise<unknown>, expected: object | null): Promise<void> => {
    const found = await actual
    if (expected === null) assert.equal(found, null)
    else assert.partialDeepStrictEqual(found, expected)
  }

  const ownSettings = { control: {}, schemaValidation: from2 ? 'warn' : 'off', strictEventTypes: false }
  await holds(store.environments.byName('shop'), { id: old.environment, settings: ownSettings, createdAt: at })
  await holds(store.environments.byName('shop'), { updatedAt: from2 ? at + 1 : at, revision: from2 ? 2 : 1 })
  await holds(store.keys.byHash('hash of a key'), { id: old.key, scopes: ['publish'], revokedAt: null })
  await holds(store.applications.find(old.environment, 'acme'), {
    ...{ id: old.application, name: 'customer', throttleRate: 7, metadata: { plan: 'gold' }, kind: 'customer' },
    ...{ control: from2 ? { maxInFlight: 3 } : {}, pausedAt: null, ...changed },
  })
  await holds(
    store.applications.operational(old.environment),
    from2 ? { id: old.operational, kind: 'operational' } : null,
  )
  await holds(store.eventTypes.find(old.environment, 'invoice.paid'), {
    ...{ description: 'paid', archived: false, deprecated: true, schemas: { 1: true }, groupName: 'invoice' },
    ...{ featureFlags: ['beta'], ...changed },
  })
  await holds(store.endpoints.find(old.application, 'hook'), {
    ...{ id: old.endpoint, url: 'https://example.com/', eventTypes: ['invoice.*'], channels: ['c'], throttleRate: 5 },
    ...{ disabledBecause: 'gone', failingSince: at, sealedSecrets: 'sealed 1', sealedHeaders: 'sealed 2' },
    ...{ control: from2 ? { order: 'key' } : {}, filter: from2 ? 'true' : null, pausedAt: from2 ? at : null },
    ...{ breakerOpenedAt: from2 ? at + 2 : null, ...changed },
  })
  const message = {
    ...{ id: old.message, eventType: 'invoice.paid', eventId: 'evt-1', channels: ['c'], tags: ['t'] },
    ...{ payload: old.payload, encoding: null, request: null, acceptedAt: at, contentType: null },
    ...(from2
      ? { orderingKey: 'o', deliverAt: at + 1, expiresAt: at + 86_400_000 }
      : { orderingKey: null, deliverAt: null, expiresAt: null }),
  }
  await holds(store.messages.find(old.application, 'evt-1', true), message)
  await holds(store.attempts.find(old.message, old.attempt), {
    ...{ succeeded: false, statusCode: 503, durationMs: 12, response: 'no', responseCut: true, startedAt: at },
    ...{ ended: from2 ? 'expired' : null, trigger: 'scheduled' },
  })
  const waiting = await store.attempts.destinations(old.message, page)
  assert.deepEqual(
    waiting.map(({ endpoint, state }) => [endpoint.id, state]).sort(),
    [
      [old.endpoint, { kind: 'waiting', attempts: 2, dueAt: at + 5, held: null, lease: old.lease }],
      [old.openEndpoint, { kind: 'waiting', attempts: 1, dueAt: at, held: null, lease: null }],
    ].sort(),
  )
  const claimed = await store.road.claim({
    ...{ now: at + 10, until: at + 20, lease: 'lease_new', after: '', visits: 10, share: 10, shares: new Map() },
    ...{ room: 10, bytes: 10_000 },
  })
  assert.partialDeepStrictEqual(claimed.deliveries, [
    { messageId: old.message, endpointId: old.openEndpoint, attempts: 1, trigger: 'scheduled', message },
  ])
  // The event id is still taken.
  const again = { ...message, id: `${old.message.slice(0, -1)}~`, applicationId: old.application } as never
  const { taken } = await store.road.commit({
    ...{ lease: 'lease_new', now: at, messages: [again], deliveries: [], attempts: [], settlements: [], turns: [] },
  })
  assert.deepEqual([...taken.values()], [old.message])

  await holds(store.portalTokens.byHash('hash of a token'), from2 ? { id: old.token, sessionId: 's' } : null)
  await holds(
    store.tasks.find(old.environment, old.task),
    from2 ? { status: 'running', ask: { kind: 'expunge', until: at }, progress: { seen: 3 }, rate: 9 } : null,
  )
  assert.deepEqual(await store.tasks.results(old.task), from2 ? ['{"x":1}'] : [])
  await holds(
    store.answers.begin({ id: 'hash of an ask', fingerprint: '' }, 0, 1),
    from2 ? { kind: 'answered', answer: { status: 200, sealedBody: 'sealed 3' } } : { kind: 'begun' },
  )
  const undeclared = await store.eventTypes.undeclared(old.environment, page)
  assert.deepEqual(
    undeclared.map(({ name }) => name),
    from2 ? ['invoice.sent'] : [],
  )
  if (version < 3) return
  await holds(store.sources.byToken('hash of a door', at), {
    ...{ id: old.source, uid: 'stripe', type: 'stripe', settings: old.settings, name: 'source', ...changed },
    ...{ sealedSecrets: 'sealed 4', sealedToken: 'sealed 5' },
  })
  await holds(store.sources.handshakes(old.source), [{ name: 'challenge', succeededAt: at, successes: 1 }])
  await holds(store.sources.secretUses(old.source), { sec_1: at })
  await holds(store.quarantine.find(old.source, old.quarantined), { payload: '{ }', bytes: 3, acknowledged: true })
  await holds(store.received.find(old.source, 'evt-2'), {
    ...{ duplicates: 2, duplicate: { at: 5 } },
    message: { id: old.received, encoding: 'text', request: { method: 'PUT' }, payload: old.payload },
  })
}
