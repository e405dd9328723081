// Every other POST that comes again with its Idempotency-Key. What publishing does is in repeated-publish.test.ts.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { ApiException, Svix } from 'svix'
import { asIfKilledNow, openDatabase, placesHolding } from '../support/database.ts'
import { startTestServer, type TestServer, testKey } from '../support/server.ts'

let server: TestServer
before(async () => {
  server = await startTestServer()
})
after(() => server.stop())

const names = async (of = server) => (await of.svix.application.list({ limit: 250 })).data.map(({ name }) => name)
const is = (status: number) => (error: unknown) => error instanceof ApiException && error.code === status

function post(path: string, key: string, body: unknown, at = server): Promise<Response> {
  return at.fetch(`/api/v1${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': key },
    body: JSON.stringify(body),
  })
}

test('an application is created once, and the repeat is answered as the first: status, body and a header that says so', async () => {
  const first = await post('/app', 'k1', { name: 'once' })
  assert.deepEqual([first.status, first.headers.get('idempotent-replayed')], [201, null])
  const text = await first.text()
  await server.svix.application.patch(JSON.parse(text).id, { name: 'once, renamed' })
  const again = await post('/app', '"k1"', { name: 'once' })
  assert.deepEqual([again.status, again.headers.get('idempotent-replayed')], [201, 'true'])
  assert.equal(again.headers.get('content-type'), 'application/json; charset=utf-8')
  assert.equal(await again.text(), text)
  assert.deepEqual(
    (await names()).filter((name) => name.startsWith('once')),
    ['once, renamed'],
  )
})

test('an answer that was lost on its way is given to the official client when it repeats', async () => {
  let calls = 0
  const losing: typeof fetch = async (input, init) => {
    const answer = await fetch(input, init)
    calls += 1
    if (calls > 1) return answer
    await answer.text()
    throw new TypeError('fetch failed')
  }
  const svix = new Svix(testKey, { serverUrl: server.url, retryScheduleInMs: [0, 0], fetch: losing })
  const { id } = await svix.application.create({ name: 'lost', uid: 'lost' })
  assert.equal(calls, 2)
  assert.equal((await server.svix.application.get('lost')).id, id)
})

test('an answer without a body is repeated too: a secret is not rotated twice', async () => {
  await server.svix.application.create({ name: 'r', uid: 'r' })
  await server.svix.endpoint.create('r', { url: 'http://127.0.0.1:9/', uid: 'ep' })
  const rotate = () => post('/app/r/endpoint/ep/secret/rotate', 'k2', {})
  assert.equal((await rotate()).status, 204)
  const { key } = await server.svix.endpoint.getSecret('r', 'ep')
  const again = await rotate()
  assert.deepEqual([again.status, again.headers.get('idempotent-replayed')], [204, 'true'])
  assert.equal(await again.text(), '')
  assert.equal((await server.svix.endpoint.getSecret('r', 'ep')).key, key)
})

test('the same key with another body is refused and changes nothing', async () => {
  await server.svix.application.create({ name: 'first' }, { idempotencyKey: 'k3' })
  await assert.rejects(server.svix.application.create({ name: 'second' }, { idempotencyKey: 'k3' }), is(422))
  assert.equal((await names()).includes('second'), false)
})

test('what was refused is not remembered: mended, it may come again under the same key', async () => {
  assert.equal((await post('/app', 'k4', {})).status, 422)
  assert.equal((await post('/app', 'k4', { name: 'mended' })).status, 201)
  await server.svix.application.create({ name: 'x', uid: 'in-use' })
  assert.equal((await post('/app', 'k5', { name: 'y', uid: 'in-use' })).status, 409)
  await server.svix.application.delete('in-use')
  assert.equal((await post('/app', 'k5', { name: 'y', uid: 'in-use' })).status, 201)
})

test('answers are remembered over a restart, for twelve hours, and then swept from the disk', async (t) => {
  const { id } = await server.svix.application.create({ name: 'kept', uid: 'kept' }, { idempotencyKey: 'k6' })
  const databaseUrl = await asIfKilledNow(t, server.databaseUrl)
  const { world } = await startTestServer({ databaseUrl }).then(async (next) => {
    t.after(() => next.stop())
    await next.world.advance(12 * 60 * 60_000 - 1)
    const again = await post('/app', 'k6', { name: 'kept', uid: 'kept' }, next)
    assert.deepEqual([again.status, again.headers.get('idempotent-replayed')], [201, 'true'])
    assert.equal(((await again.json()) as { id: string }).id, id)
    await next.world.advance(1)
    assert.equal((await post('/app', 'k6', { name: 'kept', uid: 'kept' }, next)).status, 409)
    return next
  })
  const disk = openDatabase(databaseUrl)
  t.after(() => disk.close())
  // The sweep runs each minute; its statements are answered by another thread.
  for (let turns = 0; turns < 50 && (await disk.count('select count(*) from idempotency_key')) > 0; turns++) {
    await world.advance(60_000)
    await fetch(`${server.url}/api/v1/health`)
  }
  assert.equal(await disk.count('select count(*) from idempotency_key'), 0)
})

test('an answer that holds a secret does not lie open on the disk', async () => {
  await server.svix.application.create({ name: 's', uid: 's' })
  const { token } = await server.svix.authentication.appPortalAccess('s', {}, { idempotencyKey: 'k7' })
  const same = await server.svix.authentication.appPortalAccess('s', {}, { idempotencyKey: 'k7' })
  assert.equal(same.token, token)
  assert.deepEqual(await placesHolding(server.databaseUrl, token), [])
})
