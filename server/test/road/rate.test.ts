import assert from 'node:assert/strict'
import { test } from 'node:test'
import { explained, idsOf, many, mostInASecond, pass, patch, say, triedAt } from './controls.ts'
import { scene } from './scene.ts'

test('a hundred messages at five a second take twenty seconds, evenly, and all arrive', async (t) => {
  const made = await scene(t)
  const { server, receiver, endpointId, publish, arrived, recorded } = made
  await server.svix.endpoint.patch('shop', endpointId, { throttleRate: 5 })
  const ids = await many(100, publish)
  await arrived(1)
  await made.quiet()
  assert.equal(receiver.received.length, 1, 'not five at once')
  const last = await explained(made, ids.at(-1) ?? '')
  assert.equal(last.verdict, 'waiting')
  await pass(made, 20_000, 500)
  await arrived(100)
  await recorded(100)
  const times = await triedAt(made, endpointId)
  assert.ok(mostInASecond(times) <= 6, `${mostInASecond(times)} within a second`)
  for (const [at, time] of times.slice(1).entries()) assert.ok(time - (times[at] ?? 0) >= 150)
  assert.deepEqual(idsOf(receiver.received).toSorted(), ids.toSorted())
})

test('what waits for the rate says so, and until when', async (t) => {
  const made = await scene(t)
  const { server, endpointId, publish, arrived } = made
  for (const path of [`app/shop/endpoint/${endpointId}`, 'app/shop']) {
    const before = made.receiver.received.length
    await patch(made, path, { throttleRate: 1 })
    await publish()
    await arrived(before + 1)
    await made.quiet()
    const { verdict, waitingFor, until } = await explained(made, await publish())
    assert.deepEqual([verdict, waitingFor], ['waiting', 'rate'])
    assert.equal(Date.parse(String(until)) - server.world.now(), 950)
    await patch(made, path, { throttleRate: null })
    await arrived(before + 2)
    await server.world.advance(1_000)
  }
})

test('the rate of an application is shared by its endpoints in turn, and is no matter of its neighbours', async (t) => {
  const made = await scene(t)
  const { server, receiver, publish, publishTo, arrived } = made
  const other = await made.startReceiver()
  await server.svix.application.create({ name: 'Shared', uid: 'shared', throttleRate: 6 })
  const paths = ['/a', '/b', '/c']
  for (const path of paths) await server.svix.endpoint.create('shared', { url: other.url + path })
  await many(10, () => publishTo('shared'))
  await many(60, publish)
  await arrived(60)
  await made.quiet()
  assert.equal(other.received.length, 1, 'while its neighbour got everything at once')
  const counts = (): number[] => paths.map((path) => other.received.filter((one) => one.path === path).length)
  await pass(made, 2_500, 100)
  assert.ok(Math.max(...counts()) - Math.min(...counts()) <= 1, `none is starved: ${counts()}`)
  assert.ok(other.received.length >= 15 && other.received.length <= 17, `${other.received.length} in 2.5 s`)
  await pass(made, 2_500, 100)
  await arrived(30, other)
  assert.deepEqual(counts(), [10, 10, 10])
  assert.equal(receiver.received.length, 60)
})

test('what the environment says is the rate of each endpoint that says none itself', async (t) => {
  const made = await scene(t)
  const { server, receiver, publish, arrived } = made
  const fast = await made.startReceiver()
  await server.svix.endpoint.create('shop', { url: fast.url, throttleRate: 1_000 })
  await say(made, 'environment', { throttleRate: 2 })
  await many(10, publish)
  await arrived(10, fast)
  await made.quiet()
  assert.equal(receiver.received.length, 1)
  await pass(made, 1_000)
  assert.equal(receiver.received.length, 3)
})

test('another rate counts at once for what waits, of an endpoint and of an application', async (t) => {
  const made = await scene(t)
  const { server, receiver, endpointId, publish, arrived } = made
  for (const path of [`app/shop/endpoint/${endpointId}`, 'app/shop']) {
    const before = receiver.received.length
    await patch(made, path, { throttleRate: 1 })
    await many(20, publish)
    await arrived(before + 1)
    await pass(made, 1_000)
    assert.equal(receiver.received.length, before + 2)
    await patch(made, path, { throttleRate: null })
    await arrived(before + 20)
    await server.world.advance(1_000)
  }
})

test('a server that has stopped leaves no timer behind, whatever its deliveries waited for', async (t) => {
  const made = await scene(t)
  const { server, receiver, endpointId, publish, publishTo, arrived } = made
  await patch(made, `app/shop/endpoint/${endpointId}`, { throttleRate: 1 })
  await server.svix.application.create({ name: 'Shared', uid: 'shared', throttleRate: 1 })
  for (const path of ['/a', '/b']) await server.svix.endpoint.create('shared', { url: receiver.url + path })
  await many(5, publish)
  await many(5, () => publishTo('shared'))
  await arrived(2)
  await made.quiet()
  assert.ok(server.world.pendingTimers > 2)
  await server.stop()
  assert.equal(server.world.pendingTimers, 0)
  await made.start()
})
