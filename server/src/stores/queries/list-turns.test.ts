import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Problem } from '../../domain/problem.ts'
import { ListTurns } from './list-turns.ts'

const impatient = -1

test('so many lists go at once, the others in the order in which they were asked for', async () => {
  const turns = new ListTurns(2)
  const begun: number[] = []
  const letGo: (() => void)[] = []
  const asked = [1, 2, 3, 4].map((n) =>
    turns.during(() => {
      begun.push(n)
      return new Promise<number>((resolve) => letGo.push(() => resolve(n)))
    }),
  )
  assert.deepEqual(begun, [1, 2])
  letGo[1]?.()
  assert.equal(await asked[1], 2)
  assert.deepEqual(begun, [1, 2, 3])
  letGo[0]?.()
  await asked[0]
  assert.deepEqual(begun, [1, 2, 3, 4])
  letGo[2]?.()
  letGo[3]?.()
  assert.deepEqual(await Promise.all(asked), [1, 2, 3, 4])
})

test('who has waited too long is refused, and neither that nor a list that fails holds up those behind', async () => {
  const turns = new ListTurns(1)
  const fails = turns.during(() => Promise.reject(new Error('it failed')))
  const late = turns.during(() => assert.fail('it is looked up nonetheless'), impatient)
  const behind = turns.during(async () => 'found')
  await assert.rejects(fails, /it failed/)
  await assert.rejects(late, (error: Problem) => error.code === 'unavailable' && error.retryAfter === 1)
  assert.equal(await behind, 'found')
  assert.equal(await turns.during(async () => 'again'), 'again')
})
