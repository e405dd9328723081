import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hasEscapedKey, readByHand } from './escaped-keys.ts'
import { readJson } from './read-json.ts'

test('a key that is spelled with an escape is that key, whatever keys the engine has seen before', () => {
  for (const [first, then, keys] of [
    ['{"h":[],"\\\\":0}', '{"h":1,"\\"":2}', ['h', '"']],
    ['{"k":[],"ab\\\\":0}', '{"k":1,"ab\\u0061":{"k":1,"ab\\n":2}}', ['k', 'aba']],
    ['{"a":[],"\\\\":0}', '{"a":1,"\\u00e9":2}', ['a', 'é']],
  ] as const) {
    JSON.parse(first)
    assert.notDeepEqual(
      Object.keys(JSON.parse(then) as object),
      keys,
      'The engine reads it rightly now: see the comment',
    )
    assert.deepEqual(Object.keys(readJson(then) as object), keys)
  }
  assert.deepEqual(readJson('{"k":1,"ab\\n":2}'), { k: 1, 'ab\n': 2 })
})

test('only texts with such a key are read by hand', () => {
  for (const text of [
    '{"a":"\\n","b":["\\"","\\\\"]}',
    '["a\\\\","b:"]',
    '"\\":"',
    '{"a\u00e9":1}',
    '{"a" : "\\\\" }',
    '1',
  ])
    assert.equal(hasEscapedKey(text), false, text)
  for (const text of ['{"\\n":1}', '[{"a":"\\\\","b\\"":1}]', '{"a":"\\"","\\\\" \n\t\r: 1}', '{"a":{"\\u0061":1}}'])
    assert.equal(hasEscapedKey(text), true, text)
})

test('read by hand, a text has the same value', () => {
  for (const text of [
    ' { "a" : [ 1 , -0 , 1.5e-7 , 1E400 , true , false , null , "" ] , "b" : { } , "c" : [ ] } ',
    '{"a":1,"b":2,"a":{"c":3},"__proto__":{"admin":true},"2":0,"1":0}',
    '"\\ud83d\\ude00 \\ud800 \\/ \\b \\\\"',
    '[[[["]","}",",",":","\\""]]]]\n',
    '12345678901234567890',
    `${'['.repeat(1_000)}${']'.repeat(1_000)}`,
  ]) {
    const [mine, right] = [readByHand(text), JSON.parse(text) as unknown]
    assert.deepEqual(mine, right)
    assert.equal(JSON.stringify(mine), JSON.stringify(right), 'in the same order')
  }
})
