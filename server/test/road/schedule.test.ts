import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Answer } from '../support/receiver.ts'
import { type Scene, scene } from './scene.ts'

const [second, minute, hour] = [1_000, 60_000, 3_600_000] as const
// docs/retries.md: at once, then these.
const promised = [5 * second, 5 * minute, 30 * minute, 2 * hour, 5 * hour, 10 * hour, 14 * hour, 20 * hour, 24 * hour]

const answering =
  (status: number, headers: Record<string, string> = {}): Answer =>
  (_, response) =>
    response.writeHead(status, headers).end()

/** Lets the first attempt fail with this answer; resolves to how long after it the next one is due. */
async function waitAfter(t: TestContext, answer: Answer): Promise<number> {
  const { server, receiver, publish, arrived, recorded, dueAt } = await scene(t)
  receiver.answer = answer
  await publish()
  await arrived(1)
  await recorded(1)
  return (await dueAt()) - server.world.now()
}

test('a failing message is tried ten times, exactly when the schedule says, each wait within a fifth; then no more', async (t) => {
  const { server, receiver, publish, arrived, recorded, quiet, dueAt, disk } = await scene(t)
  const { world } = server
  receiver.answer = answering(500)
  await publish()
  const waits: number[] = []
  for (let attempt = 1; attempt <= promised.length; attempt++) {
    await arrived(attempt)
    await recorded(attempt)
    const due = await dueAt()
    waits.push(due - world.now())
    await world.leap(due - world.now() - 1)
    await quiet()
    assert.equal(receiver.received.length, attempt, 'a millisecond before it is due nothing is sent')
    await world.advance(1)
  }
  await arrived(10)
  await recorded(10)
  for (const [at, expected] of promised.entries()) {
    const wait = waits[at] ?? 0
    assert.ok(Math.abs(wait - expected) <= expected * 0.2 + 1, `wait ${at + 1} was ${wait} ms`)
  }
  assert.ok(
    new Set(waits.map((wait, at) => (wait / (promised[at] ?? 1)).toFixed(3))).size > 5,
    'the dice are thrown each time',
  )
  assert.equal(await disk.count('select count(*) from delivery'), 0, 'given up')
  await world.leap(48 * hour)
  await quiet()
  assert.equal(receiver.received.length, 10)
  const { data } = await server.svix.messageAttempt.listByEndpoint(
    'shop',
    (await server.svix.endpoint.list('shop')).data[0]?.id ?? '',
  )
  assert.deepEqual(
    data.map(({ status, responseStatusCode, triggerType }) => [status, responseStatusCode, triggerType]),
    Array.from({ length: 10 }, () => [2, 500, 0]),
  )
})

test('a success ends it, whichever attempt it is', async (t) => {
  const { server, receiver, publish, arrived, recorded, quiet, dueAt, disk } = await scene(t)
  receiver.answer = answering(500)
  await publish()
  await arrived(1)
  await recorded(1)
  receiver.answer = answering(299)
  await server.world.advance((await dueAt()) - server.world.now())
  await arrived(2)
  await recorded(2)
  assert.equal(await disk.count('select count(*) from delivery'), 0)
  await server.world.leap(48 * hour)
  await quiet()
  assert.equal(receiver.received.length, 2)
})

test('retries that fall due one after the other share their claims', async (t) => {
  const { server, receiver, publish, arrived, recorded, quiet } = await scene(t)
  const { world } = server
  receiver.answer = answering(429, { 'retry-after': '60' })
  for (let n = 1; n <= 15; n++) {
    await publish()
    await recorded(n)
    await world.advance(1)
  }
  receiver.answer = answering(204)
  await world.advance(60_000 - 20)
  for (let ms = 0; ms < 40; ms++) {
    await world.advance(1)
    await quiet()
  }
  await arrived(30)
  await recorded(30)
  const metrics = await (await server.fetch('/metrics')).text()
  const claims = Number(/^posthorn_claim_seconds_count (\d+)$/m.exec(metrics)?.[1])
  assert.ok(claims > 0 && claims <= 3, `${claims} claims of what fell due within 15 ms`)
})

test('Retry-After in seconds is waited for, where it is longer than the schedule', async (t) => {
  assert.equal(await waitAfter(t, answering(429, { 'retry-after': '120' })), 120 * second)
})

test('Retry-After as a date is waited for', async (t) => {
  // The world begins at the start of 2026.
  assert.equal(await waitAfter(t, answering(503, { 'retry-after': 'Thu, 01 Jan 2026 00:03:00 GMT' })), 180 * second)
})

test('Retry-After can make a wait longer, not shorter, and not longer than a day', async (t) => {
  assert.ok((await waitAfter(t, answering(503, { 'retry-after': '1' }))) >= 4 * second)
  assert.equal(await waitAfter(t, answering(503, { 'retry-after': '99999999' })), 24 * hour)
})

test('a redirect is a failure and is not followed', async (t) => {
  const { server, receiver, startReceiver, endpointId, publish, arrived, recorded, quiet } = await scene(t)
  const elsewhere = await startReceiver()
  receiver.answer = answering(307, { location: `${elsewhere.url}/there` })
  await publish()
  await arrived(1)
  await recorded(1)
  await quiet()
  assert.equal(elsewhere.received.length, 0)
  const { data } = await server.svix.messageAttempt.listByEndpoint('shop', endpointId)
  assert.deepEqual([data[0]?.status, data[0]?.responseStatusCode], [2, 307])
})

test('an attempt that has no answer after 15 seconds is a failure that says so, and is tried again', async (t) => {
  const { server, receiver, endpointId, publish, arrived, recorded, quiet, dueAt, disk } = await scene(t)
  receiver.answer = () => {}
  await publish()
  await arrived(1)
  await server.world.advance(14_999)
  await quiet()
  assert.equal(await disk.count('select count(*) from attempt'), 0)
  await server.world.advance(1)
  await recorded(1)
  const { data } = await server.svix.messageAttempt.listByEndpoint('shop', endpointId, { withContent: true })
  assert.deepEqual([data[0]?.status, data[0]?.responseStatusCode, data[0]?.responseDurationMs], [2, 0, 15_000])
  assert.match(data[0]?.response ?? '', /within 15 s/)
  receiver.answer = answering(204)
  await server.world.advance((await dueAt()) - server.world.now())
  await arrived(2)
  await recorded(2)
  assert.equal(await disk.count('select count(*) from delivery'), 0)
})

test('a receiver that cannot be reached is a failure that says why, and is tried again', async (t) => {
  const { server, receiver, endpointId, publish, recorded, dueAt } = await scene(t)
  await receiver.close()
  await publish()
  await recorded(1)
  const { data } = await server.svix.messageAttempt.listByEndpoint('shop', endpointId, { withContent: true })
  assert.deepEqual([data[0]?.status, data[0]?.responseStatusCode], [2, 0])
  assert.match(data[0]?.response ?? '', /refused/i)
  assert.ok((await dueAt()) > server.world.now())
})

test('410 disables the endpoint at once; what else waited for it is kept, and sent when it is enabled again', async (t) => {
  const { server, receiver, endpointId, publish, arrived, recorded, quiet, eventually, disk } = await scene(t)
  const { svix, world } = server
  receiver.answer = answering(500)
  const kept = [await publish('{"n":1}'), await publish('{"n":2}')]
  await recorded(2)
  receiver.answer = answering(410)
  const refused = await publish('{"n":3}')
  await recorded(3)
  await eventually(
    'the endpoint is disabled',
    async () => (await svix.endpoint.get('shop', endpointId)).disabled === true,
  )

  await world.leap(48 * hour)
  await publish('{"n":4}')
  await quiet()
  assert.equal(receiver.received.length, 3, 'a disabled endpoint gets nothing')
  assert.deepEqual(
    (await disk.rows('select message_id from delivery')).map((row) => row.message_id).toSorted(),
    kept.toSorted(),
  )

  receiver.answer = answering(204)
  await svix.endpoint.patch('shop', endpointId, { disabled: false })
  await arrived(5)
  await recorded(5)
  await quiet()
  const again = receiver.received.slice(3).map(({ headers }) => headers['webhook-id'])
  assert.deepEqual(again.toSorted(), kept.toSorted())
  assert.ok(!again.includes(refused), 'what was answered 410 is settled')
  assert.equal(await disk.count('select count(*) from delivery'), 0)
})

/** Publishes, and lets the one attempt be recorded. */
async function attempt({ publish, recorded, disk }: Scene): Promise<void> {
  const before = await disk.count('select count(*) from attempt')
  await publish()
  await recorded(before + 1)
}

test('five days of nothing but failures disable an endpoint', async (t) => {
  const made = await scene(t, { settings: { retrySchedule: [] } })
  const { server, receiver, endpointId } = made
  const isDisabled = async (): Promise<boolean> =>
    (await server.svix.endpoint.get('shop', endpointId)).disabled === true
  receiver.answer = answering(500)
  await attempt(made)
  await server.world.leap(5 * 24 * hour - 1)
  await attempt(made)
  await made.quiet()
  assert.equal(await isDisabled(), false, 'a millisecond before, it is not')
  await server.world.advance(1)
  await attempt(made)
  await made.eventually('the endpoint is disabled', isDisabled)
})

test('one success starts the five days anew', async (t) => {
  const made = await scene(t, { settings: { retrySchedule: [], disableAfter: 2 * hour } })
  const { server, receiver, endpointId } = made
  const isDisabled = async (): Promise<boolean> =>
    (await server.svix.endpoint.get('shop', endpointId)).disabled === true
  receiver.answer = answering(500)
  await attempt(made)
  await server.world.leap(hour)
  receiver.answer = answering(200)
  await attempt(made)
  receiver.answer = answering(500)
  await server.world.leap(hour)
  await attempt(made) // The streak begins here.
  await server.world.leap(2 * hour - 1)
  await attempt(made)
  await made.quiet()
  assert.equal(await isDisabled(), false)
  await server.world.advance(1)
  await attempt(made)
  await made.eventually('the endpoint is disabled', isDisabled)
})

test('an endpoint that was enabled again has its five days anew, also for tries that were under way then', async (t) => {
  const made = await scene(t, { settings: { retrySchedule: [], disableAfter: 2 * hour, attemptTimeout: 3 * hour } })
  const { server, receiver, endpointId, publish, arrived, recorded } = made
  const { svix, world } = server
  const isDisabled = async (): Promise<boolean> => (await svix.endpoint.get('shop', endpointId)).disabled === true
  receiver.answer = answering(500)
  await attempt(made)
  await world.leap(2 * hour)
  const hold: (() => void)[] = []
  receiver.answer = (_, response) => hold.push(() => response.writeHead(500).end())
  await publish()
  await arrived(2)
  receiver.answer = answering(500)
  await publish()
  await recorded(2)
  await made.eventually('the endpoint is disabled', isDisabled)

  await svix.endpoint.patch('shop', endpointId, { disabled: false })
  for (const letGo of hold) letGo()
  await recorded(3)
  await made.quiet()
  assert.equal(await isDisabled(), false, 'an old try does not bring back the old streak')
  await attempt(made)
  await made.quiet()
  assert.equal(await isDisabled(), false, 'nor does a new one')
  await world.leap(2 * hour)
  await attempt(made)
  await made.eventually('the endpoint is disabled', isDisabled)
})

test('the streak is remembered over a restart', async (t) => {
  const made = await scene(t, { settings: { retrySchedule: [], disableAfter: 2 * hour } })
  const { receiver, endpointId } = made
  const isDisabled = async (): Promise<boolean> =>
    (await made.server.svix.endpoint.get('shop', endpointId)).disabled === true
  receiver.answer = answering(500)
  await attempt(made)
  await made.restart()
  await made.server.world.leap(2 * hour)
  await attempt(made)
  await made.eventually('the endpoint is disabled', isDisabled)
})
