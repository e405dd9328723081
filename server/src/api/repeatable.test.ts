import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Problem } from '../domain/problem.ts'
import { type Repeatable, RunningAsks } from './repeatable.ts'

const post = (key: string | null, body = '{}', callerId: `key_${string}` = 'key_1'): Repeatable => ({
  principal: { kind: 'key', environmentId: 'env_', callerId, scopes: ['admin'] },
  ...{ method: 'POST', url: '/api/v1/app', body: Buffer.from(body) },
  headers: key === null ? {} : { 'idempotency-key': key },
})
const refused = (code: string) => (error: unknown) => error instanceof Problem && error.code === code

test('while one is being answered the same one is told to wait, and what only has its key is refused', async () => {
  const running = new RunningAsks()
  const first = Promise.withResolvers<string>()
  const answered = running.run(post('k'), () => first.promise)
  await assert.rejects(
    running.run(post('k'), async () => 'twice'),
    (error) => refused('idempotency-key-running')(error) && error instanceof Problem && error.retryAfter === 1,
  )
  await assert.rejects(
    running.run(post('k', '{"other":1}'), async () => 'twice'),
    refused('idempotency-key-reused'),
  )
  assert.equal(await running.run(post('k', '{}', 'key_2'), async () => 'another caller'), 'another caller')
  assert.equal(await running.run(post(null), async () => 'without a key'), 'without a key')
  first.resolve('done')
  assert.equal(await answered, 'done')
  assert.equal(await running.run(post('k'), async () => 'again'), 'again')
})

test('one that fails makes room for its repetition', async () => {
  const running = new RunningAsks()
  await assert.rejects(
    running.run(post('k'), async () => Promise.reject(new Error('broken'))),
    /broken/,
  )
  assert.equal(await running.run(post('k'), async () => 'again'), 'again')
})
