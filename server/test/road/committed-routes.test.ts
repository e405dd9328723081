import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Endpoint } from '../../src/domain/endpoint.ts'
import { openSecrets, sealHeaders, sealSecrets } from '../../src/domain/endpoint-seal.ts'
import type { Store } from '../../src/ports/store.ts'
import { masterKeyOn, openElsewhere } from '../support/database.ts'
import { type Scene, scene } from './scene.ts'

// A second opener of the database plays another node. The clock stands still: nobody asks what others have changed, and
// what a publish goes by is what its commit finds.

interface Beside {
  readonly other: Store
  readonly endpoint: Endpoint
  /** Makes one more endpoint like it, at another address. */
  add(url: string): Promise<unknown>
}

async function beside(t: TestContext, made: Scene): Promise<Beside> {
  const { databaseUrl } = made.server
  const { store: other, close } = await openElsewhere(databaseUrl)
  t.after(close)
  const endpoint = await other.endpoints.any()
  assert.ok(endpoint)
  const masterKey = masterKeyOn(databaseUrl)
  const id = `ep_${'0'.repeat(27)}` as const
  const nonce = new Uint8Array(12)
  const sealed = {
    sealedSecrets: sealSecrets(masterKey, id, openSecrets(masterKey, endpoint), nonce),
    sealedHeaders: sealHeaders(masterKey, id, {}, nonce),
  }
  return { other, endpoint, add: (url) => other.endpoints.insert({ ...endpoint, id, url, ...sealed }) }
}

test('an endpoint that another node made is matched by the very next publish', async (t) => {
  const made = await scene(t)
  await made.publish()
  await made.arrived(1)
  const { add } = await beside(t, made)
  const second = await made.startReceiver()
  await add(`${second.url}/new`)
  await made.publish()
  await Promise.all([made.arrived(2), made.arrived(1, second)])
  await made.recorded(3)
  await made.quiet()
  const metrics = await (await made.server.fetch('/metrics')).text()
  assert.match(metrics, /^posthorn_hot_deliveries 0$/m, 'the places of the first plan are free again')
})

test('an endpoint that another node deleted, or disabled, gets nothing of the very next publish', async (t) => {
  const made = await scene(t)
  await made.publish()
  await made.arrived(1)
  const { other, endpoint, add } = await beside(t, made)
  const kept = await made.startReceiver()
  await add(`${kept.url}/kept`)
  await other.endpoints.update({ ...endpoint, disabledBecause: 'owner', revision: endpoint.revision + 1 })
  await made.publish()
  await made.arrived(1, kept)
  await other.endpoints.delete(endpoint.id, made.server.world.now())
  await made.publish()
  await made.arrived(2, kept)
  await made.quiet()
  assert.equal(made.receiver.received.length, 1)
})

test('many publishes at once are all matched against what was committed before they came, each stored once', async (t) => {
  const made = await scene(t)
  await made.publish()
  await made.arrived(1)
  const { add } = await beside(t, made)
  const second = await made.startReceiver()
  await add(`${second.url}/new`)
  await Promise.all(Array.from({ length: 50 }, () => made.publish()))
  await Promise.all([made.arrived(51), made.arrived(50, second)])
  assert.equal(await made.disk.count('select count(*) from message'), 51)
})

test('a batch is matched as one, against what is committed', async (t) => {
  const made = await scene(t)
  await made.publish()
  await made.arrived(1)
  const { add } = await beside(t, made)
  const second = await made.startReceiver()
  await add(`${second.url}/new`)
  const answer = await made.server.fetch('/api/v1/app/shop/msg/batch', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ messages: [1, 2, 3].map((n) => ({ eventType: 'a', payload: { n } })) }),
  })
  assert.ok(answer.ok, await answer.text())
  await Promise.all([made.arrived(4), made.arrived(3, second)])
})

test('an application that another node deleted takes nothing more: 404, not a message nobody finds', async (t) => {
  const made = await scene(t)
  await made.publish()
  const { other, endpoint } = await beside(t, made)
  await other.applications.delete(endpoint.applicationId, made.server.world.now())
  const answer = await made.server.fetch('/api/v1/app/shop/msg', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"eventType":"a","payload":{}}',
  })
  assert.equal(answer.status, 404)
  assert.equal(await made.disk.count('select count(*) from message'), 1)
})

test('what another node declared a moment ago is known to whoever demands it of a message', async (t) => {
  const made = await scene(t)
  const settings = await made.server.fetch('/api/v1/environment/settings', {
    method: 'PATCH',
    headers: { 'content-type': 'application/json' },
    body: '{"strictEventTypes":true}',
  })
  assert.equal(settings.status, 200, await settings.text())
  await assert.rejects(made.publish(), /event-type-unknown/)
  const { other } = await beside(t, made)
  const [environment] = await other.environments.list()
  assert.ok(environment)
  const at = { createdAt: 0, updatedAt: 0, revision: 1, environmentId: environment.id, name: 'invoice.paid' }
  const said = {
    description: '',
    archived: false,
    deprecated: false,
    groupName: null,
    featureFlags: null,
    schemas: null,
  }
  await other.eventTypes.insert({ ...at, ...said })
  // Another application brings the environment anew into memory, before anything was refused.
  await made.server.svix.application.create({ name: 'Other', uid: 'other' })
  await made.publishTo('other')
  await made.publish()
  await other.eventTypes.update({ ...at, ...said, archived: true, revision: 2 })
  await assert.rejects(made.publish(), /event-type-unknown/)
})
