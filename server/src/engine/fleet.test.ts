import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { testWorld } from '../../test/support/world.ts'
import type { Store } from '../ports/store.ts'
import { samples } from '../stores/conformance/samples.ts'
import { openSqliteStore } from '../stores/sqlite/store.ts'
import { Fleet } from './fleet.ts'

async function storeFor(t: TestContext): Promise<Store> {
  const folder = mkdtempSync(join(tmpdir(), 'posthorn-fleet-'))
  const store = await openSqliteStore(join(folder, 'fleet.db'))
  t.after(async () => {
    await store.close()
    rmSync(folder, { recursive: true })
  })
  return store
}

test('a node that leaves while a heartbeat of its own is on its way is not heard after its farewell', async (t) => {
  const { nodes } = await storeFor(t)
  let gate = Promise.resolve()
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

test('a node that was not heard in time holds nothing for sure until it has asked, however often that fails', async (t) => {
  const { nodes } = await storeFor(t)
  let machineNow = Date.now()
  const fleet = new Fleet({
    ...{ store: nodes, leaseMs: 30_000, alone: false },
    world: testWorld({ machineNow: () => machineNow }),
    node: { id: samples().id('node'), name: 'a', version: '1' },
    observer: { clock() {}, led() {} },
  })
  t.after(() => fleet.stop())
  const told: string[] = []
  fleet.onShare = () => void told.push(fleet.heard ? 'may send' : 'may not send')
  await fleet.join()
  assert.equal(fleet.heard, true)
  machineNow += 1_999
  assert.equal(fleet.heard, true)
  machineNow += 1
  assert.equal(fleet.heard, false, 'after two heartbeats that did not come; others take it for dead after three')

  told.length = 0
  fleet.onReturn = async () => {
    assert.equal(fleet.heard, false)
    throw new Error('the store does not answer')
  }
  await assert.rejects(fleet.beat(), /does not answer/)
  assert.equal(fleet.heard, false)
  assert.deepEqual(told, [])
  fleet.onReturn = async () => assert.equal(fleet.heard, false)
  await fleet.beat()
  assert.equal(fleet.heard, true)
  assert.deepEqual(told, ['may send'])
})
