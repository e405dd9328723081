import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { paced } from './rate.ts'

const start = Date.UTC(2026, 0, 1)

/** When each goes, of those that come after these gaps and go as soon as they may, but so much too late. */
function sent(perSecond: number, comings: readonly { readonly gap: number; readonly late: number }[]): number[] {
  const times: number[] = []
  let [nextAt, came] = [0, start]
  for (const { gap, late } of comings) {
    came += gap
    const now = Math.max(came, nextAt + late, times.at(-1) ?? 0)
    times.push(now)
    nextAt = paced(nextAt, now, perSecond)
  }
  return times
}

// Milliseconds. A time of our days as a double is right to a quarter of a microsecond, and up to sixty are added up.
const rounding = 0.02

const rates = fc.integer({ min: 1, max: 2_000 })
const comings = fc.array(
  fc.record({ gap: fc.oneof(fc.constant(0), fc.nat(5_000)), late: fc.oneof(fc.constant(0), fc.nat(200)) }),
  { maxLength: 60 },
)

test('in no stretch of time do more go than the rate and 50 ms saved up allow, whenever they come', () => {
  fc.assert(
    fc.property(rates, comings, (perSecond, given) => {
      const times = sent(perSecond, given)
      for (const [from, first] of times.entries()) {
        for (let to = from + 1; to < times.length; to++) {
          const stretch = (times[to] ?? 0) - first
          const allowed = ((stretch + 50 + rounding) * perSecond) / 1_000
          assert.ok(to - from <= allowed, `${to - from + 1} within ${stretch} ms`)
        }
      }
    }),
  )
})

test('five a second go 200 ms apart, not five at the full second', () => {
  const times = sent(
    5,
    Array.from({ length: 20 }, () => ({ gap: 0, late: 0 })),
  )
  // The first finds 50 ms saved up.
  assert.deepEqual(
    times.map((time) => time - start),
    [0, ...Array.from({ length: 19 }, (_, n) => 150 + 200 * n)],
  )
})

test('timers that are late by less than 50 ms cost nothing of the rate', () => {
  const lates = fc.array(fc.nat(49), { minLength: 200, maxLength: 200 })
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1_000 }), lates, (perSecond, late) => {
      const times = sent(
        perSecond,
        late.map((ms) => ({ gap: 0, late: ms })),
      )
      const took = (times.at(-1) ?? 0) - start
      assert.ok(took <= (200 * 1_000) / perSecond + 50, `200 at ${perSecond} a second took ${took} ms`)
    }),
  )
})

test('an hour without anything to send saves up no hour of sending', () => {
  const times = sent(10, [
    { gap: 0, late: 0 },
    ...Array.from({ length: 10 }, (_, n) => ({ gap: n === 0 ? 3_600_000 : 0, late: 0 })),
  ])
  assert.ok((times.at(-1) ?? 0) - (times[1] ?? 0) >= 850)
})
