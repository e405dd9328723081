import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseRetryAfter } from './retry-after.ts'

const now = Date.UTC(2026, 10, 6, 8, 49, 37)
const day = 24 * 60 * 60 * 1000

const cases: readonly (readonly [string | undefined, number | null])[] = [
  ['0', 0],
  ['1', 1000],
  [' 120 ', 120_000],
  ['007', 7000],
  ['86400', day],
  ['86401', day],
  ['99999999999999999999999999', day],
  ['Fri, 06 Nov 2026 08:49:37 GMT', 0],
  ['Fri, 06 Nov 2026 08:50:37 GMT', 60_000],
  ['Fri, 06 Nov 2026 08:49:36 GMT', 0],
  ['Sun, 06 Nov 1994 08:49:37 GMT', 0],
  ['Sat, 06 Nov 2027 08:49:37 GMT', day],
  ['Friday, 06-Nov-26 09:49:37 GMT', 3_600_000],
  ['Sunday, 06-Nov-94 08:49:37 GMT', 0],
  ['Monday, 06-Nov-76 08:49:37 GMT', day],
  ['Sunday, 06-Nov-77 08:49:37 GMT', 0],
  ['Fri Nov  6 08:49:47 2026', 10_000],
  ['Fri, 06 Nov 2026 08:49:60 GMT', 23_000],
  [undefined, null],
  ['', null],
  ['-1', null],
  ['+1', null],
  ['1.5', null],
  ['1e3', null],
  ['0x10', null],
  ['12 s', null],
  ['2026', 2_026_000],
  ['2026-11-06T08:50:37Z', null],
  ['tomorrow', null],
  ['Fri, 06 Nov 2026 08:50:37 +0100', null],
  ['Fri, 06 Nov 2026 25:00:00 GMT', null],
  ['Fri, 06 Foo 2026 08:50:37 GMT', null],
  ['Fri, 00 Nov 2026 08:50:37 GMT', null],
  ['1, 2', null],
]

for (const [value, expected] of cases) {
  test(`Retry-After: ${value ?? 'absent'} means ${expected === null ? 'nothing' : `${expected} ms`}`, () => {
    assert.equal(parseRetryAfter(value, now), expected)
  })
}
