import assert from 'node:assert/strict'
import { once } from 'node:events'
import http from 'node:http'
import https from 'node:https'
import type net from 'node:net'
import { describe, type TestContext, test } from 'node:test'
import { certify, trust } from '../../../test/support/certificates.ts'
import { listening } from '../../../test/support/listening.ts'
import { testWorld } from '../../../test/support/world.ts'
import { parseEgressAllow } from '../../domain/egress.ts'
import type { Fetched, FetchRequest } from '../../ports/fetcher.ts'
import { createFetcher } from './fetcher.ts'

/** A server on loopback, and a fetcher that may reach it there by address; names resolve to these answers, one after another. */
async function setting(
  t: TestContext,
  server: net.Server,
  allow = '127.0.0.1',
  answers: readonly (readonly string[])[] = [['127.0.0.1']],
) {
  const at = await listening(t, server)
  const world = testWorld()
  let asked = 0
  const fetcher = createFetcher({
    allow: parseEgressAllow(allow),
    world,
    userAgent: 'Posthorn/test',
    resolve: async () => answers[Math.min(asked++, answers.length - 1)] ?? [],
  })
  t.after(() => fetcher.close())
  const get = (origin: string, request: Partial<FetchRequest> = {}) =>
    fetcher.fetch({ url: `${origin}:${at.port}/a/key.pem?v=1`, timeoutMs: 5000, mostBytes: 1000, ...request })
  return { ...at, world, fetcher, get, asked: () => asked }
}

const inWords = (fetched: Fetched): string =>
  fetched.kind === 'answered'
    ? `${fetched.status} ${Buffer.from(fetched.body).toString('utf8')}`
    : `${fetched.reason}: ${fetched.detail}`

describe('a fetch', () => {
  test('asks for what was asked, says who asks, and brings status, type, caching and the bytes', async (t) => {
    const requests: string[] = []
    const server = http.createServer((request, response) => {
      requests.push(`${request.method} ${request.url} ${request.rawHeaders.join('|')}`)
      const headers = { 'content-type': 'application/json', 'cache-control': 'max-age=600', connection: 'close' }
      response.writeHead(203, headers).end(Buffer.from([0, 255, 10]))
    })
    const { get, port, open, openAtMost, world } = await setting(t, server)
    assert.deepEqual(await get('http://127.0.0.1', { method: 'POST', headers: ['x-own', 'a'] }), {
      kind: 'answered',
      status: 203,
      contentType: 'application/json',
      cacheControl: 'max-age=600',
      body: Buffer.from([0, 255, 10]),
    })
    assert.equal(requests.length, 1)
    assert.match(
      requests[0] ?? '',
      new RegExp(
        `^POST /a/key\\.pem\\?v=1 host\\|127\\.0\\.0\\.1:${port}\\|.*accept\\|\\*/\\*\\|accept-encoding\\|identity\\|user-agent\\|Posthorn/test\\|x-own\\|a`,
        'i',
      ),
    )
    await openAtMost(0)
    assert.equal(open(), 0)
    assert.equal(world.pendingTimers, 0)
  })

  test('does not follow a redirect, wherever it leads', async (t) => {
    const paths: (string | undefined)[] = []
    const server = http.createServer((request, response) => {
      paths.push(request.url)
      response.writeHead(302, { location: 'http://169.254.169.254/latest/meta-data/' }).end('moved')
    })
    const { get } = await setting(t, server)
    assert.equal(inWords(await get('http://127.0.0.1')), '302 moved')
    assert.deepEqual(paths, ['/a/key.pem?v=1'])
  })

  test('takes an answer of just as many bytes as allowed, and none of one more, declared or not', async (t) => {
    const server = http.createServer((request, response) => {
      const body = 'x'.repeat(Number(new URLSearchParams(request.url?.split('?')[1]).get('size')))
      if (request.url?.startsWith('/chunked')) {
        response.write(body.slice(0, 10))
        response.end(body.slice(10))
      } else response.end(body)
    })
    const { get, port, openAtMost } = await setting(t, server)
    for (const path of ['declared', 'chunked']) {
      const sized = (size: number) => get('', { url: `http://127.0.0.1:${port}/${path}?size=${size}` })
      assert.equal(inWords(await sized(1000)), `200 ${'x'.repeat(1000)}`)
      assert.equal(inWords(await sized(1001)), `protocol: the answer of 127.0.0.1:${port} is longer than 1000 bytes`)
    }
    await openAtMost(0)
  })

  test('stops reading an answer that never ends as soon as it is too long', async (t) => {
    const server = http.createServer((_request, response) => {
      const more = () => {
        while (!response.destroyed && response.write('x'.repeat(500)));
        response.once('drain', more)
      }
      more()
    })
    const { get, openAtMost } = await setting(t, server)
    assert.match(inWords(await get('http://127.0.0.1')), /^protocol: .* longer than 1000 bytes$/)
    await openAtMost(0)
  })

  test('is over after its time, before an answer as well as in the middle of one', async (t) => {
    const server = http.createServer((request, response) => {
      if (request.url === '/half') response.writeHead(200).write('half')
    })
    const { get, port, world, openAtMost } = await setting(t, server)
    for (const path of ['/silent', '/half']) {
      const come = once(server, 'request')
      const fetching = get('', { url: `http://127.0.0.1:${port}${path}` })
      await come
      await world.advance(4999)
      await world.advance(1)
      assert.equal(inWords(await fetching), `timeout: 127.0.0.1:${port} did not give a whole answer within 5 s`)
    }
    await openAtMost(0)
    assert.equal(world.pendingTimers, 0)
  })

  test('that is cut off brings nothing', async (t) => {
    const server = http.createServer((_request, response) => {
      response.writeHead(200, { 'content-length': 100 }).write('half', () => response.destroy())
    })
    const { get } = await setting(t, server)
    assert.match(inWords(await get('http://127.0.0.1')), /^reset: 127\.0\.0\.1:\d+ closed the connection /)
  })

  test('of what is no URL, or cannot be sent, is a failure and not a defect', async (t) => {
    const { get, opened } = await setting(t, http.createServer())
    for (const url of ['', 'a', 'ftp://127.0.0.1/', 'file:///etc/passwd', 'data:text/plain,a']) {
      assert.match(inWords(await get('', { url })), /^blocked: the URL does not begin with https/)
    }
    assert.match(inWords(await get('http://127.0.0.1', { headers: ['a', 'b\r\nc: d'] })), /^protocol: /)
    assert.equal(opened(), 0)
  })

  test('ends when Posthorn stops, and none begins after', async (t) => {
    const server = http.createServer()
    const { get, fetcher, openAtMost, opened } = await setting(t, server)
    const come = once(server, 'request')
    const fetching = get('http://127.0.0.1')
    await come
    await fetcher.close()
    assert.equal(inWords(await fetching), 'connect: Posthorn is stopping')
    assert.equal(inWords(await get('http://127.0.0.1')), 'connect: Posthorn is stopping')
    await openAtMost(0)
    assert.equal(opened(), 1)
  })
})

describe('what leads inside is not fetched', () => {
  test('neither by address nor by a name that resolves there, nor by one of several answers', async (t) => {
    const { get, opened } = await setting(t, http.createServer(), '', [
      ['127.0.0.1'],
      ['10.0.0.7'],
      ['169.254.169.254'],
      ['93.184.215.14', '127.0.0.1'],
      ['::ffff:127.0.0.1'],
    ])
    for (const host of ['127.0.0.1', 'localhost', '[::1]', '2130706433']) {
      assert.match(inWords(await get(`https://${host}`)), /^blocked: .* address/, host)
    }
    for (let n = 0; n < 5; n++)
      assert.match(inWords(await get('https://keys.test')), /^blocked: keys\.test is .* address/)
    assert.equal(opened(), 0)
  })

  test('nor by a name whose answer changes after it was checked', async (t) => {
    const authority = certify({ name: 'Test authority', authority: true })
    const { pem, keyPem } = certify({ name: 'keys.test', hosts: ['keys.test'], by: authority })
    trust(t, authority)
    const server = https.createServer({ key: keyPem, cert: pem }, (_request, response) => response.end('key'))
    // 0.0.0.0 reaches the same server, and is not allowed: a second resolution would show.
    const { get, asked } = await setting(t, server, '127.0.0.1', [['127.0.0.1'], ['0.0.0.0']])
    assert.equal(inWords(await get('https://keys.test')), '200 key')
    assert.equal(asked(), 1)
    assert.match(inWords(await get('https://keys.test')), /^blocked: /)
  })
})

describe('https', () => {
  test('is asked of whoever the operator has not named', async (t) => {
    const server = http.createServer((_request, response) => response.end('key'))
    const named = await setting(t, server, 'keys.test,*.inside.test')
    assert.equal(inWords(await named.get('http://keys.test')), '200 key')
    assert.equal(inWords(await named.get('http://a.inside.test')), '200 key')
    assert.match(inWords(await named.get('http://other.test')), /^blocked: the URL does not begin with https/)
    // That a network is allowed says nothing of a name that happens to resolve into it.
    const { get } = await setting(t, http.createServer(), '127.0.0.0/8')
    assert.match(inWords(await get('http://keys.test')), /^blocked: the URL does not begin with https/)
  })

  test('needs a certificate that is trusted and names the host', async (t) => {
    const authority = certify({ name: 'Test authority', authority: true })
    const { pem, keyPem } = certify({ name: 'keys.test', hosts: ['keys.test'], by: authority })
    let requests = 0
    const server = https.createServer({ key: keyPem, cert: pem }, (_request, response) => {
      requests++
      response.end('key')
    })
    const { get } = await setting(t, server, '127.0.0.1')
    assert.match(inWords(await get('https://keys.test')), /^tls: TLS with keys\.test failed: /)
    trust(t, authority)
    assert.equal(inWords(await get('https://keys.test')), '200 key')
    assert.match(inWords(await get('https://other.test')), /^tls: .*ERR_TLS_CERT_ALTNAME_INVALID/)
    assert.equal(requests, 1)
  })
})
