import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testWorld } from '../../test/support/world.ts'
import type { Millis } from '../domain/ids.ts'
import { samples } from '../stores/conformance/samples.ts'
import { ApplicationPaces } from './application-pace.ts'
import { Lane } from './lane.ts'

/** Endpoints of one application that always have something to send, and send it as the dispatcher would. */
function application(endpoints: number, perSecond: number) {
  const [make, world] = [samples(), testWorld()]
  const start = world.now()
  const id = make.id('application')
  const lanes = Array.from({ length: endpoints }, () => new Lane(make.id('endpoint'), id, 64))
  const sent: { readonly by: number; readonly at: Millis }[] = []
  const rate = { perSecond }
  const go = (lane: Lane): void => {
    while (paces.mayGo(lane, rate.perSecond, world.now())) {
      sent.push({ by: lanes.indexOf(lane), at: world.now() - start })
      paces.spend(lane, 1, rate.perSecond, 1, world.now())
    }
  }
  const paces: ApplicationPaces = new ApplicationPaces(world, go)
  for (const lane of lanes) go(lane)
  return { world, rate, sent, lanes, go }
}

test('all endpoints of an application together keep to its rate, one after the other', async () => {
  const { world, sent } = application(3, 10)
  await world.advance(2_950)
  // The first finds 50 ms saved up.
  const expected = Array.from({ length: 31 }, (_, n) => ({ by: Math.max(0, n - 1) % 3, at: Math.max(0, 100 * n - 50) }))
  assert.deepEqual(sent, expected)
})

test('a turn is not lost when somebody notices before a late timer that it is time', async () => {
  const { world, sent, lanes, go } = application(3, 10)
  for (let n = 0; n < 10; n++) {
    // The moment has come, the timer has not fired yet, and an answer from its receiver makes one look.
    const leaping = world.leap(100)
    for (const lane of lanes) go(lane)
    await leaping
  }
  const before = sent.length
  await world.advance(3_000)
  const later = sent.slice(before)
  assert.ok(later.length >= 29, `${later.length} in three seconds`)
  assert.deepEqual(new Set(later.map(({ by }) => by)), new Set([0, 1, 2]))
})

test('what one has saved up is not saved up again because nobody waited for a moment', async () => {
  const [make, world] = [samples(), testWorld()]
  const lane = new Lane(make.id('endpoint'), make.id('application'), 64)
  const paces = new ApplicationPaces(world, () => {})
  const sends = (): boolean => {
    if (!paces.mayGo(lane, 10, world.now())) return false
    paces.spend(lane, 1, 10, 1, world.now())
    return true
  }
  const sentAfter = async (ms: Millis): Promise<boolean> => {
    await world.advance(ms)
    return sends()
  }
  assert.ok(sends())
  assert.ok(!sends(), 'it waits for its turn')
  // It goes before its timer has fired, which then finds nobody.
  const leaping = world.leap(50)
  assert.ok(sends())
  await leaping
  assert.ok(await sentAfter(100))
  assert.ok(!(await sentAfter(90)))
  assert.ok(await sentAfter(10))
})

test('another rate counts at once, without what is owed to the old one', async () => {
  const { world, rate, sent, lanes, go } = application(2, 1)
  await world.advance(10)
  assert.equal(sent.length, 1)
  rate.perSecond = 100
  for (const lane of lanes) go(lane)
  await world.advance(1_000)
  assert.ok(sent.length >= 100 && sent.length <= 107, `${sent.length}`)
})
