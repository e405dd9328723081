import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { describe, type TestContext, test } from 'node:test'
import pg from 'pg'
import { eventually } from './eventually.ts'
import { bareDatabase, freshDatabase, type TestDatabase, withoutPostgres } from './postgres.ts'
import { findPostgres } from './postgres-server.ts'
import { testWorld } from './world.ts'

describe('PostgreSQL for tests', { skip: withoutPostgres }, () => {
  test('a database for one test sorts as people do, so that only what asks for the order of bytes has it', async (t) => {
    const words = "(values ('B'), ('a'), ('_')) as w (word)"
    for (const database of [await bareDatabase(), await freshDatabase()]) {
      const client = await connected(t, database)
      const { rows } = await client.query(
        `select string_agg(word, '' order by word) as usual, string_agg(word, '' order by word collate "C") as bytes from ${words}`,
      )
      assert.deepEqual(rows, [{ usual: '_aB', bytes: 'B_a' }])
    }
  })

  test('a fresh database has the current schema and nothing of another test', async (t) => {
    const used = await connected(t, await freshDatabase())
    await used.query("insert into environment (id, name, created_at) values ('env_1', 'other', 0)")
    const fresh = await connected(t, await freshDatabase())
    assert.deepEqual((await fresh.query('select * from environment')).rows, [])
  })
})

async function connected(t: TestContext, { url, drop }: TestDatabase): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  t.after(() => client.end().then(drop))
  return client
}

const found = findPostgres()

test('a server whose run was killed stops by itself and leaves no files', {
  skip: 'missing' in found ? found.missing : false,
}, async () => {
  assert.ok('bin' in found)
  const module = new URL('./postgres-server.ts', import.meta.url).href
  const script = `
    import { startPostgresServer } from ${JSON.stringify(module)}
    const server = await startPostgresServer(${JSON.stringify(found.bin)})
    console.log(server.folder)
    setInterval(() => {}, 1_000)`
  const run = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [said] = await once(run.stdout, 'data')
  const folder = String(said).trim()
  assert.ok(existsSync(folder))
  run.kill('SIGKILL')
  await eventually(testWorld(), 'its folder goes', () => !existsSync(folder))
})
