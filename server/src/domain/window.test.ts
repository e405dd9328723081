import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { afterFailure, afterSuccess, firstWindow, type Window } from './window.ts'

const cap = 64
const fail = (window: Window, times: number, now = 1_000): Window =>
  times === 0 ? window : fail(afterFailure(window, now), times - 1, now)
const succeed = (window: Window, times: number): Window =>
  times === 0 ? window : succeed(afterSuccess(window, cap), times - 1)

test('an endpoint nobody has heard of begins with a part of the cap, or with all of a small one', () => {
  assert.deepEqual(firstWindow(64), { width: 16, failuresInRow: 0, opensAt: 0 })
  assert.equal(firstWindow(4).width, 4)
})

test('each success opens it by one, up to the cap and not beyond', () => {
  assert.equal(succeed(firstWindow(cap), 1).width, 17)
  assert.equal(succeed(firstWindow(cap), 48).width, 64)
  assert.equal(succeed(firstWindow(cap), 1_000).width, 64)
})

test('from the second in a row each failure halves it, down to one request at a time and never to none', () => {
  const widths = Array.from({ length: 9 }, (_, failures) => fail({ ...firstWindow(cap), width: 64 }, failures).width)
  assert.deepEqual(widths, [64, 64, 32, 16, 8, 4, 2, 1, 1])
})

test('an endpoint that refuses one message in ten, but never two in a row, is trusted like any other', () => {
  let window = firstWindow(cap)
  for (let n = 0; n < 500; n++) window = n % 10 === 0 ? afterFailure(window, n) : afterSuccess(window, cap)
  assert.deepEqual(window, { width: cap, failuresInRow: 0, opensAt: 0 })
})

test('one that refuses two in a row of every four is trusted with a few at a time', () => {
  let window = firstWindow(cap)
  for (let n = 0; n < 100; n++) window = n % 4 < 2 ? afterFailure(window, n) : afterSuccess(window, cap)
  assert.ok(window.width <= 5, `${window.width}`)
})

test('nineteen failures in a row do not yet make it pause; the twentieth does, each pause twice the last, up to a second', () => {
  const pause = (failures: number): number => {
    const { opensAt } = fail(firstWindow(cap), failures, 1_000)
    return opensAt === 0 ? 0 : opensAt - 1_000
  }
  assert.equal(pause(19), 0)
  assert.deepEqual([20, 21, 22, 23, 24, 25, 26].map(pause), [50, 100, 200, 400, 800, 1_000, 1_000])
  assert.equal(pause(5_000), 1_000, 'a dead endpoint is still tried every second, so that its return is noticed')
})

test('one success ends the pause and the count', () => {
  const back = afterSuccess(fail(firstWindow(cap), 500), cap)
  assert.deepEqual(back, { width: 2, failuresInRow: 0, opensAt: 0 })
  assert.equal(fail(back, 19).opensAt, 0)
})

test('whatever happens, at least one and at most the cap may be in flight', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 200 }), fc.array(fc.boolean(), { maxLength: 300 }), (most, outcomes) => {
      let window = firstWindow(most)
      for (const [now, succeeded] of outcomes.entries()) {
        window = succeeded ? afterSuccess(window, most) : afterFailure(window, now)
        assert.ok(Number.isInteger(window.width) && window.width >= 1 && window.width <= most)
        assert.ok(window.opensAt === 0 || (window.opensAt > now && window.opensAt <= now + 1_000))
      }
    }),
  )
})
