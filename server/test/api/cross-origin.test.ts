import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Settings } from '../../src/config.ts'
import { startTestServer, type TestServer } from '../support/server.ts'

async function serving(t: TestContext, corsOrigins: Settings['corsOrigins']): Promise<TestServer> {
  const server = await startTestServer({ settings: { corsOrigins } })
  t.after(() => server.stop())
  return server
}

const corsOf = ({ headers }: Response): Record<string, string> =>
  Object.fromEntries([...headers].filter(([name]) => name.startsWith('access-control-') || name === 'vary'))

async function ask(server: TestServer, origin: string | null, path = '/api/v1/app', init: RequestInit = {}) {
  const headers = new Headers(init.headers)
  if (origin !== null) headers.set('origin', origin)
  const answer = await server.fetch(path, { ...init, headers })
  await answer.text()
  return { status: answer.status, cors: corsOf(answer) }
}

const exposed = 'Allow, ETag, Idempotent-Replayed, Link, RateLimit, RateLimit-Policy, Retry-After, X-Request-Id'
const page = 'https://app.example.com'
const preflight: RequestInit = {
  method: 'OPTIONS',
  headers: {
    'access-control-request-method': 'PATCH',
    'access-control-request-headers': 'authorization,content-type,if-match',
  },
}

test('unless somebody allows it no web page reads anything', async (t) => {
  const server = await serving(t, [])
  assert.deepEqual((await ask(server, page)).cors, {})
  assert.deepEqual((await ask(server, page, '/api/v1/app', preflight)).cors, {})
})

test('pages of the origins named read answers and refusals, others nothing, and never with cookies', async (t) => {
  const server = await serving(t, [page, 'http://localhost:3000'])
  const read = { 'access-control-allow-origin': page, 'access-control-expose-headers': exposed, vary: 'Origin' }
  assert.deepEqual(await ask(server, page), { status: 200, cors: read })
  assert.deepEqual(await ask(server, page, '/api/v1/app/nobody'), { status: 404, cors: read })
  for (const other of [
    'https://evil.example.com',
    'https://app.example.com.evil.com',
    'http://app.example.com',
    'null',
    null,
  ]) {
    assert.deepEqual((await ask(server, other)).cors, { vary: 'Origin' }, String(other))
  }
})

test('a preflight is answered without a key, and lets every method and header of the API through', async (t) => {
  const server = await serving(t, [page])
  const answer = await fetch(`${server.url}/api/v1/app/a`, {
    ...preflight,
    headers: { ...preflight.headers, origin: page },
  })
  assert.equal(answer.status, 204)
  assert.deepEqual(corsOf(answer), {
    'access-control-allow-origin': page,
    'access-control-expose-headers': exposed,
    'access-control-allow-methods': 'DELETE, GET, HEAD, PATCH, POST, PUT',
    'access-control-allow-headers': 'authorization,content-type,if-match',
    'access-control-max-age': '7200',
    vary: 'Origin',
  })
  const other = await ask(server, 'https://evil.example.com', '/api/v1/app', preflight)
  assert.deepEqual(other.cors, { vary: 'Origin' })
})

test('all origins may be allowed, but none reads the metrics, which need no key', async (t) => {
  const server = await serving(t, '*')
  assert.deepEqual((await ask(server, page)).cors, {
    'access-control-allow-origin': '*',
    'access-control-expose-headers': exposed,
  })
  assert.deepEqual((await ask(server, page, '/metrics')).cors, {})
})
