import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Answer } from '../support/receiver.ts'
import { scene } from './scene.ts'

const answering =
  (status: number): Answer =>
  (_, response) =>
    response.writeHead(status).end()

test('a delivered message that is resent goes out again under its id, and the log says who asked', async (t) => {
  const { server, receiver, endpointId, publish, arrived, recorded, disk } = await scene(t)
  const { svix } = server
  const id = await publish('{"a":1.0}')
  await recorded(1)
  await svix.messageAttempt.resend('shop', id, endpointId)
  await arrived(2)
  await recorded(2)
  const [first, second] = receiver.received
  assert.equal(second?.headers['webhook-id'], first?.headers['webhook-id'])
  assert.equal(second?.body.toString(), '{"a":1.0}')
  const { data } = await svix.messageAttempt.listByMsg('shop', id)
  assert.deepEqual(
    data.toReversed().map(({ triggerType, status }) => [triggerType, status]),
    [
      [0, 0],
      [1, 0],
    ],
  )
  assert.equal(await disk.count('select count(*) from delivery'), 0)
})

test('a message that was given up is resent with a schedule of its own: what fails again is tried again', async (t) => {
  const made = await scene(t, { settings: { retrySchedule: [5_000] } })
  const { server, receiver, endpointId, publish, arrived, recorded, dueAt, disk } = made
  const { svix, world } = server
  receiver.answer = answering(500)
  const id = await publish()
  await recorded(1)
  await world.advance((await dueAt()) - world.now())
  await recorded(2)
  assert.equal(await disk.count('select count(*) from delivery'), 0, 'given up')
  await svix.messageAttempt.resend('shop', id, endpointId)
  await recorded(3)
  receiver.answer = answering(204)
  await world.advance((await dueAt()) - world.now())
  await arrived(4)
  await recorded(4)
  const { data } = await svix.messageAttempt.listByMsg('shop', id)
  // 1: asked for by a person. The retry of it is the schedule's again.
  assert.deepEqual(
    data.toReversed().map(({ triggerType, status }) => [triggerType, status]),
    [
      [0, 2],
      [0, 2],
      [1, 2],
      [0, 0],
    ],
  )
})

test('a message that waits for its next try is sent at once when asked for, and goes on in its schedule', async (t) => {
  const made = await scene(t)
  const { server, receiver, endpointId, publish, recorded, dueAt, disk, quiet } = made
  const { svix, world } = server
  receiver.answer = answering(500)
  const id = await publish()
  await recorded(1)
  await world.advance((await dueAt()) - world.now())
  await recorded(2)
  const waitsUntil = await dueAt()
  assert.ok(waitsUntil - world.now() > 200_000)
  await svix.messageAttempt.resend('shop', id, endpointId)
  await recorded(3)
  assert.equal(await disk.count('select attempts from delivery'), 3)
  const wait = (await dueAt()) - world.now()
  assert.ok(wait >= 24 * 60_000 && wait <= 36 * 60_000, `the third wait of the schedule: ${wait} ms`)
  await world.leap(waitsUntil - world.now())
  await quiet()
  assert.equal(receiver.received.length, 3, 'the try it waited for is not made besides')
  const { data } = await svix.messageAttempt.listByMsg('shop', id)
  assert.deepEqual(
    data.toReversed().map(({ triggerType }) => triggerType),
    [0, 0, 1],
  )
})

test('a resend of what is on its way this moment does not send it twice', async (t) => {
  const { server, receiver, endpointId, publish, arrived, recorded, quiet } = await scene(t)
  const hold: (() => void)[] = []
  receiver.answer = (_, response) => hold.push(() => response.writeHead(204).end())
  const id = await publish()
  await arrived(1)
  await server.svix.messageAttempt.resend('shop', id, endpointId)
  for (const letGo of hold) letGo()
  await recorded(1)
  await quiet()
  assert.equal(receiver.received.length, 1)
})

test('a message can be resent to an endpoint that did not exist when it was told', async (t) => {
  const { server, startReceiver, publish, arrived, recorded } = await scene(t)
  const id = await publish('{"late":true}')
  await recorded(1)
  const another = await startReceiver()
  const { id: to } = await server.svix.endpoint.create('shop', { url: another.url })
  await server.svix.messageAttempt.resend('shop', id, to)
  await arrived(1, another)
  assert.equal(another.received[0]?.body.toString(), '{"late":true}')
})

test('a resend to an endpoint with a backlog arrives within a second of its receiver being mended', async (t) => {
  const made = await scene(t)
  const { server, receiver, endpointId, publish, recorded, stored, arrived, eventually } = made
  const id = await publish('{"wanted":"now"}')
  await recorded(1)
  receiver.answer = answering(500)
  await stored('shop', endpointId, 500)
  for (let second = 0; second < 5; second++) {
    await server.world.advance(1_000)
    await made.quiet()
  }
  const before = receiver.received.length
  receiver.answer = answering(204)
  await server.svix.messageAttempt.resend('shop', id, endpointId)
  await server.world.advance(1_000)
  await arrived(before + 1)
  await eventually(
    'it arrives',
    () => receiver.received.filter(({ headers }) => headers['webhook-id'] === id).length === 2,
  )
})
