import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ApplicationId } from '../../domain/ids.ts'
import type { Store } from '../../ports/store.ts'
import { type OpenStore, openedEach } from './opened.ts'
import { batch, samples } from './samples.ts'

export function routesConformance(open: OpenStore): void {
  const store = openedEach(open)
  const make = samples()
  const lease = make.id('lease')

  const prepared = async () => {
    const environment = await store().environments.ensure(make.environment('default'))
    const application = make.application(environment.id)
    const endpoint = make.endpoint(application.id)
    await store().applications.insert(application)
    await store().endpoints.insert(endpoint)
    return { environment, application, endpoint }
  }
  const versionOf = async (id: ApplicationId): Promise<number> => {
    const counts = await store().applications.routes(id)
    assert.ok(counts)
    return counts.application + counts.environment
  }
  /** Which applications of a message, matched against these, are stale; what was stored is looked at, too. */
  const committed = async (id: ApplicationId, version: number): Promise<readonly ApplicationId[]> => {
    const message = make.message(id, { eventId: make.id('key') })
    const deliveries = [{ messageId: message.id, endpointId: make.id('endpoint'), dueAt: 1, lease: null }]
    const before = await store().road.backlog(100)
    const { stale } = await store().road.commit(
      batch({ lease, messages: [message], deliveries, routes: new Map([[id, version]]) }),
    )
    const kept = (await store().messages.find(id, message.id, false)) !== null
    assert.equal(kept, stale.size === 0)
    assert.equal((await store().road.backlog(100)) - before, kept ? 1 : 0)
    return [...stale]
  }

  test('a message is stored while it was matched against what is committed, and not after any change of that', async () => {
    const { environment, application, endpoint } = await prepared()
    const other = await store.another()
    const changes: readonly ((by: Store) => Promise<unknown>)[] = [
      (by) => by.endpoints.insert(make.endpoint(application.id)),
      (by) => by.endpoints.update({ ...endpoint, revision: 2 }),
      (by) => by.endpoints.delete(endpoint.id, make.now()),
      (by) => by.applications.update({ ...application, revision: 2 }),
      (by) => by.environments.update({ ...environment, revision: 2 }),
      (by) => by.eventTypes.insert(make.eventType(environment.id, 'invoice.paid')),
    ]
    for (const change of changes) {
      const version = await versionOf(application.id)
      assert.deepEqual(await committed(application.id, version), [])
      await change(other)
      assert.deepEqual(await committed(application.id, version), [application.id])
      assert.deepEqual(await committed(application.id, await versionOf(application.id)), [])
    }
    const version = await versionOf(application.id)
    await other.applications.delete(application.id, make.now())
    assert.equal(await store().applications.routes(application.id), null)
    assert.deepEqual(await committed(application.id, version), [application.id], 'nobody takes it any more')
  })

  test('an endpoint that the road disables makes what was matched before stale', async () => {
    const { application, endpoint } = await prepared()
    const version = await versionOf(application.id)
    await store().road.commit(batch({ lease, turns: [{ kind: 'healthy', endpointId: endpoint.id }] }))
    assert.equal(await versionOf(application.id), version, 'health is nothing that messages are matched against')
    const turns = [{ kind: 'disable', endpointId: endpoint.id, because: 'gone', at: 1 } as const]
    await store().road.commit(batch({ lease, turns }))
    assert.deepEqual(await committed(application.id, version), [application.id])
  })

  test('of a commit with something stale nothing is stored: no outcome, no key, no message of another application', async () => {
    const { environment, application } = await prepared()
    const other = make.application(environment.id)
    await store().applications.insert(other)
    const attempt = make.attempt({ messageId: make.id('message'), endpointId: make.id('endpoint') })
    const messages = [make.message(application.id), make.message(other.id)]
    const [first] = messages
    assert.ok(first)
    const key = { id: 'key', fingerprint: 'same', messageId: first.id, acceptedAt: 1, until: make.now() + 1_000 }
    const version = await versionOf(application.id)
    const ofOther = await versionOf(other.id)
    const asMatched = (own: number) => {
      const routes = new Map([[application.id, own]]).set(other.id, ofOther)
      return batch({ lease, messages, attempts: [attempt], publishKeys: [key], routes })
    }
    assert.deepEqual([...(await store().road.commit(asMatched(version - 1))).stale], [application.id])
    assert.equal(await store().attempts.find(attempt.messageId, attempt.id), null)
    assert.equal(await store().messages.find(other.id, messages[1]?.id ?? '', false), null)
    const again = await store().road.commit(asMatched(version))
    assert.deepEqual([again.stale.size, again.repeated.size], [0, 0])
    assert.deepEqual(await store().attempts.find(attempt.messageId, attempt.id), attempt)
  })
}
