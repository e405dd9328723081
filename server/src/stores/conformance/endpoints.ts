import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type OpenStore, openedOnce } from './opened.ts'
import { pagesThrough, wholeList } from './paging.ts'
import { batch, samples } from './samples.ts'

export function endpointsConformance(open: OpenStore): void {
  const store = openedOnce(open)
  const make = samples()
  const lease = make.id('lease')
  const newApplication = async () => {
    const environment = await store().environments.ensure(make.environment('default'))
    const application = make.application(environment.id)
    await store().applications.insert(application)
    return application.id
  }

  test('an endpoint comes back as it was given, by id and by uid', async () => {
    const applicationId = await newApplication()
    const row = make.endpoint(applicationId, {
      ...{ uid: 'main', url: 'https://receiver.example/ä?x=%20#f', description: 'line\nbreak "quoted" 🚪' },
      ...{ eventTypes: ['invoice.paid', 'user/created'], channels: ['eu:1'], metadata: { team: 'billing' } },
      ...{ throttleRate: 7, disabledBecause: 'owner' as const, failingSince: 1_700_000_000_123, revision: 4 },
    })
    assert.equal(await store().endpoints.insert(row), 'done')
    assert.deepEqual(await store().endpoints.find(applicationId, row.id), row)
    assert.deepEqual(await store().endpoints.find(applicationId, 'main'), row)
    assert.equal(await store().endpoints.find(await newApplication(), row.id), null)
  })

  test('no filter and an empty filter stay different', async () => {
    const applicationId = await newApplication()
    const row = make.endpoint(applicationId, { eventTypes: [], channels: null })
    await store().endpoints.insert(row)
    assert.deepEqual(await store().endpoints.find(applicationId, row.id), row)
  })

  test('a uid is given once in an application; another application may give it too', async () => {
    const [here, there] = [await newApplication(), await newApplication()]
    assert.equal(await store().endpoints.insert(make.endpoint(here, { uid: 'main' })), 'done')
    assert.equal(await store().endpoints.insert(make.endpoint(here, { uid: 'main' })), 'uid-taken')
    assert.equal(await store().endpoints.insert(make.endpoint(there, { uid: 'main' })), 'done')
    const other = make.endpoint(here, { uid: 'other' })
    await store().endpoints.insert(other)
    assert.equal(await store().endpoints.update({ ...other, uid: 'main', revision: 2 }), 'uid-taken')
    assert.deepEqual(await store().endpoints.find(here, other.id), other)
  })

  test('an update changes everything that can change, once for each revision', async () => {
    const applicationId = await newApplication()
    const row = make.endpoint(applicationId, { uid: 'before', failingSince: 5, disabledBecause: 'gone' })
    await store().endpoints.insert(row)
    const changed = {
      ...row,
      ...{ uid: 'after', url: 'https://new.example/', description: 'new', eventTypes: ['a'], channels: ['b'] },
      ...{ metadata: { k: 'v' }, throttleRate: 1, disabledBecause: null, failingSince: null },
      ...{ sealedSecrets: 's1.other' as const, sealedHeaders: 's1.more' as const },
      ...{ updatedAt: row.updatedAt + 1, revision: 2 },
    }
    assert.equal(await store().endpoints.update(changed), 'done')
    assert.deepEqual(await store().endpoints.find(applicationId, row.id), changed)
    assert.equal(await store().endpoints.update({ ...changed, url: 'https://late.example/' }), 'stale')
    assert.deepEqual(await store().endpoints.find(applicationId, 'after'), changed)
  })

  test('turns of health are seen on the endpoint: a streak keeps its first moment and ends with a success', async () => {
    const applicationId = await newApplication()
    const row = make.endpoint(applicationId)
    await store().endpoints.insert(row)
    const failingSince = async () => (await store().endpoints.find(applicationId, row.id))?.failingSince
    const turn = (...turns: Parameters<typeof batch>[0]['turns'] & object) =>
      store().road.commit(batch({ lease, turns }))
    await turn({ kind: 'failing', endpointId: row.id, since: 1_000 })
    await turn({ kind: 'failing', endpointId: row.id, since: 2_000 })
    assert.equal(await failingSince(), 1_000)
    await turn({ kind: 'healthy', endpointId: row.id })
    assert.equal(await failingSince(), null)
  })

  test('disabling is a change: an update by someone who read the row before is stale and does not enable it', async () => {
    const applicationId = await newApplication()
    const row = make.endpoint(applicationId)
    await store().endpoints.insert(row)
    const at = row.updatedAt + 60_000
    await store().road.commit(batch({ lease, turns: [{ kind: 'disable', endpointId: row.id, because: 'gone', at }] }))
    assert.equal(await store().endpoints.update({ ...row, description: 'late', revision: 2 }), 'stale')
    const found = await store().endpoints.find(applicationId, row.id)
    assert.deepEqual(found, { ...row, disabledBecause: 'gone', updatedAt: at, revision: 2 })
  })

  test('disabling an endpoint that its owner has disabled leaves it to the owner', async () => {
    const applicationId = await newApplication()
    const row = make.endpoint(applicationId, { disabledBecause: 'owner' })
    await store().endpoints.insert(row)
    await store().road.commit(
      batch({ lease, turns: [{ kind: 'disable', endpointId: row.id, because: 'gone', at: 1 }] }),
    )
    assert.deepEqual(await store().endpoints.find(applicationId, row.id), row)
  })

  test('an update does not bring back a streak that ended after the row was read', async () => {
    const applicationId = await newApplication()
    const row = make.endpoint(applicationId, { failingSince: 1_000 })
    await store().endpoints.insert(row)
    await store().road.commit(batch({ lease, turns: [{ kind: 'healthy', endpointId: row.id }] }))
    assert.equal(await store().endpoints.update({ ...row, description: 'new', revision: 2 }), 'done')
    assert.equal((await store().endpoints.find(applicationId, row.id))?.failingSince, null)
  })

  test('a deleted endpoint is gone everywhere, and its uid is free', async () => {
    const applicationId = await newApplication()
    const row = make.endpoint(applicationId, { uid: 'gone' })
    const kept = make.endpoint(applicationId)
    for (const each of [row, kept]) await store().endpoints.insert(each)
    assert.equal(
      await store().endpoints.delete(row.id, make.now(), null, 2),
      'stale',
      'of another revision it is left alone',
    )
    assert.deepEqual(await store().endpoints.find(applicationId, row.id), row)
    assert.equal(await store().endpoints.delete(row.id, make.now(), null, 1), 'done')
    assert.equal(await store().endpoints.find(applicationId, row.id), null)
    assert.equal(await store().endpoints.find(applicationId, 'gone'), null)
    assert.deepEqual(await store().endpoints.list(applicationId, wholeList), [kept])
    assert.deepEqual(await store().endpoints.all(applicationId), [kept])
    assert.equal(await store().endpoints.update({ ...row, revision: 2 }), 'stale')
    assert.equal(await store().endpoints.insert(make.endpoint(applicationId, { uid: 'gone' })), 'done')
  })

  test('what is told of a change is stored with it, and not at all where nothing is changed', async () => {
    const applicationId = await newApplication()
    const listener = make.endpoint(applicationId)
    await store().endpoints.insert(listener)
    const told = () => {
      const message = make.message(applicationId, { eventType: 'endpoint.updated', payload: '{"told":"é"}' })
      const { id: messageId, acceptedAt: dueAt } = message
      return { messages: [message], deliveries: [{ messageId, endpointId: listener.id, dueAt, lease: null }] }
    }
    const stored = async ({ messages: [message] }: ReturnType<typeof told>) =>
      (await store().messages.find(applicationId, message?.id ?? '', true))?.payload
    const [row, twin] = [make.endpoint(applicationId, { uid: 'told' }), make.endpoint(applicationId, { uid: 'told' })]
    const [made, clash, changed, stale, removed, again] = [told(), told(), told(), told(), told(), told()]
    const before = await store().road.backlog(100)
    await store().endpoints.insert(row, made)
    await store().endpoints.insert(twin, clash)
    await store().endpoints.update({ ...row, revision: 2 }, changed)
    await store().endpoints.update({ ...row, revision: 2 }, stale)
    await store().endpoints.delete(row.id, make.now(), removed)
    await store().endpoints.delete(row.id, make.now(), again)
    for (const one of [made, changed, removed]) assert.equal(await stored(one), '{"told":"é"}')
    for (const one of [clash, stale, again]) assert.equal(await stored(one), undefined)
    assert.equal((await store().road.backlog(100)) - before, 3)
  })

  test('any endpoint is one that is there, deleted or not', async () => {
    const applicationId = await newApplication()
    const row = make.endpoint(applicationId)
    await store().endpoints.insert(row)
    assert.deepEqual(await store().endpoints.any(), row)
    await store().endpoints.delete(row.id, make.now())
    assert.equal((await store().endpoints.any())?.sealedSecrets, row.sealedSecrets)
  })

  test('a list goes both ways, page by page, and stays in its application', async () => {
    const applicationId = await newApplication()
    const rows = Array.from({ length: 5 }, () => make.endpoint(applicationId))
    for (const row of rows.toReversed()) await store().endpoints.insert(row)
    await store().endpoints.insert(make.endpoint(await newApplication()))
    await pagesThrough(
      (search) => store().endpoints.list(applicationId, search),
      (row) => row.id,
      rows.map((row) => row.id),
    )
    assert.deepEqual(await store().endpoints.all(applicationId), rows)
  })
}
