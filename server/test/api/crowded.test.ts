import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { test } from 'node:test'
import { eventually } from '../support/eventually.ts'
import { startTestServer, testKey } from '../support/server.ts'

// What is held of bodies that callers are still sending is bounded, for all callers together: 128 MiB.

const mebibyte = 1024 * 1024
const fillers = 128

test('callers who send all but the last byte of what they may keep no more than their share, and nobody out', async () => {
  const server = await startTestServer()
  const { hostname, port } = new URL(server.url)
  const heard = new Map<Socket, string>()
  const hoard = (): void => {
    const socket = connect(Number(port), hostname)
    heard.set(socket, '')
    socket.on('data', (chunk) => heard.set(socket, `${heard.get(socket)}${chunk}`))
    socket.on('error', () => {})
    socket.write(
      `POST /api/v1/app HTTP/1.1\r\nhost: a\r\nauthorization: Bearer ${testKey}\r\ncontent-type: application/json\r\ncontent-length: ${mebibyte}\r\n\r\n`,
    )
    socket.write(Buffer.alloc(mebibyte - 1, ' '))
  }
  const refused = () => [...heard.values()].filter((text) => text.includes('503')).length
  try {
    // One too many: nobody has taken his time yet, so that the last to come is refused.
    for (let n = 0; n <= fillers; n++) hoard()
    await eventually(server.world, 'one is refused', () => refused() === 1)
    await server.world.leap(1_000)
    for (const name of ['A', 'B']) assert.equal((await server.svix.application.create({ name })).name, name)
    assert.ok(refused() <= 3, `${refused()} were turned away`)
  } finally {
    for (const socket of heard.keys()) socket.destroy()
    await server.stop()
  }
})
