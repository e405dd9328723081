// Who may do what: every operation behind every wall, with real keys.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Operation, operations } from '@posthorn/contract'
import { makeIds } from '../../src/domain/ids.ts'
import { allows, type Scope, scopes } from '../../src/domain/key.ts'
import { createKey, revokeKey } from '../../src/manage/keys.ts'
import { placesHolding } from '../support/database.ts'
import { startTestServer, type TestServer } from '../support/server.ts'
import { eventually, receiver } from './receiver.ts'

let server: TestServer
before(async () => {
  server = await startTestServer()
})
after(() => server.stop())

const makeKey = async (environment: string, held: readonly Scope[]) => {
  const { store, world } = server
  const newId = makeIds(world.now, world.randomBytes)
  return createKey({ store, world, newId }, { environment, name: 'test', scopes: held })
}

const signed = { type: 'svix', config: { secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw' } } as const

const all: readonly Operation[] = Object.values(operations)

/** Calls an operation with the example of its body, its path filled in. */
async function call(key: string, operation: Operation, names: Readonly<Record<string, string>>): Promise<Response> {
  const path = operation.path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(names[name] ?? 'nowhere'),
  )
  const examples: readonly unknown[] =
    operation.body && 'examples' in operation.body ? [operation.body.examples].flat() : []
  const answer = await fetch(`${server.url}${path}`, {
    method: operation.method,
    headers: { authorization: `Bearer ${key}`, ...(operation.body ? { 'content-type': 'application/json' } : {}) },
    ...(operation.body ? { body: JSON.stringify(examples[0]) } : {}),
  })
  return new Response(answer.status === 204 ? null : await answer.text(), answer)
}

test("no operation of one environment sees or touches what another's holds, by id or by name", async (t) => {
  const { svix } = server
  const { text: stranger } = await makeKey('elsewhere', ['admin'])
  const { url } = await receiver(t)
  const app = await svix.application.create({ name: 'Mine', uid: 'mine' })
  const endpoint = await svix.endpoint.create('mine', { url, uid: 'ep' })
  const message = await svix.message.create('mine', { eventType: 'a', payload: {}, eventId: 'evt' })
  await svix.eventType.create({ name: 'mine.a', description: 'Mine' })
  const source = await svix.ingest.source.create({ name: 'Mine', uid: 'mine-source', ...signed })
  const sourceEndpoint = await svix.ingest.endpoint.create('mine-source', { url, uid: 'ep' })
  const { data: attempts } = await eventually(
    () => svix.messageAttempt.listByMsg('mine', 'evt'),
    ({ data }) => data.length === 1,
  )
  const attempt_id = attempts[0]?.id ?? ''
  const shared = { attempt_id, event_type_name: 'mine.a' }
  const ids = { app_id: app.id, source_id: source.id, endpoint_id: endpoint.id, msg_id: message.id }
  const byId = { ...ids, ...shared }
  const asApplication = { ...byId, app_id: source.id, endpoint_id: sourceEndpoint.id }
  const byName = { app_id: 'mine', source_id: 'mine-source', endpoint_id: 'ep', msg_id: 'evt', ...shared }

  // PUT of a name that is free in the caller's own environment creates there; that it did not reach over is seen below.
  const creates = new Set([
    ...['v1.application.update', 'v1.event-type.update', 'v1.operational-webhook.endpoint.update'],
    'v1.ingest.source.update',
  ])
  let tried = 0
  for (const operation of all) {
    if (!operation.path.includes('{')) continue
    for (const names of [byId, asApplication, byName]) {
      if (creates.has(operation.operationId) && (names === byName || operation.tag === 'Event Type')) continue
      const { status } = await call(stranger, operation, names)
      assert.equal(status, 404, `${operation.operationId} ${names.app_id}`)
      tried++
    }
  }
  assert.ok(tried > 40)

  const put = await call(stranger, operations['v1.event-type.update'], byName)
  assert.equal(put.status, 201)
  assert.equal((await call(stranger, operations['v1.application.update'], { app_id: 'mine-too' })).status, 422)
  for (const operation of [operations['v1.application.list'], operations['v1.event-type.list']]) {
    const { data } = JSON.parse(await (await call(stranger, operation, {})).text())
    assert.deepEqual(
      data.map(({ name }: { name: string }) => name),
      operation.tag === 'Event Type' ? ['mine.a'] : [],
    )
  }
  assert.deepEqual(JSON.parse(await (await call(stranger, operations['v1.ingest.source.list'], {})).text()).data, [])
  assert.deepEqual(await svix.ingest.source.get('mine-source'), source)
  assert.deepEqual(await svix.ingest.endpoint.get('mine-source', 'ep'), sourceEndpoint)
  assert.deepEqual(await svix.application.get('mine'), app)
  assert.deepEqual(await svix.endpoint.get('mine', 'ep'), endpoint)
  assert.equal((await svix.eventType.get('mine.a')).description, 'Mine')
  assert.equal((await svix.message.list('mine')).data.length, 1)
})

test("no operation reaches an endpoint, a message or an attempt through another application's name", async (t) => {
  const { svix } = server
  const { url } = await receiver(t)
  await svix.application.create({ name: 'One', uid: 'one' })
  await svix.application.create({ name: 'Two', uid: 'two' })
  const endpoint = await svix.endpoint.create('one', { url })
  const message = await svix.message.create('one', { eventType: 'a', payload: {} })
  const { data } = await eventually(
    () => svix.messageAttempt.listByMsg('one', message.id),
    (page) => page.data.length === 1,
  )
  const names = { app_id: 'two', endpoint_id: endpoint.id, msg_id: message.id, attempt_id: data[0]?.id ?? '' }
  for (const operation of all) {
    if (!/\{(endpoint|msg)_id\}/.test(operation.path)) continue
    assert.equal((await call(server.key, operation, names)).status, 404, operation.operationId)
  }
  const other = await svix.message.create('one', { eventType: 'a', payload: {} })
  const crossed = { ...names, app_id: 'one', msg_id: other.id }
  assert.equal((await call(server.key, operations['v1.message-attempt.get'], crossed)).status, 404)
})

test('every operation asks for its scope: a key without it gets 403 and the name of the scope, with it not', async () => {
  for (const held of scopes) {
    const { text } = await makeKey('scoped', [held])
    for (const operation of all) {
      const answer = await call(text, operation, {})
      const may = operation.scope === null || allows([held], operation.scope)
      assert.equal(answer.status === 403, !may, `${operation.operationId} with ${held}: ${answer.status}`)
      if (!may) assert.match(await answer.text(), new RegExp(`scope-missing.*'${operation.scope}'`))
    }
  }
})

test('a message brings its application only with a key that may manage', async () => {
  const body = JSON.stringify({ eventType: 'a', payload: {}, application: { name: 'New' } })
  const publish = async (held: readonly Scope[]) => {
    const { text } = await makeKey('bringing', held)
    const headers = { authorization: `Bearer ${text}`, 'content-type': 'application/json' }
    const answer = await fetch(`${server.url}/api/v1/app/new/msg`, { method: 'POST', headers, body })
    await answer.text()
    return answer.status
  }
  assert.equal(await publish(['publish']), 403)
  assert.equal(await publish(['publish', 'manage']), 202)
  assert.equal(await publish(['publish']), 202)
})

test('a revoked key stops within a second, however busy it is', async () => {
  const { store, world } = server
  const { key, text } = await makeKey('revoking', ['admin'])
  const status = async () => (await call(text, operations['v1.application.list'], {})).status
  assert.equal(await status(), 200)
  await revokeKey({ store, world, newId: makeIds(world.now, world.randomBytes) }, key.id)
  const statuses = []
  for (let ms = 0; ms < 1000; ms += 100) {
    statuses.push(await status())
    await world.advance(100)
  }
  assert.equal(await status(), 401, `before: ${statuses}`)
})

test('neither keys nor secrets nor headers can be read from the database', async () => {
  const { svix } = server
  const { id: app } = await svix.application.create({ name: 'Sealed marker-name' })
  const secret = `whsec_${Buffer.from('marker-secret-marker-secret-0000').toString('base64')}`
  const { id } = await svix.endpoint.create(app, {
    url: 'http://127.0.0.1:9/',
    secret,
    headers: { 'x-marker': 'marker-header', authorization: 'marker-authorization' },
  })
  await svix.endpoint.rotateSecret(app, id)
  const { key: rotated } = await svix.endpoint.getSecret(app, id)
  const places = (text: string) => placesHolding(server.databaseUrl, text)
  assert.notDeepEqual(await places('marker-name'), [], 'what is not secret is found, so the right place was searched')
  for (const text of [
    secret,
    secret.slice(6),
    rotated.slice(6),
    'marker-secret',
    'marker-header',
    'marker-authorization',
    server.key,
  ]) {
    assert.deepEqual(await places(text), [], text)
  }
})
