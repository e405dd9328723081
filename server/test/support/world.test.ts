import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testWorld } from './world.ts'

test('timers fire in order of their due time, each seeing its own moment, also those set on the way', async () => {
  const world = testWorld({ now: 1000 })
  const seen: [string, number][] = []
  world.after(30, () => seen.push(['c', world.now()]))
  world.after(10, () => {
    seen.push(['a', world.now()])
    world.after(10, () => seen.push(['b', world.now()]))
  })
  const called = world.after(20, () => seen.push(['never', world.now()]))
  called.cancel()
  await world.advance(29)
  assert.deepEqual(seen, [
    ['a', 1010],
    ['b', 1020],
  ])
  assert.equal(world.pendingTimers, 1)
  assert.equal(world.now(), 1029)
  await world.advance(1)
  assert.deepEqual(seen.at(-1), ['c', 1030])
  assert.equal(world.pendingTimers, 0)
})

test('promises settled by one timer run before the next timer fires', async () => {
  const world = testWorld()
  const seen: string[] = []
  world.after(1, () => void Promise.resolve().then(() => seen.push('after first')))
  world.after(2, () => seen.push('second'))
  await world.advance(2)
  assert.deepEqual(seen, ['after first', 'second'])
})

test('a leap lets what fell due on the way fire late, in order, all at the new time', async () => {
  const world = testWorld({ now: 1000 })
  const seen: [string, number][] = []
  world.after(20, () => seen.push(['second', world.now()]))
  world.after(10, () => seen.push(['first', world.now()]))
  world.after(50, () => seen.push(['not yet', world.now()]))
  await world.leap(30)
  assert.deepEqual(seen, [
    ['first', 1030],
    ['second', 1030],
  ])
})

test('the same seed throws the same dice, another seed others', () => {
  const throws = (seed: number) => Array.from({ length: 5 }, testWorld({ seed }).random)
  assert.deepEqual(throws(7), throws(7))
  assert.notDeepEqual(throws(7), throws(8))
  assert.ok(throws(7).every((one) => one >= 0 && one < 1))
})

test('the clock shows whole milliseconds, whatever a timer was asked to wait', async () => {
  const world = testWorld({ now: 1000 })
  const seen: number[] = []
  world.after(12.5, () => seen.push(world.now()))
  await world.advance(12)
  assert.deepEqual(seen, [])
  await world.advance(1)
  assert.deepEqual(seen, [1013])
})
