import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { posthorn } from '../../test/support/posthorn-command.ts'

test('a key is made in a new database with a word about it, listed, revoked, and not looked for where no database is', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'posthorn-keys-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const database = ['--database', `sqlite:${join(folder, 'keys.db')}`]

  const nowhere = await posthorn(['keys', 'list', ...database])
  assert.deepEqual([nowhere.code, nowhere.stdout], [1, ''])
  assert.match(nowhere.stderr, /there is no database at .*keys\.db/)
  assert.equal(existsSync(join(folder, 'keys.db')), false)

  const made = await posthorn(['keys', 'create', '--environment', 'staging', '--scope', 'publish', ...database])
  assert.equal(made.code, 0)
  assert.match(made.stdout, /^phk_[\w-]{43}\n$/)
  assert.match(made.stderr, /a new one was made/)

  const [key] = JSON.parse((await posthorn(['keys', 'list', '--json', ...database])).stdout)
  assert.deepEqual([key.environment, key.scopes, key.revokedAt], ['staging', ['publish'], null])
  assert.equal((await posthorn(['keys', 'revoke', key.id, ...database])).code, 0)
  assert.match((await posthorn(['keys', 'list', ...database])).stdout, /revoked/)
  assert.equal((await posthorn(['keys', 'create', '--scope', 'everything', ...database])).code, 2)
})

test('a database that cannot be used is told of in one line, with the exit code for that', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'posthorn-keys-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const text = join(folder, 'text.db')
  writeFileSync(text, 'no database, '.repeat(1_000))
  const noFolder = join(folder, 'nosuch/x.db')
  for (const [path, commands] of [
    [text, [['keys', 'list'], ['keys', 'create'], ['migrate'], ['migrate', 'status'], ['migrate', '--dry-run']]],
    [noFolder, [['keys', 'create'], ['migrate']]],
  ] as const) {
    for (const command of commands) {
      const { code, stdout, stderr } = await posthorn([...command, '--database', `sqlite:${path}`])
      assert.deepEqual([code, stdout], [1, ''], command.join(' '))
      assert.match(stderr, /^posthorn \w+: .*( cannot be used: file is not a database|Does the folder exist\?)\n$/)
    }
  }
  const status = await posthorn(['migrate', 'status', '--database', `sqlite:${noFolder}`])
  assert.deepEqual([status.code, status.stdout], [1, ''])
  assert.match(status.stderr, /there is no database at/)
})
