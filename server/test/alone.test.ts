import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { onSqliteAlone } from './support/database.ts'
import { startTestServer } from './support/server.ts'

test(
  'a second server on the same database refuses to start, also when it comes by way of a link',
  onSqliteAlone('PostgreSQL is for several'),
  async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'posthorn-alone-'))
    t.after(() => rmSync(folder, { recursive: true, force: true }))
    const path = join(folder, 'real.db')
    const first = await startTestServer({ databaseUrl: `sqlite:${path}` })
    t.after(() => first.stop())
    const link = join(folder, 'link.db')
    symlinkSync(path, link)
    for (const named of [path, link]) {
      await assert.rejects(
        startTestServer({ databaseUrl: `sqlite:${named}` }),
        /Another Posthorn is running on .*real\.db/,
      )
    }
    assert.equal(existsSync(`${link}.key`), false, 'nothing is left beside the link')
  },
)
