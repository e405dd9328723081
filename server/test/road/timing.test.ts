import assert from 'node:assert/strict'
import { test } from 'node:test'
import { calls } from './calls.ts'
import { answering, idsOf } from './controls.ts'
import { type Scene, scene } from './scene.ts'

const [second, minute, hour] = [1_000, 60_000, 3_600_000] as const
const text = (at: number): string => new Date(at).toISOString()

/** How the attempts of a message are shown, oldest first: status and answer. */
async function attemptsOf({ server }: Scene, id: string, expanded = true) {
  const answer = await server.fetch(`/api/v1/app/shop/attempt/msg/${id}?expanded_statuses=${expanded}`)
  const { data } = (await answer.json()) as { data: { status: number; statusText: string; response: string }[] }
  return data.toReversed().map(({ status, statusText, response }) => [status, statusText, response])
}

test('a message with deliverAt is sent when its moment has come, not a millisecond before', async (t) => {
  const made = await scene(t)
  const { server, receiver, arrived, recorded, quiet } = made
  const { send } = calls(made)
  const { message } = server.svix
  const at = server.world.now() + 3 * hour
  const { id } = await message.create('shop', { eventType: 'a', payload: { n: 1 }, deliverAt: new Date(at) })
  const now = await send({ payload: { n: 2 } })
  await arrived(1)
  await recorded(1)
  assert.equal((await message.get('shop', id)).deliverAt?.getTime(), at)
  assert.deepEqual(
    (await message.list('shop')).data.map(({ deliverAt }) => deliverAt?.getTime() ?? null),
    [null, at],
  )
  await server.world.leap(3 * hour - 1)
  await quiet()
  assert.deepEqual(idsOf(receiver.received), [now])
  await server.world.advance(1)
  await arrived(2)
  await recorded(2)
  assert.deepEqual(idsOf(receiver.received), [now, id])
})

test('a moment that has passed is now; one that is no time, or stands beside a key, is refused', async (t) => {
  const made = await scene(t)
  const { server, arrived } = made
  const { call, send } = calls(made)
  await send({ deliverAt: text(server.world.now() - hour) })
  await arrived(1)
  for (const [body, pointer] of [
    [{ deliverAt: 'tomorrow' }, '/deliverAt'],
    [{ deliverAt: '2999-02-30T00:00:00Z' }, '/deliverAt'],
    [{ deliverAt: '9999-01-01T00:00:00Z' }, '/deliverAt'],
    [{ deliverAt: text(server.world.now() + hour), orderingKey: 'a' }, '/deliverAt'],
    [{ deliverAt: '2026-03-01T00:00:00Z', expiresAt: '2026-03-01T00:00:00Z' }, '/expiresAt'],
  ] as const) {
    const { status, json } = await call('POST', '/msg', { eventType: 'invoice.paid', payload: {}, ...body })
    const errors = json().errors as { pointer: string }[]
    assert.deepEqual([status, errors.map((one) => one.pointer)], [422, [pointer]])
  }
})

test('what is scheduled outlives a restart, and waits beside an order without holding it up', async (t) => {
  const made = await scene(t)
  const { server, receiver, arrived, recorded, quiet } = made
  const { control, send } = calls(made)
  await control({ ordering: 'endpoint' })
  const id = await send({ deliverAt: text(server.world.now() + hour) })
  const [first, next] = [await send({}), await send({})]
  await arrived(2)
  await recorded(2)
  await made.restart()
  await quiet()
  assert.deepEqual(idsOf(receiver.received), [first, next])
  await server.world.leap(hour)
  await arrived(3)
  assert.deepEqual(idsOf(receiver.received).at(-1), id)
})

test('canceled before its moment a message is never sent, and its log says so', async (t) => {
  const made = await scene(t)
  const { server, receiver, endpointId, quiet, disk } = made
  const { cancel, explain, send } = calls(made)
  const id = await send({ deliverAt: text(server.world.now() + hour), eventId: 'order-1' })
  assert.equal(await cancel('order-1'), 1)
  assert.equal(await disk.count('select count(*) from delivery'), 0)
  await server.world.leap(2 * hour)
  await quiet()
  assert.equal(receiver.received.length, 0)
  const response = 'Canceled before it was sent.'
  assert.deepEqual(await attemptsOf(made, id), [[4, 'canceled', response]])
  assert.deepEqual(await attemptsOf(made, id, false), [[0, 'success', response]])
  const [shown] = await explain(id)
  assert.deepEqual([shown?.verdict, shown?.result, shown?.attempts?.[0]?.ended], ['sent', 'canceled', 'canceled'])
  const stats = (await (await server.fetch(`/api/v1/app/shop/endpoint/${endpointId}/stats`)).json()) as object
  assert.deepEqual(stats, { ...stats, canceled: 1, success: 0, fail: 0, pending: 0, sending: 0 })
  assert.equal(await cancel(id), 0, 'a second time there is nothing to cancel')
})

test('canceling ends a retry, and leaves alone what was delivered elsewhere', async (t) => {
  const made = await scene(t)
  const { server, receiver, recorded, quiet } = made
  const { cancel, explain, send } = calls(made)
  const other = await made.startReceiver()
  const { id: otherId } = await server.svix.endpoint.create('shop', { url: other.url })
  receiver.answer = answering(500)
  const id = await send({})
  await recorded(2)
  assert.equal(await cancel(id), 1)
  await server.world.leap(hour)
  await quiet()
  assert.deepEqual([receiver.received.length, other.received.length], [1, 1])
  const results = Object.fromEntries((await explain(id)).map(({ endpointId, result }) => [endpointId, result]))
  assert.deepEqual(results, { [made.endpointId]: 'canceled', [otherId]: 'delivered' })
})

test('what is under way this moment is not canceled: it ends as its receiver says', async (t) => {
  const made = await scene(t)
  const { receiver, arrived, recorded } = made
  const { cancel, explain, send } = calls(made)
  const hold: (() => void)[] = []
  receiver.answer = (_, response) => hold.push(() => response.writeHead(204).end())
  const id = await send({})
  await arrived(1)
  assert.equal(await cancel(id), 0)
  for (const letGo of hold) letGo()
  await recorded(1)
  assert.equal((await explain(id))[0]?.result, 'delivered')
})

test('what was canceled while it was under way is not tried again when it fails', async (t) => {
  const made = await scene(t)
  const { receiver, arrived, recorded, server, quiet } = made
  const { cancel, explain, send } = calls(made)
  const hold: (() => void)[] = []
  receiver.answer = (_, response) => hold.push(() => response.writeHead(500).end())
  const id = await send({})
  await arrived(1)
  assert.equal(await cancel(id), 0)
  for (const letGo of hold) letGo()
  await recorded(1)
  await server.world.leap(24 * 3_600_000)
  await quiet()
  assert.equal(receiver.received.length, 1)
  assert.equal((await explain(id))[0]?.result, 'failed')
})

const heads = {
  'blocks, its schedule at its end': { ordering: 'endpoint', retrySchedule: [] },
  'is to be parked': { ordering: 'endpoint', headFailure: 'park', headAttempts: 1 },
  'is to be skipped': { ordering: 'endpoint', headFailure: 'skip', headAttempts: 1 },
}
const ways = { canceled: ['POST', 'cancel'], expunged: ['DELETE', 'content'] } as const
for (const [head, parts] of Object.entries(heads)) {
  for (const [how, [method, action]] of Object.entries(ways)) {
    test(`the head of an order that is ${how} while it is under way is not tried again, nor kept aside, where it ${head}`, async (t) => {
      const made = await scene(t)
      const { receiver, arrived, recorded, server, quiet, disk } = made
      const { call, control, send } = calls(made)
      await control(parts)
      const hold: (() => void)[] = []
      receiver.answer = (_, response) => hold.push(() => response.writeHead(500).end())
      const id = await send({})
      await arrived(1)
      assert.ok((await call(method, `/msg/${id}/${action}`)).status < 300)
      for (const letGo of hold) letGo()
      await recorded(1)
      await server.world.leap(30 * 3_600_000)
      await quiet()
      assert.equal(receiver.received.length, 1)
      assert.equal(await disk.count('select count(*) from delivery'), 0)
    })
  }
}

test('what waits in memory for its turn is canceled as well', async (t) => {
  const made = await scene(t, { settings: { endpointInFlight: 1 } })
  const { receiver, arrived, quiet, recorded } = made
  const { cancel, send } = calls(made)
  const hold: (() => void)[] = []
  receiver.answer = (_, response) => hold.push(() => response.writeHead(204).end())
  const first = await send({})
  await arrived(1)
  const [canceled, last] = [await send({}), await send({})]
  assert.equal(await cancel(canceled), 1)
  receiver.answer = answering(204)
  for (const letGo of hold) letGo()
  await recorded(3)
  await quiet()
  assert.deepEqual(idsOf(receiver.received), [first, last])
})

test('canceling the head of an order, or one behind it, lets the rest go on', async (t) => {
  const made = await scene(t)
  const { receiver, arrived, recorded, quiet } = made
  const { cancel, control, sendAll } = calls(made)
  await control({ ordering: 'endpoint', retrySchedule: [3600] })
  receiver.answer = answering(500)
  const [head = '', behind = '', third, fourth] = await sendAll([{}, {}, {}, {}])
  await recorded(1)
  receiver.answer = answering(204)
  assert.equal(await cancel(behind), 1)
  await quiet()
  assert.equal(receiver.received.length, 1)
  assert.equal(await cancel(head), 1)
  await arrived(3)
  await recorded(5)
  assert.deepEqual(idsOf(receiver.received), [head, third, fourth])
})

test('what could not be sent by its expiresAt is dropped when its turn comes, and says so', async (t) => {
  const made = await scene(t)
  const { server, receiver, recorded, quiet, disk } = made
  const { explain, pause, resume, send } = calls(made)
  await pause()
  const late = await send({ expiresAt: text(server.world.now() + minute) })
  const inTime = await send({ expiresAt: text(server.world.now() + minute + 1) })
  await server.world.leap(minute)
  await resume()
  await recorded(2)
  await quiet()
  assert.deepEqual(idsOf(receiver.received), [inTime])
  assert.deepEqual(await attemptsOf(made, late), [[4, 'canceled', 'Not delivered in time: not sent any more.']])
  const [shown] = await explain(late)
  assert.deepEqual([shown?.result, shown?.attempts?.[0]?.ended], ['canceled', 'expired'])
  assert.equal(await disk.count('select count(*) from delivery'), 0)
})

test('a retry that would come too late is not made: the message has failed', async (t) => {
  const made = await scene(t)
  const { server, receiver, recorded, quiet, disk, dueAt } = made
  const { control, explain, send } = calls(made)
  await control({ retrySchedule: [10, 100, 1000], deliverWithinSeconds: 60 })
  receiver.answer = answering(500)
  const id = await send({})
  await recorded(1)
  await server.world.advance((await dueAt()) - server.world.now())
  await recorded(2)
  assert.equal(await disk.count('select count(*) from delivery'), 0, 'the next would come after 110 s')
  await server.world.leap(hour)
  await quiet()
  assert.equal(receiver.received.length, 2)
  assert.equal((await explain(id))[0]?.result, 'failed')
})

test('deliverWithinSeconds counts from deliverAt where there is one', async (t) => {
  const made = await scene(t)
  const { server, receiver, arrived } = made
  const { control, send } = calls(made)
  await control({ deliverWithinSeconds: 60 })
  const id = await send({ deliverAt: text(server.world.now() + hour) })
  await server.world.advance(hour)
  await arrived(1)
  assert.deepEqual(idsOf(receiver.received), [id])
})

test('the head of an order that expires lets the next go, and so do those behind it that have expired', async (t) => {
  const made = await scene(t)
  const { server, receiver, arrived, recorded, quiet } = made
  const { control, explain, sendAll } = calls(made)
  await control({ ordering: 'endpoint', retrySchedule: [20], breaker: false })
  receiver.answer = ({ body }, response) => response.writeHead(body.includes('head') ? 500 : 204).end()
  const [head = '', behind = '', last = ''] = await sendAll([
    { payload: { is: 'head' }, expiresAt: text(server.world.now() + 30 * second) },
    { expiresAt: text(server.world.now() + 15 * second) },
    {},
  ])
  await recorded(1)
  // The retry comes after 16 to 24 s; the one after it would come after 32 s at least.
  await server.world.advance(24 * second)
  await arrived(3)
  await recorded(4)
  await quiet()
  assert.deepEqual(idsOf(receiver.received), [head, head, last])
  assert.equal((await explain(head))[0]?.result, 'failed')
  assert.equal((await explain(behind))[0]?.attempts?.[0]?.ended, 'expired')
})

test('a resend by hand is sent, however late: it is what somebody asks for now', async (t) => {
  const made = await scene(t)
  const { server, receiver, endpointId, arrived, recorded, quiet, disk } = made
  const { control, send } = calls(made)
  await control({ deliverWithinSeconds: 60 })
  receiver.answer = answering(500)
  const id = await send({})
  await recorded(1)
  await server.world.leap(hour)
  await recorded(2)
  await server.svix.messageAttempt.resend('shop', id, endpointId)
  await arrived(2)
  await recorded(3)
  await quiet()
  assert.equal(await disk.count('select count(*) from delivery'), 0, 'once, and not again by the schedule')
})
