import assert from 'node:assert/strict'
import { once } from 'node:events'
import http from 'node:http'
import net from 'node:net'
import { describe, type TestContext, test } from 'node:test'
import { type Listening, listening } from '../../../test/support/listening.ts'
import { type TestWorld, testWorld } from '../../../test/support/world.ts'
import { parseEgressAllow } from '../../domain/egress.ts'
import type { OutgoingRequest } from '../../ports/transport.ts'
import { createHttpTransport, type HttpTransportOptions } from './client.ts'

interface Road extends Listening {
  readonly world: TestWorld
  readonly send: (
    request?: Partial<OutgoingRequest>,
    onFirstByte?: () => void,
  ) => ReturnType<ReturnType<typeof createHttpTransport>['send']>
}

/** A transport that may reach loopback, and a receiver there. */
async function road(t: TestContext, server: net.Server, options: Partial<HttpTransportOptions> = {}): Promise<Road> {
  const at = await listening(t, server)
  const world = testWorld()
  const transport = createHttpTransport({
    allow: parseEgressAllow('127.0.0.0/8'),
    world,
    maxConnectionsPerOrigin: 8,
    ...options,
  })
  t.after(() => transport.close())
  const request = {
    method: 'POST',
    url: `http://127.0.0.1:${at.port}/hook`,
    headers: ['webhook-id', 'msg_1'],
    body: '{}',
    timeoutMs: 15_000,
  }
  return { ...at, world, send: (changes, onFirstByte) => transport.send({ ...request, ...changes }, onFirstByte) }
}

const answering = (status: number, headers: http.OutgoingHttpHeaders = {}, body: string | Buffer = '') =>
  http.createServer((request, response) => {
    request.resume()
    response.writeHead(status, headers).end(body)
  })

/** A receiver that speaks bytes: called with each socket once the head of a request has come. */
const raw = (speak: (socket: net.Socket, request: string) => void) =>
  net.createServer((socket) => {
    let text = ''
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1')
      const length = Number(/content-length: (\d+)/.exec(text)?.[1] ?? 0)
      const end = text.indexOf('\r\n\r\n') + 4
      if (end < 4 || text.length < end + length) return
      const request = text.slice(0, end + length)
      text = text.slice(end + length)
      speak(socket, request)
    })
  })

describe('what goes out', () => {
  test('is a POST with the headers as given and the body byte for byte', async (t) => {
    const requests: string[] = []
    const { send, port } = await road(
      t,
      raw((socket, request) => {
        requests.push(request)
        socket.write('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n')
      }),
    )
    const body = '{"n": 12345678901234567890, "f":1.0,"a":"\\u0041", "a" : "ü" }\n'
    const url = `http://127.0.0.1:${port}/a%20b/../c?x=1&y=%2f`
    await send({ url, headers: ['webhook-id', 'msg_1', 'X-Own', 'Ab c', 'webhook-timestamp', '1'], body })
    await send({ url, headers: [], body: Buffer.from([0, 255, 10, 13]) })
    await send({ url, headers: [], body: '' })
    assert.equal(
      requests[0],
      `POST /c?x=1&y=%2f HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nconnection: keep-alive\r\nwebhook-id: msg_1\r\nX-Own: Ab c\r\n` +
        `webhook-timestamp: 1\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${Buffer.from(body).toString('latin1')}`,
    )
    assert.ok(requests[1]?.endsWith('content-length: 4\r\n\r\n\0\xff\n\r'))
    assert.ok(requests[2]?.endsWith('content-length: 0\r\n\r\n'))
  })

  test('is announced once, before the answer', async (t) => {
    let announced = 0
    const { send } = await road(
      t,
      http.createServer((_request, response) => response.end(`${announced}`)),
    )
    const outcome = await send({}, () => announced++)
    assert.equal(outcome.kind === 'delivered' && outcome.response, '1')
    assert.equal(announced, 1)
  })

  test('is nothing at all when a header would break out of its line', async (t) => {
    const { send, opened } = await road(t, answering(200))
    for (const headers of [['x-a', 'b\r\nx-evil: 1'], ['x\n', 'b'], ['transfer-encoding', 'chunked'], ['x-a']]) {
      const outcome = await send({ headers })
      assert.equal(outcome.kind === 'unreachable' && outcome.reason, 'protocol', headers.join())
    }
    assert.equal(opened(), 0)
  })

  test('is nothing at all when the URL is none for HTTP', async (t) => {
    const { send } = await road(t, answering(200))
    for (const url of ['', 'hook', 'ftp://127.0.0.1/', 'http://', 'http://256.0.0.1/']) {
      const outcome = await send({ url })
      assert.equal(outcome.kind === 'unreachable' && outcome.reason, 'protocol', url)
    }
  })
})

describe('an answer', () => {
  for (const status of [200, 201, 202, 204, 299]) {
    test(`of ${status} is a delivery`, async (t) => {
      const { send, world } = await road(t, answering(status))
      assert.deepEqual(await send(), { kind: 'delivered', status, durationMs: 0, response: '', responseCut: false })
      assert.equal(world.pendingTimers, 0)
    })
  }

  for (const status of [300, 304, 400, 401, 404, 410, 422, 500, 503, 599]) {
    test(`of ${status} is a refusal`, async (t) => {
      const { send } = await road(t, answering(status))
      assert.deepEqual(await send(), {
        kind: 'refused',
        status,
        retryAfterMs: null,
        durationMs: 0,
        response: '',
        responseCut: false,
      })
    })
  }

  for (const status of [301, 302, 303, 307, 308]) {
    test(`of ${status} is a refusal and its Location is not followed`, async (t) => {
      const paths: (string | undefined)[] = []
      const server = http.createServer((request, response) => {
        paths.push(request.url)
        response.writeHead(status, { location: '/elsewhere' }).end()
      })
      const { send } = await road(t, server)
      const outcome = await send()
      assert.equal(outcome.kind === 'refused' && outcome.status, status)
      assert.deepEqual(paths, ['/hook'])
    })
  }

  test('tells how long to wait, in seconds or by date, with any status that is not 2xx', async (t) => {
    const answers: readonly (readonly [number, http.OutgoingHttpHeaders | string[]])[] = [
      [429, { 'retry-after': '120' }],
      [503, { 'Retry-After': 'Thu, 01 Jan 2026 00:01:00 GMT' }],
      [302, { 'retry-after': '1' }],
      [429, ['retry-after', '3', 'retry-after', '9']],
      [429, { 'retry-after': 'soon' }],
      [429, { 'retry-after': '9999999999' }],
    ]
    const waits = [120_000, 60_000, 1000, 3000, null, 86_400_000]
    const queue = answers.slice()
    const server = http.createServer((_request, response) => {
      const [status, headers] = queue.shift() ?? [500, []]
      response.writeHead(status, headers).end()
    })
    const { send } = await road(t, server)
    for (const wait of waits) {
      const outcome = await send()
      assert.equal(outcome.kind === 'refused' ? outcome.retryAfterMs : 'delivered', wait)
    }
  })

  test('after informational ones is the one that counts', async (t) => {
    const { send } = await road(
      t,
      raw((socket) =>
        socket.write(
          'HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 202 Accepted\r\ncontent-length: 2\r\n\r\nok',
        ),
      ),
    )
    assert.deepEqual(await send(), {
      kind: 'delivered',
      status: 202,
      durationMs: 0,
      response: 'ok',
      responseCut: false,
    })
  })

  test('without a length ends with its connection', async (t) => {
    const { send } = await road(
      t,
      raw((socket) => socket.end('HTTP/1.0 200 OK\r\n\r\nall of it')),
    )
    assert.deepEqual(await send(), {
      kind: 'delivered',
      status: 200,
      durationMs: 0,
      response: 'all of it',
      responseCut: false,
    })
  })

  test('is timed from send to its last byte', async (t) => {
    const server = http.createServer()
    const { send, world } = await road(t, server)
    const sending = send()
    const [, response] = await once(server, 'request')
    await world.advance(1234)
    response.end()
    assert.equal((await sending).durationMs, 1234)
  })
})

describe("an answer's body", () => {
  const respondedTo = async (t: TestContext, body: Buffer) => {
    const { send } = await road(t, answering(200, {}, body))
    const outcome = await send()
    assert.equal(outcome.kind, 'delivered')
    return outcome.kind === 'delivered' ? outcome : assert.fail()
  }

  test('is kept whole up to 16 KiB', async (t) => {
    const { response, responseCut } = await respondedTo(t, Buffer.alloc(16_384, 'a'))
    assert.equal(response, 'a'.repeat(16_384))
    assert.equal(responseCut, false)
  })

  test('is cut after 16 KiB, and says so', async (t) => {
    const { response, responseCut } = await respondedTo(t, Buffer.alloc(16_385, 'a'))
    assert.equal(response, 'a'.repeat(16_384))
    assert.equal(responseCut, true)
  })

  test('is not cut in the middle of a character', async (t) => {
    const { response } = await respondedTo(t, Buffer.from('a'.repeat(16_383) + 'ü'.repeat(10)))
    assert.equal(response, 'a'.repeat(16_383))
  })

  test('that is not UTF-8, or has NULs, is made readable', async (t) => {
    const { response } = await respondedTo(t, Buffer.from([0x6f, 0x6b, 0xff, 0x00, 0xc3]))
    assert.equal(response, 'ok\ufffd\ufffd\ufffd')
  })

  test('of 200 KiB is read to its end, so that the connection is used again', async (t) => {
    const { send, opened } = await road(t, answering(200, {}, Buffer.alloc(200 * 1024, 'b')))
    for (let n = 0; n < 3; n++) assert.equal((await send()).kind, 'delivered')
    assert.equal(opened(), 1)
  })

  for (const status of [200, 500]) {
    test(`of 100 MB is not read: the ${status} counts, and the connection is closed`, async (t) => {
      let written = 0
      const chunk = Buffer.alloc(64 * 1024, 'c')
      const server = http.createServer((_request, response) => {
        response.writeHead(status, { 'content-length': 100 * 1024 * 1024 })
        const more = () => {
          while (!response.destroyed && written < 100 * 1024 * 1024) {
            written += chunk.length
            if (!response.write(chunk)) return void response.once('drain', more)
          }
        }
        more()
      })
      const { send, openAtMost } = await road(t, server)
      const outcome = await send()
      assert.equal(outcome.kind === 'unreachable' ? outcome.detail : outcome.status, status)
      assert.ok('response' in outcome && outcome.responseCut && outcome.response.length === 16_384)
      await openAtMost(0)
      // What the sockets of both sides hold by themselves is a few MB at most.
      assert.ok(written < 30 * 1024 * 1024, `${written} bytes were written`)
    })
  }
})

describe('a try that takes too long is over at its deadline, and its connection with it', () => {
  test('when the receiver does not answer', async (t) => {
    const server = http.createServer()
    const { send, world, openAtMost } = await road(t, server)
    const sending = send({ timeoutMs: 15_000 })
    await once(server, 'request')
    await world.advance(14_999)
    assert.equal(world.pendingTimers, 1)
    await world.advance(1)
    assert.deepEqual(await sending, {
      kind: 'unreachable',
      reason: 'timeout',
      detail: 'the receiver did not answer within 15 s',
      durationMs: 15_000,
    })
    await openAtMost(0)
    assert.equal(world.pendingTimers, 0)
  })

  test('when the answer comes at one byte a second', async (t) => {
    const server = http.createServer()
    const { send, world, openAtMost } = await road(t, server)
    const sending = send({ timeoutMs: 15_000 })
    const [, response] = await once(server, 'request')
    response.writeHead(200, { 'content-length': 60 })
    for (let second = 0; second < 14; second++) {
      response.write('.')
      await world.advance(1000)
    }
    assert.equal(world.pendingTimers, 1)
    await world.advance(1000)
    const outcome = await sending
    assert.ok(outcome.kind === 'unreachable' && outcome.reason === 'timeout')
    assert.equal(outcome.detail, 'the receiver began to answer 200 but did not finish within 15 s')
    await openAtMost(0)
  })

  test('when no connection becomes free; the receiver never hears of it', async (t) => {
    const server = http.createServer()
    let requests = 0
    server.on('request', () => requests++)
    const { send, world } = await road(t, server, { maxConnectionsPerOrigin: 1 })
    const first = send({ timeoutMs: 60_000 })
    await once(server, 'request')
    const second = send({ timeoutMs: 5000 })
    await world.advance(5000)
    const outcome = await second
    assert.equal(outcome.kind === 'unreachable' && outcome.detail, 'no connection was free within 5 s')
    await world.advance(55_000)
    assert.equal((await first).kind, 'unreachable')
    assert.equal(requests, 1)
  })

  test('when the name server does not answer', async (t) => {
    const { send, world, opened } = await road(t, answering(200), { resolve: () => new Promise(() => {}) })
    const sending = send({ url: 'http://slow.test/', timeoutMs: 3000 })
    await world.advance(3000)
    const outcome = await sending
    assert.equal(outcome.kind === 'unreachable' && outcome.detail, 'no connection came about within 3 s')
    assert.equal(world.pendingTimers, 0)
    assert.equal(opened(), 0)
  })

  test('already after 10 s when there is no connection by then', async (t) => {
    const { send, world } = await road(t, answering(200), { resolve: () => new Promise(() => {}) })
    const sending = send({ url: 'http://slow.test/', timeoutMs: 60_000 })
    await world.advance(10_000)
    assert.deepEqual(await sending, {
      kind: 'unreachable',
      reason: 'timeout',
      detail: 'no connection to slow.test port 80 within 10 s',
      durationMs: 10_000,
    })
    assert.equal(world.pendingTimers, 0)
  })

  test('and an address found after that is not connected to', async (t) => {
    const found = Promise.withResolvers<string[]>()
    const { send, world, opened, port } = await road(t, answering(200), { resolve: () => found.promise })
    const sending = send({ url: `http://slow.test:${port}/`, timeoutMs: 1000 })
    await world.advance(1000)
    await sending
    found.resolve(['127.0.0.1'])
    await world.advance(0)
    assert.equal((await send()).kind, 'delivered')
    assert.equal(opened(), 1)
  })
})

describe('a receiver that does not speak HTTP, or not to the end', () => {
  const failures: Record<string, readonly [reason: string, speak: (socket: net.Socket) => void]> = {
    'closes without a word': ['reset', (socket) => socket.end()],
    'resets without a word': ['reset', (socket) => socket.resetAndDestroy()],
    'resets in the middle of its answer': [
      'reset',
      (socket) => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf', () => socket.resetAndDestroy()),
    ],
    'closes in the middle of its answer': [
      'reset',
      (socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf'),
    ],
    'closes short of the length it announced': [
      'reset',
      (socket) => socket.end('HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 100\r\n\r\nhalf'),
    ],
    'closes inside a chunk': [
      'reset',
      (socket) => socket.end('HTTP/1.1 200 OK\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\nff\r\nhalf'),
    ],
    'closes in the middle of its headers': ['reset', (socket) => socket.end('HTTP/1.1 200 OK\r\nx-a: b')],
    'greets like a mail server': ['protocol', (socket) => socket.write('220 mail.example ESMTP\r\n')],
    'answers with bytes of noise': ['protocol', (socket) => socket.write(Buffer.from([0, 1, 2, 255, 10, 10]))],
    'answers in HTTP/2': ['protocol', (socket) => socket.write(Buffer.from('000012040000000000', 'hex'))],
    'spells a status that is none': ['protocol', (socket) => socket.write('HTTP/1.1 abc OK\r\n\r\n')],
    'sends a chunk of no size': [
      'protocol',
      (socket) => socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n'),
    ],
    'wants another protocol': [
      'protocol',
      (socket) => socket.write('HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n'),
    ],
  }
  for (const [name, [reason, speak]] of Object.entries(failures)) {
    test(`${name}: ${reason}`, async (t) => {
      const { send, world, openAtMost } = await road(t, raw(speak))
      const outcome = await send()
      assert.ok(outcome.kind === 'unreachable', JSON.stringify(outcome))
      assert.equal(outcome.reason, reason, outcome.detail)
      assert.doesNotMatch(outcome.detail, /\n|node:|undici|\bat /)
      await openAtMost(0)
      assert.equal(world.pendingTimers, 0)
    })
  }

  test('sends headers without end: they are read up to 16 KiB', async (t) => {
    let written = 0
    const { send, openAtMost } = await road(
      t,
      raw((socket) => {
        socket.write('HTTP/1.1 200 OK\r\n')
        const more = () => {
          while (!socket.destroyed && written < 50 * 1024 * 1024) {
            const line = `x-${written}: ${'h'.repeat(1000)}\r\n`
            written += line.length
            if (!socket.write(line)) return void socket.once('drain', more)
          }
        }
        more()
      }),
    )
    const outcome = await send()
    assert.ok(outcome.kind === 'unreachable' && outcome.reason === 'protocol', JSON.stringify(outcome))
    assert.equal(outcome.detail, 'the headers of the answer are larger than 16 KiB')
    await openAtMost(0)
    assert.ok(written < 30 * 1024 * 1024, `${written} bytes were written`)
  })
})

test('a receiver that is not there refuses the connection, and the detail says which address did', async (t) => {
  const server = net.createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : 0
  server.close()
  await once(server, 'close')
  const { send } = await road(t, answering(200), { resolve: async () => ['127.0.0.1', '127.0.0.1'] })
  for (const host of ['127.0.0.1', 'gone.test']) {
    const outcome = await send({ url: `http://${host}:${port}/` })
    assert.ok(outcome.kind === 'unreachable' && outcome.reason === 'connect', JSON.stringify(outcome))
    assert.equal(outcome.detail, `127.0.0.1:${port} refused the connection`)
  }
})
