import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changedOf, eventTypesOf, recallOf } from '../../domain/change.ts'
import { usualSettings } from '../../domain/environment.ts'
import type { Store } from '../../ports/store.ts'
import { type OpenStore, openedEach } from './opened.ts'
import { batch, samples } from './samples.ts'

export function changesConformance(open: OpenStore): void {
  const store = openedEach(open)
  const make = samples()

  /** What the other store hears of when this one does something. */
  const heard = async (work: (own: Store) => Promise<unknown>): Promise<readonly string[] | null> => {
    const other = await store.another()
    const { number } = await other.changes.since(null)
    await work(store())
    const { scopes } = await other.changes.since(number)
    assert.deepEqual((await store().changes.since(number)).scopes, [], 'who did it knows')
    return scopes && [...scopes].sort()
  }

  const prepared = async () => {
    const environment = await store().environments.ensure(make.environment('default'))
    const application = make.application(environment.id)
    const endpoint = make.endpoint(application.id)
    await store().applications.insert(application)
    await store().endpoints.insert(endpoint)
    return { environment, application, endpoint }
  }

  test('where nothing was changed nothing is heard, and whoever begins reads everything anew', async () => {
    const { number } = await store().changes.since(null)
    assert.deepEqual(await store().changes.since(number), { number, scopes: [] })
    assert.deepEqual(await store().changes.since(null), { number, scopes: null })
  })

  test('an endpoint that is made, changed or deleted is heard of by its application', async () => {
    const { application, endpoint } = await prepared()
    const another = make.endpoint(application.id)
    assert.deepEqual(await heard((own) => own.endpoints.insert(another)), [application.id])
    const changed = { ...endpoint, url: 'https://other.example/', revision: 2 }
    assert.deepEqual(await heard((own) => own.endpoints.update(changed)), [application.id])
    assert.deepEqual(await heard((own) => own.endpoints.delete(another.id, make.now())), [application.id])
  })

  test('what others are asked to let go of is heard as it was asked, however many messages it names', async () => {
    const { application } = await prepared()
    for (const kind of ['cancel', 'expunge'] as const) {
      const messageIds = Array.from({ length: 100 }, () => make.id('message'))
      const ask = { kind, applicationId: application.id, messageIds }
      assert.deepEqual(changedOf(await heard((own) => own.changes.note(recallOf(ask)))), [ask])
    }
  })

  test('what was refused is heard of by nobody', async () => {
    const { endpoint, application } = await prepared()
    assert.deepEqual(await heard((own) => own.endpoints.update(endpoint)), [], 'its revision is not the next one')
    assert.deepEqual(await heard((own) => own.endpoints.delete(make.id('endpoint'), 1)), [])
    assert.deepEqual(await heard((own) => own.applications.update(application)), [])
  })

  test('applications, sources, environments and event types are heard of when they change', async () => {
    const { environment, application } = await prepared()
    assert.deepEqual(await heard((own) => own.applications.update({ ...application, revision: 2 })), [application.id])
    assert.deepEqual(await heard((own) => own.applications.delete(application.id, make.now())), [application.id])
    const operational = make.application(environment.id)
    assert.deepEqual(await heard((own) => own.applications.ensureOperational(operational)), [operational.id])
    assert.deepEqual(await heard((own) => own.applications.ensureOperational(make.application(environment.id))), [])

    const source = make.source(environment.id)
    const next = { ...source, revision: 2 }
    assert.deepEqual(await heard((own) => own.sources.insert(source, 'hash')), [source.id])
    assert.deepEqual(await heard((own) => own.sources.update(next)), [source.id])
    const rotated = { ...source, revision: 3 }
    assert.deepEqual(await heard((own) => own.sources.rotateToken(rotated, 'other hash', 1)), [source.id])
    assert.deepEqual(await heard((own) => own.sources.delete(source.id, make.now())), [source.id])

    const settings = { ...usualSettings, strictEventTypes: true }
    assert.deepEqual(await heard((own) => own.environments.update({ ...environment, settings, revision: 2 })), [
      environment.id,
    ])
    const type = make.eventType(environment.id, 'invoice.paid')
    const ofTypes = [eventTypesOf(environment.id)]
    assert.deepEqual(await heard((own) => own.eventTypes.insert(type)), ofTypes)
    assert.deepEqual(await heard((own) => own.eventTypes.insert(type)), [], 'it is there already')
    assert.deepEqual(await heard((own) => own.eventTypes.update({ ...type, archived: true, revision: 2 })), ofTypes)
    assert.deepEqual(await heard((own) => own.eventTypes.expunge(environment.id, type.name)), ofTypes)
    const several = ['a', 'b'].map((name) => make.eventType(environment.id, name))
    assert.deepEqual(await heard((own) => own.eventTypes.writeAll(several, null)), ofTypes)
    assert.deepEqual(await heard((own) => own.eventTypes.writeAll(several, null)), [], 'stale, and so undone')
    const again = { ...environment, revision: 3 }
    assert.deepEqual(
      await heard((own) => own.eventTypes.writeAll([make.eventType(environment.id, 'c')], again)),
      [environment.id],
      'what is heard of all of it covers its event types',
    )
  })

  test('endpoints that the road disables are heard of, each application once', async () => {
    const { environment, application, endpoint } = await prepared()
    const second = make.endpoint(application.id)
    const other = make.application(environment.id)
    const third = make.endpoint(other.id)
    await store().endpoints.insert(second)
    await store().applications.insert(other)
    await store().endpoints.insert(third)
    const turns = [endpoint, second, third].map(({ id }) => ({
      ...({ kind: 'disable', endpointId: id, because: 'gone', at: 1 } as const),
    }))
    const lease = make.id('lease')
    assert.deepEqual(await heard((own) => own.road.commit(batch({ lease, turns }))), [application.id, other.id].sort())
    const healthy = [{ kind: 'healthy', endpointId: endpoint.id } as const]
    assert.deepEqual(await heard((own) => own.road.commit(batch({ lease, turns: healthy }))), [])
  })

  test('who asks for what has been swept reads everything anew', async () => {
    const { endpoint, application } = await prepared()
    const other = await store.another()
    const { number } = await other.changes.since(null)
    await store().endpoints.update({ ...endpoint, revision: 2 })
    const between = await other.changes.since(number)
    assert.equal(await store().changes.sweep(3_600_000), 0)
    assert.ok((await store().changes.sweep(-1)) > 0)
    assert.equal((await other.changes.since(number)).scopes, null)
    assert.deepEqual((await other.changes.since(between.number)).scopes, [], 'this one had seen it')
    await store().endpoints.update({ ...endpoint, revision: 3 })
    assert.equal((await other.changes.since(number)).scopes, null, 'some of what it has not seen is gone')
    assert.deepEqual((await other.changes.since(between.number)).scopes, [application.id])
  })

  test('a count that has gone back, as after a restore, is a reason to read everything anew', async () => {
    const { number } = await store().changes.since(null)
    assert.deepEqual(await store().changes.since(number + 5), { number, scopes: null })
  })

  test('changes made at once through two stores are all heard of, in the order of their numbers', async () => {
    const { environment } = await prepared()
    const other = await store.another()
    const third = await store.another()
    const { number } = await third.changes.since(null)
    const applications = Array.from({ length: 20 }, () => make.application(environment.id))
    for (const application of applications) await store().applications.insert(application)
    await Promise.all(applications.map(({ id }, n) => (n % 2 ? other : store()).endpoints.insert(make.endpoint(id))))
    const { scopes, number: latest } = await third.changes.since(number)
    assert.deepEqual([...(scopes ?? [])].sort(), applications.map(({ id }) => id).sort())
    assert.equal(latest, number + applications.length)
  })
}
