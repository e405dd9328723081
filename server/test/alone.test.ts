import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { startTestServer } from './support/server.ts'

test('a second server on the same database refuses to start, also when it comes by way of a link', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'posthorn-alone-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const databasePath = join(folder, 'real.db')
  const first = await startTestServer({ databasePath })
  t.after(() => first.stop())
  const link = join(folder, 'link.db')
  symlinkSync(databasePath, link)
  for (const path of [databasePath, link]) {
    await assert.rejects(startTestServer({ databasePath: path }), /Another Posthorn is running on .*real\.db/)
  }
  assert.equal(existsSync(`${link}.key`), false, 'nothing is left beside the link')
})
