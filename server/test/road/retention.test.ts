import assert from 'node:assert/strict'
import { test } from 'node:test'
import { capturedLog } from '../support/captured-log.ts'
import { testEngine } from '../support/database.ts'
import { type Scene, scene } from './scene.ts'

const hour = 3_600_000
const day = 24 * hour
const minute = 60_000
// Where messages are dropped by the day, the first of a day is kept so much longer than it has to be. A file keeps none longer.
const dayDropped = testEngine === 'postgres' ? day + 2 * hour : minute

const of = (id: string) => `select count(*) from message where id = '${id}'`

/** Publishes to `shop` with what the body says besides the payload. */
async function publishWith({ server }: Scene, more: object): Promise<string> {
  const { id } = await server.svix.message.create('shop', { eventType: 'a', payload: { a: 1 }, ...more })
  return id
}

async function say({ server }: Scene, path: string, control: object): Promise<void> {
  const answer = await server.fetch(`/api/v1/${path}`, {
    method: 'PATCH',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ control }),
  })
  assert.equal(answer.status, 200, await answer.text())
}

/** Passes that much time as a machine does that slept, and lets retention have its turn. */
async function later({ server, quiet }: Scene, ms: number): Promise<void> {
  await server.world.leap(Math.max(ms, minute))
  await quiet()
}

test('after 90 days, unless somebody says otherwise, a message is gone with its attempts and its eventId is free again', async (t) => {
  const all = await scene(t)
  const { server, disk, recorded, eventually, publish } = all
  const old = await publishWith(all, { eventId: 'evt-1' })
  await recorded(1)
  await later(all, 89 * day)
  assert.equal(await disk.count(of(old)), 1)
  const young = await publish()
  await recorded(2)
  await later(all, day + dayDropped)
  await eventually('the old one is gone', async () => (await disk.count(of(old))) === 0)
  assert.equal(await disk.count('select count(*) from attempt where message_id = ?', old), 0)
  assert.equal(await disk.count('select count(*) from event_key'), 0)
  assert.equal(await disk.count(of(young)), 1)
  assert.equal(await disk.count('select count(*) from attempt'), 1)
  await assert.rejects(server.svix.message.get('shop', old), { code: 404 })
  await publishWith(all, { eventId: 'evt-1' })
})

test('how long messages are kept is for the narrowest level to say: server, environment, application', async (t) => {
  const all = await scene(t, { settings: { retention: 0 } })
  const { server, disk, publish, publishTo, eventually, quiet } = all
  await server.svix.application.create({ name: 'Other', uid: 'other' })
  const ofShop = await publish()
  const ofOther = await publishTo('other')
  await quiet()
  await later(all, 4_000 * day)
  assert.equal(await disk.count('select count(*) from message'), 2, 'for ever is what the server says')
  await say(all, 'environment/settings', { retentionDays: 9_000 / 3 })
  await say(all, 'app/shop', { retentionDays: 0 })
  await later(all, 0)
  await eventually('only what the application keeps is left', async () => (await disk.count(of(ofOther))) === 0)
  assert.equal(await disk.count(of(ofShop)), 1)
})

test('payloads can go before their messages do: by application, and by what each publisher said', async (t) => {
  const all = await scene(t)
  const { server, disk, recorded, eventually, endpointId } = all
  await say(all, 'app/shop', { payloadRetentionDays: 2 })
  const plain = await publishWith(all, {})
  const shorter = await publishWith(all, { payloadRetentionHours: 3 })
  const longer = await publishWith(all, { payloadRetentionPeriod: 5 })
  await recorded(3)
  const kept = async () => {
    const counts = [plain, shorter, longer].map((id) => disk.count(`${of(id)} and payload is not null`))
    return (await Promise.all(counts)).join(' ')
  }
  await later(all, 2 * hour)
  assert.equal(await kept(), '1 1 1')
  await later(all, hour)
  await eventually('three hours are over', async () => (await kept()) === '1 0 1')
  await later(all, 2 * day)
  await eventually('two days are over', async () => (await kept()) === '0 0 1')
  // The walk has passed it; it goes all the same.
  await later(all, 3 * day)
  await eventually('five days are over', async () => (await kept()) === '0 0 0')
  assert.deepEqual((await server.svix.message.get('shop', plain, { withContent: true })).payload, {})
  assert.equal((await server.svix.messageAttempt.listByMsg('shop', plain)).data.length, 1)
  await assert.rejects(server.svix.messageAttempt.resend('shop', plain, endpointId), { code: 422 })
})

test('what still waits when its message or its payload is past its time is dropped, and counted', async (t) => {
  const { log, lines } = capturedLog('info')
  const all = await scene(t, { settings: { retention: 10 * day }, log })
  const { server, disk, publish, endpointId, eventually, receiver, recorded, quiet } = all
  receiver.answer = (_, response) => response.writeHead(500).end()
  await publish()
  await publishWith(all, { payloadRetentionHours: 1 })
  await recorded(2)
  await server.svix.endpoint.patch('shop', endpointId, { disabled: true })
  assert.equal(await disk.count('select count(*) from delivery'), 2)
  await later(all, hour)
  await eventually('the payload is gone', async () => (await disk.count('select count(*) from delivery')) === 1)
  // Not in silence: its place in the log of what was sent says so.
  assert.equal(await disk.count("select count(*) from attempt where ended = 'expired'"), 1)
  await later(all, 10 * day + dayDropped)
  await eventually('the messages are gone', async () => (await disk.count('select count(*) from message')) === 0)
  assert.equal(await disk.count('select count(*) from delivery'), 0)
  await server.svix.endpoint.patch('shop', endpointId, { disabled: false })
  await quiet()
  assert.equal(receiver.received.length, 2)
  const said = lines().filter((line) => line.msg === 'retention has removed what was past its time')
  assert.deepEqual(
    said.map(({ messages, payloads, deliveries }) => [messages, payloads, deliveries]),
    [
      [0, 1, 1],
      [2, 0, 1],
    ],
  )
  const metrics = await (await server.fetch('/metrics')).text()
  assert.match(metrics, /^posthorn_messages_removed_total 2$/m)
  assert.match(metrics, /^posthorn_deliveries_dropped_total 2$/m)
})

test('a message that is being sent this moment stays until that is over', async (t) => {
  const all = await scene(t, {
    settings: { retention: minute, attemptTimeout: hour, leaseDuration: 3 * hour },
  })
  const { disk, publish, arrived, receiver, eventually, recorded } = all
  let finish = () => {}
  receiver.answer = (_, response) => {
    finish = () => response.writeHead(204).end()
  }
  await publish()
  await arrived(1)
  await later(all, 2 * minute)
  assert.equal(await disk.count('select count(*) from message'), 1)
  finish()
  await recorded(1)
  await later(all, 0)
  await eventually('it is gone', async () => (await disk.count('select count(*) from message')) === 0)
  assert.equal(await disk.count('select count(*) from attempt'), 0)
})

test('of a deleted application nothing is left in the end, and of a deleted endpoint nothing after its attempts', async (t) => {
  const all = await scene(t)
  const { server, disk, publish, publishTo, recorded, receiver, eventually } = all
  await server.svix.application.create({ name: 'Gone', uid: 'gone' })
  await server.svix.endpoint.create('gone', { url: receiver.url })
  const second = await server.svix.endpoint.create('shop', { url: receiver.url })
  await publishTo('gone')
  await publish()
  await recorded(3)
  await server.svix.application.delete('gone')
  await server.svix.endpoint.delete('shop', second.id)
  await later(all, minute)
  assert.equal(await disk.count('select count(*) from application'), 2, 'not while something may be under way')
  await later(all, hour)
  // Messages first, then what they were sent to, then the application itself.
  for (const _ of [1, 2]) await later(all, 0)
  await eventually('the application is gone', async () => (await disk.count('select count(*) from application')) === 1)
  assert.equal(await disk.count('select count(*) from message'), 1)
  assert.equal(await disk.count('select count(*) from attempt'), 2)
  assert.equal(await disk.count('select count(*) from endpoint'), 2, 'the deleted one is in the log of what was sent')
  await later(all, 90 * day + dayDropped)
  await later(all, 0)
  await eventually('the endpoint is gone', async () => (await disk.count('select count(*) from endpoint')) === 1)
})

test('where the application says so a payload is gone when the last endpoint has got it, not before', async (t) => {
  const all = await scene(t)
  const { server, disk, publish, recorded, receiver, startReceiver, eventually } = all
  await say(all, 'app/shop', { wipeDelivered: true })
  const second = await startReceiver()
  await server.svix.endpoint.create('shop', { url: second.url })
  second.answer = (_, response) => response.writeHead(500).end()
  const id = await publish()
  await recorded(2)
  assert.equal(receiver.received.length, 1)
  assert.equal(await disk.count(`${of(id)} and payload is not null`), 1)
  second.answer = (_, response) => response.writeHead(204).end()
  await server.world.advance(10_000)
  await recorded(3)
  await eventually('the payload is gone', async () => (await disk.count(`${of(id)} and payload is null`)) === 1)
  assert.deepEqual(
    second.received.map(({ body }) => body.toString()),
    ['{}', '{}'],
  )
})

test('where it does not say so, payloads stay after their delivery', async (t) => {
  const { disk, publish, recorded } = await scene(t)
  await publish()
  await recorded(1)
  assert.equal(await disk.count('select count(*) from message where payload is not null'), 1)
})
