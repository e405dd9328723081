import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { after, before, test } from 'node:test'
import { eventually } from '../support/eventually.ts'
import { sendRequest } from '../support/sent-request.ts'
import { startTestServer, type TestServer } from '../support/server.ts'

// What the door holds of bodies that are still coming is bounded, for all senders together: 64 MiB.

const mebibyte = 1024 * 1024
let server: TestServer
before(async () => {
  server = await startTestServer()
})
after(() => server.stop())

/** Says that it sends some bytes more than it does, and then nothing. */
function hoarder(bytes: number, more = 1): { readonly socket: Socket; readonly heard: () => string } {
  const socket = connect(Number(new URL(server.url).port), '127.0.0.1')
  let heard = ''
  socket.on('data', (chunk) => {
    heard += chunk
  })
  socket.on('error', () => {})
  socket.write(`POST /in/nobody HTTP/1.1\r\nhost: a\r\ncontent-length: ${bytes + more}\r\n\r\n`)
  socket.write(Buffer.alloc(bytes, 'a'))
  return { socket, heard: () => heard }
}

async function ask(): Promise<number> {
  const request = { method: 'POST', origin: server.url, target: '/in/nobody', headers: [], body: Buffer.from('{}') }
  return (await sendRequest(request)).status
}

test('strangers who fill what the door can hold, and fall silent, keep nobody out for more than a second', async () => {
  const hoarders = [24, 24, 16].map((size) => hoarder(size * mebibyte))
  try {
    // Nobody is there under this token; who is not even asked for it is told 503.
    await eventually(server.world, 'the door is full', async () => (await ask()) === 503)
    await server.world.leap(1_000)
    assert.equal(await ask(), 404)
    assert.equal(await ask(), 404)
    await eventually(server.world, 'one of them is told', () => hoarders.some(({ heard }) => heard().includes('503')))
    assert.equal(hoarders.filter(({ heard }) => heard().includes('503')).length, 1)
  } finally {
    for (const { socket } of hoarders) socket.destroy()
  }
})

test('nor do those who go on with a byte now and then: the largest of them makes room', async () => {
  const hoarders = [24, 23, 17].map((size) => hoarder(size * mebibyte, 1_000))
  try {
    await eventually(server.world, 'the door is full', async () => (await ask()) === 503)
    await server.world.leap(1_000)
    for (const { socket } of hoarders) socket.write('a')
    assert.equal(await ask(), 404)
    const isTold = ({ heard }: (typeof hoarders)[number]) => heard().includes('503')
    await eventually(server.world, 'one of them is told', () => hoarders.some(isTold))
    assert.deepEqual(hoarders.map(isTold), [true, false, false])
  } finally {
    for (const { socket } of hoarders) socket.destroy()
  }
})
