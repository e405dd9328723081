import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { asIfKilledNow, heldAfterKillMs, openDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'
import { quiet } from '../support/quiet.ts'
import { startTestServer } from '../support/server.ts'
import { testWorld } from '../support/world.ts'
import { answering, explained, holding, idsOf, many, mostInASecond, pass, patch, say, triedAt } from './controls.ts'
import { type Scene, scene } from './scene.ts'

const hour = 3_600_000
const openedAt = async ({ server, endpointId }: Scene): Promise<unknown> =>
  ((await (await server.fetch(`/api/v1/app/shop/endpoint/${endpointId}`)).json()) as { breakerOpenedAt: unknown })
    .breakerOpenedAt

/** One whose receiver has failed until the breaker opened, with `count` messages published before and `behind` since. */
async function opened(
  t: TestContext,
  { count = 60, behind = 0 } = {},
): Promise<Scene & { readonly ids: string[]; readonly failed: number }> {
  const made = await scene(t, { settings: { retrySchedule: [hour, hour] } })
  made.receiver.answer = answering(500)
  const before = await many(count, made.publish)
  await made.eventually('the breaker is open', async () => (await openedAt(made)) !== null)
  await made.quiet()
  const after = await many(behind, made.publish)
  await made.quiet()
  const failed = made.receiver.received.length
  assert.ok(failed >= 20 && failed < 40, `${failed} were tried`)
  return Object.assign(made, { ids: [...before, ...after], failed })
}

test('most tries having failed, it opens: only a probe now and then reaches the receiver, and what waits uses up no tries', async (t) => {
  const made = await opened(t, { behind: 10 })
  const { receiver, disk, failed, ids } = made
  assert.equal(await openedAt(made), new Date(made.server.world.now()).toISOString())
  const waiting = await explained(made, ids.at(-1) ?? '')
  assert.deepEqual([waiting.verdict, waiting.waitingFor], ['waiting', 'breaker'])
  const seen: number[] = []
  for (const wait of [4_999, 1, 9_999, 1, 19_999, 1]) {
    await pass(made, wait, 5_000)
    seen.push(receiver.received.length - failed)
  }
  assert.deepEqual(seen, [0, 1, 1, 2, 2, 3], 'probes after 5, 10 and 20 seconds')
  assert.equal(await disk.count('select count(*) from delivery where attempts > 0'), failed + 3)
  assert.equal(await disk.count('select count(*) from delivery'), ids.length)
})

test('after a good probe what it held goes out at a bounded rate, each once, and it closes by itself', async (t) => {
  const made = await opened(t, { count: 40, behind: 160 })
  const { receiver, endpointId, failed, ids } = made
  receiver.answer = answering(204)
  await pass(made, 5_000, 500)
  assert.ok(receiver.received.length - failed <= 2, 'the probe, and the first after it')
  const since = made.server.world.now()
  await pass(made, 15_000, 500)
  const drained = (await triedAt(made, endpointId)).filter((at) => at >= since).map((at) => at - since)
  const from = (start: number, end: number) => drained.filter((at) => at > start && at < end)
  assert.ok(from(0, 5_000).length >= 45 && mostInASecond(from(0, 5_000)) <= 11, 'ten a second')
  assert.ok(from(5_000, 10_000).length >= 90 && mostInASecond(from(5_000, 10_000)) <= 22, 'then twenty')
  const delivered = idsOf(receiver.received.slice(failed))
  assert.equal(new Set(delivered).size, delivered.length, 'none doubled')
  assert.equal(delivered.length, ids.length - failed, 'all but those that wait for their next try')
  assert.notEqual(await openedAt(made), null)
  await pass(made, 25_000, 1_000)
  await made.eventually('it is closed, with nothing more to send', async () => (await openedAt(made)) === null)
  await made.server.world.leap(2 * hour)
  await made.arrived(failed + ids.length)
  assert.deepEqual(new Set(idsOf(receiver.received.slice(failed))).size, ids.length)
})

test('one probe at a time: while it has no answer nothing else is sent', async (t) => {
  const made = await opened(t)
  const { receiver, failed } = made
  const { answer, letGo } = holding()
  receiver.answer = answer
  await pass(made, 14_000, 1_000)
  assert.equal(receiver.received.length, failed + 1)
  letGo()
  await made.arrived(failed + 2)
})

test('it stays open over a stop, and a process that was killed: the next one probes at once, once', async (t) => {
  const made = await opened(t)
  const { receiver, failed } = made
  const databaseUrl = await asIfKilledNow(t, made.server.databaseUrl)
  await made.restart()
  await made.quiet()
  assert.equal(receiver.received.length, failed + 1)
  await pass(made, 9_999, 3_000)
  assert.equal(receiver.received.length, failed + 1, 'it failed: the next one is ten seconds later')
  const world = testWorld({ now: made.server.world.now() + heldAfterKillMs })
  const next = await startTestServer({ databaseUrl, world, settings: { retrySchedule: [hour] } })
  t.after(() => next.stop())
  await eventually(world, 'the probe', () => receiver.received.length === failed + 2)
  await quiet(world, next.store)
  assert.equal(receiver.received.length, failed + 2)
  const disk = openDatabase(databaseUrl)
  t.after(() => disk.close())
  assert.equal(await disk.count('select count(*) from delivery where attempts > 0'), failed + 1)
})

test('who resends by hand has it probed at once', async (t) => {
  const made = await opened(t)
  const { server, endpointId, receiver, ids, failed } = made
  receiver.answer = answering(204)
  await server.svix.messageAttempt.resend('shop', ids[0] ?? '', endpointId)
  await made.arrived(failed + 1)
  await made.quiet()
  await pass(made, 1_000)
  assert.ok(idsOf(receiver.received.slice(failed)).includes(ids[0] ?? ''))
})

test('another URL is probed at once', async (t) => {
  const made = await opened(t)
  const { server, endpointId, receiver, failed } = made
  const other = await made.startReceiver()
  await server.svix.endpoint.patch('shop', endpointId, { url: other.url })
  await made.arrived(1, other)
  await made.quiet()
  await pass(made, 1_000)
  assert.ok(other.received.length >= 10 && other.received.length <= 12, `${other.received.length} drained in a second`)
  assert.equal(receiver.received.length, failed)
})

test('changes of its siblings, and of its application, do not have it probed', async (t) => {
  const made = await opened(t)
  const { server, receiver, failed } = made
  const other = await made.startReceiver()
  for (let n = 0; n < 5; n++) {
    await server.svix.endpoint.create('shop', { url: other.url, eventTypes: ['other'] })
    await patch(made, 'app/shop', { name: `Shop ${n}` })
    await made.publish()
    await made.quiet()
  }
  assert.equal(receiver.received.length, failed)
  await pass(made, 5_000, 5_000)
  assert.equal(receiver.received.length, failed + 1)
})

test('disabled and enabled again, it has a clean slate', async (t) => {
  const made = await opened(t)
  const { server, endpointId, receiver, ids, failed } = made
  receiver.answer = answering(204)
  await server.svix.endpoint.patch('shop', endpointId, { disabled: true })
  await server.svix.endpoint.patch('shop', endpointId, { disabled: false })
  assert.equal(await openedAt(made), null)
  await pass(made, 2_000)
  await made.arrived(ids.length)
  assert.equal(receiver.received.length - failed, ids.length - failed)
})

test('switched off it does not open; switched off while it is open it lets everything go, and closes', async (t) => {
  const made = await scene(t, { settings: { retrySchedule: [hour] } })
  const { receiver, arrived, publish } = made
  receiver.answer = answering(500)
  await say(made, 'endpoint', { breaker: false })
  await many(60, publish)
  await pass(made, 60_000, 1_000)
  await arrived(60)
  await made.recorded(60)
  assert.equal(await openedAt(made), null)

  await say(made, 'endpoint', { breaker: null })
  await many(60, publish)
  await made.eventually('the breaker is open', async () => {
    await made.server.world.advance(1_000)
    return (await openedAt(made)) !== null
  })
  receiver.answer = answering(204)
  await say(made, 'environment', { breaker: false })
  await pass(made, 2_000)
  await arrived(120)
  assert.equal(await openedAt(made), null)
})

test('it opens as well where publishers call the application by its id and by its uid in turn', async (t) => {
  const made = await scene(t, { settings: { retrySchedule: [hour] } })
  const { server, receiver, publish, publishTo } = made
  const { id } = await server.svix.application.get('shop')
  const { answer, letGo } = holding(500)
  receiver.answer = answer
  for (let round = 0; round < 30; round++) {
    await publish()
    await made.arrived(round + 1)
    await publishTo(id)
    letGo()
    await made.quiet()
    if ((await openedAt(made)) !== null) return
  }
  assert.fail(`${receiver.received.length} failures did not open it`)
})
