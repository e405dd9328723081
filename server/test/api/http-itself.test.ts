// What HTTP asks of a server whatever it is about: RFC 9110 and 9112. On bare sockets where clients are too polite.

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Operation, operations } from '@posthorn/contract'
import { spoken } from '../support/raw-http.ts'
import { startTestServer, type TestServer } from '../support/server.ts'

let server: TestServer
before(async () => {
  server = await startTestServer()
  await server.svix.application.create({ name: 'A', uid: 'a' })
})
after(() => server.stop())

const speak = (...lines: readonly string[]): Promise<string> => spoken(server.url, `${lines.join('\r\n')}\r\n\r\n`)
const long = (length: number): string => 'x'.repeat(length)

/** Status and code of a problem heard on a bare socket. */
function heardProblem(heard: string): readonly [number, string] {
  const [head = '', rest = ''] = heard.split('\r\n\r\n', 2)
  const body = rest.slice(0, Number(/^content-length: (\d+)/im.exec(head)?.[1]))
  assert.match(head, /^content-type: application\/problem\+json/im, heard)
  assert.match(head, /^x-request-id: req_/im)
  assert.match(head, /^date: /im)
  const status = Number(/^HTTP\/1\.1 (\d{3}) \w/.exec(head)?.[1])
  const problem = JSON.parse(body)
  assert.equal(problem.status, status)
  return [status, problem.code]
}

describe('a request', () => {
  test('with two Host headers, or with none, is refused and the connection closed', async () => {
    const key = `authorization: Bearer ${server.key}`
    for (const hosts of [[], ['host: a', 'Host: b'], ['host: a', 'HOST: a']]) {
      const heard = await speak('GET /api/v1/app HTTP/1.1', key, ...hosts)
      assert.deepEqual(heardProblem(heard), [400, 'request-malformed'], hosts.join())
    }
    const old = await speak('GET /api/v1/health HTTP/1.0')
    assert.match(old, /^HTTP\/1\.1 204/, 'HTTP/1.0 had no Host yet')
  })

  test('whose headers are too large is told so as 431, whose URL is, as 414', async () => {
    const headers = await speak('GET / HTTP/1.1', 'host: x', `x: ${long(40_000)}`)
    assert.deepEqual(heardProblem(headers), [431, 'headers-too-large'])
    const line = await speak(`GET /?${long(40_000)} HTTP/1.1`, 'host: x')
    assert.deepEqual(heardProblem(line), [414, 'uri-too-long'])
  })

  test('that expects anything but 100-continue is refused with 417', async () => {
    const odd = await speak('POST /api/v1/app HTTP/1.1', 'host: x', 'expect: a-miracle', 'content-length: 2')
    assert.deepEqual(heardProblem(odd), [417, 'expectation-failed'])
    const usual = await speak(
      'POST /api/v1/app HTTP/1.1',
      ...['host: x', `authorization: Bearer ${server.key}`, 'content-type: application/json'],
      ...['expect: 100-continue', 'content-length: 2', 'connection: close', '', '{}'],
    )
    assert.match(usual, /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 422/)
  })

  test('in a transfer coding that is not chunked is refused with 501, not read as what it is not', async () => {
    const head = ['POST /api/v1/app HTTP/1.1', 'host: x', `authorization: Bearer ${server.key}`]
    const gzip = await speak(...head, 'content-type: application/json', 'transfer-encoding: gzip, chunked', '', '0')
    assert.deepEqual(heardProblem(gzip), [501, 'transfer-coding-unsupported'])
    const last = await speak(...head, 'content-type: application/json', 'transfer-encoding: gzip', '', '0')
    assert.deepEqual(heardProblem(last), [501, 'transfer-coding-unsupported'])
  })

  test('whose body is in another charset than UTF-8 is refused, and told what is taken', async () => {
    const send = (method: string, path: string, type: string): Promise<Response> =>
      server.fetch(path, { method, headers: { 'content-type': type }, body: '{"name":"x"}' })
    for (const type of ['application/json; charset=latin1', 'application/json;charset="utf-16"', 'text/plain']) {
      const refused = await send('POST', '/api/v1/app', type)
      assert.deepEqual([refused.status, refused.headers.get('accept-post')], [415, 'application/json'], type)
      assert.equal(((await refused.json()) as { code: string }).code, 'media-type-unsupported')
      assert.equal((await send('PATCH', '/api/v1/app/a', type)).headers.get('accept-patch'), 'application/json')
    }
    for (const type of ['application/json;charset=UTF-8', 'application/json; charset="utf-8"']) {
      assert.equal((await send('POST', '/api/v1/app', type)).status, 201, type)
    }
  })

  test('with TRACE is not echoed', async () => {
    const heard = await speak('TRACE /api/v1/app HTTP/1.1', 'host: x', 'x-secret: s', 'connection: close')
    assert.equal(heardProblem(heard)[0], 405)
    assert.equal(heard.includes('x-secret'), false)
  })

  test('is answered in JSON whatever it accepts: the client that cannot read it is better told than refused', async () => {
    const answer = await server.fetch('/api/v1/app/a', { headers: { accept: 'text/html' } })
    assert.deepEqual([answer.status, answer.headers.get('content-type')], [200, 'application/json; charset=utf-8'])
    await answer.text()
  })
})

describe('every path', () => {
  const all: readonly Operation[] = Object.values(operations)
  const paths = Map.groupBy(all, ({ path }) => path)

  test('tells with OPTIONS, to anybody, which methods it has', async () => {
    for (const [path, of] of paths) {
      const answer = await fetch(`${server.url}${path.replaceAll(/[{}]/g, '')}`, { method: 'OPTIONS' })
      assert.equal(answer.status, 204, path)
      assert.equal(await answer.text(), '')
      const methods = of.map(({ method }) => method)
      const told = (answer.headers.get('allow') ?? '').split(', ')
      for (const method of [...methods, 'OPTIONS', ...(methods.includes('GET') ? ['HEAD'] : [])]) {
        assert.ok(told.includes(method), `${path} ${method}`)
      }
      assert.equal(answer.headers.has('accept-patch'), methods.includes('PATCH'), path)
      if (methods.includes('POST')) assert.equal(answer.headers.get('accept-post'), 'application/json')
    }
    for (const path of ['/', '/metrics', '/docs', '/docs/problems/internal', '/openapi.json']) {
      const answer = await fetch(`${server.url}${path}`, { method: 'OPTIONS' })
      assert.equal(answer.headers.get('allow'), 'GET, HEAD, OPTIONS', path)
    }
    assert.match(await speak('OPTIONS * HTTP/1.1', 'host: x', 'connection: close'), /^HTTP\/1\.1 204/)
    const nowhere = await fetch(`${server.url}/api/v1/nowhere`, { method: 'OPTIONS' })
    assert.equal(nowhere.status, 404)
  })

  test('answers HEAD where it answers GET, with the same headers and no body', async () => {
    for (const path of ['/api/v1/app', '/api/v1/app/a', '/api/v1/app/nobody', '/', '/openapi.json', '/docs/problems']) {
      const [head, get] = await Promise.all([server.fetch(path, { method: 'HEAD' }), server.fetch(path)])
      assert.deepEqual([head.status, await head.text()], [get.status, ''], path)
      await get.text()
      for (const name of ['content-type', 'etag', 'cache-control', 'link']) {
        assert.equal(head.headers.get(name), get.headers.get(name), `${path} ${name}`)
      }
    }
  })

  test('that holds a list links to its first page, with the filters it was asked for', async () => {
    const first = async (path: string): Promise<string | undefined> => {
      const answer = await server.fetch(path)
      await answer.text()
      return /<([^>]+)>; rel="first"/.exec(answer.headers.get('link') ?? '')?.[1]
    }
    assert.equal(await first('/api/v1/app'), '/api/v1/app')
    assert.equal(await first('/api/v1/app/a/msg?limit=1&tag=a%20b'), '/api/v1/app/a/msg?limit=1&tag=a+b')
    assert.equal(await first('/api/v1/app/a/msg?tag=what?&limit=1'), '/api/v1/app/a/msg?tag=what%3F&limit=1')
    for (const name of ['1', '2', '3']) await server.svix.application.create({ name })
    const { iterator } = await server.svix.application.list({ limit: 1 })
    assert.equal(await first(`/api/v1/app?limit=1&iterator=${iterator}`), '/api/v1/app?limit=1')
  })
})

test('the front page says where the description of the service is', async () => {
  const answer = await fetch(server.url)
  await answer.text()
  const link = /<([^>]+)>; rel="service-desc"/.exec(answer.headers.get('link') ?? '')?.[1]
  const described = await fetch(new URL(link ?? '', server.url))
  assert.equal(((await described.json()) as { openapi: string }).openapi, '3.1.0')
})
