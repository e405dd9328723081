import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { eventually } from '../../test/support/eventually.ts'
import { bareDatabase, withoutPostgres } from '../../test/support/postgres.ts'
import { type CommandResult, posthorn } from '../../test/support/posthorn-command.ts'
import { testWorld } from '../../test/support/world.ts'
import { old, oldRows } from '../stores/conformance/old-rows.ts'
import { samples } from '../stores/conformance/samples.ts'
import { movedTables } from '../stores/move/tables.ts'
import { holdAlone } from '../stores/sqlite/alone.ts'
import { migrate, sqliteSteps } from '../stores/sqlite/migrate.ts'

type Row = Readonly<Record<string, string | number | null>>

/** A full file, at the last step but `behind`, with a row in every table. */
function fullFile(t: TestContext, behind = 0): { readonly path: string; readonly database: DatabaseSync } {
  const folder = mkdtempSync(join(tmpdir(), 'posthorn-move-'))
  const path = join(folder, 'full.db')
  const database = new DatabaseSync(path)
  t.after(() => {
    if (database.isOpen) database.close()
    rmSync(folder, { recursive: true })
  })
  const steps = sqliteSteps().slice(0, sqliteSteps().length - behind)
  migrate(database, steps)
  for (const [table, row] of oldRows(steps.length)) insert(database, table, row)
  return { path, database }
}

function insert(database: DatabaseSync, table: string, row: Row): void {
  const names = Object.keys(row)
  database
    .prepare(`insert into ${table} (${names.join(', ')}) values (${names.map(() => '?').join(', ')})`)
    .run(...Object.values(row))
}

async function emptyServer(t: TestContext): Promise<{ readonly url: string; readonly client: pg.Client }> {
  const { url, drop } = await bareDatabase()
  const client = new pg.Client(url)
  t.after(async () => {
    await client.end()
    await drop()
  })
  await client.connect()
  return { url, client }
}

const moving = (from: string, to: string): Promise<CommandResult> => posthorn(['move', '--from', from, '--to', to])

const number = async (client: pg.Client, sql: string): Promise<number> =>
  Number(Object.values((await client.query(sql)).rows[0] ?? {})[0])

/** Everything in the file, by table, in the order of its key. */
const contents = (database: DatabaseSync): unknown =>
  movedTables().map(({ name, key, columns }) => [
    name,
    database.prepare(`select ${columns.map((c) => c.name).join(', ')} from ${name} order by ${key.join(', ')}`).all(),
  ])

describe('posthorn move', { skip: withoutPostgres, concurrency: true }, () => {
  test('everything goes to PostgreSQL and back again as it was; only what was leased is due at once', async (t) => {
    const { path, database } = fullFile(t, 1)
    writeFileSync(`${path}.key`, 'the key itself\n')
    const { url, client } = await emptyServer(t)
    const before = Date.now()
    const there = await moving(`sqlite:${path}`, url)
    assert.deepEqual([there.code, there.stderr], [0, ''])
    assert.match(there.stdout, /has taken 0004_fleet first\n/)
    assert.match(there.stdout, /\d+ rows copied, and the same on both sides\n/)
    assert.match(there.stdout, /POSTHORN_MASTER_KEY=\$\(cat .*full\.db\.key\)/)
    assert.doesNotMatch(there.stdout, /the key itself/)
    const steps = await client.query('select number from schema_step order by number')
    assert.deepEqual(
      steps.rows.map((row) => Number(row.number)),
      sqliteSteps().map((step) => step.number),
      'nothing of the move is left',
    )

    const delivery = await client.query('select due_at, lease from delivery where endpoint_id = $1', [old.endpoint])
    assert.equal(delivery.rows[0]?.lease, null)
    const dueAt = Number(delivery.rows[0]?.due_at)
    assert.ok(dueAt >= before && dueAt <= Date.now())

    const back = join(path, '..', 'back.db')
    assert.equal((await moving(url, `sqlite:${back}`)).code, 0)
    database.prepare('update delivery set lease = null, due_at = ? where lease is not null').run(dueAt)
    const returned = new DatabaseSync(back)
    t.after(() => returned.close())
    assert.deepEqual(contents(returned), contents(database))
  })

  test('killed in the middle it goes on where it was; until both sides are the same nobody else uses the target', async (t) => {
    const { path, database } = fullFile(t)
    const rows = 30_000
    const { id, pass } = samples()
    database.exec('begin')
    for (let n = 0; n < rows; n++) {
      if (n % 10_000 === 0) pass(86_400_000)
      insert(database, 'message', {
        ...{ id: id('message'), application_id: old.application, event_type: 'e', payload: '{}', accepted_at: n },
      })
    }
    database.exec('commit')
    const { url, client } = await emptyServer(t)
    const bin = fileURLToPath(new URL('../../bin/posthorn.mjs', import.meta.url))
    const child = spawn(process.execPath, [bin, 'move', '--from', `sqlite:${path}`, '--to', url], { env: {} })
    const gone = once(child, 'exit')
    let copied = 0
    await eventually(testWorld(), 'some of it is copied', async () => {
      copied = await number(client, 'select coalesce(sum(copied), 0) from move_progress').catch(() => 0)
      return copied > 2_000
    })
    child.kill('SIGKILL')
    await gone
    assert.ok((await number(client, 'select count(*) from message')) < rows, 'it was not done yet')

    for (const command of [['migrate'], ['keys', 'list'], ['serve']]) {
      const { code, stderr } = await posthorn([...command, '--database', url])
      assert.equal(code, 1)
      assert.match(stderr, /being moved into this one, or that was broken off: run posthorn move again/)
    }
    const stranger = fullFile(t)
    stranger.database.exec("update api_key set hash = 'another'")
    assert.match((await moving(`sqlite:${stranger.path}`, url)).stderr, /A move from another database has begun in/)

    // Somebody uses the source in between, where the move has been already.
    const change = database.prepare('update message set payload = ? where id = ?')
    change.run('{"changed":true}', old.message)
    const differs = await moving(`sqlite:${path}`, url)
    assert.equal(differs.code, 1)
    assert.match(differs.stdout, /going on after \d+ rows that are there already/)
    assert.match(differs.stderr, /message is not the same on both sides.*used after the move had begun/)
    assert.equal((await posthorn(['keys', 'list', '--database', url])).code, 1)

    change.run(old.payload, old.message)
    const again = await moving(`sqlite:${path}`, url)
    assert.equal(again.code, 0, again.stderr)
    assert.equal(
      await number(client, 'select count(*) from message'),
      Number(database.prepare('select count(*) as n from message').get()?.n),
    )
  })

  test('a text with NUL, which PostgreSQL cannot hold, arrives: a payload as base64, words with U+FFFD', async (t) => {
    const { path, database } = fullFile(t)
    const payload = 'a\u0000ü'
    database.prepare("update message set payload = ?, encoding = 'text' where id = ?").run(payload, old.received)
    database.prepare('update attempt set response = ?').run('no\u0000pe')
    const { url, client } = await emptyServer(t)
    assert.equal((await moving(`sqlite:${path}`, url)).code, 0)
    const { rows } = await client.query('select payload, encoding from message where id = $1', [old.received])
    assert.deepEqual(rows, [{ payload: Buffer.from(payload).toString('base64'), encoding: 'base64' }])
    assert.deepEqual((await client.query('select response from attempt')).rows, [{ response: 'no\ufffdpe' }])
  })

  test('neither side may be in use, the target must be empty, and both must be of another engine', async (t) => {
    const { path } = fullFile(t)
    const { url, client } = await emptyServer(t)
    const running = holdAlone(path)
    assert.match((await moving(`sqlite:${path}`, url)).stderr, /Another Posthorn is running on .*full\.db\. Stop it/)
    running.release()
    assert.equal((await moving(`sqlite:${path}`, url)).code, 0)
    assert.match((await moving(`sqlite:${path}`, url)).stderr, /is not empty: environment has rows/)
    await client.query(`insert into node (id, name, version, started_at, seen_at)
      values ('node_1', 'blue', '0.1.0', 0, extract(epoch from now()) * 1000)`)
    const { stderr } = await moving(url, `sqlite:${join(path, '..', 'back.db')}`)
    assert.match(stderr, /Nodes are running on .*: blue \(0\.1\.0\)\. Stop them first/)

    const same = await moving(`sqlite:${path}`, 'sqlite:other.db')
    assert.deepEqual([same.code, same.stdout], [2, ''])
    assert.match(same.stderr, /goes from one engine to the other/)
  })
})
