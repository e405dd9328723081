import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Page, type PageAsk, pageOf, searchOf } from './page.ts'
import { Problem } from './problem.ts'

/** What a store promises to find for a search: a sorted list, read from a key on, up or down. */
function find(keys: readonly string[], ask: PageAsk): Page<string> {
  const { beyond, descending, limit } = searchOf(ask)
  const sorted = [...keys].sort()
  if (descending) sorted.reverse()
  const rest = sorted.filter((key) => beyond === null || (descending ? key < beyond : key > beyond))
  return pageOf(ask, rest.slice(0, limit), (key) => key)
}

/** Everything from an iterator on, page after page, as a client's loop reads it. */
function walk(keys: readonly string[], ask: PageAsk): string[] {
  const rows: string[] = []
  let next = ask
  for (let pages = 0; pages < 100; pages++) {
    const page = find(keys, next)
    rows.push(...page.rows)
    if (page.done) return rows
    next = { ...ask, iterator: page.iterator }
  }
  return assert.fail('the list never ends')
}

const keyLists = fc.uniqueArray(fc.stringMatching(/^[a-z]{1,3}$/), { maxLength: 30 })
const orders = fc.constantFrom<PageAsk['order']>('ascending', 'descending')
const limits = fc.integer({ min: 1, max: 7 })
const inOrder = (keys: readonly string[], order: PageAsk['order']) => {
  const sorted = [...keys].sort()
  return order === 'ascending' ? sorted : sorted.reverse()
}

test('page after page gives every row once, in the order asked for', () => {
  fc.assert(
    fc.property(keyLists, orders, limits, (keys, order, limit) => {
      assert.deepEqual(walk(keys, { limit, iterator: null, order }), inOrder(keys, order))
    }),
  )
})

test('the way back from a page leads to the one before it', () => {
  fc.assert(
    fc.property(keyLists, orders, limits, (keys, order, limit) => {
      const first = find(keys, { limit, iterator: null, order })
      fc.pre(!first.done)
      const second = find(keys, { limit, iterator: first.iterator, order })
      const back = find(keys, { limit, iterator: second.prevIterator, order })
      assert.deepEqual(back.rows, first.rows)
      assert.deepEqual(
        walk(keys, { limit, iterator: back.iterator, order }),
        inOrder(keys, order).slice(first.rows.length),
      )
    }),
  )
})

test('going back from the first page finds nothing, and going on from there starts the list again', () => {
  fc.assert(
    fc.property(keyLists, orders, limits, (keys, order, limit) => {
      fc.pre(keys.length > 0)
      const first = find(keys, { limit, iterator: null, order })
      const before = find(keys, { limit, iterator: first.prevIterator, order })
      assert.deepEqual(before.rows, [])
      assert.deepEqual(walk(keys, { limit, iterator: before.iterator, order }), inOrder(keys, order))
    }),
  )
})

test('rows added or removed meanwhile neither repeat nor hide the others', () => {
  fc.assert(
    fc.property(keyLists, keyLists, keyLists, orders, limits, (kept, added, removed, order, limit) => {
      const [stay, come, go] = [
        kept.map((key) => `k${key}`),
        added.map((key) => `a${key}`),
        removed.map((key) => `r${key}`),
      ]
      const first = find([...stay, ...go], { limit, iterator: null, order })
      const rest = first.done ? [] : walk([...stay, ...come], { limit, iterator: first.iterator, order })
      const seen = [...first.rows, ...rest].filter((key) => key.startsWith('k'))
      assert.deepEqual(seen, inOrder(stay, order))
    }),
  )
})

test('a page with a starting point offers to go on, even when it is empty: new rows may come', () => {
  const page = find([], { limit: 5, iterator: null, order: 'ascending' })
  assert.deepEqual(page, { rows: [], iterator: null, prevIterator: null, done: true })
  const first = find(['a', 'b'], { limit: 2, iterator: null, order: 'ascending' })
  const later = find(['a', 'b', 'c'], {
    limit: 2,
    iterator: find(['a', 'b'], { limit: 2, iterator: first.iterator, order: 'ascending' }).iterator,
    order: 'ascending',
  })
  assert.deepEqual(later.rows, ['c'])
})

test('an iterator that no list gave out is a problem with a pointer, not an empty page', () => {
  const text = (plain: string) => Buffer.from(plain).toString('base64url')
  const { iterator } = find(['a', 'b'], { limit: 1, iterator: null, order: 'ascending' })
  const forged = [
    '',
    'x',
    '💥',
    text('2:after:a'),
    text('1:beside:a'),
    text('1:after:'),
    text('1:after:a b'),
    text('1:after:a\n'),
    `${iterator}=`,
    `${iterator}A`,
    text(`1:after:${'a'.repeat(301)}`),
  ]
  for (const bad of forged) {
    assert.throws(
      () => searchOf({ limit: 1, iterator: bad, order: 'ascending' }),
      (error) =>
        error instanceof Problem && error.code === 'iterator-invalid' && error.faults[0]?.pointer === '/query/iterator',
      JSON.stringify(bad),
    )
  }
})
