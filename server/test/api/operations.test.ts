// The official client: what it sends must work, and what we answer must satisfy its models.

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type Operation, operations } from '@posthorn/contract'
import { messageInRaw } from 'svix'
import { startTestServer, type TestServer } from '../support/server.ts'
import { eventually, receiver } from './receiver.ts'
import { refused } from './refused.ts'

let server: TestServer
before(async () => {
  server = await startTestServer()
})
after(() => server.stop())

let made = 0
/** A new application, so that tests do not see each other's. */
async function application(): Promise<string> {
  const { id } = await server.svix.application.create({ name: `Test ${++made}` })
  return id
}

describe('the client', () => {
  const sources = fileURLToPath(
    new URL('./api', import.meta.resolve('svix/package.json').replace('package.json', 'src/')),
  )
  const calls = readdirSync(sources).flatMap((file) =>
    readFileSync(`${sources}/${file}`, 'utf8')
      .split('new SvixRequest(')
      .slice(1)
      .map((text) => {
        const [, method = '', path = ''] = /^\s*HttpMethod\.(\w+),\s*"([^"]+)"/.exec(text) ?? []
        const body = text.slice(0, text.indexOf('request.send'))
        const parameters = [...body.matchAll(/^\s+(\w+): options\?/gm), ...body.matchAll(/setQueryParam\("(\w+)"/g)]
        return { method, path, parameters: parameters.map(([, name]) => name) }
      }),
  )

  test('calls every operation of the table at the same path, with parameters the table knows', () => {
    assert.ok(calls.length > 130, `${calls.length} calls were seen`)
    const all: readonly Operation[] = Object.values(operations)
    for (const { operationId, own, method, path, query } of all) {
      if (own) continue
      const same = calls.filter((call) => call.method === method && call.path === path)
      assert.ok(same.length > 0, operationId)
      const unknown = same.flatMap(({ parameters }) => parameters).filter((name) => !(String(name) in query.properties))
      assert.deepEqual(unknown, [], operationId)
    }
  })
})

describe('health', () => {
  test('is well while the store answers', async () => {
    await server.svix.health.get()
    assert.equal((await fetch(`${server.url}/api/v1/health`)).status, 204)
  })
})

describe('applications', () => {
  test('an application is created as described, with what was left out at its default', async () => {
    const { svix } = server
    const full = await svix.application.create({ name: 'Full', uid: 'app-full', throttleRate: 7, metadata: { a: 'b' } })
    assert.match(full.id, /^app_[0-9A-Za-z]{27}$/)
    assert.deepEqual(
      { ...full, id: '' },
      {
        id: '',
        name: 'Full',
        uid: 'app-full',
        throttleRate: 7,
        metadata: { a: 'b' },
        createdAt: new Date(server.world.now()),
        updatedAt: new Date(server.world.now()),
      },
    )
    const bare = await svix.application.create({ name: 'Bare' })
    assert.deepEqual([bare.uid, bare.throttleRate, bare.metadata], [null, null, {}])
  })

  test('a uid is taken once; asking for it "if it exists" answers the one that has it', async () => {
    const { svix } = server
    const first = await svix.application.create({ name: 'First', uid: 'app-once' })
    const { code, body } = await refused(svix.application.create({ name: 'Second', uid: 'app-once' }))
    assert.deepEqual([code, body.code], [409, 'uid-taken'])
    assert.deepEqual(await svix.application.getOrCreate({ name: 'Second', uid: 'app-once' }), first)
    const made = await svix.application.getOrCreate({ name: 'Third', uid: 'app-made' })
    assert.equal(made.name, 'Third')
  })

  test('twenty callers asking at once for an application that is not there get one and the same', async () => {
    const { svix } = server
    const all = await Promise.all(
      Array.from({ length: 20 }, () => svix.application.getOrCreate({ name: 'Race', uid: 'app-race' })),
    )
    assert.equal(new Set(all.map(({ id }) => id)).size, 1)
  })

  test('an application is found by its id and by its uid', async () => {
    const { svix } = server
    const made = await svix.application.create({ name: 'Found', uid: 'app-found' })
    assert.deepEqual(await svix.application.get(made.id), made)
    assert.deepEqual(await svix.application.get('app-found'), made)
    assert.equal((await refused(svix.application.get('app-nowhere'))).code, 404)
  })

  test('putting an unknown uid creates, putting it again replaces and does not lose the uid', async () => {
    const { svix } = server
    const path = '/api/v1/app/app-put'
    const put = (body: object) =>
      server.fetch(path, { method: 'PUT', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
    assert.equal((await put({ name: 'One', throttleRate: 5, metadata: { a: 'b' } })).status, 201)
    assert.equal((await put({ name: 'Two' })).status, 200)
    const put3 = await svix.application.upsert('app-put', { name: 'Three', uid: null })
    assert.deepEqual([put3.name, put3.uid, put3.throttleRate, put3.metadata], ['Three', 'app-put', null, {}])
    const renamed = await svix.application.upsert('app-put', { name: 'Three', uid: 'app-put-3' })
    assert.deepEqual([renamed.id, renamed.uid], [put3.id, 'app-put-3'])
    assert.equal((await refused(svix.application.upsert(`app_${'0'.repeat(27)}`, { name: 'x' }))).code, 404)
    assert.equal((await refused(svix.application.upsert('app-a', { name: 'x', uid: 'app-b' }))).code, 422)
  })

  test('a patch changes only what it names, and null clears', async () => {
    const { svix } = server
    const { id } = await svix.application.create({ name: 'P', uid: 'app-patch', throttleRate: 3, metadata: { a: 'b' } })
    const named = await svix.application.patch('app-patch', { name: 'Q' })
    assert.deepEqual([named.name, named.uid, named.throttleRate, named.metadata], ['Q', 'app-patch', 3, { a: 'b' }])
    const cleared = await svix.application.patch(id, { uid: null, throttleRate: null, metadata: {} })
    assert.deepEqual([cleared.name, cleared.uid, cleared.throttleRate, cleared.metadata], ['Q', null, null, {}])
  })

  test('a deleted application is gone, and its uid free', async () => {
    const { svix } = server
    const { id } = await svix.application.create({ name: 'Gone', uid: 'app-gone' })
    await svix.application.delete('app-gone')
    assert.equal((await refused(svix.application.get(id))).code, 404)
    assert.equal((await refused(svix.application.delete(id))).code, 404)
    assert.notEqual((await svix.application.create({ name: 'Anew', uid: 'app-gone' })).id, id)
  })

  test('lists leave out applications without endpoints, and those whose endpoints are all disabled, when asked', async () => {
    const { svix } = server
    const none = await application()
    const off = await application()
    const on = await application()
    await svix.endpoint.create(off, { url: 'http://127.0.0.1:9/', disabled: true })
    await svix.endpoint.create(on, { url: 'http://127.0.0.1:9/' })
    const listed = async (options: object) => {
      const { data } = await svix.application.list({ limit: 250, order: 'descending', ...options } as object)
      return [none, off, on].filter((id) => data.some((row) => row.id === id))
    }
    assert.deepEqual(await listed({}), [none, off, on])
    assert.deepEqual(await listed({ excludeAppsWithNoEndpoints: true }), [off, on])
    assert.deepEqual(await listed({ excludeAppsWithDisabledEndpoints: true }), [none, on])
    assert.deepEqual(await listed({ excludeAppsWithNoEndpoints: true, excludeAppsWithDisabledEndpoints: true }), [on])
    assert.deepEqual(await listed({ excludeAppsWithSvixPlayEndpoints: true }), [none, off, on])
  })

  test('the older name of a rate is understood, and both names are answered', async () => {
    const answer = await server.fetch('/api/v1/app', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'Older', rateLimit: 12 }),
    })
    assert.equal(answer.status, 201)
    const { throttleRate, rateLimit } = JSON.parse(await answer.text())
    assert.deepEqual([throttleRate, rateLimit], [12, 12])
  })
})

describe('event types', () => {
  const schemas = { '1': { type: 'object', properties: { id: { type: 'integer', maximum: 9007199254740991 } } } }

  test('an event type is declared once, read by name, and its name may contain slashes', async () => {
    const { svix } = server
    const description = 'Paid'
    const made = await svix.eventType.create({
      name: 'pay/invoice.paid',
      description,
      schemas,
      featureFlags: ['beta', 'x'],
    })
    assert.deepEqual(await svix.eventType.get('pay/invoice.paid'), made)
    assert.deepEqual([made.schemas, made.featureFlags, made.featureFlag], [schemas, ['beta', 'x'], 'beta'])
    assert.deepEqual([made.archived, made.deprecated, made.groupName], [false, false, null])
    const { code, body } = await refused(svix.eventType.create({ name: 'pay/invoice.paid', description }))
    assert.deepEqual([code, body.code], [409, 'event-type-exists'])
  })

  test('putting an unknown name declares it, putting it again replaces all of it', async () => {
    const { svix } = server
    const first = await svix.eventType.upsert('et.put', { description: 'One', schemas, groupName: 'g' })
    assert.deepEqual([first.description, first.groupName], ['One', 'g'])
    const second = await svix.eventType.upsert('et.put', { description: 'Two', deprecated: true })
    assert.deepEqual(
      [second.description, second.groupName, second.schemas, second.deprecated],
      ['Two', null, null, true],
    )
  })

  test('a patch changes only what it names', async () => {
    const { svix } = server
    await svix.eventType.create({ name: 'et.patch', description: 'One', schemas, groupName: 'g' })
    const patched = await svix.eventType.patch('et.patch', { deprecated: true, groupName: null })
    assert.deepEqual(
      [patched.description, patched.schemas, patched.deprecated, patched.groupName],
      ['One', schemas, true, null],
    )
    assert.equal((await refused(svix.eventType.patch('et.none', {}))).code, 404)
  })

  test('deleting archives, creating again brings it back, expunging removes', async () => {
    const { svix } = server
    await svix.eventType.create({ name: 'et.del', description: 'One' })
    await svix.eventType.delete('et.del')
    assert.equal((await svix.eventType.get('et.del')).archived, true)
    const back = await svix.eventType.create({ name: 'et.del', description: 'Two' })
    assert.deepEqual([back.archived, back.description], [false, 'Two'])
    await svix.eventType.delete('et.del', { expunge: true })
    assert.equal((await refused(svix.eventType.get('et.del'))).code, 404)
    assert.equal((await refused(svix.eventType.delete('et.del'))).code, 404)
  })

  test('lists are by name, and show archived ones and schemas only when asked', async () => {
    const { svix } = server
    for (const name of ['list.c', 'list.a', 'list.b']) await svix.eventType.create({ name, description: '', schemas })
    await svix.eventType.delete('list.b')
    const names = async (options: object) => {
      const { data } = await svix.eventType.list({ limit: 250, ...options })
      return data.filter(({ name }) => name.startsWith('list.'))
    }
    assert.deepEqual(
      (await names({})).map(({ name }) => name),
      ['list.a', 'list.c'],
    )
    assert.deepEqual(
      (await names({ includeArchived: true })).map(({ name }) => name),
      ['list.a', 'list.b', 'list.c'],
    )
    assert.deepEqual(
      (await names({})).map((row) => row.schemas),
      [null, null],
    )
    assert.deepEqual(
      (await names({ withContent: true })).map((row) => row.schemas),
      [schemas, schemas],
    )
  })
})

describe('endpoints', () => {
  test('an endpoint is created as described, and found by id and uid', async () => {
    const { svix } = server
    const app = await application()
    const wish = {
      url: 'https://Example.com:8443/a?b=c',
      uid: 'ep-1',
      description: 'd',
      disabled: true,
      eventTypes: ['a.b', 'c'],
      channels: ['x:1'],
      throttleRate: 3,
      metadata: { k: 'v' },
    }
    const made = await svix.endpoint.create(app, { ...wish, secret: null, headers: null })
    assert.match(made.id, /^ep_[0-9A-Za-z]{27}$/)
    const { id, createdAt, updatedAt, ...rest } = made
    assert.deepEqual(rest, wish)
    assert.deepEqual(await svix.endpoint.get(app, id), made)
    assert.deepEqual(await svix.endpoint.get(app, 'ep-1'), made)
    assert.deepEqual((await svix.endpoint.list(app)).data, [made])
    assert.equal((await refused(svix.endpoint.create(app, { url: wish.url, uid: 'ep-1' }))).code, 409)
    assert.equal(createdAt.getTime(), updatedAt.getTime())
  })

  test('the older names are understood, and both are answered', async () => {
    const app = await application()
    const answer = await server.fetch(`/api/v1/app/${app}/endpoint`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ url: 'https://example.com/', filterTypes: ['a'], rateLimit: 2, version: 1 }),
    })
    assert.equal(answer.status, 201)
    const shown = JSON.parse(await answer.text())
    assert.deepEqual(
      [shown.eventTypes, shown.filterTypes, shown.throttleRate, shown.rateLimit, shown.version],
      [['a'], ['a'], 2, 2, 1],
    )
  })

  test('putting creates under the uid of the path, and again replaces all but uid, secret and headers', async () => {
    const { svix } = server
    const app = await application()
    const made = await svix.endpoint.upsert(app, 'ep-put', {
      url: 'https://example.com/1',
      channels: ['a'],
      disabled: true,
    })
    assert.deepEqual([made.uid, made.channels, made.disabled], ['ep-put', ['a'], true])
    await svix.endpoint.setHeaders(app, 'ep-put', { headers: { 'x-a': '1' } })
    const secret = await svix.endpoint.getSecret(app, 'ep-put')
    const put = await svix.endpoint.upsert(app, 'ep-put', { url: 'https://example.com/2' })
    assert.deepEqual(
      [put.id, put.uid, put.url, put.channels, put.disabled],
      [made.id, 'ep-put', 'https://example.com/2', null, false],
    )
    assert.deepEqual(await svix.endpoint.getSecret(app, 'ep-put'), secret)
    assert.deepEqual((await svix.endpoint.getHeaders(app, 'ep-put')).headers, { 'x-a': '1' })
  })

  test('a patch changes only what it names, and null clears', async () => {
    const { svix } = server
    const app = await application()
    const { id } = await svix.endpoint.create(app, {
      url: 'https://example.com/',
      channels: ['a'],
      eventTypes: ['t'],
      uid: 'u',
    })
    const disabled = await svix.endpoint.patch(app, id, { disabled: true })
    assert.deepEqual(
      [disabled.disabled, disabled.channels, disabled.eventTypes, disabled.uid],
      [true, ['a'], ['t'], 'u'],
    )
    const cleared = await svix.endpoint.patch(app, id, { channels: null, eventTypes: null, uid: null, disabled: false })
    assert.deepEqual([cleared.disabled, cleared.channels, cleared.eventTypes, cleared.uid], [false, null, null, null])
  })

  test('a deleted endpoint is gone, and its uid free', async () => {
    const { svix } = server
    const app = await application()
    const { id } = await svix.endpoint.create(app, { url: 'https://example.com/', uid: 'u' })
    await svix.endpoint.delete(app, 'u')
    assert.equal((await refused(svix.endpoint.get(app, id))).code, 404)
    await svix.endpoint.create(app, { url: 'https://example.com/', uid: 'u' })
  })

  test('a secret is made, or taken as given, and rotates to a made or a given one', async () => {
    const { svix } = server
    const app = await application()
    const given = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
    const { id } = await svix.endpoint.create(app, { url: 'https://example.com/', secret: given })
    assert.equal((await svix.endpoint.getSecret(app, id)).key, given)
    await svix.endpoint.rotateSecret(app, id)
    const { key: rotated } = await svix.endpoint.getSecret(app, id)
    assert.match(rotated, /^whsec_/)
    assert.notEqual(rotated, given)
    const next = `whsec_${Buffer.alloc(24, 9).toString('base64')}`
    await svix.endpoint.rotateSecret(app, id, { key: next, gracePeriodSeconds: 0 })
    assert.equal((await svix.endpoint.getSecret(app, id)).key, next)
    assert.equal((await refused(svix.endpoint.rotateSecret(app, id, { gracePeriodSeconds: 604_801 }))).code, 422)
    assert.equal(
      (await refused(svix.endpoint.rotateSecret(app, id, { key: 'whsec_short' }))).body.code,
      'secret-invalid',
    )
  })

  test('headers are set, patched and removed without regard to case; values that look secret are not shown', async () => {
    const { svix } = server
    const app = await application()
    const { id } = await svix.endpoint.create(app, {
      url: 'https://example.com/',
      headers: { 'X-Tenant': 'a', Authorization: 'b' },
    })
    const lower = (headers: object) =>
      Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
    const shown = await svix.endpoint.getHeaders(app, id)
    assert.deepEqual(
      [lower(shown.headers), shown.sensitive.map((name) => name.toLowerCase())],
      [{ 'x-tenant': 'a' }, ['authorization']],
    )
    await svix.endpoint.patchHeaders(app, id, {
      headers: { 'x-TENANT': 'c', 'x-more': 'd' },
      deleteHeaders: ['AUTHORIZATION'],
    })
    const patched = await svix.endpoint.getHeaders(app, id)
    assert.deepEqual([lower(patched.headers), patched.sensitive], [{ 'x-tenant': 'c', 'x-more': 'd' }, []])
    await svix.endpoint.setHeaders(app, id, { headers: { 'x-only': 'e' } })
    assert.deepEqual(lower((await svix.endpoint.getHeaders(app, id)).headers), { 'x-only': 'e' })
    const reserved = await refused(svix.endpoint.patchHeaders(app, id, { headers: { 'webhook-id': 'x' } }))
    assert.deepEqual([reserved.code, reserved.body.code], [422, 'header-reserved'])
    assert.deepEqual(lower((await svix.endpoint.getHeaders(app, id)).headers), { 'x-only': 'e' })
  })
})

describe('messages', () => {
  test('a precheck says whether an active endpoint wants such a message, by type and channel', async () => {
    const { svix } = server
    const app = await application()
    const asked = async (eventType: string, channels?: string[]) =>
      (await svix.message.precheck(app, { eventType, ...(channels && { channels }) })).active
    assert.equal(await asked('a.b'), false)
    const { id } = await svix.endpoint.create(app, { url: 'https://a.example/', eventTypes: ['a.b'], channels: ['x'] })
    assert.equal(await asked('a.b', ['y', 'x']), true)
    assert.equal(await asked('a.b', ['y']), false)
    assert.equal(await asked('a.b'), false)
    assert.equal(await asked('a.c', ['x']), false)
    await svix.endpoint.patch(app, id, { disabled: true })
    assert.equal(await asked('a.b', ['x']), false)
    assert.equal((await refused(svix.message.precheck('nobody', { eventType: 'a.b' }))).code, 404)
    assert.equal((await svix.message.list(app)).data.length, 0)
  })

  test('a message is accepted, found by its id and its eventId, and shows its payload only when asked', async () => {
    const { svix } = server
    const app = await application()
    const made = await svix.message.create(app, {
      eventType: 'a.b',
      payload: { x: [1, { y: null }] },
      eventId: 'evt-1',
      channels: ['c:1'],
      tags: ['any thing', 't'],
    })
    assert.match(made.id, /^msg_[0-9A-Za-z]{27}$/)
    const { id, ...rest } = made
    assert.deepEqual(rest, {
      eventType: 'a.b',
      eventId: 'evt-1',
      payload: {},
      channels: ['c:1'],
      tags: ['any thing', 't'],
      timestamp: new Date(server.world.now()),
      deliverAt: null,
    })
    assert.deepEqual(await svix.message.get(app, id), made)
    assert.deepEqual(await svix.message.get(app, 'evt-1', { withContent: true }), {
      ...made,
      payload: { x: [1, { y: null }] },
    })
    const again = await refused(svix.message.create(app, { eventType: 'a.b', payload: {}, eventId: 'evt-1' }))
    assert.deepEqual([again.code, again.body.code], [409, 'event-id-taken'])
    assert.match(JSON.stringify(again.body), new RegExp(id))
  })

  test('a payload comes back as it was spelled, in the answer, alone and in a list', async () => {
    const app = await application()
    const payload = '{ "big":12345678901234567890, "one":1.0,"e":1e3 ,"a":1,"a":2,"\\u0041":"\\u00e9\\ud83c\\udfba é" }'
    const path = `/api/v1/app/${app}/msg`
    const headers = { 'content-type': 'application/json' }
    const made = await server.fetch(path, { method: 'POST', headers, body: `{"eventType":"a","payload":${payload}}` })
    assert.equal(made.status, 202)
    const text = await made.text()
    assert.ok(text.includes(payload))
    const { id } = JSON.parse(text)
    assert.ok((await (await server.fetch(`${path}/${id}`)).text()).includes(payload))
    assert.ok((await (await server.fetch(path)).text()).includes(payload))
    assert.ok(!(await (await server.fetch(`${path}?with_content=false`)).text()).includes('12345678901234567890'))
  })

  test('a raw payload is delivered as given under its content type, and shown as a string', async (t) => {
    const { svix } = server
    const app = await application()
    const { url, received, until } = await receiver(t)
    await svix.endpoint.create(app, { url })
    const made = await svix.message.create(app, messageInRaw('a', '<a>1</a>\n', 'application/xml'), {
      withContent: true,
    })
    assert.equal(made.payload, '<a>1</a>\n')
    await until(1)
    assert.deepEqual([received[0]?.body, received[0]?.headers['content-type']], ['<a>1</a>\n', 'application/xml'])
  })

  test('a message may bring its application, which is made under the uid of the path, once', async () => {
    const { svix } = server
    const body = { eventType: 'a', payload: {}, application: { name: 'Brought', uid: 'brought' } }
    await Promise.all(Array.from({ length: 8 }, () => svix.message.create('brought', body)))
    assert.equal((await svix.application.get('brought')).name, 'Brought')
    await svix.message.create('brought', { ...body, application: { name: 'Ignored' } })
    assert.equal((await svix.application.get('brought')).name, 'Brought')
    assert.equal((await svix.message.list('brought')).data.length, 9)
    assert.equal(
      (await refused(svix.message.create('not-brought', { ...body, application: { name: 'x', uid: 'y' } }))).code,
      422,
    )
  })

  test('lists filter by channel, tag, event types and time', async () => {
    const { svix, world } = server
    const app = await application()
    const publish = async (eventType: string, channels: string[], tags: string[]) => {
      await world.advance(1000)
      return (await svix.message.create(app, { eventType, payload: {}, channels, tags })).id
    }
    const a = await publish('t.a', ['c1'], ['g1'])
    const b = await publish('t.b', ['c1', 'c2'], ['g2'])
    const c = await publish('t.c', ['c2'], ['g1', 'g2'])
    const at = (id: string) => svix.message.get(app, id).then(({ timestamp }) => timestamp)
    const ids = async (options: object) => (await svix.message.list(app, options)).data.map(({ id }) => id)
    assert.deepEqual(await ids({}), [c, b, a])
    assert.deepEqual(await ids({ channel: 'c1' }), [b, a])
    assert.deepEqual(await ids({ tag: 'g1' }), [c, a])
    assert.deepEqual(await ids({ eventTypes: ['t.a', 't.c'] }), [c, a])
    assert.deepEqual(await ids({ before: await at(c) }), [b, a])
    assert.deepEqual(await ids({ after: await at(a) }), [c, b])
    assert.deepEqual(await ids({ after: await at(a), before: await at(c) }), [b])
    assert.deepEqual(await ids({ channel: 'c2', tag: 'g2', eventTypes: ['t.b'] }), [b])
    const repeated = await server.fetch(`/api/v1/app/${app}/msg?event_types=t.a&event_types=t.b`)
    assert.equal(JSON.parse(await repeated.text()).data.length, 2)
  })
})

describe('attempts', () => {
  test('what was tried is listed by endpoint and by message, with or without the answers, and found by id', async (t) => {
    const { svix } = server
    const app = await application()
    const { url } = await receiver(t)
    const endpoint = await svix.endpoint.create(app, { url, uid: 'ep' })
    const message = await svix.message.create(app, { eventType: 'a', payload: { x: 1 }, eventId: 'evt', tags: ['t'] })
    const { data } = await eventually(
      () => svix.messageAttempt.listByMsg(app, 'evt', { withContent: true }),
      (page) => page.data.length === 1,
    )
    const [attempt] = data
    assert.ok(attempt)
    const { id, timestamp, responseDurationMs, ...rest } = attempt
    assert.match(id, /^atmpt_[0-9A-Za-z]{27}$/)
    assert.ok(Number.isInteger(responseDurationMs) && !Number.isNaN(timestamp.getTime()))
    assert.deepEqual(rest, {
      msgId: message.id,
      endpointId: endpoint.id,
      url,
      status: 0,
      statusText: 'success',
      responseStatusCode: 200,
      response: 'answered 200',
      triggerType: 0,
      msg: undefined,
    })
    assert.deepEqual(await svix.messageAttempt.get(app, 'evt', id), attempt)
    assert.equal((await svix.messageAttempt.listByMsg(app, message.id)).data[0]?.response, '')
    const [withMessage] = (await svix.messageAttempt.listByEndpoint(app, 'ep', { withMsg: true })).data
    assert.deepEqual(withMessage?.msg, message)
    const [without] = (await svix.messageAttempt.listByEndpoint(app, endpoint.id)).data
    assert.deepEqual([without?.id, without?.msg], [id, undefined])
    assert.equal((await refused(svix.messageAttempt.get(app, 'evt', `atmpt_${'0'.repeat(27)}`))).code, 404)
    assert.equal((await refused(svix.messageAttempt.get(app, 'evt', 'whatever'))).code, 404)
  })

  test('attempts are filtered by outcome, class of status, endpoint and what their message is', async (t) => {
    const { svix } = server
    const app = await application()
    const good = await receiver(t)
    const bad = await receiver(t)
    bad.answer(503)
    const goodEndpoint = await svix.endpoint.create(app, { url: good.url, uid: 'good' })
    const badEndpoint = await svix.endpoint.create(app, { url: bad.url, uid: 'bad' })
    const message = await svix.message.create(app, { eventType: 'a', payload: {}, channels: ['c'], tags: ['t'] })
    await eventually(
      () => svix.messageAttempt.listByMsg(app, message.id),
      (page) => page.data.length === 2,
    )
    const at = async (options: object) =>
      (await svix.messageAttempt.listByMsg(app, message.id, options)).data.map(({ endpointId }) => endpointId)
    assert.deepEqual(await at({ status: 0 }), [goodEndpoint.id])
    assert.deepEqual(await at({ status: 2 }), [badEndpoint.id])
    for (const status of [1, 3, 4]) assert.deepEqual(await at({ status }), [])
    assert.deepEqual(await at({ statusCodeClass: 500 }), [badEndpoint.id])
    assert.deepEqual(await at({ statusCodeClass: 200, endpointId: 'good' }), [goodEndpoint.id])
    assert.deepEqual(await at({ endpointId: badEndpoint.id, tag: 't', channel: 'c', eventTypes: ['a', 'b'] }), [
      badEndpoint.id,
    ])
    const byEndpoint = async (options: object) =>
      (await svix.messageAttempt.listByEndpoint(app, 'bad', options)).data.length
    assert.deepEqual(
      await Promise.all([{}, { status: 0 }, { tag: 't' }, { tag: 'u' }, { channel: 'c', status: 2 }].map(byEndpoint)),
      [1, 0, 1, 0, 1],
    )
    assert.equal((await refused(svix.messageAttempt.listByMsg(app, message.id, { endpointId: 'nowhere' }))).code, 404)
  })

  test('what an endpoint was sent is filtered by time, channel, tag and event type, in both of its lists', async (t) => {
    const { svix, world } = server
    const app = await application()
    const { url } = await receiver(t)
    const { id: endpoint } = await svix.endpoint.create(app, { url })
    const first = await svix.message.create(app, { eventType: 'a', payload: {}, channels: ['c'], tags: ['t'] })
    const sent = async () => (await svix.messageAttempt.listByEndpoint(app, endpoint)).data.length
    await eventually(sent, (count) => count === 1)
    await world.advance(2_000)
    const between = new Date(world.now() - 1_000)
    const second = await svix.message.create(app, { eventType: 'b', payload: {}, channels: ['d'] })
    await eventually(sent, (count) => count === 2)
    const cases = [
      ...[{ before: between }, { channel: 'c' }, { tag: 't' }, { eventTypes: ['a', 'x'] }].map(
        (o) => [o, first.id] as const,
      ),
      ...[{ after: between }, { channel: 'd' }, { eventTypes: ['b'] }].map((o) => [o, second.id] as const),
    ]
    for (const [options, id] of cases) {
      const byEndpoint = await svix.messageAttempt.listByEndpoint(app, endpoint, { ...options, withMsg: true })
      assert.deepEqual(
        byEndpoint.data.map(({ msgId, msg }) => [msgId, msg?.id]),
        [[id, id]],
        JSON.stringify(options),
      )
      const attempted = await svix.messageAttempt.listAttemptedMessages(app, endpoint, options)
      assert.deepEqual(
        attempted.data.map((message) => message.id),
        [id],
        JSON.stringify(options),
      )
    }
    const byMessage = await svix.messageAttempt.listByMsg(app, first.id, { after: between })
    assert.deepEqual(byMessage.data, [])
  })

  test('a message that failed is "sending" until its next try, then "success"', async (t) => {
    const { svix, world } = server
    const app = await application()
    const { url, answer } = await receiver(t)
    answer(500)
    const endpoint = await svix.endpoint.create(app, { url })
    const message = await svix.message.create(app, { eventType: 'a', payload: { x: 1 } })
    const destination = async () => (await svix.messageAttempt.listAttemptedDestinations(app, message.id)).data[0]
    const sending = await eventually(destination, (row) => row?.status === 3)
    assert.deepEqual([sending?.id, sending?.statusText, sending?.url], [endpoint.id, 'sending', url])
    const next = sending?.nextAttempt?.getTime() ?? 0
    assert.ok(next > world.now() && next <= world.now() + 6_000)
    const attempted = async (options: object = {}) =>
      (await svix.messageAttempt.listAttemptedMessages(app, endpoint.id, options)).data
    const [shown] = await attempted({ withContent: true })
    assert.deepEqual(
      [shown?.id, shown?.statusText, shown?.payload, shown?.nextAttempt?.getTime()],
      [message.id, 'sending', { x: 1 }, next],
    )
    assert.deepEqual((await attempted({ status: 3 })).length, 1)
    for (const status of [0, 1, 2, 4]) assert.deepEqual(await attempted({ status } as object), [])

    answer(200)
    await world.advance(next - world.now() + 1)
    // The clock stands between tries, so whoever looks a moment too early must be let look again.
    const done = await eventually(
      async () => {
        await world.advance(10)
        return destination()
      },
      (row) => row?.status === 0,
    )
    assert.deepEqual([done?.statusText, done?.nextAttempt], ['success', null])
    assert.deepEqual((await attempted({ status: 0 }))[0]?.payload, {})
  })

  test('a resend is one more attempt, by hand; not at a disabled endpoint, nor of what is unknown', async (t) => {
    const { svix } = server
    const app = await application()
    const { url, until } = await receiver(t)
    const endpoint = await svix.endpoint.create(app, { url })
    const message = await svix.message.create(app, { eventType: 'a', payload: {}, eventId: 'evt' })
    await eventually(
      () => svix.messageAttempt.listByMsg(app, 'evt'),
      (page) => page.data.length === 1,
    )
    assert.deepEqual(await svix.messageAttempt.resend(app, 'evt', endpoint.id), {})
    await until(2)
    const { data } = await eventually(
      () => svix.messageAttempt.listByMsg(app, message.id),
      (page) => page.data.length === 2,
    )
    assert.deepEqual(
      data.map(({ triggerType }) => triggerType),
      [1, 0],
    )
    assert.equal((await refused(svix.messageAttempt.resend(app, 'evt-2', endpoint.id))).code, 404)
    assert.equal((await refused(svix.messageAttempt.resend(app, 'evt', 'nowhere'))).code, 404)
    await svix.endpoint.patch(app, endpoint.id, { disabled: true })
    const { code, body } = await refused(svix.messageAttempt.resend(app, 'evt', endpoint.id))
    assert.deepEqual([code, body.code], [422, 'endpoint-disabled'])
  })
})
