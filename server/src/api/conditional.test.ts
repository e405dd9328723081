import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Problem } from '../domain/problem.ts'
import { etagOf, expectedOf, isKnown, matchesStrongly, matchesWeakly, readTagList } from './conditional.ts'

const refused = (code: string) => (error: unknown) => error instanceof Problem && error.code === code

test('the tag of a representation changes with each of its bytes', () => {
  assert.match(etagOf('{}'), /^"[\w-]{22}"$/)
  assert.equal(etagOf('{"a":1}'), etagOf('{"a":1}'))
  assert.notEqual(etagOf('{"a":1}'), etagOf('{"a": 1}'))
})

// RFC 9110, 8.8.3.2, "Example"
test('a weak tag never matches strongly, and matches weakly whatever is weak', () => {
  const lists = ['"1"', 'W/"1"', '"2"'].map((text) => readTagList('If-Match', text))
  assert.deepEqual(
    lists.map((list) => matchesStrongly(list, '"1"')),
    [true, false, false],
  )
  assert.deepEqual(
    lists.map((list) => matchesWeakly(list, '"1"')),
    [true, true, false],
  )
})

test('a list is read with spaces, commas within a tag, and an asterisk for any', () => {
  const list = readTagList('If-Match', '"a,b" , W/"c",, ""')
  assert.deepEqual(
    ['"a,b"', '"c"', '""', '"a"'].map((tag) => matchesWeakly(list, tag)),
    [true, true, true, false],
  )
  assert.equal(matchesStrongly(readTagList('If-Match', ' * '), '"x"'), true)
  assert.equal(matchesStrongly('*', null), false, 'nothing is not any')
})

test('what is no list of tags is refused, and not taken for one that does not match', () => {
  for (const header of ['', ',', 'abc', '"abc', 'w/"a"', '"a" "b"', '*, "a"', "'a'"]) {
    assert.throws(() => readTagList('If-Match', header), refused('request-malformed'), header)
  }
})

test('a reader who names another representation in If-Match is refused, before If-None-Match is looked at', () => {
  assert.equal(isKnown({}, '"1"'), false)
  assert.equal(isKnown({ 'if-none-match': 'W/"1"' }, '"1"'), true)
  assert.equal(isKnown({ 'if-match': '"1"', 'if-none-match': '"2"' }, '"1"'), false)
  assert.throws(() => isKnown({ 'if-match': '"2"', 'if-none-match': '"1"' }, '"1"'), refused('precondition-failed'))
})

test('a change expects what its headers name, and nothing without them', () => {
  assert.equal(expectedOf({}), null)
  expectedOf({ 'if-match': '"1", "2"' })?.('"2"')
  expectedOf({ 'if-none-match': '*' })?.(null)
  for (const [headers, current] of [
    [{ 'if-match': '"1"' }, '"2"'],
    [{ 'if-match': '*' }, null],
    [{ 'if-none-match': '*' }, '"1"'],
    [{ 'if-match': '"1"', 'if-none-match': '"1"' }, '"1"'],
  ] as const) {
    assert.throws(() => expectedOf(headers)?.(current), refused('precondition-failed'), JSON.stringify(headers))
  }
})
