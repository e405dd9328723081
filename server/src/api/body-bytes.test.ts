import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { BodyBytes } from './body-bytes.ts'

test('a body is the same bytes whatever the pieces were that it came in', () => {
  const sizes = fc.array(fc.oneof(fc.nat(9), fc.integer({ min: 4090, max: 4100 }), fc.constant(70_000)), {
    minLength: 0,
    maxLength: 300,
  })
  fc.assert(
    fc.property(sizes, (lengths) => {
      const pieces = lengths.map((length, at) => Buffer.alloc(length, at))
      const body = new BodyBytes()
      for (const piece of pieces) body.add(piece)
      const expected = Buffer.concat(pieces)
      assert.equal(body.length, expected.length)
      assert.ok(body.whole().equals(expected))
    }),
    { numRuns: 30 },
  )
})

test('a body in pieces of one byte takes little more memory than it is long', () => {
  const before = memory()
  const body = new BodyBytes()
  for (let at = 0; at < 500_000; at++) body.add(Buffer.from([at & 0xff]))
  const taken = memory() - before
  assert.equal(body.length, 500_000)
  // Kept as they came they take 50 MB and more.
  assert.ok(taken < 10_000_000, `${taken} bytes`)
})

function memory(): number {
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
