import assert from 'node:assert/strict'
import { test } from 'node:test'
import { answering, many, pass } from './controls.ts'
import { scene } from './scene.ts'

test('beside a backlog of thousands, a hung, a throttled and a failing endpoint, a fresh one gets its messages at once', async (t) => {
  const settings = { endpointInFlight: 16, globalInFlight: 64, hotDeliveries: 512, retrySchedule: [60_000] }
  const made = await scene(t, { settings })
  const { server, receiver, publish, publishTo, stored, arrived } = made
  const noisy = async (uid: string, throttleRate: number | null = null) => {
    const at = await made.startReceiver()
    await server.svix.application.create({ name: uid, uid })
    const { id } = await server.svix.endpoint.create(uid, { url: at.url, throttleRate })
    return { at, id }
  }
  const [large, hung, throttled, failing] = [
    await noisy('large'),
    await noisy('hung'),
    await noisy('throttled', 5),
    await noisy('failing'),
  ]
  hung.at.answer = () => {}
  failing.at.answer = answering(500)
  for (const [uid, { id }] of Object.entries({ hung, throttled, failing })) await stored(uid, id, 500)
  await stored('large', large.id, 3_000)
  await server.world.advance(1_000)
  const others = (): number[] => [hung, throttled, failing].map(({ at }) => at.received.length)
  await made.eventually('each of them has begun', () => Math.min(...others()) > 0)
  let sentBefore = 0
  receiver.answer = (_, response) => {
    sentBefore = large.at.received.length
    response.writeHead(204).end()
  }
  // The clock stands still from here on: nothing but a turn is waited for.
  await many(40, publish)
  await many(40, () => publishTo('hung'))
  await arrived(40)
  assert.ok(sentBefore < 1_500, `${sentBefore} of the large backlog came first`)
  const [ofHung = 0, ofThrottled = 0] = others()
  assert.ok(ofHung <= 16, `the hung one has ${ofHung} under way, more than a newcomer may`)
  assert.ok(ofThrottled <= 7, `the throttled one got ${ofThrottled}, more than its rate`)
})

test('a throttled application with many endpoints and a backlog at each does not fill the memory that all share', async (t) => {
  const made = await scene(t, { settings: { endpointInFlight: 16, globalInFlight: 64, hotDeliveries: 512 } })
  const { server, stored, publish, arrived } = made
  const at = await made.startReceiver()
  await server.svix.application.create({ name: 'Throttled', uid: 'throttled', throttleRate: 1 })
  for (let n = 0; n < 30; n++) {
    const { id } = await server.svix.endpoint.create('throttled', { url: `${at.url}/${n}` })
    await stored('throttled', id, 30)
  }
  await pass(made, 4_000, 1_000)
  const metrics = await (await server.fetch('/metrics')).text()
  const hot = Number(/^posthorn_hot_deliveries (\d+)$/m.exec(metrics)?.[1])
  assert.ok(hot > 0 && hot <= 30 * 8, `${hot} are held`)
  await many(20, publish)
  await arrived(20)
})
