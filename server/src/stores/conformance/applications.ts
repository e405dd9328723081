import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type OpenStore, openedOnce } from './opened.ts'
import { pagesThrough, wholeList } from './paging.ts'
import { samples } from './samples.ts'

export function applicationsConformance(open: OpenStore): void {
  const store = openedOnce(open)
  const make = samples()
  let environments = 0
  const newEnvironment = async () => (await store().environments.ensure(make.environment(`test ${environments++}`))).id

  test('an application comes back as it was given, by id and by uid', async () => {
    const environmentId = await newEnvironment()
    const row = make.application(environmentId, {
      ...{ uid: 'customer.7_a-B', name: 'Zoë & Söhne 🚚', throttleRate: 50, metadata: { plan: 'pro', 'a"b': '' } },
      ...{ updatedAt: make.now() + 1, revision: 3 },
    })
    assert.equal(await store().applications.insert(row), 'done')
    assert.deepEqual(await store().applications.find(environmentId, row.id), row)
    assert.deepEqual(await store().applications.find(environmentId, 'customer.7_a-B'), row)
    assert.equal(await store().applications.find(environmentId, 'CUSTOMER.7_a-B'), null)
    assert.equal(await store().applications.find(environmentId, make.id('application')), null)
  })

  test('a uid that looks like an id is found as a uid, but never hides the application of that id', async () => {
    const environmentId = await newEnvironment()
    const byId = make.application(environmentId)
    const byUid = make.application(environmentId, { uid: make.id('application') })
    const shadow = make.application(environmentId, { uid: byId.id })
    for (const row of [byId, byUid, shadow]) await store().applications.insert(row)
    assert.deepEqual(await store().applications.find(environmentId, byUid.uid ?? ''), byUid)
    assert.deepEqual(await store().applications.find(environmentId, byId.id), byId)
  })

  test('an environment is a wall: the other one neither finds nor lists nor clashes', async () => {
    const [here, there] = [await newEnvironment(), await newEnvironment()]
    const row = make.application(here, { uid: 'same' })
    await store().applications.insert(row)
    assert.equal(await store().applications.find(there, row.id), null)
    assert.equal(await store().applications.find(there, 'same'), null)
    assert.deepEqual(await store().applications.list(there, { withEndpointsOnly: false }, wholeList), [])
    assert.equal(await store().applications.insert(make.application(there, { uid: 'same' })), 'done')
  })

  test('a uid is given once; rows without one never clash', async () => {
    const environmentId = await newEnvironment()
    const row = make.application(environmentId, { uid: 'only' })
    assert.equal(await store().applications.insert(row), 'done')
    assert.equal(await store().applications.insert(make.application(environmentId, { uid: 'only' })), 'uid-taken')
    assert.equal(await store().applications.insert(make.application(environmentId)), 'done')
    assert.equal(await store().applications.insert(make.application(environmentId)), 'done')
    assert.deepEqual(await store().applications.find(environmentId, 'only'), row)
  })

  test('an update changes everything that can change, once for each revision', async () => {
    const environmentId = await newEnvironment()
    const row = make.application(environmentId, { uid: 'before', metadata: { a: '1' } })
    await store().applications.insert(row)
    const changed = {
      ...row,
      ...{ uid: 'after', name: 'New name', throttleRate: 9, metadata: { b: '2' } },
      ...{ updatedAt: row.updatedAt + 5, revision: 2 },
    }
    assert.equal(await store().applications.update(changed), 'done')
    assert.deepEqual(await store().applications.find(environmentId, 'after'), changed)
    assert.equal(await store().applications.find(environmentId, 'before'), null)
    assert.equal(await store().applications.update({ ...changed, name: 'Late' }), 'stale')
    assert.equal(await store().applications.update({ ...changed, name: 'Early', revision: 4 }), 'stale')
    assert.equal(await store().applications.update({ ...changed, uid: null, revision: 3 }), 'done')
    assert.equal((await store().applications.find(environmentId, row.id))?.name, 'New name')
  })

  test("an update to another's uid changes nothing, and one that keeps its own uid is no conflict", async () => {
    const environmentId = await newEnvironment()
    const [one, two] = [
      make.application(environmentId, { uid: 'one' }),
      make.application(environmentId, { uid: 'two' }),
    ]
    await store().applications.insert(one)
    await store().applications.insert(two)
    assert.equal(await store().applications.update({ ...two, uid: 'one', revision: 2 }), 'uid-taken')
    assert.deepEqual(await store().applications.find(environmentId, two.id), two)
    assert.equal(await store().applications.update({ ...two, name: 'Two', revision: 2 }), 'done')
  })

  test('a deleted application is gone with its endpoints, and its uid is free', async () => {
    const environmentId = await newEnvironment()
    const row = make.application(environmentId, { uid: 'gone' })
    const other = make.application(environmentId)
    const endpoint = make.endpoint(row.id)
    const kept = make.endpoint(other.id)
    for (const application of [row, other]) await store().applications.insert(application)
    for (const each of [endpoint, kept]) await store().endpoints.insert(each)
    assert.equal(
      await store().applications.delete(row.id, make.now(), null, 2),
      'stale',
      'of another revision it is left alone',
    )
    assert.notEqual(await store().endpoints.find(row.id, endpoint.id), null)
    assert.equal(await store().applications.delete(row.id, make.now(), null, 1), 'done')
    assert.equal(await store().applications.find(environmentId, row.id), null)
    assert.equal(await store().applications.find(environmentId, 'gone'), null)
    assert.deepEqual(await store().applications.list(environmentId, { withEndpointsOnly: false }, wholeList), [other])
    assert.equal(await store().applications.update({ ...row, revision: 2 }), 'stale')
    assert.equal(await store().endpoints.find(row.id, endpoint.id), null)
    assert.deepEqual(await store().endpoints.all(row.id), [])
    assert.deepEqual(await store().endpoints.all(other.id), [kept])
    assert.equal(await store().applications.insert(make.application(environmentId, { uid: 'gone' })), 'done')
  })

  test("an environment's own application is made once, and is not found among the customers'", async () => {
    const [environmentId, other] = [await newEnvironment(), await newEnvironment()]
    assert.equal(await store().applications.operational(environmentId), null)
    const row = make.application(environmentId)
    const made = await store().applications.ensureOperational(row)
    assert.deepEqual(made, { ...row, kind: 'operational' })
    assert.deepEqual(await store().applications.ensureOperational(make.application(environmentId)), made)
    assert.deepEqual(await store().applications.operational(environmentId), made)
    assert.equal(await store().applications.operational(other), null)
    assert.deepEqual(await store().applications.byId(made.id), made)
    await store().endpoints.insert(make.endpoint(made.id))
    assert.equal(await store().applications.find(environmentId, made.id), null)
    for (const withEndpointsOnly of [false, true]) {
      assert.deepEqual(await store().applications.list(environmentId, { withEndpointsOnly }, wholeList), [])
    }
  })

  test('what is told of a deletion is stored with it, and not where there is nothing to delete', async () => {
    const environmentId = await newEnvironment()
    const { id: ownId } = await store().applications.ensureOperational(make.application(environmentId))
    const row = make.application(environmentId)
    await store().applications.insert(row)
    const [first, again] = [make.message(ownId), make.message(ownId)]
    for (const message of [first, again]) {
      await store().applications.delete(row.id, make.now(), { messages: [message], deliveries: [] })
    }
    assert.deepEqual(await store().messages.find(ownId, first.id, true), first)
    assert.equal(await store().messages.find(ownId, again.id, true), null)
  })

  test('a list goes both ways, page by page, in the order of making', async () => {
    const environmentId = await newEnvironment()
    const rows = Array.from({ length: 5 }, (_, n) => make.application(environmentId, { name: `${9 - n}` }))
    for (const row of rows.toReversed()) await store().applications.insert(row)
    await pagesThrough(
      (search) => store().applications.list(environmentId, { withEndpointsOnly: false }, search),
      (row) => row.id,
      rows.map((row) => row.id),
    )
  })

  test('a list of those with endpoints leaves out those whose endpoints are all deleted', async () => {
    const environmentId = await newEnvironment()
    const rows = Array.from({ length: 4 }, () => make.application(environmentId))
    for (const row of rows) await store().applications.insert(row)
    const [none, one, deleted, two] = rows.map((row) => row.id)
    assert.ok(none && one && deleted && two)
    const removed = make.endpoint(deleted)
    for (const row of [make.endpoint(one), removed, make.endpoint(two), make.endpoint(two)])
      await store().endpoints.insert(row)
    await store().endpoints.delete(removed.id, make.now())
    await pagesThrough(
      (search) => store().applications.list(environmentId, { withEndpointsOnly: true }, search),
      (row) => row.id,
      [one, two],
    )
  })
}
