import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type OpenStore, openedEach } from './opened.ts'
import { samples } from './samples.ts'

export function keysConformance(open: OpenStore): void {
  const store = openedEach(open)
  const make = samples()

  test('a key is found by its hash with everything that was said of it', async () => {
    const { id } = await store().environments.ensure(make.environment('production'))
    const key = make.key(id, { name: 'Büro „eins“', scopes: ['publish', 'read'] })
    await store().keys.insert(key)
    assert.deepEqual(await store().keys.byHash(key.hash), key)
    assert.equal(await store().keys.byHash('another hash'), null)
  })

  test('the same hash cannot be inserted twice', async () => {
    const { id } = await store().environments.ensure(make.environment('production'))
    const key = make.key(id)
    await store().keys.insert(key)
    await assert.rejects(store().keys.insert(make.key(id, { hash: key.hash })))
  })

  test('of nodes that start at once on an empty database one makes the first key, and the first of each thing', async () => {
    const stores = [store(), await store.another(), await store.another()]
    const starts = Array.from({ length: 10 }, (_, n) => async (): Promise<boolean> => {
      const by = stores[n % stores.length] ?? store()
      const { id } = await by.environments.ensure(make.environment('default'))
      await by.applications.ensureOperational(make.application(id))
      return by.keys.insertFirst(make.key(id))
    })
    const first = await Promise.all(starts.map((start) => start()))
    assert.equal(first.filter((mine) => mine).length, 1)
    const [key, ...otherKeys] = await store().keys.list(null)
    const [environment, ...otherEnvironments] = await store().environments.list()
    assert.ok(key && environment)
    assert.deepEqual([otherKeys, otherEnvironments], [[], []])
    assert.ok(await store().applications.operational(environment.id))
    await store().keys.revoke(key.id, 1)
    assert.equal(await store().keys.insertFirst(make.key(environment.id)), true, 'where none works there is to be one')
  })

  test('a revoked key is still found, so that its use can be told from an unknown one, and keeps the first moment', async () => {
    const { id } = await store().environments.ensure(make.environment('production'))
    const key = make.key(id)
    await store().keys.insert(key)
    assert.equal(await store().keys.revoke(key.id, 1_000), true)
    assert.equal(await store().keys.revoke(key.id, 2_000), true)
    assert.equal((await store().keys.byHash(key.hash))?.revokedAt, 1_000)
    assert.equal(await store().keys.revoke(make.id('key'), 3_000), false)
  })

  test('keys are listed for one environment or for all, revoked ones too, in the order they were made', async () => {
    const production = await store().environments.ensure(make.environment('production'))
    const staging = await store().environments.ensure(make.environment('staging'))
    const [first, second, third] = [make.key(production.id), make.key(staging.id), make.key(production.id)]
    for (const key of [third, second, first]) await store().keys.insert(key)
    await store().keys.revoke(first.id, 5)
    assert.deepEqual(await store().keys.list(production.id), [{ ...first, revokedAt: 5 }, third])
    assert.deepEqual(await store().keys.list(null), [{ ...first, revokedAt: 5 }, second, third])
  })
}
