import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { testWorld } from '../../test/support/world.ts'
import { samples } from '../stores/conformance/samples.ts'
import { openSqliteStore } from '../stores/sqlite/store.ts'
import { Fleet } from './fleet.ts'

test('a node that leaves while a heartbeat of its own is on its way is not heard after its farewell', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'posthorn-fleet-'))
  const store = await openSqliteStore(join(folder, 'fleet.db'))
  t.after(async () => {
    await store.close()
    rmSync(folder, { recursive: true })
  })
  let gate = Promise.resolve()
  const { nodes } = store
  const fleet = new Fleet({
    store: {
      async beat(...heartbeat) {
        await gate
        return nodes.beat(...heartbeat)
      },
      leave: (id) => nodes.leave(id),
      alive: (aliveMs) => nodes.alive(aliveMs),
      sweep: (unseenMs) => nodes.sweep(unseenMs),
      lead: (...chore) => nodes.lead(...chore),
      resign: (id) => nodes.resign(id),
    },
    ...{ world: testWorld(), leaseMs: 30_000, alone: false },
    node: { id: samples().id('node'), name: 'a', version: '1' },
    observer: { clock() {}, led() {} },
  })
  await fleet.join()
  assert.equal((await nodes.alive(60_000)).length, 1)
  const { promise, resolve } = Promise.withResolvers<void>()
  gate = promise
  const beating = fleet.beat()
  const left = fleet.leave()
  await nodes.alive(60_000)
  resolve()
  await Promise.all([beating, left])
  assert.deepEqual(await nodes.alive(60_000), [])
})
