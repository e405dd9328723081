import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, type TestContext, test } from 'node:test'
import { posthorn } from '../../test/support/posthorn-command.ts'
import { holdAlone } from '../stores/sqlite/alone.ts'
import { migrate, sqliteSteps } from '../stores/sqlite/migrate.ts'

const steps = sqliteSteps()

/** A database that has taken the first `taken` steps; none: there is no file. */
function databaseAt(t: TestContext, taken: number): { readonly path: string; readonly flags: readonly string[] } {
  const folder = mkdtempSync(join(tmpdir(), 'posthorn-migrate-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'some.db')
  if (taken > 0) {
    const database = new DatabaseSync(path)
    migrate(database, steps.slice(0, taken))
    database.close()
  }
  return { path, flags: ['--database', `sqlite:${path}`] }
}

const stepsOf = (text: string): unknown =>
  JSON.parse(text).steps.map(({ number, appliedAt }: Record<string, unknown>) => [number, appliedAt !== null])

describe('posthorn migrate', { concurrency: true }, () => {
  test('status tells what is applied and what is pending, and ends in 1 as long as something is', async (t) => {
    const { flags } = databaseAt(t, 2)
    const before = await posthorn(['migrate', 'status', ...flags])
    assert.equal(before.code, 1)
    assert.match(before.stdout, /0002_outbound {2}applied \d{4}-\d\d-\d\d .* UTC by \d/)
    assert.match(before.stdout, /0003_receiving {2}pending, breaking\n/)

    const done = await posthorn(['migrate', ...flags])
    assert.equal(done.code, 0)
    assert.match(done.stdout, /^applied 0003_receiving\n(applied .*\n)*.*some\.db is up to date\n$/)
    const after = await posthorn(['migrate', 'status', '--json', ...flags])
    assert.equal(after.code, 0)
    assert.deepEqual(
      stepsOf(after.stdout),
      steps.map(({ number }) => [number, true]),
    )
  })

  test('status and a dry run make no database where there is none', async (t) => {
    const { path, flags } = databaseAt(t, 0)
    assert.equal((await posthorn(['migrate', 'status', ...flags])).code, 1)
    assert.match((await posthorn(['migrate', '--dry-run', ...flags])).stdout, /create table environment/)
    assert.equal(existsSync(path), false)
  })

  test('a dry run changes nothing, and what it prints does what the run would have done', async (t) => {
    const { path, flags } = databaseAt(t, 2)
    const dry = await posthorn(['migrate', '--dry-run', ...flags])
    assert.equal(dry.code, 0)
    assert.deepEqual(
      stepsOf((await posthorn(['migrate', 'status', '--json', ...flags])).stdout),
      steps.map(({ number }) => [number, number <= 2]),
    )
    const database = new DatabaseSync(path)
    database.exec(dry.stdout)
    database.close()
    assert.equal((await posthorn(['migrate', 'status', ...flags])).code, 0)
    assert.equal((await posthorn(['migrate', '--dry-run', ...flags])).stdout, '')
  })

  test('a database of a newer version that broke with this one is refused by name, and a start says the same', async (t) => {
    const { path, flags } = databaseAt(t, steps.length)
    const database = new DatabaseSync(path)
    database.exec("insert into schema_step values (9999, 'tomorrow', 0, 1, '99.0.0')")
    database.close()
    const [refused, status, serve] = await Promise.all([
      posthorn(['migrate', ...flags]),
      posthorn(['migrate', 'status', ...flags]),
      posthorn(['serve', ...flags]),
    ])
    for (const { code, stderr } of [refused, status, serve]) {
      assert.equal(code, 1)
      assert.match(stderr, /9999_tomorrow.*Start that version \(99\.0\.0 or later\), or restore the backup/)
    }
    assert.match(status.stdout, /9999_tomorrow .* by 99\.0\.0, breaking, unknown to/)
  })

  test('beside a running server only steps that are compatible are applied', async (t) => {
    const [breaking, compatible] = [databaseAt(t, 2), databaseAt(t, 3)]
    const running = [breaking, compatible].map(({ path }) => holdAlone(path))
    t.after(() => running.map((one) => one.release()))
    const refused = await posthorn(['migrate', ...breaking.flags])
    assert.deepEqual([refused.code, refused.stdout], [1, ''])
    assert.match(refused.stderr, /step 0003_receiving is pending.* is running on .*some\.db: stop it first/)
    const keys = await posthorn(['keys', 'list', ...breaking.flags])
    assert.deepEqual([keys.code, keys.stderr], [1, refused.stderr.replace('posthorn migrate', 'posthorn keys')])

    assert.equal((await posthorn(['migrate', ...compatible.flags])).code, 0)
  })

  test('with POSTHORN_MIGRATE=off a start leaves the schema alone and says what to run', async (t) => {
    const { path, flags } = databaseAt(t, 0)
    const { code, stderr } = await posthorn(['serve', ...flags], { env: { POSTHORN_MIGRATE: 'off' } })
    assert.equal(code, 1)
    assert.match(stderr, /lacks the schema steps 0001_start, .*POSTHORN_MIGRATE is off: run posthorn migrate first/)
    assert.equal(existsSync(path), false)
    await posthorn(['migrate', ...flags])
    const key = await posthorn(['keys', 'create', ...flags], { env: { POSTHORN_MIGRATE: 'off' } })
    assert.equal(key.code, 0)
  })
})
