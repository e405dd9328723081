import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { InTurn } from './in-turn.ts'

test('what waits for nothing is done at once, but not before what was asked for earlier under the same key', async () => {
  const inTurn = new InTurn<string>()
  const done: string[] = []
  const note = (text: string): void => void done.push(text)
  const { promise, resolve } = Promise.withResolvers<string>()
  inTurn.when('a', 'first', note)
  inTurn.when('a', promise, note)
  inTurn.when('a', 'third', note)
  inTurn.when('b', 'other', note)
  await turn()
  assert.deepEqual(done, ['first', 'other'])
  resolve('second')
  await turn()
  assert.deepEqual(done, ['first', 'other', 'second', 'third'])
  inTurn.when('a', 'at once', note)
  assert.equal(done.at(-1), 'at once')
})
