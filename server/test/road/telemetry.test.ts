import assert from 'node:assert/strict'
import { test } from 'node:test'
import { capturedLog } from '../support/captured-log.ts'
import { diskIsFull } from '../support/database.ts'
import { type Scene, scene } from './scene.ts'

// pino's numbers of its levels.
const [debug, info, warn, error] = [20, 30, 40, 50] as const

/** Every sample of `/metrics`, by name and labels as they are printed. */
async function metrics({ server }: Scene): Promise<ReadonlyMap<string, number>> {
  const text = await (await server.fetch('/metrics')).text()
  const samples = [...text.matchAll(/^(posthorn_\w+(?:\{[^}]*\})?) (\S+)$/gm)]
  return new Map(samples.map(([, name = '', value]) => [name, Number(value)]))
}

test('a success is no line at info: at full speed the log is silent', async (t) => {
  const { log, lines } = capturedLog('info')
  const { publish, recorded } = await scene(t, { log })
  const before = lines().length
  for (let n = 0; n < 3; n++) await publish()
  await recorded(3)
  assert.deepEqual(lines().slice(before), [])
})

test('at debug a message is one line when it is accepted and one when it is delivered, with ids, sizes and durations', async (t) => {
  const { log, lines } = capturedLog('debug')
  const { server, publish, recorded, endpointId } = await scene(t, { log })
  const before = lines().length
  const messageId = await publish('{"size":18,"a":1}')
  await recorded(1)
  const { data } = await server.svix.messageAttempt.listByMsg('shop', messageId)
  const { id: applicationId } = await server.svix.application.get('shop')
  const [accepted, delivered, ...others] = lines().slice(before)
  assert.deepEqual(others, [])
  assert.deepEqual([accepted?.level, delivered?.level], [debug, debug])
  assert.deepEqual(
    { ...accepted, time: 0 },
    {
      ...{ level: debug, time: 0, msg: 'message accepted', messageId, applicationId, eventType: 'invoice.paid' },
      ...{ payloadCharacters: 17, deliveries: 1, tookMs: 0 },
    },
  )
  assert.deepEqual(
    { ...delivered, time: 0 },
    {
      ...{ level: debug, time: 0, msg: 'delivered', messageId, endpointId, attemptId: data[0]?.id, attempt: 1 },
      ...{ trigger: 'scheduled', outcome: 'delivered', statusCode: 204, durationMs: 0, next: 'finish' },
    },
  )
})

test('a failed attempt is one line at info: which, why, how long it took, and what comes next', async (t) => {
  const { log, lines } = capturedLog('info')
  const made = await scene(t, { log, settings: { retrySchedule: [5_000] } })
  const { server, receiver, endpointId, publish, recorded, dueAt } = made
  const failures = () => lines().filter(({ msg }) => msg.startsWith('attempt failed'))
  receiver.answer = (_, response) => response.writeHead(503).end('what the receiver says is for the attempt log')
  const messageId = await publish('{"private":true}')
  await recorded(1)
  const next = new Date(await dueAt()).toISOString()
  const [first] = failures()
  const { attemptId, time, ...told } = first ?? assert.fail('there is a line')
  assert.match(String(attemptId), /^atmpt_/)
  assert.ok(Number.isFinite(time))
  assert.deepEqual(told, {
    ...{ level: info, msg: 'attempt failed, will be retried', messageId, endpointId, attempt: 1, trigger: 'scheduled' },
    ...{ outcome: 'refused', statusCode: 503, durationMs: 0, next },
  })
  await receiver.close()
  await server.world.advance((await dueAt()) - server.world.now())
  await recorded(2)
  const [, second, ...more] = failures()
  assert.deepEqual(more, [])
  assert.equal(second?.msg, 'attempt failed, delivery given up')
  assert.deepEqual(
    [second?.outcome, second?.reason, second?.attempt, second?.next],
    ['unreachable', 'connect', 2, 'give-up'],
  )
})

test('an endpoint that begins to fail, recovers, or is disabled is one line each, however many tries were under way', async (t) => {
  const { log, lines } = capturedLog('info')
  const made = await scene(t, { log })
  const { receiver, endpointId, publish, recorded, arrived, eventually } = made
  const turns = () =>
    lines().flatMap(({ level, msg, ...line }) => (line.endpointId && !line.attemptId ? [{ level, msg }] : []))
  receiver.answer = (_, response) => response.writeHead(500).end()
  await Promise.all([publish(), publish()])
  await recorded(2)
  receiver.answer = (_, response) => response.writeHead(204).end()
  await publish()
  await recorded(3)
  const hold: (() => void)[] = []
  receiver.answer = (_, response) => hold.push(() => response.writeHead(410).end())
  await Promise.all([publish(), publish(), publish(), publish(), publish()])
  await arrived(8)
  for (const letGo of hold) letGo()
  await recorded(8)
  const { svix } = made.server
  await eventually('it is disabled', async () => (await svix.endpoint.get('shop', endpointId)).disabled === true)
  assert.deepEqual(turns(), [
    { level: info, msg: 'endpoint has begun to fail' },
    { level: info, msg: 'endpoint has recovered' },
    { level: warn, msg: 'endpoint disabled; what waits for it is kept' },
  ])
  assert.equal((await metrics(made)).get('posthorn_endpoints_disabled_total'), 1)
})

test('a store that refuses commits is one line at error and, when it takes them again, one at info', async (t) => {
  const { log, lines } = capturedLog('info')
  const made = await scene(t, { log })
  const { server, disk, publish, recorded } = made
  const before = lines().length
  await disk.refuse()
  for (let n = 0; n < 3; n++) {
    const refused = server.fetch('/api/v1/app/shop/msg', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"eventType":"a","payload":{}}',
    })
    let answered = false
    void refused.then(() => {
      answered = true
    })
    await made.eventually('an answer', async () => {
      await server.world.advance(25)
      return answered
    })
    assert.equal((await refused).status, 503)
    await server.world.advance(2_000)
    await made.quiet()
  }
  await disk.accept()
  await server.world.advance(2_000)
  await made.quiet()
  await publish()
  await recorded(1)
  const told = lines().slice(before)
  assert.deepEqual(
    told.map(({ level }) => level),
    [error, info],
  )
  assert.match(JSON.stringify(told[0]), diskIsFull)
  const after = await metrics(made)
  assert.equal(after.get('posthorn_commit_failures_total'), 3)
  assert.equal(after.get('posthorn_messages_accepted_total'), 1, 'what was refused was not accepted')
})

test('every metric moves with what it counts', async (t) => {
  const made = await scene(t, {
    settings: { retrySchedule: [60_000], endpointInFlight: 1, hotDeliveries: 2, globalInFlight: 2 },
  })
  const { server, receiver, publish, arrived, recorded, quiet, dueAt } = made
  const at = async (name: string): Promise<number> =>
    (await metrics(made)).get(name) ?? assert.fail(`there is no ${name}`)
  assert.equal(await at('posthorn_messages_accepted_total'), 0)
  await publish()
  await recorded(1)
  assert.equal(await at('posthorn_messages_accepted_total'), 1)
  assert.equal(await at('posthorn_attempts_total{outcome="delivered"}'), 1)
  assert.equal(await at('posthorn_publish_seconds_count'), 1)
  assert.equal(await at('posthorn_first_byte_seconds_count'), 1)
  assert.equal(await at('posthorn_commit_rows_sum'), 2, 'a message and an attempt')
  assert.equal(await at('posthorn_commit_rows_count'), await at('posthorn_commit_seconds_count'))

  receiver.answer = (_, response) => response.writeHead(500).end()
  await publish()
  await recorded(2)
  assert.equal(await at('posthorn_attempts_total{outcome="refused"}'), 1)
  assert.equal(await at('posthorn_deliveries_retried_total'), 1)
  assert.equal(await at('posthorn_stored_backlog'), 1)
  assert.equal(await at('posthorn_hot_deliveries'), 0)
  await server.world.advance((await dueAt()) - server.world.now())
  await recorded(3)
  assert.equal(await at('posthorn_deliveries_failed_total'), 1)
  assert.equal(await at('posthorn_stored_backlog'), 0)
  assert.equal(await at('posthorn_deliveries_claimed_total'), 1, 'the retry')
  assert.equal(await at('posthorn_claim_seconds_count'), 1, 'looks that found nothing due are not among them')
  assert.equal(await at('posthorn_first_byte_seconds_count'), 2, 'of first tries only: a retry is not late')

  receiver.answer = () => {}
  for (let n = 0; n < 5; n++) await publish()
  await arrived(4)
  await quiet()
  assert.equal(await at('posthorn_in_flight'), 1)
  const [hot, stored] = [await at('posthorn_hot_deliveries'), await at('posthorn_stored_backlog')]
  assert.ok(hot >= 1 && hot <= 2, `${hot} hot`)
  assert.equal(hot + stored, 5)
  await server.world.advance(15_000)
  await recorded(4)
  assert.equal(await at('posthorn_attempts_total{outcome="unreachable"}'), 1)
  assert.equal(await at('posthorn_deliveries_planned_total'), 7)
})

test('latencies are in seconds', async (t) => {
  const made = await scene(t)
  const { server, receiver, publish, arrived, recorded } = made
  const hold: (() => void)[] = []
  receiver.answer = (_, response) => hold.push(() => response.writeHead(204).end())
  await publish()
  await arrived(1)
  await server.world.advance(2_000)
  for (const letGo of hold) letGo()
  await recorded(1)
  assert.equal((await metrics(made)).get('posthorn_attempt_seconds_sum'), 2)
})
