import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openElsewhere } from '../support/database.ts'
import { type Scene, scene } from './scene.ts'

const hour = 3_600_000

/** Three deliveries in the states a change can meet: in flight, hot and waiting, and put back for a later try. */
async function midway(made: Scene): Promise<{ inFlight: string; hot: string; later: string; letGo(): void }> {
  const { receiver, publish, arrived, recorded } = made
  receiver.answer = (_, response) => response.writeHead(500).end()
  const later = await publish('{"is":"later"}')
  await recorded(1)
  const hold: (() => void)[] = []
  receiver.answer = (_, response) => hold.push(() => response.writeHead(500).end())
  const inFlight = await publish('{"is":"in flight"}')
  await arrived(2)
  const hot = await publish('{"is":"hot"}')
  await made.quiet()
  assert.equal(receiver.received.length, 2)
  const letGo = (): void => {
    for (const go of hold.splice(0)) go()
  }
  return { inFlight, hot, later, letGo }
}

const settings = { endpointInFlight: 1 }

test('a disabled endpoint gets nothing more; all that waits is kept, and sent once it is enabled again', async (t) => {
  const made = await scene(t, { settings })
  const { server, receiver, endpointId, recorded, quiet, arrived, disk } = made
  const { inFlight, hot, later, letGo } = await midway(made)
  await server.svix.endpoint.patch('shop', endpointId, { disabled: true })
  letGo()
  await recorded(2)
  await made.publish('{"is":"too late"}')
  await server.world.leap(2 * hour)
  await quiet()
  assert.equal(receiver.received.length, 2)
  assert.equal(await disk.count('select count(*) from delivery'), 3)
  assert.equal(await disk.count('select count(*) from delivery where lease is not null'), 0)

  receiver.answer = (_, response) => response.writeHead(204).end()
  await server.svix.endpoint.patch('shop', endpointId, { disabled: false })
  await arrived(5)
  await recorded(5)
  const sent = receiver.received.slice(2).map(({ headers }) => headers['webhook-id'])
  assert.deepEqual(sent.toSorted(), [inFlight, hot, later].toSorted())
  assert.equal(await disk.count('select count(*) from delivery'), 0)
})

test('a deleted endpoint gets nothing more, and nothing goes on waiting for it', async (t) => {
  const made = await scene(t, { settings })
  const { server, receiver, endpointId, recorded, quiet, eventually, disk } = made
  const { letGo } = await midway(made)
  await server.svix.endpoint.delete('shop', endpointId)
  letGo()
  await recorded(2)
  await eventually(
    'nothing waits',
    async () => (await disk.count('select count(*) from delivery where lease is null')) === 0,
  )
  await server.world.leap(2 * hour)
  await eventually('nothing waits', async () => (await disk.count('select count(*) from delivery')) === 0)
  await quiet()
  assert.equal(receiver.received.length, 2)
  const metrics = await (await server.fetch('/metrics')).text()
  assert.match(metrics, /^posthorn_hot_deliveries 0$/m)
})

test('a deleted application gets nothing more, takes nothing more, and leaves its neighbours alone', async (t) => {
  const made = await scene(t, { settings })
  const { server, receiver, recorded, quiet, eventually, disk, startReceiver, publishTo, arrived } = made
  const other = await startReceiver()
  await server.svix.application.create({ name: 'Other', uid: 'other' })
  await server.svix.endpoint.create('other', { url: other.url })
  const { letGo } = await midway(made)
  await server.svix.application.delete('shop')
  letGo()
  await recorded(2)
  const refused = await server.fetch('/api/v1/app/shop/msg', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"eventType":"a","payload":{}}',
  })
  assert.equal(refused.status, 404)
  await publishTo('other')
  await arrived(1, other)
  await recorded(3)
  await server.world.leap(2 * hour)
  await eventually('nothing waits', async () => (await disk.count('select count(*) from delivery')) === 0)
  await quiet()
  assert.equal(receiver.received.length, 2)
})

test('what was stored for many endpoints of a deleted application is swept, at the next start if need be', async (t) => {
  const made = await scene(t)
  const { server, endpointId, stored, eventually, disk } = made
  await server.svix.endpoint.patch('shop', endpointId, { disabled: true })
  await stored('shop', endpointId, 5_000)
  // As if the process had been killed between the deletion and the sweep.
  await made.server.store.endpoints.delete(endpointId as `ep_${string}`, server.world.now())
  assert.equal(await disk.count('select count(*) from delivery'), 5_000)
  await made.restart()
  await eventually('nothing waits', async () => (await disk.count('select count(*) from delivery')) === 0)
})

test('a change by another process counts for the next message, and for what is hot', async (t) => {
  const made = await scene(t, { settings })
  const { server, receiver, endpointId, publish, arrived } = made
  const { letGo } = await midway(made)
  const elsewhere = await openElsewhere(server.databaseUrl)
  t.after(() => elsewhere.close())
  const endpoint = await elsewhere.store.endpoints.any()
  assert.ok(endpoint?.id === endpointId)
  await elsewhere.store.endpoints.update({ ...endpoint, url: `${receiver.url}/moved`, revision: endpoint.revision + 1 })
  await server.world.advance(500)
  await made.quiet()
  receiver.answer = (_, response) => response.writeHead(204).end()
  letGo()
  await arrived(3)
  await publish()
  await arrived(4)
  assert.deepEqual(
    receiver.received.map(({ path }) => path),
    ['/hook', '/hook', '/moved', '/moved'],
  )
})

test('an endpoint that is changed again and again while it is read is sent to as it is at last', async (t) => {
  const made = await scene(t, { settings })
  const { server, receiver, endpointId, arrived } = made
  const { letGo } = await midway(made)
  for (let n = 0; n < 30; n++) {
    // Each of these makes what is hot read the endpoint anew, and the next one makes that reading an old one.
    await Promise.all([
      server.svix.endpoint.patch('shop', endpointId, { url: `${receiver.url}/${n}` }),
      server.svix.endpoint.patchHeaders('shop', endpointId, { headers: { 'x-n': `${n}` } }),
    ])
  }
  await made.quiet()
  receiver.answer = (_, response) => response.writeHead(204).end()
  letGo()
  await arrived(3)
  const last = receiver.received[2]
  assert.deepEqual([last?.path, last?.headers['x-n']], ['/29', '29'])
})

test('a message goes to the endpoints that match it when it is accepted, each once', async (t) => {
  const made = await scene(t)
  const { server, startReceiver, publish, arrived, recorded, quiet, receiver } = made
  const [typed, channelled] = [await startReceiver(), await startReceiver()]
  await server.svix.endpoint.create('shop', { url: typed.url, eventTypes: ['invoice.paid'] })
  await server.svix.endpoint.create('shop', { url: typed.url, eventTypes: ['user.created'] })
  await server.svix.endpoint.create('shop', { url: channelled.url, channels: ['eu'] })
  await publish()
  await server.svix.message.create('shop', { eventType: 'invoice.paid', payload: {}, channels: ['eu', 'us'] })
  await Promise.all([arrived(2), arrived(2, typed), arrived(1, channelled)])
  await recorded(5)
  await quiet()
  assert.deepEqual(
    [receiver, typed, channelled].map(({ received }) => received.length),
    [2, 2, 1],
  )
})

test('an eventId that was told before is not sent again', async (t) => {
  const made = await scene(t)
  const { server, receiver, arrived, quiet, disk } = made
  const { svix } = server
  const fact = { eventType: 'a', eventId: 'evt-1', payload: {} }
  const tries = await Promise.allSettled(Array.from({ length: 20 }, () => svix.message.create('shop', fact)))
  assert.equal(tries.filter(({ status }) => status === 'fulfilled').length, 1)
  await arrived(1)
  await quiet()
  assert.equal(receiver.received.length, 1)
  assert.equal(await disk.count('select count(*) from message'), 1)
  const metrics = await (await server.fetch('/metrics')).text()
  assert.match(metrics, /^posthorn_hot_deliveries 0$/m, 'the places kept for the others are free again')
})

test('what the environment says counts for what is published next, and for what waits', async (t) => {
  const made = await scene(t)
  const { server, receiver, recorded, disk, publish } = made
  receiver.answer = (_, response) => response.writeHead(500).end()
  await publish()
  await recorded(1)
  const waiting = () => disk.count('select count(*) from delivery')
  assert.equal(await waiting(), 1)
  const answer = await server.fetch('/api/v1/environment/settings', {
    method: 'PATCH',
    headers: { 'content-type': 'application/json' },
    body: '{"control":{"retrySchedule":[]}}',
  })
  assert.equal(answer.status, 200)
  await publish()
  await recorded(2)
  assert.equal(await waiting(), 1)
  await server.world.advance((await made.dueAt()) - server.world.now())
  await recorded(3)
  assert.equal(await waiting(), 0)
})
