import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Queue } from './queue.ts'

const ask = (asker: string, id: number) => ({ asker, id, from: 0, job: { kind: 'filter-fault', filter: '' } }) as const
const all = (queue: Queue): (number | undefined)[] => {
  const ids: (number | undefined)[] = []
  for (let next = queue.take(); next !== null; next = queue.take()) ids.push(next.id)
  return ids
}

test('who asks once waits for one of each other, however much they ask', () => {
  const queue = new Queue()
  for (const id of [1, 2, 3, 4]) queue.add(ask('a', id))
  for (const id of [5, 6]) queue.add(ask('b', id))
  queue.add(ask('c', 7))
  assert.deepEqual(all(queue), [1, 5, 7, 2, 6, 3, 4])
})

test('the rest of what was begun comes before all else of the same asker, and behind everybody else', () => {
  const queue = new Queue()
  for (const id of [1, 2]) queue.add(ask('a', id))
  queue.add(ask('b', 3))
  const begun = queue.take()
  assert.ok(begun)
  assert.equal(queue.hasOthers('a'), true)
  queue.putBack(begun)
  assert.deepEqual(all(queue), [3, 1, 2])
  queue.putBack(begun)
  assert.equal(queue.hasOthers('a'), false)
})
