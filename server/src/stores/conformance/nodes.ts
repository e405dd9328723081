import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { NodeLife } from '../../ports/store.ts'
import { type OpenStore, openedEach } from './opened.ts'
import { samples } from './samples.ts'

// The clock of these tables is the database's, so time is not passed here: spans are so long that the test ends within
// them, or over at once.
const long = 3_600_000
const over = -1

export function nodesConformance(open: OpenStore): void {
  const store = openedEach(open)
  const make = samples()
  const node = (name: string): NodeLife => ({ id: make.id('node'), name, version: '1.0.0' })

  test('a heartbeat counts the nodes that live, and itself whatever the span', async () => {
    const [first, second] = [node('a'), node('b')]
    assert.equal((await store().nodes.beat(first, long)).alive, 1)
    assert.equal((await store().nodes.beat(second, long)).alive, 2)
    assert.equal((await store().nodes.beat(first, over)).alive, 1)
    assert.deepEqual(
      (await store().nodes.alive(long)).map(({ id, name, version }) => ({ id, name, version })),
      [first, second],
    )
  })

  test('a heartbeat tells the clock of the database, which no node can set, and does not begin a life anew', async () => {
    const own = node('a')
    const { now } = await store().nodes.beat(own, long)
    assert.ok(Number.isInteger(now) && Math.abs(now - Date.now()) < 60_000, `${now} is not a time of today in ms`)
    const later = await (await store.another()).nodes.beat(own, long)
    assert.ok(later.now >= now)
    const [row] = await store().nodes.alive(long)
    assert.equal(row?.startedAt, now)
    assert.equal(row?.seenAt, later.now)
  })

  test('a node that left is not counted, and leads nothing', async () => {
    const [first, second] = [node('a'), node('b')]
    await store().nodes.beat(first, long)
    await store().nodes.beat(second, long)
    assert.equal(await store().nodes.lead('retention', first.id, long), true)
    await store().nodes.leave(first.id)
    assert.equal((await store().nodes.beat(second, long)).alive, 1)
    assert.equal(await store().nodes.lead('retention', second.id, long), true)
  })

  test('nodes that live are listed by age, with who of them leads', async () => {
    const [first, second] = [node('a'), node('b')]
    await store().nodes.beat(second, long)
    await store().nodes.beat(first, long)
    const leading = async () => (await store().nodes.alive(long)).map(({ id, leads }) => [id, leads])
    assert.deepEqual(await leading(), [
      [first.id, false],
      [second.id, false],
    ])
    await store().nodes.lead('retention', second.id, long)
    assert.deepEqual(await leading(), [
      [first.id, false],
      [second.id, true],
    ])
    await store().nodes.lead('retention', second.id, over)
    assert.deepEqual(
      (await leading()).map(([, leads]) => leads),
      [false, false],
      'its time is over',
    )
    assert.deepEqual(await store().nodes.alive(over), [])
  })

  test('nodes that were not seen for long are swept, and no others', async () => {
    const own = node('a')
    await store().nodes.beat(own, long)
    assert.equal(await store().nodes.sweep(long), 0)
    assert.equal(await store().nodes.sweep(over), 1)
    assert.deepEqual(await store().nodes.alive(long), [])
  })

  test('a chore has one leader, until its time is over or it resigns', async () => {
    const [first, second] = [make.id('node'), make.id('node')]
    assert.equal(await store().nodes.lead('retention', first, long), true)
    assert.equal(await store().nodes.lead('retention', first, long), true, 'who leads may go on')
    assert.equal(await store().nodes.lead('retention', second, long), false)
    assert.equal(await store().nodes.lead('sweep', second, long), true, 'each chore has a leader of its own')
    await store().nodes.resign(first)
    assert.equal(await store().nodes.lead('retention', second, over), true)
    assert.equal(await store().nodes.lead('retention', first, long), true, 'what is over is free')
    assert.equal(await store().nodes.lead('retention', second, long), false)
  })

  test('of ten that ask at once through several stores, one leads', async () => {
    const others = [store(), await store.another(), await store.another()]
    const asked = Array.from({ length: 10 }, (_, n) =>
      (others[n % others.length] ?? store()).nodes.lead('retention', make.id('node'), long),
    )
    assert.equal((await Promise.all(asked)).filter((leads) => leads).length, 1)
  })
}
