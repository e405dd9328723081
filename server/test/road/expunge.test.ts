import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { test } from 'node:test'
import { ApiException } from 'svix'
import { onSqliteAlone, placesHolding } from '../support/database.ts'
import type { Received } from '../support/receiver.ts'
import { scene } from './scene.ts'

const echo = ({ body }: Received, response: ServerResponse) => response.writeHead(200).end(body)
const secret = (name: string, characters = 40): string => `<${`${name} of somebody `.repeat(characters / 10)}>`
const payloadOf = (text: string): string => JSON.stringify({ text })

async function refused(call: Promise<unknown>): Promise<readonly [number, unknown]> {
  const error = await call.then(
    () => assert.fail('was not refused'),
    (reason: unknown) => reason,
  )
  assert.ok(error instanceof ApiException)
  // The client reads the body of a 4xx only.
  const body: unknown = typeof error.body === 'string' ? JSON.parse(error.body) : error.body
  return [error.code, (body as { code?: string }).code]
}

test('content that was expunged is in no file of the database, in which it was before', async (t) => {
  const { server, receiver, publish, recorded } = await scene(t)
  receiver.answer = echo
  // As they lie in one page, and over many.
  for (const [n, text] of [secret('short'), secret('long', 20_000)].entries()) {
    const id = await publish(payloadOf(text))
    await recorded(n + 1)
    const part = text.slice(0, 30)
    assert.ok((await placesHolding(server.databaseUrl, part)).length > 0, 'it was there')
    await server.svix.message.expungeContent('shop', id)
    assert.deepEqual(await placesHolding(server.databaseUrl, part), [])
    assert.deepEqual((await server.svix.message.get('shop', id, { withContent: true })).payload, {})
    const { data } = await server.svix.messageAttempt.listByMsg('shop', id, { withContent: true })
    assert.deepEqual(
      data.map(({ response, responseStatusCode }) => [response, responseStatusCode]),
      [['', 200]],
    )
    // Repeating it is no fault.
    await server.svix.message.expungeContent('shop', id)
  }
})

test('expunging many takes ids and eventIds, says which are not there, and leaves the others as they are', async (t) => {
  const { server, receiver, publish, recorded } = await scene(t)
  receiver.answer = echo
  const { svix } = server
  const byId = await publish(payloadOf(secret('alpha')))
  await svix.message.create('shop', { eventType: 'a', eventId: 'evt-1', payload: { text: secret('beta') } })
  const kept = await publish(payloadOf(secret('gamma')))
  await recorded(3)
  const asked = [byId, 'evt-1', 'evt-none', byId]
  const { results } = await svix.message.bulkExpungeContent('shop', { ids: asked })
  assert.deepEqual(results, { [byId]: 'expunged', 'evt-1': 'expunged', 'evt-none': 'not-found' })
  assert.deepEqual(await placesHolding(server.databaseUrl, 'alpha of somebody'), [])
  assert.deepEqual(await placesHolding(server.databaseUrl, 'beta of somebody'), [])
  const left = await svix.message.get('shop', kept, { withContent: true })
  assert.deepEqual(left.payload, { text: secret('gamma') })
  const { data } = await svix.messageAttempt.listByMsg('shop', kept, { withContent: true })
  assert.equal(data[0]?.response, payloadOf(secret('gamma')))
  assert.deepEqual((await svix.message.bulkExpungeContent('shop')).results, {})
  const tooMany = Array.from({ length: 1_001 }, (_, n) => `evt-${n}`)
  assert.deepEqual(await refused(svix.message.bulkExpungeContent('shop', { ids: tooMany })), [422, 'request-invalid'])
})

test("what one receiver answered can be expunged alone: the payload stays, and so do other attempts' answers", async (t) => {
  const { server, receiver, publish, recorded } = await scene(t)
  const { svix } = server
  receiver.answer = (_, response) => response.writeHead(200).end('said in confidence')
  const id = await publish(payloadOf('delta'))
  await recorded(1)
  const [attempt = assert.fail()] = (await svix.messageAttempt.listByMsg('shop', id, { withContent: true })).data
  receiver.answer = (_, response) => response.writeHead(200).end('said aloud')
  await svix.messageAttempt.resend('shop', id, attempt.endpointId)
  await recorded(2)
  assert.ok((await placesHolding(server.databaseUrl, 'said in confidence')).length > 0, 'it was there')
  await svix.messageAttempt.expungeContent('shop', id, attempt.id)
  assert.deepEqual(await placesHolding(server.databaseUrl, 'said in confidence'), [])
  const { data } = await svix.messageAttempt.listByMsg('shop', id, { withContent: true })
  assert.deepEqual(data.map(({ response }) => response).toSorted(), ['', 'said aloud'])
  assert.deepEqual((await svix.message.get('shop', id, { withContent: true })).payload, { text: 'delta' })
  assert.deepEqual(await refused(svix.messageAttempt.expungeContent('shop', id, `atmpt_${'0'.repeat(27)}`)), [
    404,
    'not-found',
  ])
})

test('what waits is not sent after it was expunged, neither from memory nor from the store, and cannot be resent', async (t) => {
  const { server, receiver, publish, recorded, arrived, quiet, disk, endpointId } = await scene(t, {
    settings: { endpointInFlight: 1 },
  })
  let letGo = () => {}
  receiver.answer = (_, response) => {
    letGo = () => response.writeHead(500).end('no')
  }
  const retried = await publish('{"n":1}')
  await arrived(1)
  const inMemory = await publish('{"n":2}')
  const { results } = await server.svix.message.bulkExpungeContent('shop', { ids: [retried, inMemory] })
  assert.deepEqual(Object.values(results), ['expunged', 'expunged'])
  receiver.answer = (_, response) => response.writeHead(204).end()
  letGo()
  // The one under way, and the one that was canceled.
  await recorded(2)
  const ended = await disk.rows('select message_id, ended, status_code from attempt order by message_id')
  assert.deepEqual(
    ended.map((row) => Object.values(row)),
    [
      [retried, null, 500],
      [inMemory, 'canceled', 0],
    ],
  )
  await server.world.leap(60 * 60_000)
  await quiet()
  assert.equal(receiver.received.length, 1)
  assert.equal(await disk.count('select count(*) from delivery'), 0)
  assert.deepEqual(await refused(server.svix.messageAttempt.resend('shop', inMemory, endpointId)), [
    422,
    'content-gone',
  ])
  // The lane goes on with what comes after.
  await publish('{"n":3}')
  await arrived(2)
  assert.equal(receiver.received[1]?.body.toString(), '{"n":3}')
})

test('what waits in the store for its next try is canceled when it is expunged', async (t) => {
  const { server, receiver, publish, recorded, quiet, disk, eventually } = await scene(t)
  receiver.answer = (_, response) => response.writeHead(500).end()
  const id = await publish()
  await recorded(1)
  await eventually(
    'it waits',
    async () => (await disk.count('select count(*) from delivery where lease is null')) === 1,
  )
  await server.svix.message.expungeContent('shop', id)
  assert.equal(await disk.count('select count(*) from delivery'), 0)
  assert.equal(await disk.count("select count(*) from attempt where ended = 'canceled' and message_id = ?", id), 1)
  await server.world.leap(60_000)
  await quiet()
  assert.equal(receiver.received.length, 1)
})

test('what a receiver answers after its message was expunged is not kept', async (t) => {
  const { server, receiver, publish, recorded, arrived, disk } = await scene(t)
  let finish = () => {}
  receiver.answer = (request, response) => {
    finish = () => echo(request, response)
  }
  const id = await publish(payloadOf(secret('zeta')))
  await arrived(1)
  await server.svix.message.expungeContent('shop', id)
  finish()
  await recorded(1)
  const [attempt] = await disk.rows('select response, status_code from attempt')
  assert.deepEqual({ ...attempt }, { response: '', status_code: 200 })
  assert.deepEqual(await placesHolding(server.databaseUrl, 'zeta of somebody'), [])
})

test(
  'while another program reads, expunging says that the log still holds it; publishing goes on meanwhile',
  onSqliteAlone('the log of a file is emptied by us'),
  async (t) => {
    const { server, publish, disk } = await scene(t)
    const id = await publish(payloadOf(secret('eta')))
    await disk.exec('begin')
    await disk.count('select count(*) from message')
    const expunging = server.svix.message.expungeContent('shop', id)
    await publish()
    assert.deepEqual(await refused(expunging), [503, 'content-held'])
    await disk.exec('commit')
    await server.svix.message.expungeContent('shop', id)
    assert.deepEqual(await placesHolding(server.databaseUrl, 'eta of somebody'), [])
  },
)
