import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { connect, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { listening } from '../../test/support/listening.ts'
import type { Receive } from '../inbound/receive.ts'
import { realWorld } from '../world.ts'
import { makeDoor } from './door.ts'

async function doorTo(t: TestContext, receive: Receive, maxBodyBytes = 100) {
  const problems: unknown[] = []
  const door = makeDoor({
    ...{ receive, world: realWorld, publicUrl: 'http://127.0.0.1', maxBodyBytes, trustedProxies: 0 },
    log: { error: (fields: unknown) => problems.push(fields) },
  })
  const { port } = await listening(t, createServer(door))
  return { problems, port, url: `http://127.0.0.1:${port}/in/token` }
}

test('an answer that cannot be sent is our own trouble, and costs one request', async (t) => {
  const { url, problems } = await doorTo(t, async () => ({
    status: 200,
    headers: ['content-type', 'text/€'],
    body: '',
  }))
  assert.equal((await fetch(url)).status, 503)
  assert.equal(problems.length, 1)
})

test('an answer that has no body by its status is sent without one, and without its length', async (t) => {
  const { url } = await doorTo(t, async () => ({ status: 204, headers: [], body: 'of the owner' }))
  const answer = await fetch(url)
  assert.deepEqual([answer.status, answer.headers.get('content-length'), await answer.text()], [204, null, ''])
})

test('what is being read is bounded for all senders together; what has come, or never will, counts no more', {
  timeout: 60_000,
}, async (t) => {
  const large = Buffer.alloc(30 << 20)
  const { url, port } = await doorTo(t, async () => ({ status: 200, headers: [], body: '' }), large.length + 1)
  const statusOf = async () => (await fetch(url, { method: 'POST', body: large })).status
  for (let n = 0; n < 3; n++) assert.equal(await statusOf(), 200)

  const senders: Socket[] = []
  const unfinished = (): Promise<string> =>
    new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1').on('error', () => {})
      senders.push(socket)
      socket.once('data', (bytes) => resolve(String(bytes)))
      socket.write(`POST /in/token HTTP/1.1\r\nHost: x\r\nContent-Length: ${large.length + 1}\r\n\r\n`)
      socket.write(large)
    })
  const told = await Promise.race(Array.from({ length: 3 }, unfinished))
  assert.match(told, /^HTTP\/1\.1 503 [\s\S]*\r\nretry-after: 1\r\n/i)

  for (const socket of senders) socket.destroy()
  let status = 0
  // They are gone when the server has noticed.
  for (let tries = 0; tries < 50 && status !== 200; tries++) status = await statusOf()
  assert.equal(status, 200)
})
