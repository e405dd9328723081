// Whatever is sent, the answer is a clear problem that points at the fault; nothing is half-written and the server lives.

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { spoken } from '../support/raw-http.ts'
import { startTestServer, type TestServer } from '../support/server.ts'

let server: TestServer
before(async () => {
  server = await startTestServer()
  await server.svix.application.create({ name: 'A', uid: 'a' })
  await server.svix.endpoint.create('a', { url: 'http://127.0.0.1:9/', uid: 'ep', disabled: true })
  await server.svix.message.create('a', { eventType: 'a', payload: {}, eventId: 'evt' })
})
after(() => server.stop())

interface Refusal {
  readonly status: number
  readonly code: string
  readonly pointers: readonly string[]
  readonly headers: Headers
}

async function refusalOf(answer: Response): Promise<Refusal> {
  const text = await answer.text()
  assert.equal(
    answer.headers.get('content-type'),
    'application/problem+json; charset=utf-8',
    `${answer.status} ${text}`,
  )
  const { status, code, type, title, detail, errors = [] } = JSON.parse(text)
  assert.equal(status, answer.status)
  assert.ok(type.endsWith(`/docs/problems/${code}`) && title && detail)
  assert.ok(answer.headers.get('x-request-id'))
  assert.notEqual(status, 500)
  return { status, code, pointers: errors.map(({ pointer }: { pointer: string }) => pointer), headers: answer.headers }
}

const json = (method: string, body: unknown): RequestInit => ({
  method,
  headers: { 'content-type': 'application/json' },
  body: typeof body === 'string' || body instanceof Uint8Array ? (body as string) : JSON.stringify(body),
})
const refused = async (path: string, init: RequestInit = {}): Promise<Refusal> =>
  refusalOf(await server.fetch(path, init))

/** What there is, to see that a refusal left nothing behind. */
async function everything(): Promise<unknown> {
  const { svix } = server
  return Promise.all([
    svix.application.list({ limit: 250 }),
    svix.eventType.list({ limit: 250, includeArchived: true }),
    svix.endpoint.list('a', { limit: 250 }),
    svix.message.list('a', { limit: 250 }),
    svix.endpoint.getHeaders('a', 'ep'),
    svix.endpoint.getSecret('a', 'ep'),
  ])
}

/** Runs refused calls; afterwards everything must be as it was. */
async function leavesNothing(calls: () => Promise<void>): Promise<void> {
  const before = await everything()
  await calls()
  assert.deepEqual(await everything(), before)
}

const message = (fields: object) => ({ eventType: 'a', payload: {}, ...fields })
const endpoint = (fields: object) => ({ url: 'http://127.0.0.1:9/', ...fields })
const long = (length: number) => 'x'.repeat(length)

type Row = readonly [
  what: string,
  method: string,
  path: string,
  body: unknown,
  status: number,
  code: string,
  pointers: readonly string[],
]

const msg = '/api/v1/app/a/msg'
const eps = '/api/v1/app/a/endpoint'
const rows: readonly Row[] = [
  ['an application without a name', 'POST', '/api/v1/app', {}, 422, 'request-invalid', ['/name']],
  ['a body that is an array', 'POST', '/api/v1/app', [], 422, 'request-invalid', ['']],
  ['a body that is null', 'POST', '/api/v1/app', 'null', 422, 'request-invalid', ['']],
  [
    'wrong types',
    'POST',
    '/api/v1/app',
    { name: 1, uid: {}, metadata: [] },
    422,
    'request-invalid',
    ['/metadata', '/name', '/uid'],
  ],
  ['a uid with a space', 'POST', '/api/v1/app', { name: 'x', uid: 'a b' }, 422, 'request-invalid', ['/uid']],
  [
    'a uid like an id',
    'POST',
    '/api/v1/app',
    { name: 'x', uid: `ep_${'0'.repeat(27)}` },
    422,
    'request-invalid',
    ['/uid'],
  ],
  ['a name with NUL', 'POST', '/api/v1/app', { name: 'x\0' }, 422, 'request-invalid', ['/name']],
  ['half a surrogate pair', 'POST', '/api/v1/app', '{"name":"\\ud800"}', 422, 'request-invalid', ['/name']],
  ['a name too long', 'POST', '/api/v1/app', { name: long(257) }, 422, 'request-invalid', ['/name']],
  ['a rate of zero', 'POST', '/api/v1/app', { name: 'x', throttleRate: 0 }, 422, 'request-invalid', ['/throttleRate']],
  [
    'a rate beyond any number',
    'POST',
    '/api/v1/app',
    '{"name":"x","throttleRate":1e400}',
    422,
    'request-invalid',
    ['/throttleRate'],
  ],
  [
    'metadata that is not text',
    'POST',
    '/api/v1/app',
    { name: 'x', metadata: { a: 1 } },
    422,
    'request-invalid',
    ['/metadata/a'],
  ],
  [
    'metadata over 4 KiB',
    'POST',
    '/api/v1/app',
    { name: 'x', metadata: { a: long(4096) } },
    422,
    'request-invalid',
    ['/metadata'],
  ],
  [
    'a replaced name in the body',
    'PUT',
    '/api/v1/app/new',
    { name: 'x', uid: 'other' },
    422,
    'request-invalid',
    ['/uid'],
  ],
  ['a bad name in the path', 'PUT', '/api/v1/app/b%20d', { name: 'x' }, 422, 'request-invalid', ['/path/app_id']],
  ['a patch of nothing known', 'PATCH', '/api/v1/app/nowhere', { name: 'x' }, 404, 'not-found', []],
  [
    'an event type with a space',
    'POST',
    '/api/v1/event-type',
    { name: 'a b', description: '' },
    422,
    'request-invalid',
    ['/name'],
  ],
  ['an event type without description', 'PUT', '/api/v1/event-type/x', {}, 422, 'request-invalid', ['/description']],
  [
    'a bad event type in the path',
    'GET',
    '/api/v1/event-type/a%20b',
    undefined,
    422,
    'request-invalid',
    ['/path/event_type_name'],
  ],
  [
    'schemas that are a list',
    'POST',
    '/api/v1/event-type',
    { name: 'x', description: '', schemas: [] },
    422,
    'request-invalid',
    ['/schemas'],
  ],
  ['no URL', 'POST', eps, {}, 422, 'request-invalid', ['/url']],
  ...[
    'ftp://example.com/',
    'javascript:alert(1)',
    'example.com',
    '',
    '//example.com/',
    'http://',
    'https://user:password@example.com/',
    'https://user@example.com/',
    'http://example.com:0/',
    'http://example.com:65536/',
    `https://example.com/${long(2049 - 20)}`,
    'https://exa mple.com/',
    'https://example.com/\r\nx: y',
  ].map(
    (url): Row => [
      `URL ${JSON.stringify(url.slice(0, 40))}`,
      'POST',
      eps,
      { url },
      422,
      'endpoint-url-invalid',
      ['/url'],
    ],
  ),
  ...[
    'http://10.0.0.7/',
    'http://169.254.169.254/latest',
    'http://[::ffff:10.0.0.1]/',
    'http://0xA000001/',
    'http://192.168.1.1./',
  ].map((url): Row => [`URL ${url}`, 'POST', eps, { url }, 422, 'endpoint-url-private', ['/url']]),
  [
    'a private URL in a patch',
    'PATCH',
    `${eps}/ep`,
    { url: 'http://10.0.0.7/' },
    422,
    'endpoint-url-private',
    ['/url'],
  ],
  ['a private URL in a put', 'PUT', `${eps}/ep`, { url: 'http://10.0.0.7/' }, 422, 'endpoint-url-private', ['/url']],
  ...['whsec_', 'whsec_!!!', 'whsec_c2hvcnQ=', `whsec_${Buffer.alloc(65).toString('base64')}`, 'whsk_AAAA', 'x'].map(
    (secret): Row => [
      `secret ${secret.slice(0, 20)}`,
      'POST',
      eps,
      endpoint({ secret }),
      422,
      'secret-invalid',
      ['/secret'],
    ],
  ),
  ['a bad secret to rotate to', 'POST', `${eps}/ep/secret/rotate`, { key: 'whsec_x' }, 422, 'secret-invalid', ['/key']],
  [
    'a grace of a year',
    'POST',
    `${eps}/ep/secret/rotate`,
    { gracePeriodSeconds: 31_536_000 },
    422,
    'request-invalid',
    ['/gracePeriodSeconds'],
  ],
  [
    'a header with a line break',
    'POST',
    eps,
    endpoint({ headers: { 'x-a': 'b\r\nwebhook-id: c' } }),
    422,
    'header-reserved',
    ['/headers/x-a'],
  ],
  [
    'a header name with a line break',
    'PUT',
    `${eps}/ep/headers`,
    { headers: { 'x\r\ny': 'b' } },
    422,
    'header-reserved',
    ['/headers/x\r\ny'],
  ],
  [
    'a reserved header',
    'PUT',
    `${eps}/ep/headers`,
    { headers: { 'Webhook-Signature': 'b' } },
    422,
    'header-reserved',
    ['/headers/Webhook-Signature'],
  ],
  [
    'a hop-by-hop header',
    'PATCH',
    `${eps}/ep/headers`,
    { headers: { connection: 'close' } },
    422,
    'header-reserved',
    ['/headers/connection'],
  ],
  [
    'a header that is not text',
    'PUT',
    `${eps}/ep/headers`,
    { headers: { 'x-a': 1 } },
    422,
    'request-invalid',
    ['/headers/x-a'],
  ],
  [
    'a bad URL, secret and header at once',
    'POST',
    eps,
    { url: 'x', secret: 'x', headers: { host: 'x' } },
    422,
    'request-invalid',
    ['/headers/host', '/secret', '/url'],
  ],
  ['no channels at all', 'POST', eps, endpoint({ channels: [] }), 422, 'request-invalid', ['/channels']],
  ['eleven channels', 'POST', eps, endpoint({ channels: Array(11).fill('a') }), 422, 'request-invalid', ['/channels']],
  [
    'a bad event type in a filter',
    'POST',
    eps,
    endpoint({ filterTypes: ['a b'] }),
    422,
    'request-invalid',
    ['/filterTypes/0'],
  ],
  ['a message without anything', 'POST', msg, {}, 422, 'request-invalid', ['/eventType', '/payload']],
  ['a payload that is a list', 'POST', msg, message({ payload: [] }), 422, 'request-invalid', ['/payload']],
  ['eleven tags', 'POST', msg, message({ tags: Array(11).fill('a') }), 422, 'request-invalid', ['/tags']],
  ['a day to deliver at', 'POST', msg, message({ deliverAt: '2030-01-01' }), 422, 'request-invalid', ['/deliverAt']],
  ['an eventId with a slash', 'POST', msg, message({ eventId: 'a/b' }), 422, 'request-invalid', ['/eventId']],
  [
    'an eventId that was accepted before',
    'POST',
    msg,
    message({ eventId: 'evt' }),
    409,
    'event-id-taken',
    ['/eventId'],
  ],
  ['a message to nobody', 'POST', '/api/v1/app/nowhere/msg', message({}), 404, 'not-found', []],
  [
    'an application to be made under an id',
    'POST',
    `/api/v1/app/app_${'0'.repeat(27)}/msg`,
    message({ application: { name: 'x' } }),
    404,
    'not-found',
    [],
  ],
  [
    'a flag that is none',
    'POST',
    `${msg}?with_content=perhaps`,
    message({}),
    422,
    'request-invalid',
    ['/query/with_content'],
  ],
  ['a limit of zero', 'GET', `${msg}?limit=0`, undefined, 422, 'request-invalid', ['/query/limit']],
  ['a limit of 251', 'GET', '/api/v1/app?limit=251', undefined, 422, 'request-invalid', ['/query/limit']],
  ['an order that is none', 'GET', '/api/v1/app?order=up', undefined, 422, 'request-invalid', ['/query/order']],
  [
    'a time that is none',
    'GET',
    `${msg}?before=yesterday&after=2026-13-01T00:00:00Z`,
    undefined,
    422,
    'request-invalid',
    ['/query/after', '/query/before'],
  ],
  [
    'a status that is none',
    'GET',
    '/api/v1/app/a/attempt/msg/evt?status=9',
    undefined,
    422,
    'request-invalid',
    ['/query/status'],
  ],
  [
    'a class of status that is none',
    'GET',
    '/api/v1/app/a/attempt/msg/evt?status_code_class=201',
    undefined,
    422,
    'request-invalid',
    ['/query/status_code_class'],
  ],
  ...['garbage', '', 'MTphZnRlcjo', 'a'.repeat(2000), '%00', Buffer.from('1:after:').toString('base64url')].map(
    (iterator): Row => [
      `iterator ${iterator.slice(0, 20)}`,
      'GET',
      `${msg}?iterator=${iterator}`,
      undefined,
      422,
      iterator === '%00' ? 'request-invalid' : 'iterator-invalid',
      ['/query/iterator'],
    ],
  ),
  ...[
    '/api/v1/app/nowhere',
    `/api/v1/app/app_${'0'.repeat(27)}`,
    `${eps}/nowhere`,
    `${eps}/nowhere/secret`,
    `${eps}/nowhere/headers`,
    `${eps}/nowhere/msg`,
    `${msg}/nowhere`,
    `${msg}/nowhere/endpoint`,
    `${msg}/evt/attempt/nowhere`,
    '/api/v1/app/a/attempt/endpoint/nowhere',
    '/api/v1/app/a/attempt/msg/nowhere',
    '/api/v1/event-type/nowhere',
    '/api/v1/nowhere',
    '/nowhere',
    `/api/v1/app/${long(2000)}`,
  ].map((path): Row => [`GET ${path.slice(0, 60)}`, 'GET', path, undefined, 404, 'not-found', []]),
  ...['GET /api/v1/app/a%00', 'POST /api/v1/app/a%00/msg', 'PUT /api/v1/app/a%00'].map((call): Row => {
    const [method = '', path = ''] = call.split(' ')
    const body = method === 'GET' ? undefined : method === 'POST' ? message({}) : { name: 'x' }
    return [`a name in the path with NUL, ${method}`, method, path, body, 422, 'request-invalid', ['/path/app_id']]
  }),
  ['a tag with NUL', 'GET', `${msg}?tag=a%00`, undefined, 422, 'request-invalid', ['/query/tag']],
  ['a URL that is not percent-encoded', 'GET', '/api/v1/app/%zz', undefined, 400, 'request-malformed', []],
  ['a URL that is not UTF-8', 'GET', '/api/v1/app/%ff', undefined, 400, 'request-malformed', []],
]

describe('a request that does not fit', () => {
  for (const [what, method, path, body, status, code, pointers] of rows) {
    test(`is told so: ${what}`, () =>
      leavesNothing(async () => {
        const refusal = await refused(path, body === undefined ? { method } : json(method, body))
        assert.deepEqual([refusal.status, refusal.code, refusal.pointers.toSorted()], [status, code, pointers])
      }))
  }
})

describe('a body that cannot be read', () => {
  test('is refused as malformed: truncated, not JSON, not UTF-8, empty', () =>
    leavesNothing(async () => {
      const bodies = [
        '{',
        '{"name":',
        'name=x',
        '{"name":"x"}}',
        "{'name':'x'}",
        '{"name":NaN}',
        Buffer.from([0x22, 0xff, 0x22]),
        '',
      ]
      for (const path of ['/api/v1/app', msg]) {
        for (const body of bodies) {
          const { status, code } = await refused(path, json('POST', body))
          assert.deepEqual([status, code], [400, 'body-malformed'], String(body))
        }
      }
    }))

  test('is refused as unsupported: another type, none, or compressed', () =>
    leavesNothing(async () => {
      const body = JSON.stringify({ name: 'x' })
      for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/jsonp', 'x', '']) {
        const { status, code } = await refused('/api/v1/app', {
          method: 'POST',
          headers: { 'content-type': type },
          body,
        })
        assert.deepEqual([status, code], [415, 'media-type-unsupported'], type)
      }
      const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' }
      assert.equal((await refused('/api/v1/app', { method: 'POST', headers, body })).code, 'media-type-unsupported')
    }))

  test('is taken with a charset', async () => {
    const headers = { 'content-type': 'application/json; charset=utf-8' }
    const answer = await server.fetch(msg, { method: 'POST', headers, body: JSON.stringify(message({})) })
    assert.equal(answer.status, 202)
    await answer.text()
  })

  test('is refused as too large, whether it says so itself or comes in chunks', () =>
    leavesNothing(async () => {
      const large = JSON.stringify(message({ payload: { a: long(1_100_000) } }))
      const declared = await raw(`POST ${msg} HTTP/1.1`, [`content-length: ${large.length}`], large)
      assert.match(declared, /^HTTP\/1\.1 413 .*body-too-large/s)
      const chunk = `${(large.length - 1).toString(16)}\r\n${large.slice(0, -1)}\r\n1\r\n}\r\n0\r\n\r\n`
      const chunked = await raw(`POST ${msg} HTTP/1.1`, ['transfer-encoding: chunked'], chunk)
      assert.match(chunked, /^HTTP\/1\.1 413 .*body-too-large/s)
      // And just under the limit it is taken: nothing but size was wrong.
      const { status } = await server.fetch(
        '/api/v1/app/nowhere/msg',
        json('POST', message({ payload: { a: long(1_000_000) } })),
      )
      assert.equal(status, 404)
    }))

  test('neither hangs nor ends the process, however deep it is nested', () =>
    leavesNothing(async () => {
      for (const [levels, code] of [
        [900, 'request-invalid'],
        [100_000, 'body-malformed'],
      ] as const) {
        const deep = `${'['.repeat(levels)}${']'.repeat(levels)}`
        assert.equal((await refused('/api/v1/app', json('POST', `{"name":${deep}}`))).code, code)
        const schemas = `{"name":"deep","description":"","schemas":{"1":${deep}}}`
        assert.equal((await refused('/api/v1/event-type', json('POST', schemas))).code, code)
        const message = `{"eventType":"a","payload":{"a":${deep}}}`
        const { status } = await refused('/api/v1/app/nowhere/msg', json('POST', message))
        assert.equal(status, levels === 900 ? 404 : 400)
      }
    }))

  // Fewer than a hundred of these ended the process (Node 26.10, 2026-11): see `readJson`.
  test('leaves the process alive when it is nested deeper than the engine can bear, time and again', () =>
    leavesNothing(async () => {
      const body = `{"payload":{"a":${'[-0\t,\n '.repeat(36_000)}{"é":true,"b":[[1]],"pa\\"y":""},"co\\u006e":{},"eventType":"a"}`
      for (let n = 0; n < 300; n++) {
        assert.equal((await refused('/api/v1/app/nowhere/msg', json('POST', body))).code, 'body-malformed')
      }
    }))

  test('with a hundred thousand faults is answered with no more than a hundred', async () => {
    const { status, pointers } = await refused(eps, json('POST', endpoint({ eventTypes: Array(100_000).fill('a b') })))
    assert.deepEqual([status, pointers.length], [422, 100])
  })
})

describe('a key', () => {
  test('that is missing, unknown, or badly put is 401 before anything else is looked at', () =>
    leavesNothing(async () => {
      for (const authorization of [
        undefined,
        '',
        'Bearer',
        'Bearer ',
        'Bearer nope',
        `Basic ${server.key}`,
        server.key,
        `Bearer ${server.key}x`,
        `Bearer ${long(5000)}`,
      ]) {
        const headers: Record<string, string> = {
          'content-type': 'text/plain',
          ...(authorization === undefined ? {} : { authorization }),
        }
        const refusal = await refusalOf(await fetch(`${server.url}${msg}`, { method: 'POST', headers, body: '{' }))
        assert.deepEqual([refusal.status, refusal.code], [401, 'unauthenticated'], String(authorization))
        assert.equal(refusal.headers.get('www-authenticate'), 'Bearer')
      }
    }))
})

describe('HTTP itself', () => {
  test('what is not HTTP is told so on the socket, and the server lives', async () => {
    for (const text of [
      'GARBAGE\r\n\r\n',
      'GET / HTTP/9.9\r\n\r\n',
      'GET /\0 HTTP/1.1\r\nhost: x\r\n\r\n',
      'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n',
    ]) {
      const answer = await spoken(server.url, text)
      assert.match(answer, /^HTTP\/1\.1 400 .*application\/problem\+json.*request-malformed/s, text.slice(0, 30))
    }
    await server.svix.health.get()
  })

  test('a known path with another method is 405 and says what is allowed', async () => {
    const cases: readonly (readonly [string, string, readonly string[]])[] = [
      ['DELETE', '/api/v1/app', ['GET', 'HEAD', 'OPTIONS', 'POST']],
      ['POST', '/api/v1/app/a', ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'PUT']],
      ['PATCH', `${msg}/evt/endpoint/ep/resend`, ['OPTIONS', 'POST']],
      ['POST', '/api/v1/health', ['GET', 'HEAD', 'OPTIONS']],
      ['POST', '/openapi.json', ['GET', 'HEAD', 'OPTIONS']],
      ['PROPFIND', '/api/v1/app', ['GET', 'HEAD', 'OPTIONS', 'POST']],
    ]
    for (const [method, path, allowed] of cases) {
      const refusal = await refused(path, { method })
      assert.deepEqual([refusal.status, refusal.code], [405, 'method-not-allowed'], `${method} ${path}`)
      assert.deepEqual(refusal.headers.get('allow')?.split(', ').toSorted(), allowed)
    }
  })

  test("a caller's short request id is given back, any other is replaced", async () => {
    const idFor = async (id: string) => {
      const answer = await server.fetch('/api/v1/app', { headers: { 'x-request-id': id } })
      await answer.text()
      return answer.headers.get('x-request-id')
    }
    assert.equal(await idFor('abc-123.X:y'), 'abc-123.X:y')
    for (const id of ['has space', long(65), 'a"b']) assert.match((await idFor(id)) ?? '', /^req_/)
    assert.notEqual(await idFor(''), await idFor(''))
  })
})

const raw = (line: string, headers: readonly string[], body: string): Promise<string> =>
  spoken(
    server.url,
    [
      line,
      'host: x',
      `authorization: Bearer ${server.key}`,
      'content-type: application/json',
      ...headers,
      '',
      body,
    ].join('\r\n'),
  )

test('a time that nobody can read is refused wherever it stands: it must not become none at all', async () => {
  const { id: endpoint } = await server.svix.endpoint.get('a', 'ep')
  const secret = { value: 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD' }
  const source = (times: object) => ({ name: 'S', type: 'github', config: { secrets: [{ ...secret, ...times }] } })
  const span = (since: string) => json('POST', { since })
  for (const time of ['2020-01-01T00:00:00+01', '2016-12-31T23:59:60Z', '2020-02-30T00:00:00Z']) {
    const asked = encodeURIComponent(time)
    for (const [path, init, pointer] of [
      ['/ingest/api/v1/source', json('POST', source({ until: time })), '/config/secrets/0/until'],
      ['/ingest/api/v1/source', json('POST', source({ from: time })), '/config/secrets/0/from'],
      [`/api/v1/app/a/endpoint/${endpoint}/recover`, span(time), '/since'],
      [`/api/v1/app/a/endpoint/${endpoint}/replay-missing`, span(time), '/since'],
      [`/api/v1/app/a/endpoint/${endpoint}/bulk-replay`, span(time), '/since'],
      [`/api/v1/app/a/msg?before=${asked}`, {}, '/query/before'],
      [`/api/v1/app/a/attempt/endpoint/ep?after=${asked}`, {}, '/query/after'],
      [`/api/v1/app/a/endpoint/ep/stats?since=${asked}`, {}, '/query/since'],
    ] as const) {
      const { status, code, pointers } = await refused(path, init)
      assert.deepEqual([status, code, pointers], [422, 'request-invalid', [pointer]], `${path} ${time}`)
    }
  }
})
