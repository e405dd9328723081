import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { testWorld } from '../../test/support/world.ts'
import { samples } from '../stores/conformance/samples.ts'
import { openSqliteStore } from '../stores/sqlite/store.ts'
import { SourceNotes } from './notes.ts'

const folder = mkdtempSync(join(tmpdir(), 'posthorn-notes-'))
const store = await openSqliteStore(join(folder, 'test.db'))
after(async () => {
  await store.close()
  rmSync(folder, { recursive: true })
})

test('handshakes that cannot be written are written when that is possible again, in their order', async () => {
  const make = samples()
  const world = testWorld()
  const environment = await store.environments.ensure(make.environment('test'))
  const { id } = make.source(environment.id)
  await store.sources.insert(make.source(environment.id, { id }), id)
  let down = true
  const notes = new SourceNotes(
    {
      noteHandshakes: async (rows) => (down ? Promise.reject(new Error('down')) : store.sources.noteHandshakes(rows)),
      noteSecretUses: (uses) => store.sources.noteSecretUses(uses),
    },
    world,
  )
  notes.handshake(id, 'crc', 'No secret.')
  notes.secretUsed(id, 'ssec_1')
  await notes.flush()
  assert.deepEqual(await store.sources.handshakes(id), [])
  down = false
  const at = world.now()
  await world.advance(10)
  notes.handshake(id, 'crc', 'Wrong.')
  await notes.flush()
  const expected = { failedAt: at + 10, failure: 'Wrong.', failures: 2, succeededAt: null, successes: 0 }
  assert.deepEqual(await store.sources.handshakes(id), [{ name: 'crc', ...expected }])
})
