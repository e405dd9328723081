// Background tasks over the whole server: rate, cancellation, kills, large numbers; time is the test's.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ApplicationId, EndpointId, MessageId } from '../../src/domain/ids.ts'
import { makeIds } from '../../src/domain/ids.ts'
import type { Store } from '../../src/ports/store.ts'
import { asIfKilledNow, heldAfterKillMs, openDatabase, placesHolding } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'
import { startTestServer, type TestServer } from '../support/server.ts'
import { type TestWorld, testWorld } from '../support/world.ts'
import { type Scene, scene, stopped } from './scene.ts'

/** Puts messages of `shop` into the store whose one attempt at the endpoint failed. */
async function failed(made: Scene, count: number): Promise<readonly MessageId[]> {
  const { world, store, svix } = made.server
  const { id } = await svix.application.get('shop')
  const ids = await bulk(store, world, id as ApplicationId, made.endpointId as EndpointId, count)
  await world.advance(1)
  return ids
}

async function bulk(
  store: Store,
  world: TestWorld,
  applicationId: ApplicationId,
  endpointId: EndpointId,
  count: number,
): Promise<readonly MessageId[]> {
  const newId = makeIds(world.now, world.randomBytes)
  const ids = Array.from({ length: count }, () => newId('message'))
  for (let from = 0; from < count; from += 5_000) {
    const some = ids.slice(from, from + 5_000)
    await store.road.commit({
      ...{ lease: newId('lease'), now: world.now(), deliveries: [], settlements: [], turns: [] },
      messages: some.map((id) => ({
        ...{ id, applicationId, eventType: 'invoice.paid', eventId: null, channels: null, tags: null },
        ...{ contentType: null, payload: '{}', acceptedAt: world.now() },
        ...{ orderingKey: null, deliverAt: null, expiresAt: null, encoding: null, request: null },
      })),
      attempts: some.map((messageId) => ({
        ...{ id: newId('attempt'), messageId, endpointId, succeeded: false, trigger: 'scheduled' as const },
        ...{ url: 'http://127.0.0.1/', statusCode: 500, durationMs: 1, response: '', responseCut: false },
        ...{ ended: null, startedAt: world.now() },
      })),
    })
  }
  return ids
}

const since = new Date(0)

/** A task of ours that the client has no words for. */
async function post(server: TestServer, path: string, body?: object): Promise<{ id: string }> {
  const answer = await server.fetch(path, {
    method: 'POST',
    ...(body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  })
  const text = await answer.text()
  assert.ok(answer.ok, text)
  return JSON.parse(text)
}

const recover = (made: Scene, wish: object = {}) =>
  post(made.server, `/api/v1/app/shop/endpoint/${made.endpointId}/recover`, { since, ...wish })

const queued = async ({ disk }: Scene) =>
  (await disk.count('select count(*) from delivery')) +
  (await disk.count('select count(*) from attempt where trigger = 1'))

/** Moves the clock in small steps until the task is over. */
async function over(server: TestServer, world: TestWorld, id: string, stepMs = 100): Promise<Record<string, unknown>> {
  let data: Record<string, unknown> = {}
  await eventually(world, `task ${id} is over`, async () => {
    await world.advance(stepMs)
    const task = await server.svix.backgroundTask.get(id)
    data = task.data
    return task.status !== 'running'
  })
  return data
}

test('a task sends as many messages a second as it was told to, and no more', async (t) => {
  const made = await scene(t)
  const { world } = made.server
  await failed(made, 100)
  made.receiver.answer = (_, response) => response.writeHead(204).end()
  await recover(made, { rate: 20 })
  const counts: number[] = []
  for (let second = 0; second < 3; second++) {
    await made.quiet()
    counts.push(await queued(made))
    for (let step = 0; step < 10; step++) {
      await world.advance(100)
      await made.quiet()
    }
  }
  // Two in the first moment, and then two every 100 ms.
  assert.deepEqual(counts, [2, 22, 42])
  await made.arrived(60)
})

test('a task that is canceled stops where it stands, and what it has sent stays sent', async (t) => {
  const made = await scene(t)
  const { server } = made
  await failed(made, 100)
  const { id } = await recover(made, { rate: 100 })
  await made.quiet()
  assert.equal(await queued(made), 10)
  await post(server, `/api/v1/background-task/${id}/cancel`)
  await server.world.advance(60_000)
  await made.quiet()
  assert.equal(await queued(made), 10)
  const { status, data } = await server.svix.backgroundTask.get(id)
  assert.deepEqual([status, data.canceled, data.messagesSent], ['failed', true, 10])
  await post(server, `/api/v1/background-task/${id}/cancel`)
  assert.equal((await server.svix.backgroundTask.get(id)).updatedAt.getTime() <= server.world.now() - 60_000, true)
})

test('several tasks share the time: a small one does not wait for a large one to end', async (t) => {
  const made = await scene(t)
  const { server } = made
  await failed(made, 60)
  const large = await recover(made, { rate: 10 })
  const small = await recover(made, { rate: 10_000, dryRun: true })
  assert.equal((await over(server, server.world, small.id)).messagesSeen, 60)
  assert.equal((await server.svix.backgroundTask.get(large.id)).status, 'running')
})

test('thirty thousand failed messages are recovered across a kill, none lost and none doubled', async (t) => {
  const made = await scene(t, { settings: { endpointInFlight: 1 } })
  // It takes one request and keeps it: what the task has added then stands in the queue to be counted.
  made.receiver.answer = () => {}
  const ids = await failed(made, 30_000)
  const { id } = await recover(made, { rate: 10_000 })
  await made.eventually('a third is done', async () => {
    await made.server.world.advance(100)
    return (await made.disk.count('select count(*) from delivery')) > 10_000
  })
  const databaseUrl = await asIfKilledNow(t, made.server.databaseUrl)
  const world = testWorld({ now: made.server.world.now() + 1_000 + heldAfterKillMs })
  const killed = openDatabase(databaseUrl)
  t.after(() => killed.close())
  const before = await killed.count('select count(*) from delivery')
  assert.ok(before > 10_000 && before < 30_000, `killed after ${before}`)

  const next = await startTestServer({ databaseUrl, world, settings: { endpointInFlight: 1 } })
  t.after(async () => {
    await made.receiver.close()
    await stopped(next)
  })
  const data = await over(next, world, id)
  assert.deepEqual([data.messagesSent, data.messagesSeen, data.messagesSkipped], [30_000, 30_000, {}])
  const rows = await killed.rows('select message_id from delivery order by message_id')
  assert.deepEqual(
    rows.map((row) => row.message_id),
    ids,
  )
})

test('a task whose endpoint is deleted fails and says so', async (t) => {
  const made = await scene(t)
  const { server } = made
  await failed(made, 30)
  const { id } = await recover(made, { rate: 10 })
  await made.quiet()
  await server.svix.endpoint.delete('shop', made.endpointId)
  const data = await over(server, server.world, id)
  assert.equal(data.error, 'The endpoint was deleted.')
  assert.equal(data.messagesSent, 1)
})

test('what waits for the endpoint, or is being sent this moment, is not sent a second time', async (t) => {
  const made = await scene(t)
  const ids = await failed(made, 3)
  made.receiver.answer = () => {}
  const inFlight = await made.publish()
  await made.arrived(1)
  const { id } = await post(made.server, `/api/v1/app/shop/endpoint/${made.endpointId}/bulk-replay`, { since })
  const data = await over(made.server, made.server.world, id)
  assert.deepEqual([data.messagesSent, data.messagesSkipped], [3, { waiting: 1 }])
  await made.arrived(4)
  assert.deepEqual(
    made.receiver.received.map(({ headers }) => headers['webhook-id']),
    [inFlight, ...ids],
  )
})

test('a task that cannot be worked out is tried for half a minute, then failed, and holds up no other', async (t) => {
  const made = await scene(t)
  const { server, disk } = made
  await failed(made, 3)
  const broken = await recover(made, { rate: 1 })
  await made.quiet()
  await disk.exec(`update task set ask = '{"kind":"unheard-of"}' where status = 'running'`)
  const sound = await recover(made)
  assert.equal((await over(server, server.world, sound.id)).messagesSent, 2)
  for (let second = 0; second < 40; second++) {
    await server.world.advance(1_000)
    await server.store.ping()
  }
  const [row] = await disk.rows('select status, progress from task where id = ?', broken.id)
  assert.equal(row?.status, 'failed')
  assert.match(String(row?.progress), /broken/)
})

test('when expunging all content is finished, no file of the database holds any of it', async (t) => {
  const made = await scene(t)
  const { server, receiver } = made
  receiver.answer = ({ body }, response) => response.writeHead(200).end(body)
  for (let n = 0; n < 3; n++) await made.publish(`{"text":"name of somebody, number ${n}"}`)
  await made.recorded(3)
  assert.ok((await placesHolding(server.databaseUrl, 'name of somebody')).length > 0, 'it was there')
  const { id } = await server.svix.message.expungeAllContents('shop')
  const later = await made.publish('{"text":"accepted afterwards"}')
  const data = await over(server, server.world, id)
  assert.deepEqual(await placesHolding(server.databaseUrl, 'name of somebody'), [])
  assert.ok(Number(data.messagesPurged) >= 3)
  await made.recorded(4)
  assert.ok(made.receiver.received.some(({ headers }) => headers['webhook-id'] === later))
})
