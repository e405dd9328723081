import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Attempt } from '../../src/domain/attempt.ts'
import { type EndpointId, type MessageId, makeIds } from '../../src/domain/ids.ts'
import { calls, type Explained } from './calls.ts'
import { answering } from './controls.ts'
import { scene } from './scene.ts'

const text = (at: number): string => new Date(at).toISOString()
const waiting = ([one]: readonly Explained[]) => [one?.verdict, one?.waitingFor, one?.until]

test('what was sent is told with its attempts and how it ended', async (t) => {
  const made = await scene(t, { settings: { retrySchedule: [1_000] } })
  const { server, receiver, recorded, dueAt } = made
  const { explain, send } = calls(made)
  receiver.answer = answering(500)
  const failed = await send({})
  await recorded(1)
  await server.world.advance((await dueAt()) - server.world.now())
  await recorded(2)
  receiver.answer = answering(204)
  const delivered = await send({})
  await recorded(3)
  const told = async (id: string) =>
    (await explain(id)).map(({ verdict, result, attempts }) => [
      verdict,
      result,
      attempts?.map((one) => [one.succeeded, one.responseStatusCode]),
    ])
  assert.deepEqual(await told(failed), [
    [
      'sent',
      'failed',
      [
        [false, 500],
        [false, 500],
      ],
    ],
  ])
  assert.deepEqual(await told(delivered), [['sent', 'delivered', [[true, 204]]]])
})

test('of a message that was tried for ever the latest 250 attempts are told, oldest first', async (t) => {
  const made = await scene(t)
  const { server, endpointId, recorded } = made
  const { explain, send } = calls(made)
  const id = await send({})
  await recorded(1)
  const newId = makeIds(server.world.now, server.world.randomBytes)
  const attempts = Array.from(
    { length: 300 },
    (): Attempt => ({
      ...{ id: newId('attempt'), messageId: id as MessageId, endpointId: endpointId as EndpointId },
      ...{ succeeded: false, ended: null, trigger: 'scheduled', url: 'http://127.0.0.1/', statusCode: 500 },
      ...{ durationMs: 1, response: '', responseCut: false, startedAt: server.world.now() },
    }),
  )
  await server.store.road.commit({
    ...{ lease: newId('lease'), now: server.world.now(), attempts },
    ...{ messages: [], deliveries: [], settlements: [], turns: [] },
  })
  assert.deepEqual(
    (await explain(id))[0]?.attempts?.map((attempt) => attempt.id),
    attempts.slice(-250).map((attempt) => attempt.id),
  )
})

test('what waits in this process is told as it stands: under way, behind others, paced, or in a batch that fills', async (t) => {
  const made = await scene(t)
  const { server, receiver, arrived } = made
  const { change, control, explain, send } = calls(made)
  const now = server.world.now()
  const hold: (() => void)[] = []
  receiver.answer = (_, response) => hold.push(() => response.writeHead(204).end())

  await control({ maxInFlight: 1 })
  const [underWay, behind] = [await send({}), await send({})]
  await arrived(1)
  assert.deepEqual(waiting(await explain(underWay)), ['waiting', 'in-flight', null])
  assert.deepEqual(waiting(await explain(behind)), ['waiting', 'turn', null])

  await control({ maxInFlight: null, batchSize: 10, batchWaitMs: 5_000 })
  receiver.answer = answering(204)
  for (const letGo of hold) letGo()
  await server.world.advance(5_000)
  await made.recorded(2)
  const batched = await send({})
  assert.deepEqual(waiting(await explain(batched)), ['waiting', 'batch', text(now + 10_000)])
  await server.world.advance(5_000)
  await made.recorded(3)

  await control({ batchSize: null, batchWaitMs: null })
  await change({ throttleRate: 1 })
  await send({})
  await arrived(4)
  const paced = await send({})
  // Up to 50 ms of the rate are saved up.
  assert.deepEqual(waiting(await explain(paced)), ['waiting', 'rate', text(now + 10_950)])
})

test('what waits in the store is told as it stands: for its moment, its next try, or those before it in its order', async (t) => {
  const made = await scene(t)
  const { server, receiver, recorded, disk } = made
  const { control, explain, send } = calls(made)
  const at = server.world.now() + 3_600_000
  await control({ ordering: 'key' })
  assert.deepEqual(waiting(await explain(await send({ deliverAt: text(at) }))), ['waiting', 'schedule', text(at)])
  receiver.answer = answering(500)
  const head = await send({ orderingKey: 'a' })
  const behind = await send({ orderingKey: 'a' })
  await recorded(1)
  const due = await disk.count('select due_at from delivery where message_id = ?', head)
  assert.deepEqual(waiting(await explain(head)), ['waiting', 'retry', text(due)])
  assert.deepEqual(
    (await explain(head))[0]?.attempts?.map((one) => one.responseStatusCode),
    [500],
  )
  assert.deepEqual(waiting(await explain(behind)), ['waiting', 'order', null])
})

test('what waits for somebody is told so: a pause, a disabled endpoint, a head that was parked', async (t) => {
  const made = await scene(t)
  const { server, receiver, endpointId, recorded } = made
  const { change, control, explain, pause, resume, send } = calls(made)
  await control({ ordering: 'key', headFailure: 'park', headAttempts: 1 })
  receiver.answer = answering(500)
  const parked = await send({ orderingKey: 'a' })
  await recorded(1)
  assert.deepEqual(waiting(await explain(parked)), ['waiting', 'parked', null])
  await pause()
  const paused = await send({})
  assert.deepEqual(waiting(await explain(paused)), ['waiting', 'pause', null])
  await change({ disabled: true })
  assert.deepEqual(waiting(await explain(paused)), ['waiting', 'disabled', null])
  assert.deepEqual(waiting(await explain(parked)), ['waiting', 'disabled', null])
  receiver.answer = answering(204)
  await change({ disabled: false })
  await resume()
  await recorded(2)
  await server.svix.messageAttempt.resend('shop', parked, endpointId)
  await recorded(3)
  for (const id of [parked, paused]) assert.equal((await explain(id))[0]?.result, 'delivered')
})

test('what waits for a breaker is told so', async (t) => {
  const made = await scene(t)
  const { server, receiver, eventually, quiet, disk } = made
  const { control, explain, send, sendAll } = calls(made)
  await control({ retrySchedule: [36_000], breakerProbeSeconds: 600 })
  receiver.answer = answering(500)
  await sendAll(Array.from({ length: 30 }, () => ({})))
  await eventually('the breaker is open', async () => {
    await server.world.advance(50)
    return (await disk.count('select count(*) from endpoint where breaker_opened_at is not null')) === 1
  })
  await quiet()
  const id = await send({})
  await quiet()
  const [verdict, waitingFor] = waiting(await explain(id))
  assert.deepEqual([verdict, waitingFor], ['waiting', 'breaker'])
})

test('what was not sent is told with the reason: type, channel, filter, disabled at the time, created later, changed since', async (t) => {
  const made = await scene(t)
  const { server, receiver, endpointId, recorded, quiet } = made
  const { change, explain, send } = calls(made)
  const other = async (wants: object): Promise<string> => {
    const { id } = await server.svix.endpoint.create('shop', { url: `${receiver.url}/other` })
    await change(wants, id)
    return id
  }
  const byType = await other({ eventTypes: ['user.*'] })
  const byChannel = await other({ channels: ['eu'] })
  const byFilter = await other({ filter: 'payload.amount > 100.0' })
  const disabled = await other({ disabled: true })
  const changed = await other({ eventTypes: ['user.created'] })
  const id = await send({ payload: { amount: 5 } })
  await server.world.advance(1_000)
  const later = await other({})
  await change({ eventTypes: null }, changed)
  await change({ disabled: false }, disabled)
  await recorded(1)
  await quiet()
  const told = Object.fromEntries(
    (await explain(id)).map((one) => [one.endpointId, [one.verdict, one.result ?? one.because]]),
  )
  assert.deepEqual(told, {
    [endpointId]: ['sent', 'delivered'],
    [byType]: ['not-sent', 'event-type'],
    [byChannel]: ['not-sent', 'channel'],
    [byFilter]: ['not-sent', 'filter'],
    [disabled]: ['not-sent', 'disabled'],
    [changed]: ['not-sent', 'changed'],
    [later]: ['not-sent', 'created-later'],
  })
  assert.equal(receiver.received.length, 1)
})

test('an endpoint that is gone is told of only where the message was sent to it', async (t) => {
  const made = await scene(t)
  const { server, endpointId, recorded } = made
  const { call, explain, send } = calls(made)
  const { id: unwilling } = await server.svix.endpoint.create('shop', {
    url: `${made.receiver.url}/x`,
    eventTypes: ['b'],
  })
  const id = await send({})
  await recorded(1)
  await server.svix.endpoint.delete('shop', endpointId)
  await server.svix.endpoint.delete('shop', unwilling)
  assert.deepEqual(
    (await explain(id)).map((one) => [one.endpointId, one.result]),
    [[endpointId, 'delivered']],
  )
  assert.equal((await call('GET', '/msg/msg_0V70MWDg005xouMRvgRPGwopzvo/explain')).status, 404)
})
