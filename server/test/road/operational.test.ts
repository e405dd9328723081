// Operational webhooks: what the operator hears of, and that it is never lost, doubled by itself, or heard by others.

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { Webhook } from 'standardwebhooks'
import { Svix } from 'svix'
import { makeIds } from '../../src/domain/ids.ts'
import { createKey } from '../../src/manage/keys.ts'
import { asIfKilledNow, heldAfterKillMs } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'
import type { Answer, Received, Receiver } from '../support/receiver.ts'
import { startTestServer, type TestServerOptions } from '../support/server.ts'
import { testWorld } from '../support/world.ts'
import { type Scene, scene } from './scene.ts'

const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
const answering =
  (status: number): Answer =>
  (_, response) =>
    response.writeHead(status).end()

/** What an operational webhook says, once npm `standardwebhooks` has found the signature that it would have made. */
function said({ headers, body }: Received): { readonly type: string; readonly data: Record<string, unknown> } {
  const id = String(headers['webhook-id'])
  const at = new Date(Number(headers['webhook-timestamp']) * 1000)
  assert.equal(headers['webhook-signature'], new Webhook(secret).sign(id, at, body.toString()))
  return JSON.parse(body.toString())
}

const types = ({ received }: Receiver): readonly string[] => received.map((one) => said(one).type)

interface Heard extends Scene {
  readonly operator: Receiver
  readonly operationalId: string
  readonly appId: string
}

/** A scene in which somebody listens for operational webhooks. */
async function heard(
  t: TestContext,
  settings: TestServerOptions['settings'] = {},
  eventTypes?: string[],
): Promise<Heard> {
  const made = await scene(t, { settings: { retryJitter: 0, ...settings } })
  const operator = await made.startReceiver()
  const { svix } = made.server
  const { id: operationalId } = await svix.operationalWebhook.endpoint.create({
    ...{ url: operator.url, secret, eventTypes: eventTypes ?? null },
  })
  const { id: appId } = await svix.application.get('shop')
  return Object.assign(made, { operator, operationalId, appId })
}

test('what people do with endpoints is told: created, updated, disabled, enabled, deleted', async (t) => {
  const made = await heard(t)
  const { server, operator, arrived, appId, quiet } = made
  const { endpoint } = server.svix
  const told = async (count: number) => {
    await arrived(count, operator)
    return said(operator.received[count - 1] ?? assert.fail())
  }
  const { id } = await endpoint.create('shop', { url: made.receiver.url, uid: 'main' })
  const names = { appId, appUid: 'shop', endpointId: id, endpointUid: 'main' }
  assert.deepEqual(await told(1), { type: 'endpoint.created', data: names })
  await endpoint.patch('shop', 'main', { description: 'Accounting' })
  assert.deepEqual(await told(2), { type: 'endpoint.updated', data: names })
  await endpoint.patch('shop', 'main', { disabled: true })
  assert.deepEqual(await told(3), {
    type: 'endpoint.disabled',
    data: { ...names, failSince: null, trigger: 'manual', reason: 'owner' },
  })
  await endpoint.patch('shop', 'main', { disabled: false })
  assert.deepEqual(await told(4), { type: 'endpoint.enabled', data: names })
  await endpoint.setHeaders('shop', 'main', { headers: { 'x-a': '1' } })
  assert.deepEqual(await told(5), { type: 'endpoint.updated', data: names })
  await endpoint.rotateSecret('shop', 'main', {})
  assert.deepEqual(await told(6), { type: 'endpoint.updated', data: names })
  await endpoint.delete('shop', 'main')
  assert.deepEqual(await told(7), { type: 'endpoint.deleted', data: names })
  await endpoint.upsert('shop', 'second', { url: made.receiver.url })
  assert.equal((await told(8)).type, 'endpoint.created')
  await server.svix.application.delete('shop')
  await arrived(10, operator)
  assert.deepEqual(types(operator).slice(8), ['endpoint.deleted', 'endpoint.deleted'])
  assert.deepEqual(
    operator.received.slice(8).map((one) => said(one).data.endpointUid),
    [null, 'second'],
  )
  await quiet()
  assert.equal(operator.received.length, 10)
})

test('a change that changes nothing tells nothing', async (t) => {
  const { server, endpointId, operator, arrived, quiet } = await heard(t)
  const { endpoint } = server.svix
  const { url } = await endpoint.get('shop', endpointId)
  await endpoint.setHeaders('shop', endpointId, { headers: { 'x-a': '1' } })
  await arrived(1, operator)
  await endpoint.patch('shop', endpointId, {})
  await endpoint.patch('shop', endpointId, { url, disabled: false })
  await endpoint.upsert('shop', endpointId, { url })
  await endpoint.setHeaders('shop', endpointId, { headers: { 'x-a': '1' } })
  await server.svix.application.patch('shop', { name: 'Still a shop' })
  await quiet()
  assert.deepEqual(types(operator), ['endpoint.updated'])
})

const fiveRetries = { retrySchedule: [1_000, 1_000, 1_000, 1_000, 1_000] }

test('a message that fails four times is told once to be failing, and once to have recovered', async (t) => {
  const made = await heard(t, fiveRetries)
  const { server, receiver, operator, recorded, quiet, arrived, disk, appId, endpointId } = made
  receiver.answer = answering(503)
  const { id: msgId } = await server.svix.message.create('shop', { eventType: 'a', eventId: 'evt-1', payload: {} })
  const attempts = async (count: number): Promise<void> => {
    await recorded(count)
    await quiet()
  }
  for (let count = 1; count <= 3; count++) {
    await attempts(count)
    await server.world.advance(1_000)
  }
  assert.equal(operator.received.length, 0)
  await arrived(1, operator)
  const [last] = await disk.rows(
    'select id, started_at from attempt where message_id = ? order by id desc limit 1',
    msgId,
  )
  assert.deepEqual(said(operator.received[0] ?? assert.fail()), {
    type: 'message.attempt.failing',
    data: {
      ...{ appId, appUid: 'shop', msgId, msgEventId: 'evt-1', endpointId },
      lastAttempt: {
        ...{ id: last?.id, responseStatusCode: 503 },
        timestamp: new Date(Number(last?.started_at)).toISOString(),
      },
    },
  })
  await server.world.advance(1_000)
  await attempts(6) // One of them the operational webhook's own.
  assert.equal(operator.received.length, 1)
  receiver.answer = answering(200)
  await server.world.advance(1_000)
  await arrived(2, operator)
  const recovered = said(operator.received[1] ?? assert.fail())
  assert.equal(recovered.type, 'message.attempt.recovered')
  assert.deepEqual(
    [recovered.data.msgId, (recovered.data.lastAttempt as Record<string, unknown>).responseStatusCode],
    [msgId, 200],
  )
  await quiet()
  assert.equal(operator.received.length, 2)
})

test('a message whose schedule has ended is told to be exhausted', async (t) => {
  const { receiver, operator, publish, arrived, quiet } = await heard(t, { retrySchedule: [] })
  receiver.answer = answering(500)
  const id = await publish()
  await arrived(1, operator)
  const { type, data } = said(operator.received[0] ?? assert.fail())
  assert.deepEqual([type, data.msgId], ['message.attempt.exhausted', id])
  await quiet()
  assert.equal(operator.received.length, 1)
})

test('an endpoint that is gone is told once, and its message is exhausted, however many were in flight', async (t) => {
  const { receiver, operator, publish, arrived, quiet, endpointId, recorded, server } = await heard(t)
  const hold: (() => void)[] = []
  receiver.answer = (_, response) => hold.push(() => response.writeHead(410).end())
  const ids = [await publish(), await publish(), await publish()]
  await arrived(3)
  for (const go of hold) go()
  await arrived(4, operator)
  await recorded(7)
  await quiet()
  assert.deepEqual(types(operator).toSorted(), ['endpoint.disabled', ...ids.map(() => 'message.attempt.exhausted')])
  const disabled = operator.received.map(said).find(({ type }) => type === 'endpoint.disabled')
  assert.deepEqual(
    [disabled?.data.endpointId, disabled?.data.trigger, disabled?.data.reason, disabled?.data.failSince],
    [endpointId, 'automatic', 'gone', new Date(server.world.now()).toISOString()],
  )
})

test('an endpoint that did nothing but fail is told to be disabled, and since when it failed', async (t) => {
  const { receiver, operator, publish, arrived, recorded, server } = await heard(
    t,
    { retrySchedule: [], disableAfter: 5_000 },
    ['endpoint.disabled'],
  )
  receiver.answer = answering(500)
  const since = new Date(server.world.now()).toISOString()
  await publish()
  await recorded(1)
  await server.world.advance(5_000)
  await publish()
  await arrived(1, operator)
  const { type, data } = said(operator.received[0] ?? assert.fail())
  assert.deepEqual([type, data.reason, data.failSince], ['endpoint.disabled', 'failing', since])
})

test('a breaker that opens and closes is told, each once', async (t) => {
  const made = await heard(t, { retrySchedule: [1_000, 1_000, 1_000] }, ['endpoint.breaker.*'])
  const { server, receiver, operator, publish, endpointId, eventually: until } = made
  receiver.answer = answering(500)
  const since = new Date(server.world.now()).toISOString()
  for (let n = 0; n < 10; n++) await publish()
  await until('it has opened', async () => {
    await server.world.advance(1_000)
    await made.quiet()
    return operator.received.length > 0
  })
  const opened = said(operator.received[0] ?? assert.fail())
  assert.deepEqual([opened.type, opened.data.endpointId], ['endpoint.breaker.opened', endpointId])
  assert.ok(String(opened.data.since) >= since)
  receiver.answer = answering(204)
  await until('it has closed', async () => {
    await publish() // A try after half a minute of draining finds that all is well.
    await server.world.advance(5_000)
    await made.quiet()
    return operator.received.length > 1
  })
  await made.quiet()
  const closed = said(operator.received[1] ?? assert.fail())
  assert.deepEqual(closed, { type: 'endpoint.breaker.closed', data: opened.data })
  assert.equal(operator.received.length, 2)
})

test('a task that is over is told with its counts, those of a canceled one as they were when it was canceled', async (t) => {
  const made = await heard(t, { retrySchedule: [] }, ['background_task.finished'])
  const { server, receiver, operator, publish, arrived, recorded, endpointId, eventually: until } = made
  const shown = async (id: string) => (await server.fetch(`/api/v1/background-task/${id}`)).json()
  const told = ({ received }: Receiver) => said(received.at(-1) ?? assert.fail())
  const recover = async (rate: number): Promise<string> => {
    const answer = await server.fetch(`/api/v1/app/shop/endpoint/${endpointId}/recover`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ since: new Date(0).toISOString(), rate }),
    })
    return ((await answer.json()) as { id: string }).id
  }
  receiver.answer = answering(500)
  for (let n = 0; n < 3; n++) await publish()
  await recorded(3)
  await server.world.advance(1)

  const canceled = await recover(1)
  await until(
    'it has begun',
    async () => ((await shown(canceled)) as { data: { messagesSent: number } }).data.messagesSent > 0,
  )
  await server.fetch(`/api/v1/background-task/${canceled}/cancel`, { method: 'POST' })
  await arrived(1, operator)
  const afterwards = (await shown(canceled)) as { data: { messagesSent: number; canceled: boolean } }
  assert.deepEqual([afterwards.data.messagesSent, afterwards.data.canceled], [1, true])
  assert.deepEqual(told(operator), {
    type: 'background_task.finished',
    data: { taskId: canceled, status: 'failed', task: 'endpoint.recover', data: afterwards.data },
  })
  await server.fetch(`/api/v1/background-task/${canceled}/cancel`, { method: 'POST' })

  await recorded(5) // Sent again, and the operational webhook.
  receiver.answer = answering(204)
  await server.world.advance(1)
  const finished = await recover(1_000)
  await until('it is over', async () => {
    await server.world.advance(100)
    return operator.received.length > 1
  })
  const { data } = (await shown(finished)) as { data: { messagesSent: number } }
  assert.equal(data.messagesSent, 3)
  assert.deepEqual(told(operator), {
    type: 'background_task.finished',
    data: { taskId: finished, status: 'finished', task: 'endpoint.recover', data },
  })
  await made.quiet()
  assert.equal(operator.received.length, 2)
})

test('what is told is on disk with the fact: a kill in between loses neither, and the next start sends it', async (t) => {
  const made = await heard(t, { retrySchedule: [] })
  const { server, receiver, operator, publish, arrived, eventually: until, disk } = made
  receiver.answer = answering(500)
  // Nothing operational gets through before the kill.
  operator.answer = () => {}
  await publish()
  let databaseUrl = ''
  await until('the attempt is on disk', async () => {
    if ((await disk.count('select count(*) from attempt')) === 0) return false
    databaseUrl ||= await asIfKilledNow(t, server.databaseUrl)
    return true
  })
  assert.equal(await disk.count("select count(*) from message where event_type = 'message.attempt.exhausted'"), 1)
  await arrived(1, operator)
  operator.answer = answering(204)
  const world = testWorld({ now: server.world.now() + heldAfterKillMs, seed: 2 })
  const next = await startTestServer({ databaseUrl, world })
  t.after(() => next.stop())
  await eventually(world, 'it is told', () => operator.received.length >= 2)
  const [first, second] = operator.received
  assert.equal(said(second ?? assert.fail()).type, 'message.attempt.exhausted')
  assert.equal(first?.headers['webhook-id'], second?.headers['webhook-id'])
})

test('a change by people is answered when what is told of it is on disk, too', async (t) => {
  const { server, operator, endpointId } = await heard(t)
  operator.answer = () => {}
  await server.svix.endpoint.patch('shop', endpointId, { description: 'New' })
  const databaseUrl = await asIfKilledNow(t, server.databaseUrl)
  const before = operator.received.length
  operator.answer = answering(204)
  const world = testWorld({ now: server.world.now() + heldAfterKillMs, seed: 2 })
  const next = await startTestServer({ databaseUrl, world })
  t.after(() => next.stop())
  await eventually(world, 'it is told', () => operator.received.length > before)
  assert.equal(said(operator.received.at(-1) ?? assert.fail()).type, 'endpoint.updated')
})

test('an operational receiver that fails is retried, and nothing is told of that to anybody', async (t) => {
  const made = await heard(t, { retrySchedule: [1_000] })
  const { server, operator, arrived, quiet, recorded, endpointId, startReceiver, disk } = made
  const other = await startReceiver()
  await server.svix.operationalWebhook.endpoint.create({ url: other.url, secret })
  operator.answer = answering(410)
  other.answer = answering(500)
  await server.svix.endpoint.patch('shop', endpointId, { description: 'New' })
  await Promise.all([arrived(1, operator), arrived(1, other)])
  await recorded(2)
  await quiet()
  other.answer = answering(204)
  await server.world.advance(1_000)
  await arrived(2, other)
  await recorded(3)
  await quiet()
  assert.deepEqual(types(other), ['endpoint.updated', 'endpoint.updated'])
  assert.equal(other.received[0]?.headers['webhook-id'], other.received[1]?.headers['webhook-id'])
  assert.equal(await disk.count('select count(*) from message'), 1)
  // The one that answered 410 is disabled, as any endpoint would be.
  const { data } = await server.svix.operationalWebhook.endpoint.list()
  assert.deepEqual(
    data.map(({ disabled }) => disabled),
    [true, false],
  )
})

test("a hung operational receiver does not hold up the customers' webhooks", async (t) => {
  const { server, receiver, operator, publish, arrived, endpointId, recorded } = await heard(t, {
    ...{ globalInFlight: 16, endpointInFlight: 8, hotDeliveries: 64 },
  })
  operator.answer = () => {}
  for (let n = 0; n < 20; n++) await server.svix.endpoint.patch('shop', endpointId, { description: `${n}` })
  await arrived(1, operator)
  for (let n = 0; n < 50; n++) await publish()
  await arrived(50)
  await recorded(50)
  assert.equal(receiver.received.length, 50)
})

test('where nobody listens nothing is stored; who begins to listen hears what happens from then on', async (t) => {
  const made = await scene(t, { settings: { retrySchedule: [] } })
  const { server, receiver, endpointId, publish, recorded, quiet, disk, startReceiver, arrived } = made
  receiver.answer = answering(500)
  await publish()
  await recorded(1)
  await server.svix.endpoint.patch('shop', endpointId, { disabled: true })
  await server.svix.endpoint.patch('shop', endpointId, { disabled: false })
  await quiet()
  assert.equal(await disk.count('select count(*) from message'), 1)
  assert.equal(await disk.count("select count(*) from application where kind = 'operational'"), 0)

  const operator = await startReceiver()
  const { endpoint } = server.svix.operationalWebhook
  const { id } = await endpoint.create({ url: operator.url, secret, eventTypes: ['message.attempt.exhausted'] })
  await server.svix.endpoint.patch('shop', endpointId, { description: 'Not asked for' })
  await publish()
  await arrived(1, operator)
  assert.deepEqual(types(operator), ['message.attempt.exhausted'])
  assert.equal(await disk.count('select count(*) from message'), 3)

  await endpoint.delete(id)
  await publish()
  await recorded(4)
  await quiet()
  assert.equal(await disk.count('select count(*) from message'), 4)
})

test('one environment does not hear of another', async (t) => {
  const { server, operator, endpointId, arrived, quiet, startReceiver } = await heard(t)
  const { store, world } = server
  const key = { environment: 'elsewhere', name: 'test', scopes: ['admin'] as const }
  const { text } = await createKey({ store, world, newId: makeIds(world.now, world.randomBytes) }, key)
  const svix = new Svix(text, { serverUrl: server.url, retryScheduleInMs: [] })
  const stranger = await startReceiver()
  await svix.operationalWebhook.endpoint.create({ url: stranger.url, secret })
  await server.svix.endpoint.patch('shop', endpointId, { description: 'New' })
  await arrived(1, operator)
  const app = await svix.application.create({ name: 'Other' })
  await svix.endpoint.create(app.id, { url: stranger.url })
  await arrived(1, stranger)
  await quiet()
  assert.deepEqual([types(operator), types(stranger)], [['endpoint.updated'], ['endpoint.created']])
})
