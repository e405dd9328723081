import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Ordering, Svix } from 'svix'
import { makeIds } from '../../src/domain/ids.ts'
import { createKey } from '../../src/manage/keys.ts'
import { startTestServer, type TestServer } from '../support/server.ts'
import { refused } from './refused.ts'

let server: TestServer
before(async () => {
  server = await startTestServer()
})
after(() => server.stop())

let environments = 0
/** The client with a key of an environment of its own. */
async function client(): Promise<Svix> {
  const { store, world } = server
  const newId = makeIds(world.now, world.randomBytes)
  const environment = `ops ${++environments}`
  const { text } = await createKey({ store, world, newId }, { environment, name: 'test', scopes: ['admin'] })
  return new Svix(text, { serverUrl: server.url, retryScheduleInMs: [] })
}

const url = 'http://127.0.0.1:9/ops'

test('an operational endpoint is created as described, with what was left out at its default', async () => {
  const { endpoint } = (await client()).operationalWebhook
  const eventTypes = ['endpoint.disabled', 'message.attempt.exhausted']
  const full = await endpoint.create({
    ...{ url, uid: 'on-call', description: 'On call', disabled: true, eventTypes, throttleRate: 7 },
    metadata: { team: 'sre' },
  })
  assert.match(full.id, /^ep_[0-9A-Za-z]{27}$/)
  assert.deepEqual(
    { ...full, id: '' },
    {
      ...{ id: '', url, uid: 'on-call', description: 'On call', disabled: true, eventTypes, throttleRate: 7 },
      ...{ metadata: { team: 'sre' }, createdAt: new Date(server.world.now()) },
      updatedAt: new Date(server.world.now()),
    },
  )
  assert.deepEqual(await endpoint.get('on-call'), full)
  const bare = await endpoint.create({ url })
  assert.deepEqual(
    [bare.uid, bare.description, bare.disabled, bare.eventTypes, bare.throttleRate, bare.metadata],
    [null, '', false, null, null, {}],
  )
  assert.deepEqual(
    (await endpoint.list()).data.map(({ id }) => id),
    [full.id, bare.id],
  )
  const page = await endpoint.list({ limit: 1, order: Ordering.Descending })
  assert.deepEqual([page.data[0]?.id, page.done], [bare.id, false])
  assert.equal((await endpoint.list({ order: Ordering.Descending, iterator: page.iterator })).data[0]?.id, full.id)
})

test('where nobody has asked for operational webhooks the list is empty, and nothing is found', async () => {
  const { endpoint } = (await client()).operationalWebhook
  assert.deepEqual(await endpoint.list(), { data: [], iterator: null, prevIterator: null, done: true })
  assert.equal((await refused(endpoint.get('nobody'))).body.code, 'not-found')
  assert.equal((await refused(endpoint.upsert('ep_00000000000000000000000000a', { url }))).body.code, 'not-found')
})

test('a replacement creates what is not there, changes what is, and keeps secret and headers', async () => {
  const { endpoint } = (await client()).operationalWebhook
  const made = await endpoint.upsert('by-name', { url, description: 'First' })
  assert.equal(made.uid, 'by-name')
  await endpoint.setHeaders('by-name', { headers: { 'x-team': 'sre', authorization: 'Bearer x' } })
  const { key } = await endpoint.getSecret('by-name')
  const changed = await endpoint.upsert(made.id, { url: `${url}/2`, eventTypes: ['endpoint.created'] })
  assert.deepEqual(
    [changed.id, changed.uid, changed.url, changed.description, changed.eventTypes],
    [made.id, 'by-name', `${url}/2`, '', ['endpoint.created']],
  )
  assert.equal((await endpoint.getSecret(made.id)).key, key)
  assert.deepEqual(await endpoint.getHeaders(made.id), { headers: { 'x-team': 'sre' }, sensitive: ['authorization'] })
})

test('a secret is rotated to a given or a new one', async () => {
  const { endpoint } = (await client()).operationalWebhook
  const secret = `whsec_${Buffer.alloc(32, 1).toString('base64')}`
  const { id } = await endpoint.create({ url, secret, headers: { 'x-first': '1' } })
  assert.equal((await endpoint.getSecret(id)).key, secret)
  assert.deepEqual((await endpoint.getHeaders(id)).headers, { 'x-first': '1' })
  const next = `whsec_${Buffer.alloc(32, 2).toString('base64')}`
  await endpoint.rotateSecret(id, { key: next, gracePeriodSeconds: 0 })
  assert.equal((await endpoint.getSecret(id)).key, next)
  await endpoint.rotateSecret(id)
  assert.notEqual((await endpoint.getSecret(id)).key, next)
})

test('a deleted one is gone', async () => {
  const { endpoint } = (await client()).operationalWebhook
  const { id } = await endpoint.create({ url, uid: 'gone' })
  await endpoint.delete('gone')
  assert.equal((await refused(endpoint.get(id))).code, 404)
  assert.deepEqual((await endpoint.list()).data, [])
  assert.notEqual((await endpoint.create({ url, uid: 'gone' })).id, id)
})

test('an event type that is never told of is refused, and the refusal names those that are', async () => {
  const { endpoint } = (await client()).operationalWebhook
  for (const call of [
    () => endpoint.create({ url, eventTypes: ['endpoint.created', 'invoice.paid'] }),
    () => endpoint.upsert('x', { url, eventTypes: ['endpoint.created', 'invoice.paid'] }),
  ]) {
    const { code, body } = await refused(call())
    assert.deepEqual([code, body.code], [422, 'request-invalid'])
    assert.deepEqual(
      body.errors?.map(({ pointer }) => pointer),
      ['/eventTypes/1'],
    )
    assert.match(body.detail ?? '', /endpoint\.disabled/)
  }
  assert.equal((await refused(endpoint.create({ url: 'http://10.0.0.7/' }))).body.code, 'endpoint-url-private')
})

test("the application behind them is no customer's: not listed, not found, and nothing of it is reached through one", async () => {
  const { store } = server
  const svix = await client()
  const { id } = await svix.operationalWebhook.endpoint.create({ url, uid: 'mine' })
  await svix.application.create({ name: 'Shop', uid: 'shop' })
  assert.deepEqual(
    (await svix.application.list()).data.map(({ uid }) => uid),
    ['shop'],
  )
  const [environment] = (await store.environments.list()).filter(({ name }) => name === `ops ${environments}`)
  const own = await store.applications.operational(environment?.id ?? assert.fail())
  const app = own?.id ?? assert.fail()
  const calls = [
    () => svix.application.get(app),
    () => svix.application.delete(app),
    () => svix.application.patch(app, { name: 'Taken over' }),
    () => svix.endpoint.list(app),
    () => svix.endpoint.get(app, id),
    () => svix.endpoint.getSecret(app, id),
    () => svix.endpoint.delete('shop', id),
    () => svix.message.list(app),
    () => svix.message.create(app, { eventType: 'a', payload: {} }),
    () => svix.messageAttempt.listByEndpoint(app, id),
  ]
  for (const call of calls) assert.equal((await refused(call())).code, 404)
  assert.equal((await svix.operationalWebhook.endpoint.get('mine')).id, id)
})

test('the walls between environments hold for operational endpoints too', async () => {
  const [here, there] = [await client(), await client()]
  const { id } = await here.operationalWebhook.endpoint.create({ url, uid: 'same' })
  for (const name of [id, 'same']) {
    assert.equal((await refused(there.operationalWebhook.endpoint.get(name))).code, 404)
  }
  assert.notEqual((await there.operationalWebhook.endpoint.create({ url, uid: 'same' })).id, id)
})

test('the older names of renamed fields are understood and shown', async () => {
  const answer = await server.fetch('/api/v1/operational-webhook/endpoint', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ url, filterTypes: ['endpoint.created'], rateLimit: 3 }),
  })
  assert.equal(answer.status, 201)
  const { eventTypes, filterTypes, throttleRate, rateLimit } = (await answer.json()) as Record<string, unknown>
  assert.deepEqual(
    [eventTypes, filterTypes, throttleRate, rateLimit],
    [['endpoint.created'], ['endpoint.created'], 3, 3],
  )
})
