import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
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
  assert.match(made.stderr, /a new one is made/)

  const [key] = JSON.parse((await posthorn(['keys', 'list', '--json', ...database])).stdout)
  assert.deepEqual([key.environment, key.scopes, key.revokedAt], ['staging', ['publish'], null])
  assert.equal((await posthorn(['keys', 'revoke', key.id, ...database])).code, 0)
  assert.match((await posthorn(['keys', 'list', ...database])).stdout, /revoked/)
  assert.equal((await posthorn(['keys', 'create', '--scope', 'everything', ...database])).code, 2)
})
