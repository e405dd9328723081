import assert from 'node:assert/strict'
import { test } from 'node:test'
import { operations } from '@posthorn/contract'
import { Problem } from '../domain/problem.ts'
import { readerOf } from './input.ts'

const list = readerOf(operations['v1.message.list'])
const create = readerOf(operations['v1.endpoint.create'])

const faultsOf = (read: () => unknown): readonly (readonly [string, string])[] => {
  try {
    read()
  } catch (error) {
    if (error instanceof Problem) return error.faults.map(({ pointer, message }) => [pointer, message])
    throw error
  }
  return []
}
const body = (value: unknown) => ({ params: { app_id: 'a' }, query: {}, body: Buffer.from(JSON.stringify(value)) })
const query = (value: object) => ({ params: { app_id: 'a' }, query: value, body: undefined })

test('a list in a query may be separated by commas or repeated, and both at once', () => {
  const read = (event_types: unknown) => list(query({ event_types })).query.event_types
  assert.deepEqual(read('a.b,c'), ['a.b', 'c'])
  assert.deepEqual(read(['a.b', 'c']), ['a.b', 'c'])
  assert.deepEqual(read(['a.b,c', 'd']), ['a.b', 'c', 'd'])
})

test('numbers and flags of a query are read strictly: what only resembles one does not pass', () => {
  assert.deepEqual(list(query({ limit: '7', with_content: 'false' })).query, { limit: 7, with_content: false })
  for (const limit of ['0x10', '1e1', ' 7', '', '7.0', '0', '251', '99999999999999999999', ['1', '2']]) {
    assert.equal(faultsOf(() => list(query({ limit })))[0]?.[0], '/query/limit', String(limit))
  }
  for (const with_content of ['True', '1', '', ['true', 'false']]) {
    assert.equal(faultsOf(() => list(query({ with_content })))[0]?.[0], '/query/with_content', String(with_content))
  }
})

test('every fault of a body is told at once, each with its pointer', () => {
  const faults = faultsOf(() =>
    create(body({ channels: ['ok', 'not ok'], metadata: { 'a/b': 1 }, disabled: 'no', uid: '' })),
  )
  assert.deepEqual(faults.map(([pointer]) => pointer).toSorted(), [
    '/channels/1',
    '/disabled',
    '/metadata/a~1b',
    '/uid',
    '/url',
  ])
  assert.deepEqual(
    faults.find(([pointer]) => pointer === '/url'),
    ['/url', 'is required'],
  )
})

test('a body means what it says: nothing is coerced, filled in or taken away', () => {
  assert.deepEqual(
    faultsOf(() => create(body({ url: 'http://x', throttleRate: '5' }))),
    [['/throttleRate', 'must be integer or null']],
  )
  const given = { url: 'http://x', unheardOf: { a: 1 } }
  assert.deepEqual(create(body(given)).body, given)
})

test('a key called __proto__ is data like any other', () => {
  const text = '{"url":"http://x","metadata":{"__proto__":"x"}}'
  const read = create({ params: { app_id: 'a' }, query: {}, body: Buffer.from(text) }).body
  assert.equal(JSON.stringify(read), text)
  assert.deepEqual(
    faultsOf(() =>
      create({ params: { app_id: 'a' }, query: {}, body: Buffer.from('{"__proto__":{"url":"http://x"}}') }),
    ),
    [['/url', 'is required']],
  )
})

test('a body that may be left out counts as an empty one', () => {
  const rotate = readerOf(operations['v1.endpoint.rotate-secret'])
  assert.deepEqual(rotate({ params: { app_id: 'a', endpoint_id: 'b' }, query: {}, body: undefined }).body, {})
  assert.throws(
    () => create({ params: { app_id: 'a' }, query: {}, body: undefined }),
    (error) => error instanceof Problem && error.code === 'body-malformed',
  )
})
