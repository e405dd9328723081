import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatDuration, parseDuration, parseDurations } from './duration.ts'

const span = fc.integer({ min: 0, max: 10 * 365 * 86_400_000 })

test('every unit and their sums are read as milliseconds', () => {
  const spelled: readonly [string, number][] = [
    ['0s', 0],
    ['250ms', 250],
    ['5s', 5_000],
    ['5m', 300_000],
    ['30m', 1_800_000],
    ['2h', 7_200_000],
    ['1d', 86_400_000],
    ['1h30m', 5_400_000],
    ['5m1ms', 300_001],
    ['1d2h3m4s5ms', 93_784_005],
    ['90s', 90_000],
  ]
  for (const [text, ms] of spelled) assert.equal(parseDuration(text), ms, text)
})

test('what is not plainly a duration is refused: no unit, no number, fractions, signs, spaces, wrong order, more than exact', () => {
  for (const text of [
    '',
    '30',
    's',
    '1.5h',
    '-5s',
    '+5s',
    ' 5s',
    '5 s',
    '5S',
    '5s1m',
    '5s5s',
    '5min',
    '1e3s',
    '9007199254740993ms',
    '٥s',
  ]) {
    assert.equal(parseDuration(text), null, JSON.stringify(text))
  }
})

test('a list is read in its order, and one bad entry spoils it', () => {
  assert.deepEqual(parseDurations('5s,5m, 30m ,2h'), [5_000, 300_000, 1_800_000, 7_200_000])
  for (const text of ['', '5s,', ',5s', '5s,,5m', '5s;5m', '5s,soon']) assert.equal(parseDurations(text), null, text)
})

test('what is printed for people reads back as the same span', () => {
  fc.assert(fc.property(span, (ms) => assert.equal(parseDuration(formatDuration(ms)), ms)))
  assert.equal(formatDuration(272_105_000), '3d3h35m5s')
  assert.equal(formatDuration(0), '0s')
})
