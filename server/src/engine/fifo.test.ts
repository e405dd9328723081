import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Fifo } from './fifo.ts'

test('it does what an array with push and shift does, whatever is asked of it in whatever order', () => {
  const asked = fc.array(
    fc.oneof(
      { weight: 10, arbitrary: fc.integer({ min: 1, max: 600 }).map((count) => ['push', count] as const) },
      { weight: 10, arbitrary: fc.integer({ min: 1, max: 600 }).map((count) => ['shift', count] as const) },
      { weight: 1, arbitrary: fc.constant(['drain', 0] as const) },
    ),
    { maxLength: 40 },
  )
  fc.assert(
    fc.property(asked, (steps) => {
      const fifo = new Fifo<number>()
      const plain: number[] = []
      let next = 0
      for (const [step, count] of steps) {
        if (step === 'drain') assert.deepEqual(fifo.drain(), plain.splice(0))
        for (let n = 0; n < count; n++) {
          if (step === 'shift') assert.equal(fifo.shift(), plain.shift())
          else {
            fifo.push(next)
            plain.push(next++)
          }
        }
        assert.equal(fifo.size, plain.length)
      }
    }),
    { numRuns: 50 },
  )
})

test('what has been taken out is let go of, also while it never runs empty', async () => {
  const fifo = new Fifo<object>()
  const freed = new Set<number>()
  const registry = new FinalizationRegistry<number>((n) => freed.add(n))
  const push = (n: number): void => {
    const item = { n }
    registry.register(item, n)
    fifo.push(item)
  }
  push(-1)
  for (let n = 0; n < 5_000; n++) {
    push(n)
    fifo.shift()
  }
  assert.equal(fifo.size, 1)
  // Enough garbage that the collector comes by itself.
  for (let round = 0; freed.size < 4_000 && round < 200; round++) {
    Array.from({ length: 50_000 }, () => ({}))
    await new Promise((resolve) => setImmediate(resolve))
  }
  assert.ok(freed.size >= 4_000, `only ${freed.size} of 5,000 were let go of`)
})
