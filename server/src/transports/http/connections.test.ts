import assert from 'node:assert/strict'
import { once } from 'node:events'
import http from 'node:http'
import net from 'node:net'
import { type TestContext, test } from 'node:test'
import { listening } from '../../../test/support/listening.ts'
import { testWorld } from '../../../test/support/world.ts'
import { parseEgressAllow } from '../../domain/egress.ts'
import type { OutgoingRequest } from '../../ports/transport.ts'
import { createHttpTransport } from './client.ts'

function transportOf(t: TestContext, maxConnectionsPerOrigin = 8) {
  const world = testWorld()
  const transport = createHttpTransport({
    allow: parseEgressAllow('127.0.0.0/8'),
    world,
    maxConnectionsPerOrigin,
    resolve: async () => ['127.0.0.1'],
  })
  t.after(() => transport.close())
  return { world, transport }
}

const to = (port: number, host = '127.0.0.1'): OutgoingRequest => ({
  method: 'POST',
  url: `http://${host}:${port}/hook`,
  headers: ['webhook-id', 'msg_1'],
  body: '{}',
  timeoutMs: 15_000,
})

const times = (count: number) => Array.from({ length: count }, (_, n) => n)

const ok = (request: http.IncomingMessage, response: http.ServerResponse) => {
  request.resume().on('end', () => response.end('ok'))
}

test('200 sends one after another use one connection', async (t) => {
  const { port, opened } = await listening(t, http.createServer(ok))
  const { transport, world } = transportOf(t)
  for (const _ of times(200)) assert.equal((await transport.send(to(port))).kind, 'delivered')
  assert.equal(opened(), 1)
  assert.equal(world.pendingTimers, 0)
})

test('300 sends at once use as many connections as allowed, and all arrive', async (t) => {
  let most = 0
  let now = 0
  const server = http.createServer((request, response) => {
    most = Math.max(most, ++now)
    request.resume().on('end', () => response.end('ok', () => now--))
  })
  const { port, opened } = await listening(t, server)
  const { transport, world } = transportOf(t, 8)
  const outcomes = await Promise.all(times(300).map(() => transport.send(to(port))))
  assert.ok(outcomes.every((outcome) => outcome.kind === 'delivered'))
  assert.equal(opened(), 8)
  assert.ok(most <= 8)
  assert.equal(world.pendingTimers, 0)
})

test('a receiver that closes after each answer gets everything all the same', async (t) => {
  let requests = 0
  const server = http.createServer((request, response) => {
    requests++
    response.shouldKeepAlive = false
    ok(request, response)
  })
  const { port, open } = await listening(t, server)
  const { transport } = transportOf(t, 4)
  const outcomes = await Promise.all(times(100).map(() => transport.send(to(port))))
  assert.ok(outcomes.every((outcome) => outcome.kind === 'delivered'))
  assert.equal(requests, 100)
  assert.ok(open() <= 4)
})

test('tries that wait are sent in the order they came', async (t) => {
  const order: string[] = []
  const server = http.createServer((request, response) => {
    order.push(String(request.headers['webhook-id']))
    ok(request, response)
  })
  const { port } = await listening(t, server)
  const { transport } = transportOf(t, 1)
  await Promise.all(times(20).map((n) => transport.send({ ...to(port), headers: ['webhook-id', `msg_${n}`] })))
  assert.deepEqual(
    order,
    times(20).map((n) => `msg_${n}`),
  )
})

test('a connection that fails makes room for a try that waits', async (t) => {
  let requests = 0
  const server = http.createServer((request, response) => {
    if (++requests === 1) request.socket.destroy()
    else ok(request, response)
  })
  const { port } = await listening(t, server)
  const { transport } = transportOf(t, 1)
  const kinds = (await Promise.all(times(3).map(() => transport.send(to(port))))).map((outcome) => outcome.kind)
  assert.deepEqual(kinds, ['unreachable', 'delivered', 'delivered'])
})

test('a try whose time is over makes room for one that waits', async (t) => {
  let requests = 0
  const server = http.createServer((request, response) => {
    if (++requests > 1) ok(request, response)
  })
  const { port } = await listening(t, server)
  const { transport, world } = transportOf(t, 1)
  const hung = transport.send({ ...to(port), timeoutMs: 5000 })
  await once(server, 'request')
  const waiting = transport.send({ ...to(port), timeoutMs: 15_000 })
  await world.advance(5000)
  assert.equal((await hung).kind, 'unreachable')
  assert.equal((await waiting).kind, 'delivered')
})

test('an origin that hangs on all its connections holds no other origin up', async (t) => {
  const hanging = await listening(t, http.createServer())
  const fine = await listening(t, http.createServer(ok))
  const { transport, world } = transportOf(t, 2)
  const hung = times(50).map(() => transport.send(to(hanging.port)))
  for (const _ of times(20)) assert.equal((await transport.send(to(fine.port))).kind, 'delivered')
  assert.equal(hanging.opened(), 2)
  await world.advance(15_000)
  assert.ok(
    (await Promise.all(hung)).every((outcome) => outcome.kind === 'unreachable' && outcome.reason === 'timeout'),
  )
})

test('a socket that turns out dead when it is used again costs nothing: the request goes once more, on a new one', async (t) => {
  const seen: number[] = []
  let sockets = 0
  const server = net.createServer((socket) => {
    const id = ++sockets
    let answered = false
    socket.on('data', () => {
      seen.push(id)
      if (answered) return void socket.resetAndDestroy()
      answered = true
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n')
    })
  })
  const { port } = await listening(t, server)
  const { transport } = transportOf(t, 1)
  let announced = 0
  for (const _ of times(3)) assert.equal((await transport.send(to(port), () => announced++)).kind, 'delivered')
  assert.ok(seen.length > 3 && new Set(seen).size === 3, seen.join())
  assert.equal(announced, 3)
})

test('a request is sent at most once more: a receiver that resets that, too, is unreachable', async (t) => {
  let sockets = 0
  let requests = 0
  const server = net.createServer((socket) => {
    const first = ++sockets === 1
    let answered = false
    socket.on('data', () => {
      requests++
      if (!first || answered) return void socket.resetAndDestroy()
      answered = true
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n')
    })
  })
  const { port } = await listening(t, server)
  const { transport } = transportOf(t, 1)
  assert.equal((await transport.send(to(port))).kind, 'delivered')
  const outcome = await transport.send(to(port))
  assert.equal(outcome.kind === 'unreachable' && outcome.reason, 'reset')
  assert.equal(requests, 3)
})

test('a reset on a new socket, or after an answer began, is not a reason to send again', async (t) => {
  let requests = 0
  const server = net.createServer((socket) => {
    let answered = false
    socket.on('data', () => {
      requests++
      if (requests === 1) return void socket.resetAndDestroy()
      if (answered) return void socket.end('HTTP/1.1 200 OK\r\ncontent-le')
      answered = true
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n')
    })
  })
  const { port } = await listening(t, server)
  const { transport } = transportOf(t, 1)
  assert.equal((await transport.send(to(port))).kind, 'unreachable')
  assert.equal(requests, 1)
  assert.equal((await transport.send(to(port))).kind, 'delivered')
  assert.equal((await transport.send(to(port))).kind, 'unreachable')
  assert.equal(requests, 3)
})

test('of 600 origins no more than 512 keep their idle connection, and all can be used again', async (t) => {
  const { port, open, openAtMost } = await listening(t, http.createServer({ keepAliveTimeout: 60_000 }, ok))
  const { transport } = transportOf(t)
  const hosts = times(600).map((n) => `host-${n}.test`)
  for (const host of hosts) assert.equal((await transport.send(to(port, host))).kind, 'delivered')
  await openAtMost(512)
  assert.ok(open() > 400)
  assert.equal((await transport.send(to(port, hosts[0]))).kind, 'delivered')
})

test('an origin with a request in flight is not forgotten, however many others come', async (t) => {
  const hanging = http.createServer({ keepAliveTimeout: 60_000 })
  const slow = await listening(t, hanging)
  const { port } = await listening(t, http.createServer(ok))
  const { transport } = transportOf(t)
  const send = async (meanwhile: () => Promise<void>) => {
    const sending = transport.send(to(slow.port))
    const [, response] = await once(hanging, 'request')
    await meanwhile()
    response.end('late')
    assert.equal((await sending).kind, 'delivered')
  }
  await send(async () => {})
  await send(async () => {
    for (const n of times(520)) await transport.send(to(port, `host-${n}.test`))
  })
  await send(async () => {})
  assert.equal(slow.opened(), 1)
})

test('closing ends idle connections, lets what is in flight finish, and takes nothing new', async (t) => {
  const server = http.createServer()
  const slow = await listening(t, server)
  const { port, openAtMost } = await listening(t, http.createServer(ok))
  const { transport, world } = transportOf(t, 1)
  await transport.send(to(port))
  const inFlight = transport.send(to(slow.port))
  const waiting = transport.send(to(slow.port))
  const [, response] = await once(server, 'request')
  await transport.close()
  await openAtMost(0)
  for (const sending of [waiting, transport.send(to(port))]) {
    const outcome = await sending
    assert.equal(outcome.kind === 'unreachable' && outcome.detail, 'Posthorn is stopping')
  }
  response.end('done')
  assert.equal((await inFlight).kind, 'delivered')
  const answeredAt = performance.now()
  await slow.openAtMost(0)
  // Idle connections would be closed as well, but only after 3 s.
  assert.ok(performance.now() - answeredAt < 2000)
  assert.equal(world.pendingTimers, 0)
})
