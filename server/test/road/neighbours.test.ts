import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Receiver } from '../support/receiver.ts'
import { type Scene, scene } from './scene.ts'

/** A receiver that takes requests and never answers. */
async function hung({ startReceiver }: Scene): Promise<Receiver> {
  const receiver = await startReceiver()
  receiver.answer = () => {}
  return receiver
}

/** An application of its own with endpoints at this receiver. */
async function application({ server }: Scene, uid: string, at: Receiver, endpoints = 1): Promise<string[]> {
  await server.svix.application.create({ name: uid, uid })
  const made = Array.from({ length: endpoints }, (_, n) => server.svix.endpoint.create(uid, { url: `${at.url}/${n}` }))
  return (await Promise.all(made)).map(({ id }) => id)
}

async function metric({ server }: Scene, name: string): Promise<number> {
  const text = await (await server.fetch('/metrics')).text()
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1])
}

const many = (count: number, publish: () => Promise<string>) => Promise.all(Array.from({ length: count }, publish))

test('a hung endpoint holds up neither its siblings nor other applications, and never has more than its window in flight', async (t) => {
  const made = await scene(t, { settings: { endpointInFlight: 32 } })
  const { server, receiver, publish, publishTo, arrived, quiet } = made
  const [silent, other] = [await hung(made), await made.startReceiver()]
  await server.svix.endpoint.create('shop', { url: silent.url })
  await application(made, 'other', other)
  const [here, there] = await Promise.all([many(60, publish), many(60, () => publishTo('other'))])
  await Promise.all([arrived(60), arrived(60, other)])
  await quiet()
  assert.equal(silent.received.length, 16, 'a newcomer has a small window')
  for (const [receivedAt, ids] of [
    [receiver, here],
    [other, there],
  ] as const) {
    assert.deepEqual(receivedAt.received.map(({ headers }) => headers['webhook-id']).toSorted(), ids.toSorted())
  }
})

test('an endpoint that has proved itself has more in flight, up to its cap; when it fails, less', async (t) => {
  const made = await scene(t, { settings: { endpointInFlight: 32, retrySchedule: [60_000] } })
  const { server, receiver, publish, arrived, recorded, quiet } = made
  await many(60, publish)
  await arrived(60)
  await recorded(60)
  receiver.answer = () => {}
  await many(60, publish)
  await arrived(92)
  await quiet()
  assert.equal(receiver.received.length, 92, 'the cap')
  await server.world.advance(15_000)
  await recorded(92)
  await quiet()
  assert.ok(receiver.received.length <= 93, `after its timeouts, one at a time: ${receiver.received.length - 92}`)
})

test('a hundred hung endpoints do not take all that may be in flight', async (t) => {
  const made = await scene(t, { settings: { endpointInFlight: 4, globalInFlight: 256, hotDeliveries: 8192 } })
  const { receiver, publish, publishTo, arrived, quiet } = made
  const silent = await hung(made)
  await application(made, 'hung', silent, 100)
  await many(10, () => publishTo('hung'))
  await arrived(100, silent)
  await quiet()
  assert.equal(new Set(silent.received.map(({ path }) => path)).size, 100, 'every one of them is tried')
  assert.ok(silent.received.length < 256, 'and what may be in flight is not used up')
  await many(40, publish)
  await arrived(40)
  assert.equal(receiver.received.length, 40)
})

test('hung endpoints with much to get do not fill the memory that all share, and give back what they held', async (t) => {
  const made = await scene(t, { settings: { endpointInFlight: 8, globalInFlight: 512, hotDeliveries: 2048 } })
  const { server, publish, publishTo, arrived, quiet } = made
  const silent = await hung(made)
  await application(made, 'hung', silent, 40)
  await many(100, () => publishTo('hung'))
  await quiet()
  await many(40, publish)
  await arrived(40)
  const before = await metric(made, 'posthorn_hot_deliveries')
  await server.world.advance(15_000)
  await quiet()
  const after = await metric(made, 'posthorn_hot_deliveries')
  assert.ok(after < before / 2, `${before} were held, and after they had timed out still ${after}`)
})

test('dead endpoints with a backlog do not fill the memory that all share', async (t) => {
  const settings = { endpointInFlight: 4, globalInFlight: 64, hotDeliveries: 256, retrySchedule: [60_000, 60_000] }
  const made = await scene(t, { settings })
  const { server, publish, arrived, recorded, quiet, disk } = made
  const dead = await made.startReceiver()
  dead.answer = (_, response) => response.writeHead(500).end()
  const endpoints = await application(made, 'dead', dead, 60)
  for (const id of endpoints) await made.stored('dead', id, 100)
  // Long enough for each to fail so often that it is tried gently.
  for (let step = 0; step < 16; step++) {
    await server.world.advance(1_000)
    await quiet()
  }
  const attempts = await disk.count('select count(*) from attempt')
  assert.ok(attempts > 60 * 20, `${attempts} attempts`)
  await many(40, publish)
  await arrived(40)
  await recorded(attempts + 40)
})

test('of two endpoints with a backlog, the small one is through long before the large one', async (t) => {
  const made = await scene(t)
  const { server, receiver, endpointId, arrived } = made
  const small = await made.startReceiver()
  const [smallId = ''] = await application(made, 'small', small)
  await made.stored('shop', endpointId, 2_500)
  await made.stored('small', smallId, 5)
  let before = 0
  small.answer = (_, response) => {
    before = receiver.received.length
    response.writeHead(204).end()
  }
  await server.world.advance(1_000)
  await arrived(5, small)
  assert.ok(before <= 512, `${before} of the large backlog came first`)
  await arrived(2_500)
})

test('memory that was full is filled again as soon as there is room, not at the next look', async (t) => {
  const made = await scene(t, { settings: { endpointInFlight: 8, globalInFlight: 16, hotDeliveries: 16 } })
  const { receiver, publishTo, arrived } = made
  const other = await made.startReceiver()
  await application(made, 'other', other)
  const hold: (() => void)[] = []
  receiver.answer = (_, response) => hold.push(() => response.writeHead(204).end())
  // Each endpoint may hold as many as are left free, so these fill the memory to the last place and leave none waiting.
  for (const [at, count] of [8, 4, 2, 1, 1].entries()) {
    await application(made, `full-${at}`, receiver)
    await many(count, () => publishTo(`full-${at}`))
  }
  assert.equal(await metric(made, 'posthorn_hot_deliveries'), 16)
  await many(5, () => publishTo('other'))
  await made.quiet()
  assert.equal(other.received.length, 0)
  receiver.answer = (_, response) => response.writeHead(204).end()
  for (const letGo of hold) letGo()
  await arrived(5, other)
})

test('a backlog far beyond the memory is all delivered when its endpoint comes back, nothing twice, and memory stays bounded', async (t) => {
  const settings = {
    endpointInFlight: 8,
    globalInFlight: 16,
    hotDeliveries: 64,
    retrySchedule: [1_000, 5_000, 60_000, 3_600_000],
  }
  const made = await scene(t, { settings })
  const { server, receiver, endpointId, publish, eventually, quiet, disk } = made
  receiver.answer = (_, response) => response.writeHead(503).end()
  const ids = [...(await made.stored('shop', endpointId, 1_500)), ...(await many(100, publish))]
  let mostHot = 0
  for (let step = 0; step < 20; step++) {
    await server.world.advance(1_000)
    mostHot = Math.max(mostHot, await metric(made, 'posthorn_hot_deliveries'))
  }
  await made.quiet()
  assert.equal((await metric(made, 'posthorn_hot_deliveries')) + (await metric(made, 'posthorn_stored_backlog')), 1_600)
  const failed = receiver.received.length
  assert.ok(failed < 120, `a dead endpoint is tried gently: ${failed} requests in 20 s`)
  receiver.answer = (_, response) => response.writeHead(204).end()
  let round = 0
  await eventually('all are delivered', async () => {
    // Retries come when they are due; what has never been tried waits for nothing but its turn.
    await server.world.advance(1_000)
    if (round++ % 10 === 0) mostHot = Math.max(mostHot, await metric(made, 'posthorn_hot_deliveries'))
    await quiet()
    return (await disk.count('select count(*) from delivery')) === 0
  })
  const delivered = (await disk.rows('select message_id from attempt where succeeded = 1')).map((row) =>
    String(row.message_id),
  )
  assert.deepEqual(delivered.toSorted(), ids.toSorted())
  assert.equal(receiver.received.length, await disk.count('select count(*) from attempt'))
  assert.ok(mostHot > 0 && mostHot <= 64, `${mostHot} were held`)
})

const large = JSON.stringify({ text: 'x'.repeat(1_000_000) })

test('a hung endpoint with few but large payloads does not fill the memory that all share', async (t) => {
  const made = await scene(t)
  const { publish, publishTo, arrived, quiet } = made
  await application(made, 'hung', await hung(made))
  for (let n = 0; n < 20; n++) await publishTo('hung', large)
  await quiet()
  await publish()
  await arrived(1)
})

test('nor does one whose large payloads come from the store', async (t) => {
  const made = await scene(t)
  const { server, publish, publishTo, arrived, quiet } = made
  const silent = await hung(made)
  const [endpoint = assert.fail()] = await application(made, 'hung', silent)
  const put = (what: string) => server.fetch(`/api/v1/app/hung/endpoint/${endpoint}/${what}`, { method: 'POST' })
  assert.equal((await put('pause')).status, 200)
  for (let n = 0; n < 20; n++) await publishTo('hung', large)
  assert.equal((await put('resume')).status, 200)
  await arrived(1, silent)
  await quiet()
  await publish()
  await arrived(1)
})

/** Lets the only endpoint of an application get its messages together. */
async function batching({ server }: Scene, app: string, control: object): Promise<void> {
  const answer = await server.fetch(`/api/v1/app/${app}`, {
    method: 'PATCH',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ control: { batchSize: 1_000, batchWaitMs: 60_000, ...control } }),
  })
  assert.equal(answer.status, 200, await answer.text())
}

test('a batch that fills with large payloads holds up nobody, and goes when no more of it can be held', async (t) => {
  const made = await scene(t)
  const { publish, publishTo, arrived, quiet, disk } = made
  const receiver = await made.startReceiver()
  await application(made, 'batched', receiver)
  await batching(made, 'batched', {})
  for (let n = 0; n < 60; n++) await publishTo('batched', large)
  await quiet()
  await publish()
  await arrived(1)
  assert.ok(receiver.received.length >= 30, `${receiver.received.length} without the clock having moved`)
  assert.ok((await disk.count('select count(*) from delivery')) <= 25)
})

test('what goes in one order for the whole endpoint does not wait for a batch that nothing can join', async (t) => {
  const made = await scene(t)
  await batching(made, 'shop', { ordering: 'endpoint' })
  for (let n = 0; n < 5; n++) await made.publish()
  await made.arrived(5)
})
