import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { life } from './life.ts'
import { blockUnder, paste } from './page.ts'

test('SQLite: what docs/operate.md tells to paste backs up while it is published to, and restores all that was promised', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'posthorn-backup-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const [backUp, restore] = [blockUnder('SQLite', 2, 3), blockUnder('SQLite', 3, 3)]
  const DB = join(folder, 'posthorn.db')
  const TO = join(folder, 'backups/today')
  const before = await life(t, `sqlite:${DB}`)

  const stopPublishing = before.publishing()
  await paste(backUp, { env: { DB, TO } })
  const meanwhile = await stopPublishing()
  assert.ok(meanwhile > 0, 'nothing was published while the backup was made')
  const later = await before.publish()
  await before.kill()

  const restored = join(folder, 'elsewhere.db')
  await paste(restore, { env: { DB: restored, TO } })
  const { url } = await before.holds({ POSTHORN_DATABASE: `sqlite:${restored}` })
  assert.equal(await before.has(url, later), false, 'what was published after the backup is not in it')
})
