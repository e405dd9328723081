// A publish that comes again with its Idempotency-Key: the official client sends one with each POST, and repeats.

import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { ApiException, Svix } from 'svix'
import { asIfKilledNow, openDatabase } from '../support/database.ts'
import { startTestServer, type TestServer, testKey } from '../support/server.ts'

let server: TestServer
before(async () => {
  server = await startTestServer()
})
after(() => server.stop())

// Each test has an application of its own: what it holds is what the test published.
let app = ''
let count = 0
beforeEach(async () => {
  app = `app-${++count}`
  await server.svix.application.create({ name: app, uid: app })
  await server.svix.endpoint.create(app, { url: 'http://127.0.0.1:9/' })
})

const fact = { eventType: 'invoice.paid', payload: { total: 1 } }
const stored = async (of = server) => (await of.svix.message.list(app)).data.map(({ id }) => id)

function publish(key: string, body: unknown = fact, at = server, query = ''): Promise<Response> {
  return at.fetch(`/api/v1/app/${app}/msg${query}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': key },
    body: JSON.stringify(body),
  })
}

async function codeOf(answer: Response): Promise<readonly [number, string]> {
  const { code } = (await answer.json()) as { code: string }
  return [answer.status, code]
}

test('the same key and body are answered with the first message again, status and body, and stored once', async () => {
  const first = await publish('k1')
  assert.deepEqual([first.status, first.headers.get('idempotent-replayed')], [202, null])
  const text = await first.text()
  await server.world.advance(11 * 60 * 60_000)
  const again = await publish('"k1"')
  assert.deepEqual([again.status, again.headers.get('idempotent-replayed')], [202, 'true'])
  assert.equal(await again.text(), text)
  assert.deepEqual(await stored(), [JSON.parse(text).id])
})

test('the official client names a key for each call by itself, and takes one of the caller', async () => {
  const one = await server.svix.message.create(app, fact, { idempotencyKey: 'mine' })
  const same = await server.svix.message.create(app, fact, { idempotencyKey: 'mine' })
  const own = await server.svix.message.create(app, fact)
  assert.equal(same.id, one.id)
  assert.notEqual(own.id, one.id)
  assert.deepEqual((await stored()).toSorted(), [one.id, own.id].toSorted())
})

test('an answer that was lost on its way is given to the official client when it repeats, and the message is stored once', async () => {
  let calls = 0
  const losing: typeof fetch = async (input, init) => {
    const answer = await fetch(input, init)
    calls += 1
    if (calls > 1) return answer
    assert.equal(answer.status, 202)
    await answer.text()
    throw new TypeError('fetch failed')
  }
  const svix = new Svix(testKey, { serverUrl: server.url, retryScheduleInMs: [0, 0], fetch: losing })
  const message = await svix.message.create(app, fact)
  assert.equal(calls, 2)
  assert.deepEqual(await stored(), [message.id])
})

test('the same key with another body or query is refused and stores nothing', async () => {
  const { id } = (await (await publish('k2')).json()) as { id: string }
  const other = { ...fact, payload: { total: 2 } }
  assert.deepEqual(await codeOf(await publish('k2', other)), [422, 'idempotency-key-reused'])
  assert.deepEqual(await codeOf(await publish('k2', fact, server, '?with_content=false')), [
    422,
    'idempotency-key-reused',
  ])
  assert.deepEqual(await stored(), [id])
  await assert.rejects(
    server.svix.message.create(app, other, { idempotencyKey: 'k2' }),
    (error) => error instanceof ApiException && error.code === 422,
  )
})

test('a key belongs to who used it and to the path it was used on', async () => {
  const other = await server.svix.application.create({ name: 'other' })
  const ids = new Set([
    (await server.svix.message.create(app, fact, { idempotencyKey: 'k3' })).id,
    (await server.svix.message.create(other.id, fact, { idempotencyKey: 'k3' })).id,
  ])
  assert.equal(ids.size, 2)
})

test('while the first is still being answered the second is told to wait', async () => {
  const answers = await Promise.all([publish('k4'), publish('k4'), publish('k4')])
  const told = await Promise.all(answers.map(async (answer) => [answer.status, await answer.text()] as const))
  const first = told.find(([status]) => status === 202)
  assert.ok(first)
  for (const [at, [status, text]] of told.entries()) {
    if (status === 202) assert.equal(text, first[1])
    else {
      assert.deepEqual([status, JSON.parse(text).code], [409, 'idempotency-key-running'])
      assert.equal(answers[at]?.headers.get('retry-after'), '1')
    }
  }
  assert.equal((await stored()).length, 1)
})

test('a refused publish keeps no key: mended, it may come again under the same', async () => {
  assert.deepEqual(await codeOf(await publish('k5', { eventType: 'a b', payload: {} })), [422, 'request-invalid'])
  assert.equal((await publish('k5')).status, 202)
  await publish('k6', { ...fact, eventId: 'evt' })
  assert.deepEqual(await codeOf(await publish('k7', { ...fact, eventId: 'evt' })), [409, 'event-id-taken'])
  assert.equal((await publish('k7', { ...fact, eventId: 'evt-2' })).status, 202)
  const again = await publish('k6', { ...fact, eventId: 'evt' })
  assert.deepEqual([again.status, again.headers.get('idempotent-replayed')], [202, 'true'])
})

test('a key that is none is refused before anything is stored', async () => {
  for (const key of ['', '""', 'a b', 'x'.repeat(256)]) {
    assert.deepEqual(await codeOf(await publish(key)), [400, 'idempotency-key-invalid'], key)
  }
  assert.deepEqual(await stored(), [])
})

test('after twelve hours the same key publishes anew', async () => {
  const first = (await (await publish('k8')).json()) as { id: string }
  await server.world.advance(12 * 60 * 60_000)
  const later = await publish('k8')
  assert.equal(later.headers.get('idempotent-replayed'), null)
  const { id } = (await later.json()) as { id: string }
  assert.deepEqual((await stored()).toSorted(), [first.id, id].toSorted())
})

test('the key is on disk with its message: a process that starts on what a killed one left knows it', async (t) => {
  const { id } = (await (await publish('k9')).json()) as { id: string }
  const next = await startTestServer({ databaseUrl: await asIfKilledNow(t, server.databaseUrl), world: server.world })
  t.after(() => next.stop())
  const again = await publish('k9', fact, next)
  assert.equal(again.headers.get('idempotent-replayed'), 'true')
  assert.equal(((await again.json()) as { id: string }).id, id)
  assert.deepEqual(await stored(next), [id])
})

test('the key itself is nowhere on disk', async () => {
  await (await publish('a-key-to-look-for')).text()
  const disk = openDatabase(server.databaseUrl)
  const rows = JSON.stringify(await disk.rows('select * from idempotency_key'))
  await disk.close()
  assert.ok(rows.includes('msg_') && !rows.includes('a-key-to-look-for'))
})

test('a batch is accepted once, message by message, also when the process died before its answer was kept', async (t) => {
  await server.svix.message.create(app, { ...fact, eventId: 'taken' })
  const messages = [fact, { ...fact, eventId: 'taken' }, { ...fact, eventId: 'new' }]
  const send = (at: TestServer) =>
    at.fetch(`/api/v1/app/${app}/msg/batch`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': 'k10' },
      body: JSON.stringify({ messages }),
    })
  const text = await (await send(server)).text()
  assert.deepEqual(
    JSON.parse(text).data.map(({ status }: { status: number }) => status),
    [202, 409, 202],
  )
  const before = await stored()
  const again = await send(server)
  assert.deepEqual([again.headers.get('idempotent-replayed'), await again.text()], ['true', text])

  const databaseUrl = await asIfKilledNow(t, server.databaseUrl)
  const disk = openDatabase(databaseUrl)
  await disk.exec('delete from idempotency_key where status is not null')
  await disk.close()
  const next = await startTestServer({ databaseUrl, world: server.world })
  t.after(() => next.stop())
  assert.equal(await (await send(next)).text(), text)
  assert.deepEqual(await stored(next), before)
})
