import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { test } from 'node:test'
import { listening } from '../../test/support/listening.ts'
import { realWorld } from '../world.ts'
import { makeDoor } from './door.ts'

test('an answer that cannot be sent is our own trouble, and costs one request', async (t) => {
  const problems: unknown[] = []
  const door = makeDoor({
    receive: async () => ({ status: 200, headers: ['content-type', 'text/€'], body: '' }),
    world: realWorld,
    log: { error: (fields: unknown) => problems.push(fields) },
    publicUrl: 'http://127.0.0.1',
    maxBodyBytes: 100,
    trustedProxies: 0,
  })
  const { port } = await listening(t, createServer(door))
  const answer = await fetch(`http://127.0.0.1:${port}/in/token`)
  assert.equal(answer.status, 503)
  assert.equal(problems.length, 1)
})
