import assert from 'node:assert/strict'
import type { PageSearch } from '../../domain/page.ts'

/**
 * Walks a list in both directions, in pages of several sizes, and from the middle back: each time every row must come
 * exactly once and in order. `keys` are those of all rows, ascending.
 */
export async function pagesThrough<Row>(
  list: (search: PageSearch) => Promise<readonly Row[]>,
  keyOf: (row: Row) => string,
  keys: readonly string[],
): Promise<void> {
  for (const descending of [false, true]) {
    const expected = descending ? keys.toReversed() : keys
    for (const limit of [1, 2, keys.length + 1]) {
      const walked: string[] = []
      let beyond: string | null = null
      for (;;) {
        const rows: readonly Row[] = await list({ beyond, descending, limit })
        assert.ok(rows.length <= limit, `a page of ${limit} holds no more`)
        walked.push(...rows.map(keyOf))
        if (rows.length < limit) break
        beyond = walked.at(-1) ?? null
        assert.ok(walked.length <= keys.length, `the walk ends: ${walked.join(' ')}`)
      }
      assert.deepEqual(walked, expected, `${descending ? 'descending' : 'ascending'}, ${limit} a page`)
    }
    const middle = expected[1] ?? null
    const back = await list({ beyond: middle, descending: !descending, limit: 10 })
    assert.deepEqual(back.map(keyOf), expected.slice(0, 1), 'from the second row back there is only the first')
  }
}

/** A page that holds everything a test made. */
export const wholeList: PageSearch = { beyond: null, descending: false, limit: 250 }
