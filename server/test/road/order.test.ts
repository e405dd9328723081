import assert from 'node:assert/strict'
import { test } from 'node:test'
import { asIfKilledNow, heldAfterKillMs, openDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'
import type { Receiver } from '../support/receiver.ts'
import { startTestServer } from '../support/server.ts'
import { testWorld } from '../support/world.ts'
import { calls } from './calls.ts'
import { answering, idsOf } from './controls.ts'
import { type Scene, scene } from './scene.ts'

interface Numbered {
  readonly key: string | null
  readonly n: number
}
const numbered = (key: string | null, count: number, from = 0) =>
  Array.from({ length: count }, (_, at) => ({ orderingKey: key, payload: { key, n: from + at } }))
const contentOf = ({ received }: Receiver): Numbered[] => received.map(({ body }) => JSON.parse(body.toString()))

/** Answers some turns later, and finds out how many with one key were ever under way at the same time. */
function slowly(receiver: Receiver): { most: (key: string | null) => number } {
  const underWay = new Map<string | null, number>()
  const most = new Map<string | null, number>()
  receiver.answer = ({ body }, response) => {
    const { key } = JSON.parse(body.toString()) as Numbered
    const now = (underWay.get(key) ?? 0) + 1
    underWay.set(key, now)
    most.set(key, Math.max(now, most.get(key) ?? 0))
    const answer = (turns: number): void => {
      if (turns > 0) return void setImmediate(() => answer(turns - 1))
      underWay.set(key, (underWay.get(key) ?? 0) - 1)
      response.writeHead(204).end()
    }
    answer(20)
  }
  return { most: (key) => most.get(key) ?? 0 }
}

/** Goes to when the head, or what is due first, is due. */
async function toDue({ server, disk }: Scene): Promise<void> {
  const { world } = server
  const due = await disk.count('select min(due_at) from delivery where lease is null')
  if (due > world.now()) await world.advance(due - world.now())
}

test('messages with one key come one after the other, in the order they were accepted; keys do not wait for each other', async (t) => {
  const made = await scene(t)
  const { receiver, arrived, eventually, disk } = made
  const { control, sendAll, send } = calls(made)
  await control({ ordering: 'key' })
  const watched = slowly(receiver)
  const keys = ['a', 'b', 'c', 'd', 'e']
  const each = 40
  // All keys mixed: half of it in one commit, then one by one.
  const mixed = Array.from({ length: each / 2 }, (_, n) => keys.map((key) => numbered(key, 1, n)[0] ?? {})).flat()
  await sendAll(mixed)
  await Promise.all(
    keys.map(async (key) => {
      for (const message of numbered(key, each / 2, each / 2)) await send(message)
    }),
  )
  await arrived(keys.length * each)
  await eventually('all are settled', async () => (await disk.count('select count(*) from delivery')) === 0)
  for (const key of keys) {
    const seen = contentOf(receiver).filter((one) => one.key === key)
    assert.deepEqual(
      seen.map(({ n }) => n),
      Array.from({ length: each }, (_, n) => n),
    )
    assert.equal(watched.most(key), 1, 'one at a time')
  }
})

test('messages without a key wait for nobody where the order is by key, and for all where it is the endpoint’s', async (t) => {
  const made = await scene(t)
  const { receiver, arrived, quiet } = made
  const { control, sendAll } = calls(made)
  receiver.answer = () => {}
  await control({ ordering: 'key' })
  await sendAll([...numbered('a', 3), ...numbered(null, 3)])
  await arrived(4)
  await quiet()
  assert.deepEqual(
    contentOf(receiver)
      .map(({ key }) => key)
      .toSorted(),
    ['a', null, null, null],
  )

  const other = await made.startReceiver()
  const watched = slowly(other)
  const { id } = await made.server.svix.endpoint.create('shop', { url: other.url })
  await control({ ordering: 'endpoint' }, id)
  const before = other.received.length
  await sendAll([...numbered('a', 20), ...numbered(null, 20)])
  await arrived(before + 40, other)
  assert.equal(Math.max(watched.most('a'), watched.most(null)), 1)
  assert.deepEqual(
    contentOf(other).map(({ n }) => n),
    [0, 1].flatMap(() => Array.from({ length: 20 }, (_, n) => n)),
  )
})

test('an order at one endpoint slows no other: its siblings get all at once', async (t) => {
  const made = await scene(t)
  const { server, receiver, arrived, quiet, disk } = made
  const { control, sendAll } = calls(made)
  const plain = await made.startReceiver()
  await server.svix.endpoint.create('shop', { url: plain.url })
  await control({ ordering: 'endpoint' })
  receiver.answer = () => {}
  const ids = await sendAll(numbered('a', 50))
  await arrived(50, plain)
  await quiet()
  assert.deepEqual(idsOf(plain.received).toSorted(), ids)
  assert.equal(receiver.received.length, 1)
  assert.equal(await disk.count("select count(*) from delivery where held = 'behind'"), 49)
})

test('block: nothing overtakes a head that fails, also when its schedule has ended; when it is delivered all follow in order', async (t) => {
  const made = await scene(t)
  const { server, receiver, arrived, recorded, quiet, eventually, disk } = made
  const { control, sendAll, explain } = calls(made)
  await control({ ordering: 'key', headFailure: 'block', retrySchedule: [5, 60], breaker: false })
  receiver.answer = answering(500)
  const [head, second] = await sendAll(numbered('a', 5))
  const waits: number[] = []
  for (let tries = 1; tries <= 5; tries++) {
    await arrived(tries)
    await recorded(tries)
    await quiet()
    assert.deepEqual(idsOf(receiver.received), Array(tries).fill(head))
    waits.push((await disk.count('select min(due_at) from delivery')) - server.world.now())
    await toDue(made)
  }
  assert.deepEqual(
    waits.map((wait) => (wait > 40_000 ? 'long' : 'short')),
    ['short', 'long', 'long', 'long', 'long'],
    'the last wait is repeated',
  )
  await arrived(6)
  await recorded(6)
  assert.equal((await explain(second ?? ''))[0]?.waitingFor, 'order')
  receiver.answer = answering(204)
  await toDue(made)
  await arrived(11)
  await eventually('all are settled', async () => (await disk.count('select count(*) from delivery')) === 0)
  assert.deepEqual(
    contentOf(receiver)
      .slice(6)
      .map(({ n }) => n),
    [0, 1, 2, 3, 4],
  )
})

test('skip: after N tries those behind go on in order, and the head is retried beside them', async (t) => {
  const made = await scene(t)
  const { receiver, arrived, recorded, quiet, disk } = made
  const { control, sendAll } = calls(made)
  await control({ ordering: 'key', headFailure: 'skip', headAttempts: 2, retrySchedule: [5, 60, 60], breaker: false })
  receiver.answer = ({ body }, response) =>
    response.writeHead((JSON.parse(body.toString()) as Numbered).n === 0 ? 500 : 204).end()
  const [head] = await sendAll(numbered('a', 4))
  await recorded(1)
  await quiet()
  assert.equal(receiver.received.length, 1, 'after one try it still holds them up')
  await toDue(made)
  await arrived(5)
  await recorded(5)
  assert.deepEqual(
    contentOf(receiver).map(({ n }) => n),
    [0, 0, 1, 2, 3],
  )
  assert.deepEqual(
    (await disk.rows('select message_id, attempts, order_key from delivery')).map((row) => ({ ...row })),
    [{ message_id: head, attempts: 2, order_key: null }],
  )
  await toDue(made)
  await arrived(6)
  await recorded(6)
  assert.deepEqual(contentOf(receiver).at(-1), { key: 'a', n: 0 })
})

test('park: after N tries the head is kept aside, those behind go on, and a resend delivers it', async (t) => {
  const made = await scene(t)
  const { server, receiver, endpointId, arrived, recorded, quiet, disk } = made
  const { control, sendAll, explain } = calls(made)
  await control({ ordering: 'key', headFailure: 'park', headAttempts: 2, retrySchedule: [5, 60, 60], breaker: false })
  receiver.answer = ({ body }, response) =>
    response.writeHead((JSON.parse(body.toString()) as Numbered).n === 0 ? 500 : 204).end()
  const [head = ''] = await sendAll(numbered('a', 4))
  await recorded(1)
  await toDue(made)
  await arrived(5)
  await recorded(5)
  assert.deepEqual(
    contentOf(receiver).map(({ n }) => n),
    [0, 0, 1, 2, 3],
  )
  const [parked] = await explain(head)
  assert.deepEqual([parked?.verdict, parked?.waitingFor, parked?.until], ['waiting', 'parked', null])
  await server.world.leap(40 * 86_400_000)
  await quiet()
  assert.equal(receiver.received.length, 5, 'it waits for somebody, however long')
  receiver.answer = answering(204)
  await server.svix.messageAttempt.resend('shop', head, endpointId)
  await arrived(6)
  await recorded(6)
  assert.deepEqual(contentOf(receiver).at(-1), { key: 'a', n: 0 })
  assert.equal(await disk.count('select count(*) from delivery'), 0)
})

test('parked messages are recovered together, in their order, and each has its tries anew', async (t) => {
  const made = await scene(t)
  const { server, receiver, endpointId, recorded, eventually, disk } = made
  const { control, sendAll } = calls(made)
  await control({ ordering: 'key', headFailure: 'park', headAttempts: 1, breaker: false })
  receiver.answer = answering(500)
  await sendAll(numbered('a', 10))
  await recorded(10)
  assert.equal(await disk.count("select count(*) from delivery where held = 'parked'"), 10)
  const watched = slowly(receiver)
  await server.svix.endpoint.recover('shop', endpointId, { since: new Date(server.world.now() - 60_000) })
  await eventually('all are settled', async () => {
    await server.world.advance(100)
    return (await disk.count('select count(*) from delivery')) === 0
  })
  assert.deepEqual(
    contentOf(receiver).map(({ n }) => n),
    [...Array(10).keys(), ...Array(10).keys()],
  )
  assert.equal(watched.most('a'), 1)
})

test('a message that is resent while it waits behind another goes at once, and the order goes on without it', async (t) => {
  const made = await scene(t)
  const { server, receiver, endpointId, arrived, recorded } = made
  const { control, sendAll } = calls(made)
  await control({ ordering: 'key' })
  const hold: (() => void)[] = []
  receiver.answer = (_, response) => hold.push(() => response.writeHead(204).end())
  const [, , third = ''] = await sendAll(numbered('a', 3))
  await arrived(1)
  receiver.answer = answering(204)
  await server.svix.messageAttempt.resend('shop', third, endpointId)
  await arrived(2)
  await recorded(1)
  for (const letGo of hold) letGo()
  await recorded(3)
  assert.deepEqual(
    contentOf(receiver).map(({ n }) => n),
    [0, 2, 1],
  )
})

test('after a kill in the middle what was under way comes again, and what waited behind it only then', async (t) => {
  const made = await scene(t)
  const { server, receiver, arrived, quiet } = made
  const { control, sendAll } = calls(made)
  await control({ ordering: 'key' })
  receiver.answer = (request, response) => {
    const { n } = JSON.parse(request.body.toString()) as Numbered
    if (n < 3) response.writeHead(204).end()
  }
  await sendAll([...numbered('a', 8), ...numbered('b', 8)])
  await arrived(8)
  await quiet()
  assert.equal(receiver.received.length, 8, 'the fourth of each key is under way')

  const databaseUrl = await asIfKilledNow(t, server.databaseUrl)
  const world = testWorld({ now: server.world.now() + 1_000 + heldAfterKillMs, seed: 2 })
  const watched = slowly(receiver)
  const next = await startTestServer({ databaseUrl, world })
  t.after(() => next.stop())
  await eventually(world, 'all the others have come', () => receiver.received.length >= 18)
  const disk = openDatabase(databaseUrl)
  t.after(() => disk.close())
  await eventually(world, 'all is settled', async () => (await disk.count('select count(*) from delivery')) === 0)
  for (const key of ['a', 'b']) {
    const seen = contentOf(receiver).filter((one) => one.key === key)
    assert.deepEqual(
      seen.map(({ n }) => n),
      [0, 1, 2, 3, 3, 4, 5, 6, 7],
    )
    assert.equal(watched.most(key), 1)
  }
})

test('an order outlives a stop and a start, and somebody who changes it', async (t) => {
  const made = await scene(t)
  const { receiver, arrived, recorded, eventually, disk } = made
  const { control, sendAll } = calls(made)
  await control({ ordering: 'key', retrySchedule: [5], breaker: false })
  receiver.answer = answering(500)
  await sendAll(numbered('a', 6))
  await recorded(1)
  await made.restart()
  await control({ ordering: 'none', retrySchedule: [5], breaker: false })
  const watched = slowly(receiver)
  await toDue(made)
  await arrived(7)
  await eventually('all are settled', async () => (await disk.count('select count(*) from delivery')) === 0)
  assert.deepEqual(
    contentOf(receiver).map(({ n }) => n),
    [0, 0, 1, 2, 3, 4, 5],
  )
  assert.equal(watched.most('a'), 1, 'what was accepted in order is delivered in order')
})

test('whatever fails, is paused, canceled or stopped meanwhile, nothing comes for the first time after one it was accepted before', async (t) => {
  const made = await scene(t)
  const { receiver, endpointId, quiet, disk } = made
  const { cancel, control, pause, resume, sendAll } = calls(made)
  const { random } = testWorld({ seed: 7 })
  await control({ ordering: 'key', retrySchedule: [1, 2], breaker: false })
  receiver.answer = (_, response) => response.writeHead(random() < 0.3 ? 500 : 204).end()
  const keys = ['a', 'b', 'c']
  const ids: string[] = []
  const canceled = new Set<string>()
  const pick = (): string => ids[Math.floor(random() * ids.length)] ?? ''
  for (let round = 0; round < 40; round++) {
    const from = round * 2
    if (round < 25) ids.push(...(await sendAll(keys.flatMap((key) => numbered(key, 2, from)))))
    const chance = random()
    if (chance < 0.15) await pause()
    else if (chance < 0.5) await resume()
    else if (chance < 0.6) await made.restart()
    else if (chance < 0.75) {
      const id = pick()
      if ((await cancel(id)) > 0) canceled.add(id)
    }
    await made.server.world.advance(Math.floor(random() * 1_500))
    await quiet()
  }
  receiver.answer = answering(204)
  await resume()
  await made.eventually('all are settled', async () => {
    await made.server.world.advance(500)
    return (await disk.count('select count(*) from delivery')) === 0
  })
  for (const key of keys) {
    const firsts = [...new Set(contentOf(receiver).flatMap((one) => (one.key === key ? [one.n] : [])))]
    assert.deepEqual(
      firsts,
      firsts.toSorted((a, b) => a - b),
    )
  }
  const rows = await disk.rows(
    'select distinct message_id from attempt where succeeded = 1 and endpoint_id = ?',
    endpointId,
  )
  const delivered = rows.map((row) => String(row.message_id))
  assert.deepEqual(
    delivered.toSorted(),
    ids.filter((id) => !canceled.has(id)),
  )
  assert.ok(canceled.size > 0 && receiver.received.length > ids.length)
})
