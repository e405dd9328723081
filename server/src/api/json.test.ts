import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pointerTo } from '../domain/json-pointer.ts'
import { Problem } from '../domain/problem.ts'
import { keepingFaults, parseJson, textOf } from './json.ts'

const malformed = (error: unknown): boolean => error instanceof Problem && error.code === 'body-malformed'

test('a body that is not UTF-8 is refused, not mended', () => {
  assert.throws(() => textOf(Buffer.from([0x7b, 0xff, 0x7d])), malformed)
  assert.throws(() => textOf(Buffer.from([0xed, 0xa0, 0x80])), malformed)
  assert.throws(() => textOf(Buffer.alloc(0)), malformed)
  assert.throws(() => textOf(undefined), malformed)
  assert.equal(textOf(Buffer.from('{"é":"🎺"}')), '{"é":"🎺"}')
})

test('the detail of a body that is not JSON names what reading stopped at', () => {
  assert.throws(
    () => parseJson('{"a": 1,\n "b": }'),
    (error) => malformed(error) && error instanceof Error && /Unexpected token '}'/.test(error.message),
  )
})

test('a text with NUL or half a surrogate pair is found wherever it stands, also as a key', () => {
  const value = { a: ['x', 'b\0'], 'c/d~e': { f: '\ud800' }, 'g\0': 1, fine: '🎺' }
  const pointers = keepingFaults(value).map(({ pointer }) => pointer)
  assert.deepEqual(pointers.toSorted(), ['', '/a/1', '/c~1d~0e/f'])
})

test('a value nested deeper than 64 levels is not kept, and text nested deeper than a thousand not read', () => {
  const nested = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`
  const [fault] = keepingFaults(parseJson(nested(1_000)))
  assert.match(fault?.message ?? '', /nested deeper/)
  assert.ok((fault?.pointer.length ?? 999) <= 256)
  assert.deepEqual(keepingFaults(parseJson(nested(60))), [])
  assert.throws(
    () => parseJson(nested(100_000)),
    (error) => malformed(error) && error instanceof Error && /nested deeper than 1000 levels/.test(error.message),
  )
})

test('a pointer escapes what RFC 6901 says', () => {
  assert.equal(pointerTo('/a', 'b/c~d'), '/a/b~1c~0d')
  assert.equal(pointerTo('', 0), '/0')
})
