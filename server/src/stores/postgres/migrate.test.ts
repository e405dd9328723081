import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import pg from 'pg'
import { bareDatabase, withoutPostgres } from '../../../test/support/postgres.ts'
import type { Step } from '../migrations.ts'
import { migrate, migrationScript, postgresApplied, postgresSteps } from './migrate.ts'

const all = postgresSteps()
const next = (changes: Partial<Step>): Step => ({
  ...{ number: all.length + 1, name: 'next', breaking: false, sql: 'create table next_table (id bigint)' },
  ...changes,
})

/** An empty database, and as many connections to it as are asked for. */
async function connect(t: TestContext, connections: number): Promise<readonly pg.Client[]> {
  const { url, drop } = await bareDatabase()
  const clients = Array.from({ length: connections }, () => new pg.Client(url))
  t.after(async () => {
    await Promise.all(clients.map((client) => client.end()))
    await drop()
  })
  await Promise.all(clients.map((client) => client.connect()))
  return clients
}

const count = async (client: pg.Client, sql: string): Promise<number> =>
  Number((await client.query(sql)).rows[0]?.count)

describe('migrating PostgreSQL', { skip: withoutPostgres }, () => {
  test('of ten nodes that start at once on an empty database, each step is applied by exactly one', async (t) => {
    const clients = await connect(t, 10)
    const migrated = await Promise.all(clients.map((client) => migrate(client)))
    const applied = migrated.flatMap((one) => one.applied.map(({ number }) => number))
    assert.deepEqual(
      applied.sort((a, b) => a - b),
      all.map(({ number }) => number),
    )
  })

  test('a step that fails leaves nothing behind but the steps before it, is named, and can be tried again', async (t) => {
    const [client] = await connect(t, 1)
    assert.ok(client)
    const broken = next({ sql: 'create table next_table (id bigint); insert into nowhere values (1)' })
    await assert.rejects(migrate(client, [...all, broken]), /_next failed.*relation "nowhere" does not exist/)
    assert.equal((await postgresApplied(client)).length, all.length)
    const { applied } = await migrate(client, [...all, next({})])
    assert.deepEqual(
      applied.map(({ name }) => name),
      ['next'],
    )
  })

  test('a breaking step waits until nodes that would break have stopped; a compatible one does not', async (t) => {
    const [client] = await connect(t, 1)
    assert.ok(client)
    await migrate(client)
    const seen = (secondsAgo: number) =>
      client.query(
        `insert into node (id, name, version, started_at, seen_at)
         values ('node_1', 'blue', '0.1.0', 0, extract(epoch from now() - cast($1 as interval)) * 1000)
         on conflict (id) do update set seen_at = excluded.seen_at`,
        [`${secondsAgo} s`],
      )
    await seen(5)
    const breaking = next({ number: all.length + 2, name: 'later', breaking: true, sql: 'drop table next_table' })
    await assert.rejects(
      migrate(client, [...all, next({}), breaking]),
      /_later is pending.*blue \(0\.1\.0\)\. Stop them/,
    )
    assert.equal((await postgresApplied(client)).length, all.length + 1, 'the compatible one before it is applied')
    await seen(60)
    assert.equal((await migrate(client, [...all, next({}), breaking])).applied.length, 1)
  })

  test('a dry run changes nothing, and what it prints does what the run would have done', async (t) => {
    const [client] = await connect(t, 1)
    assert.ok(client)
    const script = await migrationScript(client, all)
    assert.equal(await count(client, "select count(*) from pg_class where relnamespace = 'public'::regnamespace"), 0)
    await client.query(script)
    assert.deepEqual((await migrate(client)).applied, [])
    assert.equal((await postgresApplied(client)).length, all.length)
    assert.equal(await migrationScript(client, all), '')
  })

  test('a newer schema is refused where it breaks, and taken where it does not', async (t) => {
    const [client] = await connect(t, 1)
    assert.ok(client)
    await migrate(client, [...all, next({})])
    assert.deepEqual(
      (await migrate(client)).newer.map(({ name }) => name),
      ['next'],
    )
    await client.query('update schema_step set breaking = 1')
    await assert.rejects(migrate(client), /_next, which this Posthorn .* cannot work with/)
  })
})
