import assert from 'node:assert/strict'
import { test } from 'node:test'
import { clockDifference, clockVerdict, fleetTimes, noShare, type Share, shareAfter, sharers } from './fleet.ts'

const times = fleetTimes(30_000)

test('a heartbeat comes every second, or ten times in a shorter lease', () => {
  assert.deepEqual(times, { beatEvery: 1_000, aliveFor: 3_000, shareFor: 2_000, leadFor: 5_000 })
  assert.equal(fleetTimes(2_000).beatEvery, 200)
})

test('the clocks’ difference is taken at the middle of each round trip, and one slow answer does not count', () => {
  const trip = (takesMs: number, ahead: number) => ({
    sentAt: 1_000,
    answeredAt: 1_000 + takesMs,
    writtenAt: 1_000 + takesMs / 2 - ahead,
  })
  assert.equal(clockDifference([trip(10, 0)]), 0)
  assert.equal(clockDifference([trip(10, 300), trip(20, 300), trip(8, 300)]), 300)
  // Written at once, answered after four seconds: it would look like two.
  const slow = { sentAt: 1_000, answeredAt: 5_000, writtenAt: 1_000 }
  assert.equal(clockDifference([trip(10, -20), slow, trip(12, -20)]), -20)
})

test('a second apart is worth a word; more than a quarter of a lease is no clock to lease by', () => {
  assert.deepEqual(
    [0, 1_000, -1_000].map((by) => clockVerdict(by, 30_000)),
    ['fine', 'fine', 'fine'],
  )
  assert.deepEqual(
    [1_001, -7_500].map((by) => clockVerdict(by, 30_000)),
    ['apart', 'apart'],
  )
  assert.deepEqual(
    [7_501, -9_999].map((by) => clockVerdict(by, 30_000)),
    ['unusable', 'unusable'],
  )
  assert.equal(clockVerdict(501, 2_000), 'unusable')
})

/** A node that hears from the store at the given moments, without delay. */
const hearing = (at: readonly (readonly [time: number, nodes: number])[]): Share =>
  at.reduce((share, [time, nodes]) => shareAfter(share, nodes, time, time, times), noShare)

test('a node that is alone sends at its whole rate at once; one that comes to others, when they must have seen it', () => {
  assert.equal(sharers(hearing([[0, 1]]), 0), 1)
  const late = hearing([
    [0, 3],
    [1_000, 3],
  ])
  assert.deepEqual(
    [0, 1_999, 2_000, 2_999].map((now) => sharers(late, now)),
    [null, null, 3, 3],
  )
})

test('a node that was not heard for two heartbeats sends nothing that has a rate, long before others take its part', () => {
  const share = hearing([
    [0, 2],
    [1_000, 2],
    [2_000, 2],
  ])
  assert.equal(sharers(share, 3_999), 2)
  assert.equal(sharers(share, 4_000), null)
  assert.ok(2_000 + times.aliveFor > 4_000)
})

test('a node that comes back after such a time waits as one that has just come', () => {
  const share = hearing([
    [0, 2],
    [1_000, 2],
    [2_000, 2],
    [9_000, 2],
    [10_000, 2],
  ])
  assert.deepEqual(
    [9_000, 10_999, 11_000].map((now) => sharers(share, now)),
    [null, null, 2],
  )
})

test('an answer that took too long is as good as none: others may have counted without this node in the meantime', () => {
  const before = hearing([
    [0, 2],
    [1_000, 2],
    [2_000, 2],
  ])
  const share = shareAfter(before, 2, 3_000, 4_500, times)
  assert.equal(sharers(share, 4_600), null)
})

test('who leaves or comes changes the part of the others with their next heartbeat', () => {
  const share = hearing([
    [0, 1],
    [1_000, 3],
  ])
  assert.equal(sharers(share, 1_000), 3)
  assert.equal(sharers(shareAfter(share, 2, 2_000, 2_000, times), 2_000), 2)
})

test('however nodes come, sleep and come back, their parts of a rate are never more than the whole', () => {
  let state = 7
  const dice = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
  for (let run = 0; run < 300; run++) {
    const nodes = Array.from({ length: 4 }, () => ({
      share: noShare,
      seenAt: Number.NEGATIVE_INFINITY,
      nextBeat: dice() * 8_000,
    }))
    for (let now = 0; now < 30_000; now += 50) {
      for (const node of nodes) {
        if (now < node.nextBeat) continue
        const tookMs = dice() < 0.1 ? dice() * 2_500 : dice() * 40
        // Written somewhere on the way, counted right after, answered at the end.
        node.seenAt = now
        const alive = nodes.filter(({ seenAt }) => seenAt > now - times.aliveFor).length
        node.share = shareAfter(node.share, alive, now - tookMs, now, times)
        node.nextBeat = now + (dice() < 0.05 ? dice() * 12_000 : times.beatEvery)
      }
      const sum = nodes.reduce((all, { share }) => {
        const among = sharers(share, now)
        return among === null ? all : all + 1 / among
      }, 0)
      assert.ok(sum <= 1.000_001, `run ${run} at ${now}: ${sum}`)
    }
  }
})
