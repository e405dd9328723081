import assert from 'node:assert/strict'
import { test } from 'node:test'
import { answering, holding, type Level, many, pass, say } from './controls.ts'
import { type Scene, scene } from './scene.ts'

const levels: readonly Level[] = ['environment', 'application', 'endpoint']

/**
 * Says something at each level, then takes it back from the narrowest to the widest; `check` is called with what is to
 * count each time, at last with what the server says.
 */
async function eachLevel(
  made: Scene,
  name: string,
  values: Readonly<Record<Level | 'server', unknown>>,
  check: (counts: Level | 'server') => Promise<void>,
): Promise<void> {
  for (const level of levels) await say(made, level, { [name]: values[level] })
  for (const level of levels.toReversed()) {
    await check(level)
    await say(made, level, { [name]: null })
  }
  await check('server')
}

test('the timeout is what the narrowest level says', async (t) => {
  const made = await scene(t, { settings: { retrySchedule: [] } })
  const { receiver, server, publish, arrived, recorded, quiet, disk } = made
  receiver.answer = () => {}
  const seconds = { endpoint: 3, application: 4, environment: 5, server: 15 }
  let tries = 0
  await eachLevel(made, 'timeoutSeconds', seconds, async (level) => {
    await publish()
    await arrived(++tries)
    await server.world.advance(seconds[level] * 1_000 - 1)
    await quiet()
    assert.equal(await disk.count('select count(*) from attempt'), tries - 1, `not before ${seconds[level]} s`)
    await server.world.advance(1)
    await recorded(tries)
  })
})

test('the schedule is what the narrowest level says, and another counts from the next try on', async (t) => {
  const made = await scene(t, { settings: { retrySchedule: [9_000], retryJitter: 0 } })
  const { receiver, server, publish, recorded, disk } = made
  receiver.answer = answering(500)
  const waits = { endpoint: [6, 60], application: [7], environment: [8], server: [9] }
  let tries = 0
  const dueIn = async () => (await disk.count('select max(due_at) from delivery')) - server.world.now()
  await eachLevel(made, 'retrySchedule', waits, async (level) => {
    await publish()
    await recorded(++tries)
    assert.equal(await dueIn(), (waits[level][0] ?? 0) * 1_000)
    // What is due already stays due then; the try after it finds what is said by then.
    await server.world.advance(await dueIn())
    await recorded(++tries)
    if (level === 'endpoint') {
      assert.equal(await dueIn(), 60_000)
      await say(made, 'endpoint', { retrySchedule: [] })
      await server.world.advance(60_000)
      await recorded(++tries)
    }
    assert.equal(await disk.count('select count(*) from delivery'), 0)
  })
})

test('which failures are tried again is what the narrowest level says; others end the delivery', async (t) => {
  const made = await scene(t, { settings: { retrySchedule: [60_000] } })
  const { receiver, publish, recorded, disk } = made
  const retried = {
    ...{ endpoint: ['5xx'], application: ['4xx'], environment: ['3xx', '4xx', 'no-answer'] },
    server: ['no-answer', '3xx', '4xx', '5xx'],
  }
  const failures = { '3xx': 302, '4xx': 404, '5xx': 503 }
  let tries = 0
  await eachLevel(made, 'retryOn', retried, async (level) => {
    for (const [kind, status] of Object.entries(failures)) {
      receiver.answer = answering(status)
      const id = await publish()
      await recorded(++tries)
      const waits = await disk.count('select count(*) from delivery where message_id = ?', id)
      assert.equal(waits, retried[level].includes(kind) ? 1 : 0, `${status}, as ${level} says`)
    }
  })
})

test('no more is under way to an endpoint than it says, and a greater number counts at once', async (t) => {
  const made = await scene(t)
  const { receiver, publish, arrived, quiet } = made
  const { answer, letGo } = holding()
  receiver.answer = answer
  await say(made, 'application', { maxInFlight: 7 })
  await say(made, 'endpoint', { maxInFlight: 3 })
  await many(60, publish)
  await arrived(3)
  await quiet()
  assert.equal(receiver.received.length, 3)
  await say(made, 'endpoint', { maxInFlight: null })
  await arrived(7)
  await quiet()
  assert.equal(receiver.received.length, 7)
  letGo()
  await arrived(14)
  await quiet()
  assert.equal(receiver.received.length, 14, 'success does not widen it past that')
  receiver.answer = answering(204)
  letGo()
  await pass(made, 1_000)
  await arrived(60)
})

test('one that may have more under way than the server says gets more, once it has shown that it can', async (t) => {
  const made = await scene(t, { settings: { endpointInFlight: 4 } })
  const { receiver, publish, arrived, recorded, quiet } = made
  await say(made, 'endpoint', { maxInFlight: 12 })
  await many(20, publish)
  await recorded(20)
  const { answer, letGo } = holding()
  receiver.answer = answer
  await many(20, publish)
  await arrived(32)
  await quiet()
  assert.equal(receiver.received.length, 32)
  receiver.answer = answering(204)
  letGo()
  await arrived(40)
})
