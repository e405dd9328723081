import assert from 'node:assert/strict'
import { test } from 'node:test'
import { capturedLog } from '../support/captured-log.ts'
import { asIfKilledNow, heldAfterKillMs, onSqliteAlone, openDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'
import { quiet } from '../support/quiet.ts'
import { startTestServer } from '../support/server.ts'
import { testWorld } from '../support/world.ts'
import { answering } from './controls.ts'
import { scene } from './scene.ts'

const ids = (received: readonly { readonly headers: Record<string, unknown> }[]): string[] =>
  received.map(({ headers }) => String(headers['webhook-id']))

test('after a kill, what was under lease is sent as soon as it can be nobody else’s, and what waits for its next try when it is due', async (t) => {
  const made = await scene(t, { settings: { retrySchedule: [3_600_000] } })
  const { server, receiver, publish, arrived, recorded, disk } = made
  receiver.answer = (_, response) => response.writeHead(500).end()
  const retried = await publish('{"a":1.0}')
  await arrived(1)
  await recorded(1)
  receiver.answer = () => {}
  const inFlight = [await publish('{"b":1e3}'), await publish('{"c":9007199254740993}')]
  await arrived(3)
  assert.equal(await disk.count('select count(*) from delivery where lease is not null'), 2)

  const databaseUrl = await asIfKilledNow(t, server.databaseUrl)
  const world = testWorld({ now: server.world.now() + 1_000 + heldAfterKillMs, seed: 2 })
  receiver.answer = (_, response) => response.writeHead(204).end()
  const next = await startTestServer({ databaseUrl, world })
  t.after(() => next.stop())
  await eventually(world, 'what was under lease is sent', () => receiver.received.length >= 5)
  assert.deepEqual(ids(receiver.received.slice(3)).toSorted(), inFlight.toSorted())

  const after = openDatabase(databaseUrl)
  t.after(() => after.close())
  const settled = async () => (await after.count('select count(*) from delivery')) === 1
  await eventually(world, 'they are settled', settled)
  const due = await after.count('select due_at from delivery')
  await world.advance(due - world.now() - 1)
  await quiet(world, next.store)
  assert.equal(receiver.received.length, 5, 'not before it is due')
  await world.advance(1)
  await eventually(world, 'the retry is sent', () => receiver.received.length >= 6)
  assert.deepEqual(ids(receiver.received.slice(5)), [retried])
  assert.deepEqual(receiver.received.map(({ body }) => body.toString()).toSorted(), [
    '{"a":1.0}',
    '{"a":1.0}',
    '{"b":1e3}',
    '{"b":1e3}',
    '{"c":9007199254740993}',
    '{"c":9007199254740993}',
  ])
})

test('a kill between the answer of the receiver and its record sends the message again, under the same id', async (t) => {
  const { server, receiver, publish } = await scene(t)
  const killed = new Promise<string>((resolve) => {
    receiver.answer = async (_, response) => {
      receiver.answer = answering(204)
      resolve(await asIfKilledNow(t, server.databaseUrl))
      response.writeHead(204).end()
    }
  })
  const id = await publish()
  const databaseUrl = await killed
  const world = testWorld({ now: server.world.now() + heldAfterKillMs })
  const next = await startTestServer({ databaseUrl, world })
  t.after(() => next.stop())
  await eventually(world, 'it is sent again', () => receiver.received.length >= 2)
  assert.deepEqual(ids(receiver.received), [id, id])
})

test('a stop lets what is in flight finish and puts the rest back, due now, for the next start', async (t) => {
  const made = await scene(t, { settings: { endpointInFlight: 2 } })
  const { server, receiver, publish, arrived, disk } = made
  const hold: (() => void)[] = []
  receiver.answer = (_, response) => hold.push(() => response.writeHead(204).end())
  const sent = [await publish(), await publish()]
  await arrived(2)
  const waiting = [await publish(), await publish()]
  const restarted = made.restart()
  await made.quiet()
  assert.equal(receiver.received.length, 2, 'nothing more is begun')
  receiver.answer = (_, response) => response.writeHead(204).end()
  for (const letGo of hold) letGo()
  await restarted
  await made.arrived(4)
  await made.recorded(4)
  assert.deepEqual(ids(receiver.received).toSorted(), [...sent, ...waiting].toSorted())
  assert.equal(await disk.count('select count(*) from delivery'), 0)
  assert.equal(server.world, made.server.world)
})

test('a stop does not wait longer than its grace: what is still in flight then is due at the next start', async (t) => {
  const { log, lines } = capturedLog('info')
  const made = await scene(t, { log })
  const { server, receiver, publish, arrived, disk } = made
  const hold: (() => void)[] = []
  receiver.answer = (_, response) => hold.push(() => response.writeHead(204).end())
  const id = await publish()
  await arrived(1)
  let down = false
  const restarted = made.restart().then(() => {
    down = true
  })
  await made.quiet()
  await server.world.advance(9_999)
  await made.quiet()
  assert.equal(down, false, 'it waits as long as it may')
  receiver.answer = (_, response) => response.writeHead(204).end()
  await server.world.advance(1)
  await restarted
  await made.arrived(2)
  assert.deepEqual(ids(receiver.received), [id, id])
  await made.recorded(1)
  assert.equal(
    await disk.count('select count(*) from attempt where succeeded = 0'),
    0,
    'what we broke off is no failure of theirs',
  )
  assert.equal(await disk.count('select count(*) from endpoint where failing_since is not null'), 0)
  await made.eventually('it is settled', async () => (await disk.count('select count(*) from delivery')) === 0)
  // An answer that comes when all is over is heard by nobody.
  for (const letGo of hold) letGo()
  await made.quiet()
  assert.deepEqual(
    lines().filter(({ level }) => level > 30),
    [],
    'no line says that anything went wrong',
  )
  assert.equal(await disk.count('select count(*) from attempt'), 1)
})

test('a process that lost its lease to another cannot settle the delivery', async (t) => {
  const { receiver, publish, arrived, recorded, disk } = await scene(t)
  const hold: (() => void)[] = []
  receiver.answer = (_, response) => hold.push(() => response.writeHead(204).end())
  await publish()
  await arrived(1)
  await disk.exec("update delivery set lease = 'lease_of_another_process', attempts = 4")
  const [before] = await disk.rows('select * from delivery')
  for (const letGo of hold) letGo()
  await recorded(1)
  assert.deepEqual(await disk.rows('select * from delivery'), [before], 'the delivery is as the other process left it')
})

test('a lease is renewed for as long as a delivery is held, so that no other process takes it meanwhile', async (t) => {
  const settings = { leaseDuration: 60_000, attemptTimeout: 3_600_000 }
  const { server, receiver, publish, arrived, disk, quiet } = await scene(t, { settings })
  receiver.answer = () => {}
  await publish()
  await arrived(1)
  for (let passed = 0; passed < 600_000; passed += 5_000) {
    await server.world.advance(5_000)
    // Where time is given away, as here, the renewal must be given the time it takes.
    await quiet()
    const due = await disk.count('select due_at from delivery')
    assert.ok(due > server.world.now(), `after ${passed + 5_000} ms it would be taken`)
  }
  await quiet()
  assert.equal(receiver.received.length, 1)
})

test('a machine that slept past its leases does not send again what it still holds', async (t) => {
  const settings = { leaseDuration: 60_000, attemptTimeout: 24 * 3_600_000, endpointInFlight: 2 }
  const { server, receiver, publish, arrived, recorded, quiet, disk } = await scene(t, { settings })
  const hold: (() => void)[] = []
  receiver.answer = (_, response) => hold.push(() => response.writeHead(204).end())
  const all = [await publish(), await publish(), await publish(), await publish()]
  await arrived(2)
  await server.world.leap(3_600_000)
  await quiet()
  assert.equal(receiver.received.length, 2)
  receiver.answer = (_, response) => response.writeHead(204).end()
  for (const letGo of hold) letGo()
  await recorded(4)
  await quiet()
  assert.deepEqual(ids(receiver.received).toSorted(), all.toSorted())
  assert.equal(await disk.count('select count(*) from delivery'), 0)
  assert.equal(await disk.count('select count(*) from attempt'), 4)
})

test('two processes cannot run on one file', onSqliteAlone('PostgreSQL is for several'), async (t) => {
  const { server } = await scene(t)
  await assert.rejects(startTestServer({ databaseUrl: server.databaseUrl }), /Another Posthorn is running/)
})
