import assert from 'node:assert/strict'
import http from 'node:http'
import https from 'node:https'
import net from 'node:net'
import { type TestContext, test } from 'node:test'
import tls from 'node:tls'
import { certificate, privateKey } from '../../../test/support/certificate.ts'
import { listening } from '../../../test/support/listening.ts'
import { testWorld } from '../../../test/support/world.ts'
import { parseEgressAllow } from '../../domain/egress.ts'
import { createHttpTransport } from './client.ts'

async function setting(t: TestContext, server: net.Server) {
  const at = await listening(t, server)
  const world = testWorld()
  const transport = createHttpTransport({
    allow: parseEgressAllow('127.0.0.0/8'),
    world,
    maxConnectionsPerOrigin: 2,
    resolve: async () => ['127.0.0.1'],
  })
  t.after(() => transport.close())
  const send = async (origin: string) => {
    const outcome = await transport.send({
      method: 'POST',
      url: `${origin}:${at.port}/`,
      headers: [],
      body: '{}',
      timeoutMs: 15_000,
    })
    return outcome.kind === 'unreachable' ? `${outcome.reason}: ${outcome.detail}` : outcome.kind
  }
  return { ...at, world, send }
}

/** Adds our certificate to those the machine trusts, until the test is over. */
function trustOurs(t: TestContext) {
  const before = tls.getCACertificates('default')
  tls.setDefaultCACertificates([...before, certificate])
  t.after(() => tls.setDefaultCACertificates(before))
}

const receiver = () =>
  https.createServer({ key: privateKey, cert: certificate }, (request, response) => {
    request.resume().on('end', () => response.end('ok'))
  })

test('a self-signed certificate is refused before a byte of the request is sent, and the detail says why', async (t) => {
  let requests = 0
  const server = receiver().on('request', () => requests++)
  const { send, world } = await setting(t, server)
  assert.equal(
    await send('https://receiver.test'),
    'tls: TLS with receiver.test failed: self-signed certificate (DEPTH_ZERO_SELF_SIGNED_CERT)',
  )
  assert.equal(requests, 0)
  assert.equal(world.pendingTimers, 0)
})

test('a trusted certificate is taken for the host it names; the server name sent is that host, not the address', async (t) => {
  trustOurs(t)
  const names: unknown[] = []
  const { send, opened } = await setting(
    t,
    receiver().on('secureConnection', (socket: tls.TLSSocket) => names.push(socket.servername)),
  )
  for (let n = 0; n < 5; n++) assert.equal(await send('https://receiver.test'), 'delivered')
  assert.equal(opened(), 1)
  assert.equal(await send('https://receiver.test.'), 'delivered')
  assert.deepEqual(names, ['receiver.test', 'receiver.test'])
})

test('a trusted certificate of another host is refused', async (t) => {
  trustOurs(t)
  const { send } = await setting(t, receiver())
  assert.match(
    await send('https://other.test'),
    /^tls: TLS with other\.test failed: Hostname\/IP does not match .*ERR_TLS_CERT_ALTNAME_INVALID/,
  )
  assert.match(await send('https://127.0.0.1'), /^tls: .*ERR_TLS_CERT_ALTNAME_INVALID/)
})

test('a later connection to the same host takes up the TLS session of an earlier one', async (t) => {
  trustOurs(t)
  const reused: boolean[] = []
  const server = receiver().on('secureConnection', (socket: tls.TLSSocket) => reused.push(socket.isSessionReused()))
  server.on('request', (_request, response: http.ServerResponse) => {
    response.shouldKeepAlive = false
  })
  const { send } = await setting(t, server)
  for (let n = 0; n < 3; n++) assert.equal(await send('https://receiver.test'), 'delivered')
  assert.deepEqual(reused, [false, true, true])
})

test('a receiver without TLS, called with https, is a failure of TLS', async (t) => {
  const { send } = await setting(t, http.createServer())
  assert.match(await send('https://receiver.test'), /^tls: TLS with receiver\.test failed: [^\n]{5,200}$/)
})

test('a receiver that hangs up during the handshake is a failure of TLS', async (t) => {
  const server = net.createServer((socket) => socket.once('data', () => socket.end()))
  const { send } = await setting(t, server)
  assert.match(await send('https://receiver.test'), /^tls: /)
})

test('a receiver with TLS, called with http, is not spoken to in the clear for long', async (t) => {
  const { send } = await setting(t, receiver())
  assert.match(await send('http://receiver.test'), /^(?:reset|protocol): /)
})

test('a handshake that never ends is given up after 10 s', async (t) => {
  const server = net.createServer((socket) => socket.resume())
  const { send, world, openAtMost } = await setting(t, server)
  const come = new Promise((resolve) => server.once('connection', resolve))
  const sending = send('https://receiver.test')
  await come
  await world.advance(10_000)
  assert.match(await sending, /^timeout: no connection to receiver\.test port \d+ within 10 s$/)
  await openAtMost(0)
})
