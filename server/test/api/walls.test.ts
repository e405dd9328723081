// Who may do what: every operation behind every wall, with real keys. What strangers are told stands in ../isolation/.

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
