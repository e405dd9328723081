import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { describe, test } from 'node:test'
import pg from 'pg'
import { eventually } from './eventually.ts'
import { freshDatabase, withoutPostgres } from './postgres.ts'
import { findPostgres } from './postgres-server.ts'
import { testWorld } from './world.ts'

describe('PostgreSQL for tests', { skip: withoutPostgres }, () => {
  test('a database for one test sorts as people do, so that only what asks for the order of bytes has it', async (t) => {
    const { url, drop } = await freshDatabase()
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    t.after(() => client.end().then(drop))
    const order = async (collation: string): Promise<string> => {
      const { rows } = await client.query(
        `select string_agg(word, '' order by word ${collation}) as words from (values ('B'), ('a'), ('_')) as w (word)`,
      )
      return rows[0]?.words
    }
    assert.equal(await order(''), '_aB')
    assert.equal(await order('collate "C"'), 'B_a')
  })
})

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
