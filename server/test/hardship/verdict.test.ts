import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Books } from './books.ts'
import { brokenIn, type Outcome, rowOf } from './verdict.ts'

/** One message, promised and delivered once; `change` does what went wrong. */
function outcome(change: (books: Books) => void = () => {}, more: Partial<Outcome> = {}): Outcome {
  const [shop, troubled] = [new Books(), new Books()]
  shop.promise('msg_1', '{}')
  shop.arrive('msg_1', Buffer.from('{}'), 'life-1')
  change(shop)
  return {
    ...{
      name: 'x',
      seen: '',
      trouble: null,
      isAlive: true,
      ended: 0,
      endedWith: 'null',
      rssBefore: 100,
      rssAfter: 120,
    },
    ...{ shop, troubled, ...more },
  }
}

const broken = (...asked: Parameters<typeof outcome>): string => brokenIn(outcome(...asked)).join()

test('a hardship is borne where everything that was promised came once and as it was, and memory is back', () => {
  assert.equal(broken(), '')
  assert.equal(rowOf(outcome()).at(-1), 'held')
})

test('what was promised and never came is lost, and what came otherwise is changed', () => {
  assert.match(
    broken((books) => books.promise('msg_2', '{}')),
    /never delivered: msg_2/,
  )
  assert.match(
    broken((books) => books.promise('msg_1', '[]')),
    /other bytes: msg_1/,
  )
})

test('a message may come twice only from two lives, and only where one was ended', () => {
  const again = (life: string) => (books: Books) => books.arrive('msg_1', Buffer.from('{}'), life)
  assert.match(broken(again('life-1'), { ended: 1 }), /twice by one process/)
  assert.match(broken(again('life-2')), /though nobody died/)
  assert.equal(broken(again('life-2'), { ended: 1 }), '')
  const excused = (books: Books): void => {
    again('life-1')(books)
    books.excuse('msg_1')
  }
  assert.equal(broken(excused), '')
})

test('a process that has ended by itself, more memory, trouble on the way and no load at all are told', () => {
  assert.match(broken(undefined, { isAlive: false, endedWith: 'SIGABRT' }), /ended with SIGABRT/)
  assert.match(broken(undefined, { rssAfter: 121 }), /21 % more/)
  assert.match(broken(undefined, { trouble: 'the disk was not full' }), /the disk was not full/)
  assert.match(broken(undefined, { shop: new Books() }), /no load, no proof/)
})
