// Many messages published at once, and the ids that publishers give them.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { asIfKilledNow, openDatabase } from '../support/database.ts'
import { type BatchAnswer, calls } from './calls.ts'
import { idsOf } from './controls.ts'
import { scene } from './scene.ts'

const message = (more: object = {}) => ({ eventType: 'invoice.paid', payload: {}, ...more })

test('a thousand messages are accepted in one commit: at no moment is there a part of them, and then all', async (t) => {
  const made = await scene(t)
  const { server, receiver, recorded, disk } = made
  const { sendAll } = calls(made)
  const stored = () => disk.count('select count(*) from message')
  let answered = false
  const sending = sendAll(Array.from({ length: 1_000 }, (_, n) => ({ payload: { n } }))).finally(() => {
    answered = true
  })
  const seen = new Set<number>()
  while (!answered) {
    seen.add(await stored())
    await new Promise(setImmediate)
  }
  const ids = await sending
  // What a kill right after the answer leaves.
  const left = openDatabase(await asIfKilledNow(t, server.databaseUrl))
  t.after(() => left.close())
  assert.equal(await left.count('select count(*) from message'), 1_000)
  for (const count of seen) assert.ok(count === 0 || count === 1_000, `${count} were there`)
  await recorded(1_000)
  assert.deepEqual(idsOf(receiver.received).toSorted(), ids)
  assert.deepEqual(ids, ids.toSorted(), 'in the order they were given')
})

test('one message of many that is refused says why and where, and holds up no other', async (t) => {
  const made = await scene(t)
  const { receiver, arrived, quiet } = made
  const { call } = calls(made)
  const { status, json } = await call('POST', '/msg/batch', {
    messages: [
      message(),
      { payload: {} },
      message({ application: { name: 'New' } }),
      message({ payload: [] }),
      'no message',
      message({ eventId: 'a b', channels: ['no blanks'] }),
      message(),
    ],
  })
  const { data } = json() as unknown as BatchAnswer
  assert.equal(status, 202)
  assert.deepEqual(
    data.map((one) => [one.status, one.problem?.errors?.map(({ pointer }) => pointer)]),
    [
      [202, undefined],
      [422, ['/messages/1/eventType']],
      [422, ['/messages/2/application']],
      [422, ['/messages/3/payload']],
      [422, ['/messages/4']],
      [422, ['/messages/5/eventId', '/messages/5/channels/0']],
      [202, undefined],
    ],
  )
  await arrived(2)
  await quiet()
  assert.deepEqual(
    idsOf(receiver.received).toSorted(),
    data.flatMap((one) => one.message?.id ?? []),
  )
})

test('an eventId is taken once, in one batch as from one to the next; who comes second is told the first', async (t) => {
  const made = await scene(t)
  const { receiver, arrived, quiet } = made
  const { call, send } = calls(made)
  const before = await send({ eventId: 'before' })
  const { json } = await call('POST', '/msg/batch', {
    messages: [message({ eventId: 'same' }), message({ eventId: 'same' }), message({ eventId: 'before' })],
  })
  const { data } = json() as unknown as BatchAnswer
  const [first, second, third] = data
  assert.deepEqual(
    data.map(({ status }) => status),
    [202, 409, 409],
  )
  assert.deepEqual(second?.problem?.errors, [
    { pointer: '/messages/1/eventId', message: `belongs to ${first?.message?.id}` },
  ])
  assert.deepEqual(third?.problem?.errors, [{ pointer: '/messages/2/eventId', message: `belongs to ${before}` }])
  await arrived(2)
  await quiet()
  assert.equal(receiver.received.length, 2)
})

test('payloads of a batch are kept and sent byte for byte, and shown unless that is not wanted', async (t) => {
  const made = await scene(t)
  const { receiver, arrived } = made
  const { call } = calls(made)
  const payloads = ['{ "id":12345678901234567890,"n":1.0 }', '{"e":1e3,"e":1E3,"s":"\\u0041]é🦄","messages":[1]}']
  const body = `{"messages": [ ${payloads.map((payload) => `{"payload" : ${payload} ,"eventType":"a"}`).join(' ,\n')} ]}`
  const shown = await call('POST', '/msg/batch', body)
  for (const payload of payloads) assert.ok(shown.text.includes(`"payload":${payload},`), shown.text)
  await arrived(2)
  assert.deepEqual(receiver.received.map((one) => one.body.toString()).toSorted(), payloads.toSorted())
  const bare = (await call('POST', '/msg/batch?with_content=false', body)).json() as unknown as BatchAnswer
  assert.deepEqual(
    bare.data.map((one) => one.message?.payload),
    [{}, {}],
  )
})

test('a batch that is none, or too large, is refused as a whole', async (t) => {
  const made = await scene(t, { settings: { maxBody: 200_000 } })
  const { call } = calls(made)
  const many = (count: number) => ({ messages: Array.from({ length: count }, () => message()) })
  for (const body of [many(0), many(1_001), { messages: {} }, {}, []]) {
    const { status, json } = await call('POST', '/msg/batch', body)
    assert.equal(status, 422)
    assert.deepEqual((json().errors as { pointer: string }[])[0]?.pointer, '/messages')
  }
  assert.equal((await call('POST', '/msg/batch', '{"messages":[{}')).status, 400)
  assert.equal(
    (await call('POST', '/msg/batch', { messages: [message({ payload: { x: 'x'.repeat(200_000) } })] })).status,
    413,
  )
  assert.equal((await call('POST', '/msg/batch', many(1_000))).status, 202)
  const elsewhere = await made.server.fetch('/api/v1/app/nobody/msg/batch', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(many(1)),
  })
  assert.equal(elsewhere.status, 404)
})

test('an eventId stays taken as long as the application says, and then is free for another message', async (t) => {
  const made = await scene(t)
  const { server, receiver, arrived, quiet } = made
  const { call, changeApplication, send } = calls(made)
  await changeApplication({ control: { eventIdWindowSeconds: 60 } })
  const first = await send({ eventId: 'order-1' })
  await server.world.advance(59_999)
  const refused = await call('POST', '/msg', message({ eventId: 'order-1' }))
  assert.deepEqual([refused.status, refused.json().code], [409, 'event-id-taken'])
  assert.ok(refused.text.includes(first))
  await server.world.advance(1)
  const second = await send({ eventId: 'order-1' })
  const again = await call('POST', '/msg', message({ eventId: 'order-1' }))
  assert.equal(again.status, 409)
  assert.ok(again.text.includes(second), 'the window begins with each message that is accepted')
  await arrived(2)
  await quiet()
  assert.deepEqual(idsOf(receiver.received), [first, second])
  assert.equal((await server.svix.message.get('shop', 'order-1')).id, second, 'the name is the latest one’s')
})

test('without a window an eventId stays taken as long as its message is kept', async (t) => {
  const made = await scene(t)
  const { server } = made
  const { call, send } = calls(made)
  await send({ eventId: 'order-1' })
  await server.world.leap(30 * 86_400_000)
  assert.equal((await call('POST', '/msg', message({ eventId: 'order-1' }))).status, 409)
})

test('of two publishes at the same moment with one eventId one is accepted', async (t) => {
  const made = await scene(t)
  const { receiver, arrived, quiet } = made
  const { call, changeApplication } = calls(made)
  await changeApplication({ control: { eventIdWindowSeconds: 60 } })
  const answers = await Promise.all(
    Array.from({ length: 5 }, () => call('POST', '/msg', message({ eventId: 'order-1' }))),
  )
  assert.deepEqual(answers.map(({ status }) => status).toSorted(), [202, 409, 409, 409, 409])
  await arrived(1)
  await quiet()
  assert.equal(receiver.received.length, 1)
})
