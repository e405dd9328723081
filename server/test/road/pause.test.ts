import assert from 'node:assert/strict'
import { test } from 'node:test'
import { answering, explained, holding, idsOf, many, pass, post } from './controls.ts'
import { scene } from './scene.ts'

const hour = 3_600_000

test('a paused endpoint gets nothing, neither what waited in memory nor what is published; resumed, all of it in order, once', async (t) => {
  const made = await scene(t, { settings: { endpointInFlight: 1 } })
  const { receiver, endpointId, publish, arrived, quiet, disk } = made
  const { answer, letGo } = holding()
  receiver.answer = answer
  const ids = [await publish()]
  await arrived(1)
  for (let n = 0; n < 10; n++) ids.push(await publish())
  await post(made, `app/shop/endpoint/${endpointId}/pause`)
  letGo()
  for (let n = 0; n < 10; n++) ids.push(await publish())
  const waiting = await explained(made, ids.at(-1) ?? '')
  assert.deepEqual([waiting.verdict, waiting.waitingFor, waiting.until], ['waiting', 'pause', null])
  receiver.answer = answering(204)
  await made.server.world.leap(48 * hour)
  await quiet()
  assert.deepEqual(idsOf(receiver.received), ids.slice(0, 1), 'what was under way is all that went')
  assert.equal(await disk.count('select count(*) from delivery where lease is null'), 20)
  assert.equal((await made.server.svix.endpoint.get('shop', endpointId)).disabled, false)

  await post(made, `app/shop/endpoint/${endpointId}/resume`)
  ids.push(await publish())
  await arrived(22)
  await made.recorded(22)
  await quiet()
  assert.deepEqual(idsOf(receiver.received), ids)
})

test('a pause holds over restarts, and what it kept goes before what is published as soon as it is over', async (t) => {
  const made = await scene(t, { settings: { endpointInFlight: 1 } })
  const { receiver, endpointId, arrived, quiet } = made
  await post(made, `app/shop/endpoint/${endpointId}/pause`)
  const ids: string[] = []
  for (let n = 0; n < 5; n++) ids.push(await made.publish())
  await made.restart()
  await made.server.world.advance(5_000)
  await quiet()
  assert.equal(receiver.received.length, 0)
  await post(made, `app/shop/endpoint/${endpointId}/resume`)
  ids.push(await made.publish())
  await arrived(6)
  assert.deepEqual(idsOf(receiver.received), ids)
})

test('retries that fall due while it is paused wait for its end', async (t) => {
  const made = await scene(t, { settings: { retrySchedule: [1_000, 1_000] } })
  const { receiver, endpointId, publish, recorded, quiet, arrived, server } = made
  receiver.answer = answering(500)
  await publish()
  await recorded(1)
  await post(made, `app/shop/endpoint/${endpointId}/pause`)
  await pass(made, 10_000, 2_000)
  assert.equal(receiver.received.length, 1)
  receiver.answer = answering(204)
  await post(made, `app/shop/endpoint/${endpointId}/resume`)
  await arrived(2)
  await recorded(2)
  await server.world.advance(hour)
  await quiet()
  assert.equal(receiver.received.length, 2)
})

test('a pause is of one endpoint: its siblings go on', async (t) => {
  const made = await scene(t)
  const { receiver, endpointId, publish, arrived } = made
  const other = await made.startReceiver()
  await made.server.svix.endpoint.create('shop', { url: other.url })
  await post(made, `app/shop/endpoint/${endpointId}/pause`)
  await many(20, publish)
  await arrived(20, other)
  await made.quiet()
  assert.equal(receiver.received.length, 0)
})
