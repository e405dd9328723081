// Entity tags and the requests that name them, over every operation that shows or changes a resource.

import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { type Operation, operations } from '@posthorn/contract'
import { startTestServer, type TestServer } from '../support/server.ts'

let server: TestServer
before(async () => {
  server = await startTestServer()
})
after(() => server.stop())

const all: readonly Operation[] = Object.values(operations)
const shown = (path: string): boolean => all.some((one) => one.path === path && one.method === 'GET')
const changes = all.filter(({ method, path }) => method !== 'GET' && method !== 'POST' && shown(path))

const names: Record<string, string> = {
  app_id: 'a',
  endpoint_id: 'ep',
  event_type_name: 'et',
  source_id: 's',
}
const pathOf = ({ path }: Operation): string => path.replaceAll(/\{(\w+)\}/g, (_, name) => names[name] ?? name)

beforeEach(async () => {
  for (const [path, body] of [
    ['/api/v1/app/a', { name: 'A' }],
    ['/api/v1/app/a/endpoint/ep', { url: 'http://127.0.0.1:9/', disabled: true }],
    ['/api/v1/event-type/et', { description: '' }],
    [
      '/ingest/api/v1/source/s',
      { name: 'S', type: 'svix', config: { secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw' } },
    ],
    ['/ingest/api/v1/source/s/endpoint/ep', { url: 'http://127.0.0.1:9/', disabled: true }],
    ['/api/v1/operational-webhook/endpoint/ep', { url: 'http://127.0.0.1:9/', disabled: true }],
  ] as const) {
    await (await send('PUT', path, {}, body)).text()
  }
  names.quarantine_id = await refusedRequest()
})

/** Of something that came to the source unsigned. */
async function refusedRequest(): Promise<string> {
  const { ingestUrl } = (await (await server.fetch('/ingest/api/v1/source/s')).json()) as { ingestUrl: string }
  await (await fetch(server.url + new URL(ingestUrl).pathname, { method: 'POST', body: '{}' })).text()
  const list = await server.fetch('/ingest/api/v1/source/s/quarantine')
  const { data } = (await list.json()) as { data: readonly { readonly id: string }[] }
  return data[0]?.id ?? assert.fail('nothing was refused')
}

async function send(method: string, path: string, headers: Record<string, string>, body?: unknown): Promise<Response> {
  await server.world.advance(1)
  return server.fetch(path, {
    method,
    headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
}

async function look(path: string): Promise<{ readonly etag: string; readonly text: string }> {
  const answer = await server.fetch(path)
  const text = await answer.text()
  assert.equal(answer.status, 200, `${path}: ${text}`)
  return { etag: answer.headers.get('etag') ?? assert.fail(`${path} has no ETag`), text }
}

/** What any client could send: what it has read, or no change at all. */
function bodyFor({ method }: Operation, text: string): unknown {
  if (method === 'DELETE') return undefined
  return method === 'PUT' ? JSON.parse(text) : {}
}

async function codeOf(answer: Response): Promise<readonly [number, string]> {
  return [answer.status, ((await answer.json()) as { code: string }).code]
}

describe('who changes what he has read', () => {
  test('can do so on every path that shows something', () => assert.ok(changes.length >= 12))

  for (const operation of changes) {
    test(`is refused before any effect when it is no longer so, and let through when it is: ${operation.operationId}`, async () => {
      const { method } = operation
      const path = pathOf(operation)
      const before = await look(path)
      const body = bodyFor(operation, before.text)
      for (const headers of [
        { 'if-match': '"another"' },
        { 'if-match': `W/${before.etag}` },
        { 'if-none-match': '*' },
        { 'if-none-match': `"x", ${before.etag}` },
      ]) {
        const refused = await send(method, path, headers, body)
        assert.deepEqual(await codeOf(refused), [412, 'precondition-failed'], JSON.stringify(headers))
        assert.deepEqual(await look(path), before)
      }
      assert.deepEqual(await codeOf(await send(method, path, { 'if-match': 'bare' }, body)), [400, 'request-malformed'])
      const done = await send(method, path, { 'if-match': `"another", ${before.etag}` }, body)
      const text = await done.text()
      assert.ok(done.ok, `${done.status} ${text}`)
      if (method === 'PATCH' && done.status === 200) assert.equal(done.headers.get('etag'), (await look(path)).etag)
    })
  }

  test('is the only one of any number who read the same state and change it at the same time', async () => {
    const path = '/api/v1/app/a'
    const { etag } = await look(path)
    const patches = Array.from({ length: 8 }, (_, n) =>
      server.fetch(path, {
        method: 'PATCH',
        headers: { 'content-type': 'application/json', 'if-match': etag },
        body: JSON.stringify({ name: `by ${n}` }),
      }),
    )
    const statuses = (await Promise.all(patches)).map(({ status }) => status)
    assert.deepEqual(statuses.toSorted(), [200, ...Array(7).fill(412)])
  })

  test('creates with If-None-Match: * only what is not there, and nothing with If-Match', async () => {
    const path = '/api/v1/app/fresh'
    assert.deepEqual(await codeOf(await send('PUT', path, { 'if-match': '*' }, { name: 'x' })), [
      412,
      'precondition-failed',
    ])
    assert.equal((await send('PUT', path, { 'if-none-match': '*' }, { name: 'x' })).status, 201)
    assert.equal((await send('PUT', path, { 'if-none-match': '*' }, { name: 'y' })).status, 412)
    assert.match((await look(path)).text, /"name":"x"/)
  })

  test('is told of a fault in his request first', async () => {
    const path = '/api/v1/app/a'
    assert.equal((await send('PUT', path, { 'if-match': '"x"' }, {})).status, 422)
    assert.equal((await send('PATCH', '/api/v1/app/nobody', { 'if-match': '"x"' }, {})).status, 404)
    const stranger = await fetch(`${server.url}${path}`, { method: 'DELETE', headers: { 'if-match': '"x"' } })
    assert.equal(stranger.status, 401)
  })
})

describe('who has read it before', () => {
  test('is told 304, with the same tag and no body, for each resource there is', async () => {
    const { svix } = server
    const { id } = await svix.message.create('a', { eventType: 'et', payload: { a: 1 } })
    const task = await svix.statistics.aggregateAppStats({ since: new Date(0), until: new Date(1) })
    const paths = [
      '/api/v1/app/a',
      '/api/v1/app/a/endpoint/ep',
      '/api/v1/app/a/endpoint/ep/headers',
      '/api/v1/event-type/et',
      '/api/v1/environment/settings',
      `/api/v1/app/a/msg/${id}`,
      `/api/v1/app/a/msg/${id}?with_content=false`,
      `/api/v1/background-task/${task.id}`,
    ]
    for (const path of paths) {
      const { etag } = await look(path)
      for (const known of [etag, `W/${etag}`, `"x", ${etag}`, '*']) {
        const again = await server.fetch(path, { headers: { 'if-none-match': known } })
        assert.equal(await again.text(), '')
        assert.equal(again.status, 304, `${path} ${known}`)
        if (known !== '*') assert.equal(again.headers.get('etag'), etag)
        const kept = path.endsWith('headers') ? 'no-store' : 'private, no-cache'
        assert.equal(again.headers.get('cache-control'), kept)
      }
      const other = await server.fetch(path, { headers: { 'if-none-match': '"x"' } })
      assert.equal(other.status, 200)
      await other.text()
      const head = await server.fetch(path, { method: 'HEAD' })
      assert.deepEqual([head.status, head.headers.get('etag')], [200, etag])
    }
  })

  test('is told what is new once anything shown has changed, wherever it was changed', async () => {
    const path = '/api/v1/app/a/endpoint/ep'
    const tags = new Set([(await look(path)).etag])
    for (const [changed, body] of [
      [path, { description: 'new' }],
      ['/api/v1/app/a', { throttleRate: 7 }],
      ['/api/v1/environment/settings', { control: { ordering: 'endpoint' } }],
    ] as const) {
      const answer = await send('PATCH', changed, {}, body)
      assert.equal(answer.status, 200, await answer.text())
      tags.add((await look(path)).etag)
    }
    assert.equal(tags.size, 4)
  })

  test('finds no tag on a list or a refusal; and what holds secrets is stored nowhere on its way', async () => {
    for (const [path, cacheControl] of [
      ['/api/v1/app/a/endpoint/ep/secret', 'no-store'],
      ['/api/v1/app', 'private, no-cache'],
      ['/api/v1/app/nobody', 'no-store'],
    ] as const) {
      const answer = await server.fetch(path)
      await answer.text()
      assert.equal(answer.headers.get('cache-control'), cacheControl, path)
      assert.equal(answer.headers.has('etag'), path.endsWith('secret'), path)
    }
  })
})
