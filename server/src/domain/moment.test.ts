import assert from 'node:assert/strict'
import { test } from 'node:test'
import { momentOf } from './moment.ts'

test('a time is read by RFC 3339 alone, to the millisecond', () => {
  const noon = Date.UTC(2026, 0, 31, 12)
  for (const [text, at] of [
    ['2026-01-31T12:00:00Z', noon],
    ['2026-01-31t12:00:00z', noon],
    ['2026-01-31 12:00:00.0004999Z', noon],
    ['2026-01-31T13:00:00.250+01:00', noon + 250],
    ['2026-01-31T06:30:00-05:30', noon],
  ] as const) {
    assert.equal(momentOf(text), at, text)
  }
})

test('what is no such time is none: nothing is guessed at, and no instant left out', () => {
  for (const text of [
    '2026-01-31T12:00:00+01',
    '2026-01-31T12:00:00+0100',
    '2026-12-31T23:59:60Z',
    '2026-01-31T24:00:00Z',
    '2026-02-30T12:00:00Z',
    '2026-01-31T12:00Z',
    '2026-01-31T12:00:00',
    '2026-01-31',
    '1770000000',
    '',
  ]) {
    assert.ok(Number.isNaN(momentOf(text)), text)
  }
})
