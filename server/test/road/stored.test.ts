import assert from 'node:assert/strict'
import { test } from 'node:test'
import { asIfKilledNow, openDatabase } from '../support/database.ts'
import { type Scene, scene } from './scene.ts'

const longestRestMs = 2_000

/** Resolves to the answer to a publish, letting the time pass that the store is given to recover. */
async function tryToPublish({ server, eventually }: Scene): Promise<Response> {
  let answer: Response | null = null
  const asked = server.fetch('/api/v1/app/shop/msg', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"eventType":"invoice.paid","payload":{}}',
  })
  void asked.then((given) => {
    answer = given
  })
  await eventually('an answer', async () => {
    await server.world.advance(25)
    return answer !== null
  })
  return asked
}

/** Gives the road the time to find out that the store takes commits again, also where it was just refused once more. */
async function findOut({ server, quiet }: Scene): Promise<void> {
  for (let round = 0; round < 3; round++) {
    await server.world.advance(longestRestMs)
    await quiet()
  }
}

test('what was answered 202 would be found on the disk if the process died the same moment', async (t) => {
  const { server, receiver, endpointId, publishTo, startReceiver } = await scene(t)
  receiver.answer = () => {}
  const second = await server.svix.endpoint.create('shop', { url: (await startReceiver()).url })
  await server.svix.endpoint.create('shop', { url: receiver.url, eventTypes: ['another.type'] })
  for (let n = 0; n < 5; n++) {
    const id = await publishTo('shop', `{"n":${n}.0}`)
    const killed = openDatabase(await asIfKilledNow(t, server.databaseUrl))
    assert.deepEqual(
      (await killed.rows('select payload from message where id = ?', id)).map(({ payload }) => payload),
      [`{"n":${n}.0}`],
    )
    // The second receiver may have answered before we looked: then the delivery is settled, and its attempt is there.
    const to = await killed.rows(
      'select endpoint_id from delivery where message_id = ? union select endpoint_id from attempt where message_id = ?',
      id,
      id,
    )
    await killed.close()
    assert.deepEqual(to.map(({ endpoint_id }) => endpoint_id).toSorted(), [endpointId, second.id].toSorted())
  }
})

test('while the store cannot write there is no 202, however long that takes, and nothing is sent', async (t) => {
  const { server, receiver, disk, publish, arrived } = await scene(t)
  await disk.hold()
  let answered = false
  const published = publish().then(() => {
    answered = true
  })
  // The measure of time: reading goes on meanwhile.
  for (let n = 0; n < 20; n++) await server.svix.application.get('shop')
  assert.equal(answered, false)
  assert.equal(receiver.received.length, 0)
  await disk.letGo()
  await published
  await arrived(1)
})

test('a delivered message leaves its attempt on the disk, and no delivery', async (t) => {
  const { publish, recorded, disk, endpointId } = await scene(t)
  const id = await publish()
  await recorded(1)
  assert.equal(await disk.count('select count(*) from delivery'), 0)
  const [attempt] = await disk.rows('select message_id, endpoint_id, succeeded, status_code from attempt')
  assert.deepEqual({ ...attempt }, { message_id: id, endpoint_id: endpointId, succeeded: 1, status_code: 204 })
})

test('when the store refuses, a publish is answered 503 with Retry-After, and nothing of it is stored or sent', async (t) => {
  const made = await scene(t)
  const { receiver, disk } = made
  await disk.refuse()
  const answer = await tryToPublish(made)
  assert.equal(answer.status, 503)
  assert.match(answer.headers.get('retry-after') ?? '', /^[1-9]\d*$/)
  const problem = (await answer.json()) as { readonly code: string; readonly status: number }
  assert.deepEqual([problem.code, problem.status], ['unavailable', 503])
  assert.ok(!JSON.stringify(problem).includes('disk'), 'what is wrong inside is for the log')
  await disk.accept()
  await findOut(made)
  assert.equal(receiver.received.length, 0)
  assert.equal(
    (await disk.count('select count(*) from message')) + (await disk.count('select count(*) from delivery')),
    0,
  )
})

test('when the store takes commits again the road goes on, without a restart', async (t) => {
  const made = await scene(t)
  const { arrived, receiver, disk, publish, recorded } = made
  await disk.refuse()
  for (let n = 0; n < 3; n++) {
    assert.equal((await tryToPublish(made)).status, 503)
  }
  await disk.accept()
  await findOut(made)
  const id = await publish()
  await arrived(1)
  assert.equal(receiver.received[0]?.headers['webhook-id'], id)
  await recorded(1)
})

test('an outcome that the store refuses is written once when it takes it again, and the message is not sent again', async (t) => {
  const made = await scene(t)
  const { server, receiver, arrived, disk, publish, recorded, quiet } = made
  const hold: (() => void)[] = []
  receiver.answer = (_, response) => hold.push(() => response.writeHead(204).end())
  await publish()
  await arrived(1)
  await disk.refuse()
  for (const letGo of hold) letGo()
  await quiet()
  // The store goes on refusing for a while: each publish in that time fails, and takes no outcome down with it.
  for (let n = 0; n < 3; n++) {
    assert.equal((await tryToPublish(made)).status, 503)
  }
  assert.equal(await disk.count('select count(*) from attempt'), 0)
  await disk.accept()
  await findOut(made)
  await recorded(1)
  await server.world.advance(5 * 60_000)
  await quiet()
  assert.equal(await disk.count('select count(*) from attempt'), 1)
  assert.equal(await disk.count('select count(*) from delivery'), 0)
  assert.equal(receiver.received.length, 1)
})

test('a stop while the store refuses still ends, and what was not written is sent again by the next start', async (t) => {
  const made = await scene(t)
  const { server, receiver, arrived, disk, publish, quiet } = made
  const hold: (() => void)[] = []
  receiver.answer = (_, response) => hold.push(() => response.writeHead(204).end())
  const id = await publish()
  await arrived(1)
  await disk.refuse()
  for (const letGo of hold.splice(0)) letGo()
  await quiet()
  let restarted = false
  const restart = made.restart().then(() => {
    restarted = true
  })
  await made.eventually('the stop is over within its grace', async () => {
    await server.world.advance(1_000)
    return restarted
  })
  await restart
  await disk.accept()
  await arrived(2)
  assert.equal(receiver.received[1]?.headers['webhook-id'], id)
  for (const letGo of hold) letGo()
  await made.recorded(1)
})
