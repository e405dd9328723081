import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Webhook } from 'standardwebhooks'
import type { Received } from '../support/receiver.ts'
import { testWorld } from '../support/world.ts'
import { calls } from './calls.ts'
import { answering, idsOf } from './controls.ts'
import { scene } from './scene.ts'

interface Batched {
  readonly id: string
  readonly type: string
  readonly timestamp: string
  readonly payload: unknown
}
const batchOf = ({ body }: Received): Batched[] => JSON.parse(body.toString()) as Batched[]
const idsIn = (request: Received | undefined): string[] => (request ? batchOf(request).map(({ id }) => id) : [])

test('a full batch goes at once: one signed request with an id of its own, and every message in it under its own', async (t) => {
  // The independent judge compares with the clock of the machine.
  const world = testWorld({ now: Date.now() })
  const secret = `whsec_${Buffer.from('b'.repeat(32)).toString('base64')}`
  const made = await scene(t, { world, endpoint: { secret } })
  const { receiver, arrived, recorded, quiet } = made
  const { control, sendAll } = calls(made)
  await control({ batchSize: 3, batchWaitMs: 60_000 })
  const ids = await sendAll([{ payload: { n: 1 } }, { eventType: 'user.created', payload: { n: 2 } }, {}])
  await arrived(1)
  await recorded(3)
  await quiet()
  const [request = assert.fail()] = receiver.received
  assert.equal(receiver.received.length, 1)
  const { headers, body } = request
  const signed = {
    'webhook-id': String(headers['webhook-id']),
    'webhook-timestamp': String(headers['webhook-timestamp']),
    'webhook-signature': String(headers['webhook-signature']),
  }
  new Webhook(secret).verify(body, signed)
  assert.equal(headers['webhook-batch'], '3')
  assert.equal(headers['content-type'], 'application/json')
  assert.ok(!ids.includes(signed['webhook-id']))
  const timestamp = new Date(world.now()).toISOString()
  assert.deepEqual(batchOf(request), [
    { id: ids[0], type: 'invoice.paid', timestamp, payload: { n: 1 } },
    { id: ids[1], type: 'user.created', timestamp, payload: { n: 2 } },
    { id: ids[2], type: 'invoice.paid', timestamp, payload: {} },
  ])
})

test('a batch that does not become full goes when its first message has waited long enough, and not before', async (t) => {
  const made = await scene(t)
  const { server, receiver, arrived, recorded, quiet } = made
  const { control, send } = calls(made)
  await control({ batchSize: 10, batchWaitMs: 5_000 })
  const first = await send({})
  await server.world.advance(3_000)
  const second = await send({})
  await server.world.advance(1_999)
  await quiet()
  assert.equal(receiver.received.length, 0)
  await server.world.advance(1)
  await arrived(1)
  await recorded(2)
  assert.deepEqual(receiver.received.map(idsIn), [[first, second]])
  const third = await send({})
  await server.world.advance(4_999)
  await quiet()
  assert.equal(receiver.received.length, 1, 'the next batch waits as long again')
  await server.world.advance(1)
  await arrived(2)
  assert.deepEqual(idsIn(receiver.received[1]), [third])
})

test('more than a batch holds goes in several, none above its size, each message once', async (t) => {
  const made = await scene(t)
  const { receiver, recorded } = made
  const { control, sendAll } = calls(made)
  await control({ batchSize: 25, batchWaitMs: 0 })
  const ids = await sendAll(Array.from({ length: 240 }, (_, n) => ({ payload: { n } })))
  await recorded(240)
  const sizes = receiver.received.map((request) => idsIn(request).length)
  assert.ok(Math.max(...sizes) === 25 && sizes.length < 40, `${sizes}`)
  assert.deepEqual(receiver.received.flatMap(idsIn).toSorted(), ids)
})

test('a batch that fails is retried, and each of its messages has both attempts in its log', async (t) => {
  const made = await scene(t)
  const { server, receiver, recorded, eventually, disk } = made
  const { control, sendAll } = calls(made)
  await control({ batchSize: 2, batchWaitMs: 60_000, retrySchedule: [5] })
  receiver.answer = answering(503)
  const ids = await sendAll([{}, {}])
  await recorded(2)
  receiver.answer = answering(204)
  await server.world.advance(70_000)
  await recorded(4)
  await eventually('they are settled', async () => (await disk.count('select count(*) from delivery')) === 0)
  const [failed, ...again] = receiver.received
  assert.deepEqual(idsIn(failed), ids)
  assert.deepEqual(again.flatMap(idsIn).toSorted(), ids)
  assert.ok(!idsOf(again).includes(idsOf([failed ?? assert.fail()])[0] ?? ''), 'another batch has another id')
  for (const id of ids) {
    const { data } = await server.svix.messageAttempt.listByMsg('shop', id)
    assert.deepEqual(
      data.toReversed().map(({ status, responseStatusCode }) => [status, responseStatusCode]),
      [
        [2, 503],
        [0, 204],
      ],
    )
  }
})

test('payloads stand in a batch byte for byte as they were published', async (t) => {
  const made = await scene(t)
  const { receiver, publish, arrived } = made
  const { control } = calls(made)
  await control({ batchSize: 2, batchWaitMs: 60_000 })
  const payloads = ['{ "id":12345678901234567890,"n":1.0 }', '{"e":1e3,"e":1E3,"s":"\\u0041 é 🦄"}']
  for (const payload of payloads) await publish(payload)
  await arrived(1)
  const body = receiver.received[0]?.body.toString() ?? ''
  for (const payload of payloads) assert.ok(body.includes(`"payload":${payload}}`), body)
})

test('however many messages an endpoint wants at once, a request is not much above a megabyte', async (t) => {
  const made = await scene(t)
  const { receiver, publish, recorded } = made
  const { control } = calls(made)
  const megabyte = 1024 * 1024
  receiver.answer = answering(204)
  await control({ batchSize: 100, batchWaitMs: 1_000 })
  const payload = `{"filler":"${'x'.repeat(0.4 * megabyte)}"}`
  for (let n = 0; n < 5; n++) await publish(payload)
  await made.server.world.advance(1_000)
  await recorded(4)
  await made.server.world.advance(1_000)
  await recorded(5)
  // They are under way at the same time: which of them has arrived whole first is not said.
  const sizes = receiver.received.map((request) => idsIn(request).length)
  assert.deepEqual(sizes.toSorted(), [1, 2, 2])
})

test('a rate counts messages, not requests: a batch of five takes five from it', async (t) => {
  const made = await scene(t)
  const { server, receiver, arrived, recorded, quiet } = made
  const { change, control, sendAll } = calls(made)
  await change({ throttleRate: 10 })
  await control({ batchSize: 5, batchWaitMs: 100 })
  await sendAll(Array.from({ length: 10 }, () => ({})))
  await arrived(1)
  await recorded(5)
  // Up to 50 ms of the rate are saved up.
  await server.world.advance(449)
  await quiet()
  assert.equal(receiver.received.length, 1)
  await server.world.advance(51)
  await arrived(2)
  assert.deepEqual(
    receiver.received.map((request) => idsIn(request).length),
    [5, 5],
  )
})

test('a message that is canceled while its batch fills is not in it', async (t) => {
  const made = await scene(t)
  const { server, receiver, arrived, recorded, quiet } = made
  const { cancel, control, sendAll } = calls(made)
  await control({ batchSize: 10, batchWaitMs: 1_000 })
  const [first = '', second, third] = await sendAll([{}, {}, {}])
  assert.equal(await cancel(first), 1)
  await server.world.advance(1_000)
  await arrived(1)
  await recorded(3)
  await quiet()
  assert.deepEqual(receiver.received.map(idsIn), [[second, third]])
})

test('where batches meet an order each holds one message, the next only when that has arrived', async (t) => {
  const made = await scene(t)
  const { server, receiver, arrived, recorded } = made
  const { control, sendAll } = calls(made)
  await control({ batchSize: 10, batchWaitMs: 100, ordering: 'endpoint' })
  const ids = await sendAll([{}, {}, {}])
  for (let n = 1; n <= ids.length; n++) {
    await made.eventually('it waits for its batch', async () => {
      await server.world.advance(100)
      return receiver.received.length >= n
    })
    await arrived(n)
    await recorded(n)
  }
  assert.deepEqual(
    receiver.received.map(idsIn),
    ids.map((id) => [id]),
  )
})
