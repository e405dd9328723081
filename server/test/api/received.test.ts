// Looking at what sources have received and refused, over HTTP.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { type EnvironmentId, makeIds, type SourceId } from '../../src/domain/ids.ts'
import type { ReceivedRequest } from '../../src/domain/inbound.ts'
import type { Scope } from '../../src/domain/key.ts'
import { payloadOf } from '../../src/domain/payload-text.ts'
import { createKey } from '../../src/manage/keys.ts'
import type { NewMessage } from '../../src/ports/store.ts'
import { batch, samples } from '../../src/stores/conformance/samples.ts'
import { startTestServer, type TestServer } from '../support/server.ts'

const make = samples()
let server: TestServer
let environmentId: EnvironmentId
before(async () => {
  server = await startTestServer()
  const [environment] = await server.store.environments.list()
  assert.ok(environment)
  environmentId = environment.id
})
after(() => server.stop())

async function newSource(): Promise<SourceId> {
  const row = make.source(environmentId)
  await server.store.sources.insert(row, row.id)
  return row.id
}

const headers = ['Host', 'a', 'X-Twice', '1', 'Stripe-Signature', 't=1,v1=ab', 'x-twice', '2', 'X-Gitlab-Token', 'hush']
const came = (changes: Partial<ReceivedRequest> = {}): ReceivedRequest => ({
  ...{
    method: 'POST',
    target: '/in/t/x?a=%2F',
    headers,
    peer: '10.0.0.1',
    client: '192.0.2.7',
    receivedAt: make.now(),
  },
  verification: { kind: 'verified', scheme: 'v1', secret: 'ssec_1' },
  ...changes,
})

async function receive(sourceId: SourceId, body: Uint8Array | string, changes: Partial<NewMessage> = {}) {
  const request = came(changes.request ?? {})
  const contentType = request.headers[request.headers.indexOf('content-type') + 1] ?? null
  const kept = payloadOf(Buffer.from(body))
  const row = make.message(sourceId, { ...kept, eventType: 'a.b', contentType, ...changes, request })
  await server.store.road.commit(batch({ lease: 'lease_1', messages: [row] }))
  return row.id
}

async function get(path: string, key = server.key) {
  const answer = await server.fetch(path, { headers: { authorization: `Bearer ${key}` } })
  const text = await answer.text()
  return { status: answer.status, text, body: JSON.parse(text) }
}

test('a received request is shown as it came: headers in order with repeats, and the body byte for byte', async () => {
  const sourceId = await newSource()
  const id = await receive(sourceId, '{"n":12345678901234567890, "n":1.0}\n')
  const { body, text } = await get(`/ingest/api/v1/source/${sourceId}/message/${id}`)
  assert.deepEqual(body.headers.flat(), headers)
  assert.equal(body.body, '{"n":12345678901234567890, "n":1.0}\n')
  assert.ok(text.includes('"json":{"n":12345678901234567890, "n":1.0}\n'), 'JSON in the view is as it was spelled')
  assert.deepEqual(
    [body.method, body.target, body.peer, body.client, body.bytes, body.bodyBase64, body.latestDuplicate],
    ['POST', '/in/t/x?a=%2F', '10.0.0.1', '192.0.2.7', 36, null, null],
  )
  assert.deepEqual(body.verification, { kind: 'verified', scheme: 'v1', secret: 'ssec_1' })
})

test('each kind of body is readable: form, text, bytes, packed JSON, nothing', async () => {
  const sourceId = await newSource()
  const shown = async (body: Uint8Array | string, ...typed: string[]) => {
    const id = await receive(sourceId, body, { request: came({ headers: typed }) })
    return (await get(`/ingest/api/v1/source/${sourceId}/message/${id}`)).body
  }
  const form = await shown('a=1&a=2', 'content-type', 'application/x-www-form-urlencoded')
  assert.deepEqual(
    [form.body, form.decoded.fields],
    [
      'a=1&a=2',
      [
        ['a', '1'],
        ['a', '2'],
      ],
    ],
  )
  const text = await shown('Zoë', 'content-type', 'text/plain')
  assert.deepEqual([text.body, text.decoded.kind, text.decoded.text], ['Zoë', 'text', undefined])
  const packed = gzipSync('{"a":1.0}')
  const json = await shown(packed, 'content-encoding', 'gzip', 'content-type', 'application/json')
  assert.deepEqual([json.body, json.bodyBase64, json.bytes], [null, packed.toString('base64'), packed.length])
  assert.deepEqual([json.decoded.unpacked, json.decoded.json, json.decoded.bytes], [['gzip'], { a: 1 }, 9])
  const bomb = await shown(gzipSync(Buffer.alloc(20 << 20)), 'content-encoding', 'gzip')
  assert.match(bomb.decoded.faults[0], /unpacks to more than/)
  const nothing = await shown('')
  assert.deepEqual([nothing.body, nothing.bytes, nothing.decoded.kind], ['', 0, 'empty'])
  const parts = await shown('--b\r\n\r\nx\r\n--b--', 'content-type', 'multipart/mixed; boundary=b')
  assert.equal(parts.decoded.parts[0].text, 'x')
})

test('the list says what came when and how often, without bodies, in pages and by event type', async () => {
  const sourceId = await newSource()
  const [first, , third] = [
    await receive(sourceId, 'a=1', { eventId: 'evt_1' }),
    await receive(sourceId, Uint8Array.of(255), { eventType: 'c' }),
    await receive(sourceId, '{}'),
  ]
  const { body, text } = await get(`/ingest/api/v1/source/${sourceId}/message?limit=2`)
  assert.deepEqual(
    body.data.map(({ bytes }: { bytes: number }) => bytes),
    [2, 1],
  )
  assert.ok(!/headers|body"|decoded/.test(text))
  const next = await get(`/ingest/api/v1/source/${sourceId}/message?limit=2&iterator=${body.iterator}`)
  assert.deepEqual([next.body.data[0].id, next.body.data[0].eventId, next.body.done], [first, 'evt_1', true])
  const some = await get(`/ingest/api/v1/source/${sourceId}/message?event_types=a.b&order=ascending`)
  assert.deepEqual(
    some.body.data.map(({ id }: { id: string }) => id),
    [first, third],
  )
  const byEventId = await get(`/ingest/api/v1/source/${sourceId}/message/evt_1`)
  assert.equal(byEventId.body.id, first)
})

test('a repeated request is counted with the first, and the latest is told', async () => {
  const sourceId = await newSource()
  const latest = { receivedAt: make.now(), peer: '10.0.0.9', retryNumber: '2', retryReason: 'timeout' }
  const id = await receive(sourceId, '{}', { eventId: 'evt_1' })
  for (let at = 0; at < 3; at++) await receive(sourceId, '{}', { eventId: 'evt_1', asDuplicate: latest })
  const { body } = await get(`/ingest/api/v1/source/${sourceId}/message/${id}`)
  assert.equal(body.duplicates, 3)
  assert.deepEqual(body.latestDuplicate, { ...latest, receivedAt: new Date(latest.receivedAt).toISOString() })
})

test('credentials in headers are for keys that may manage; signatures are for all that may read', async () => {
  const sourceId = await newSource()
  const id = await receive(sourceId, '{}')
  const { store, world } = server
  const keyFor = async (scope: Scope) => {
    const key = { environment: 'default', name: 'test', scopes: [scope] }
    return (await createKey({ store, world, newId: makeIds(world.now, world.randomBytes) }, key)).text
  }
  const shown = async (scope: Scope) =>
    (await get(`/ingest/api/v1/source/${sourceId}/message/${id}`, await keyFor(scope))).body.headers.flat()
  assert.deepEqual(await shown('manage'), headers)
  assert.deepEqual(await shown('read'), headers.with(-1, '***'))
})

test('a message whose content was removed says so instead of guessing', async () => {
  const sourceId = await newSource()
  const id = await receive(sourceId, '{"a":1}')
  const removed = await server.fetch(`/api/v1/app/${sourceId}/msg/${id}/content`, { method: 'DELETE' })
  assert.equal(removed.status, 204)
  const { body } = await get(`/ingest/api/v1/source/${sourceId}/message/${id}`)
  assert.deepEqual([body.body, body.bodyBase64, body.decoded, body.headers], [null, null, null, []])
  assert.deepEqual([body.bytes, body.method, body.verification], [null, null, null])
})

test('as a message of its application, what is not JSON is a string, and the answer says how to read it', async () => {
  const sourceId = await newSource()
  const bytes = Uint8Array.of(0xff, 0xd8)
  const shown = async (body: Uint8Array | string, headers: string[]) => {
    const id = await receive(sourceId, body, { request: came({ headers }) })
    const { body: message } = await get(`/api/v1/app/${sourceId}/msg/${id}`)
    return [message.payload, message.payloadEncoding]
  }
  assert.deepEqual(await shown('a=1', ['content-type', 'application/x-www-form-urlencoded']), ['a=1', 'text'])
  assert.deepEqual(await shown(bytes, []), ['/9g=', 'base64'])
  assert.deepEqual(await shown('{"a":1}', ['content-type', 'application/json; charset=utf-8']), [{ a: 1 }, undefined])
  const { data } = await server.svix.message.list(sourceId, { order: 'ascending' } as never)
  assert.equal(data.length, 3)
  const bare = (await get(`/api/v1/app/${sourceId}/msg?with_content=false`)).body.data
  assert.ok(bare.every((message: object) => !('payloadEncoding' in message)))
})

test('what was refused is listed with why, shown with its body, and can be dropped', async () => {
  const sourceId = await newSource()
  const explanation = ['The secret "old" would fit.', 'No.']
  const request = came({ verification: { kind: 'refused', reason: 'signature-wrong', explanation } })
  const rows = ['{"a":1}', 'a=1', '<a/>'].map((body) =>
    make.quarantined(sourceId, { ...payloadOf(Buffer.from(body)), request }),
  )
  await server.store.quarantine.keep(rows, { count: 10, bytes: 1 << 20 })
  const path = `/ingest/api/v1/source/${sourceId}/quarantine`
  const { body, text } = await get(path)
  assert.deepEqual(
    body.data.map(({ id }: { id: string }) => id),
    rows.map(({ id }) => id).toReversed(),
  )
  assert.deepEqual([body.data[0].reason, body.data[0].explanation], ['signature-wrong', explanation])
  assert.ok(!/headers|body"|decoded/.test(text))
  const one = await get(`${path}/${rows[1]?.id}`)
  assert.deepEqual([one.body.body, one.body.decoded.kind], ['a=1', 'text'])
  assert.deepEqual(one.body.headers.flat(), headers)
  assert.equal((await server.fetch(`${path}/${rows[1]?.id}`, { method: 'DELETE' })).status, 204)
  assert.equal((await server.fetch(`${path}/${rows[1]?.id}`, { method: 'DELETE' })).status, 404)
  assert.equal((await get(`${path}/${rows[1]?.id}`)).status, 404)
  assert.equal((await get(path)).body.data.length, 2)
})

test('a source of another environment, or none, has nothing to show', async () => {
  const sourceId = await newSource()
  const other = await server.store.environments.ensure(make.environment('other'))
  const theirs = make.source(other.id)
  await server.store.sources.insert(theirs, theirs.id)
  for (const source of [theirs.id, 'nobody', `${sourceId}x`]) {
    for (const rest of ['message', 'message/msg_1', 'quarantine', 'quarantine/qrtn_1']) {
      assert.equal((await get(`/ingest/api/v1/source/${source}/${rest}`)).status, 404, `${source} ${rest}`)
    }
  }
})
