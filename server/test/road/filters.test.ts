// Filters over the whole server: who gets what, what a bad one is told, and that one tenant's does not hold up another's.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Scene, scene } from './scene.ts'

interface Answer {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>> & {
    readonly code?: string
    readonly errors?: readonly { readonly pointer: string; readonly message: string }[]
  }
}

async function call(at: Scene, method: string, path: string, body?: unknown): Promise<Answer> {
  const answer = await at.server.fetch(`/api/v1${path}`, {
    method,
    headers: { 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  const text = await answer.text()
  return { status: answer.status, body: text === '' ? {} : (JSON.parse(text) as Answer['body']) }
}

const idsAt = (at: Scene): readonly string[] =>
  at.receiver.received.map(({ headers }) => String(headers['webhook-id'])).toSorted()

test('an endpoint gets only the messages that its filter is true of, to the last digit', async (t) => {
  const here = await scene(t)
  const { status } = await call(here, 'PATCH', `/app/shop/endpoint/${here.endpointId}`, {
    filter: 'payload.order == 12345678901234567 && payload.lines.exists(l, l.sku == "b")',
  })
  assert.equal(status, 200)
  const wanted = await here.publish('{"order":12345678901234567,"lines":[{"sku":"a"},{"sku":"b"}]}')
  await here.publish('{"order":12345678901234568,"lines":[{"sku":"b"}]}')
  await here.publish('{"order":12345678901234567,"lines":[]}')
  await here.publish('{"lines":[{"sku":"b"}]}')
  await here.arrived(1)
  await here.quiet()
  assert.deepEqual(idsAt(here), [wanted])
  assert.equal(await here.disk.count('select count(*) from delivery'), 0)
})

test('a filter counts from the moment its change is answered, and so does its end', async (t) => {
  const here = await scene(t)
  const path = `/app/shop/endpoint/${here.endpointId}`
  const got = [await here.publish()]
  assert.equal((await call(here, 'PATCH', path, { filter: 'payload.total > 100' })).status, 200)
  await here.publish('{"total":1}')
  got.push(await here.publish('{"total":101}'))
  // Clients that know nothing of filters do not take them away.
  await here.server.svix.endpoint.upsert('shop', here.endpointId, { url: `${here.receiver.url}/hook` })
  await here.publish('{"total":2}')
  assert.equal((await call(here, 'PATCH', path, { filter: null })).status, 200)
  got.push(await here.publish('{"total":3}'))
  await here.arrived(3)
  await here.quiet()
  assert.deepEqual(idsAt(here), got.toSorted())
})

test('several endpoints are judged each by its own filter; those without one get everything', async (t) => {
  const here = await scene(t)
  for (const [uid, filter] of [
    ['large', 'payload.total > 100'],
    ['eu', '"eu" in channels || payload.region == "eu"'],
    ['broken', 'payload.nothing.there == 1'],
  ] as const) {
    const { status } = await call(here, 'POST', '/app/shop/endpoint', {
      uid,
      filter,
      url: `${here.receiver.url}/${uid}`,
    })
    assert.equal(status, 201)
  }
  await here.publish('{"total":500,"region":"eu"}')
  await here.publish('{"total":1,"region":"us"}')
  await here.arrived(4)
  await here.quiet()
  assert.deepEqual(here.receiver.received.map(({ path }) => path).toSorted(), ['/eu', '/hook', '/hook', '/large'])
})

test('explain tells of a filter that was not true, and of one that could not be worked out', async (t) => {
  const here = await scene(t)
  const path = `/app/shop/endpoint/${here.endpointId}`
  await call(here, 'PATCH', path, { filter: 'payload.total > 100' })
  const small = await here.publish('{"total":1}')
  const without = await here.publish('{}')
  // Whatever becomes of the filter later.
  await call(here, 'PATCH', path, { filter: null })
  const explained = async (id: string) => (await call(here, 'GET', `/app/shop/msg/${id}/explain`)).body.data as object[]
  const base = { endpointId: here.endpointId, endpointUid: null, url: `${here.receiver.url}/hook`, verdict: 'not-sent' }
  assert.deepEqual(await explained(small), [{ ...base, because: 'filter', detail: 'It was not true of the message.' }])
  assert.deepEqual(await explained(without), [{ ...base, because: 'filter', detail: 'field not found: total' }])
})

test('a bad filter is refused with the place and the reason, beside every other fault', async (t) => {
  const here = await scene(t)
  const { status, body } = await call(here, 'PATCH', `/app/shop/endpoint/${here.endpointId}`, { filter: 'totl > 1' })
  assert.equal(status, 422)
  assert.equal(body.code, 'filter-invalid')
  assert.deepEqual(body.errors?.[0]?.pointer, '/filter')
  assert.match(body.errors?.[0]?.message ?? '', /^at character 1: totl is not known here/)
  const both = await call(here, 'POST', '/app/shop/endpoint', { url: 'ftp://x', filter: 'payload.total >' })
  assert.deepEqual(both.body.errors?.map(({ pointer }) => pointer).toSorted(), ['/filter', '/url'])
  assert.equal(await here.disk.count('select count(*) from endpoint where filter is not null'), 0)
})

test("a tenant's endless filter costs another tenant's publish nothing but a moment", async (t) => {
  const here = await scene(t)
  const { server } = here
  await server.svix.application.create({ name: 'Hostile', uid: 'hostile' })
  const hook = `${here.receiver.url}/hostile`
  const filter = 'payload.l.all(a, payload.l.all(b, a + b >= 0))'
  assert.equal((await call(here, 'POST', '/app/hostile/endpoint', { url: hook, filter })).status, 201)
  await call(here, 'PATCH', `/app/shop/endpoint/${here.endpointId}`, { filter: 'payload.ok' })
  const endless = here.publishTo('hostile', JSON.stringify({ l: Array.from({ length: 3_000 }, (_, n) => n) }))
  await server.svix.application.create({ name: 'Plain', uid: 'plain' })
  // Who has no filter does not even wait for it: the judge is given up only when the clock goes on.
  await here.publishTo('plain')
  const behind = here.publish('{"ok":true}')
  let done = false
  const all = Promise.all([endless, behind]).finally(() => {
    done = true
  })
  await here.eventually('both are accepted', async () => {
    if (!done) await server.world.advance(10)
    return done
  })
  const [, wanted] = await all
  await here.arrived(1)
  await here.quiet()
  assert.deepEqual(idsAt(here), [wanted])
  assert.match(
    await (await server.fetch('/metrics')).text(),
    /posthorn_filters_undecided_total\{because="too-costly"\} 1/,
  )
})

test('an endpoint that is disabled while a filter of another is worked out gets nothing of that message', async (t) => {
  const here = await scene(t)
  const { server, endpointId } = here
  const filter = 'payload.l.all(a, payload.l.all(b, a + b >= 0))'
  await call(here, 'POST', '/app/shop/endpoint', { url: `${here.receiver.url}/endless`, filter })
  let id = ''
  const publishing = here.publish(JSON.stringify({ l: Array.from({ length: 3_000 }, (_, n) => n) })).then((message) => {
    id = message
  })
  await server.svix.endpoint.patch('shop', endpointId, { disabled: true })
  assert.equal(id, '', 'it is still worked out')
  await here.eventually('it is accepted', async () => {
    if (id === '') await server.world.advance(10)
    return id !== ''
  })
  await publishing
  await here.quiet()
  assert.equal(here.receiver.received.length, 0)
  assert.equal(await here.disk.count('select count(*) from delivery'), 0)
})

test('a filter can be tried: what it says alone, and what the endpoint would do; nothing is sent', async (t) => {
  const here = await scene(t)
  const path = `/app/shop/endpoint/${here.endpointId}`
  await call(here, 'PATCH', path, { filter: 'payload.id == 12345678901234567', eventTypes: ['invoice.*'] })
  const tried = async (body: unknown) => call(here, 'POST', `${path}/filter/test`, body)
  const own = await tried('{"eventType":"invoice.paid","payload":{"id":12345678901234567}}')
  assert.deepEqual(own, { status: 200, body: { matches: true, because: null, filter: 'yes', reason: null } })
  for (const [body, expected] of [
    ['{"eventType":"invoice.paid","payload":{"id":12345678901234568}}', ['filter', 'no', null]],
    ['{"eventType":"user.created","payload":{"id":12345678901234567}}', ['event-type', 'yes', null]],
    ['{"eventType":"invoice.paid","payload":{}}', ['filter', 'failed', 'field not found: id']],
  ] as const) {
    const [because, filter, reason] = expected
    assert.deepEqual((await tried(body)).body, { matches: false, because, filter, reason })
  }
  const given = { eventType: 'invoice.paid', payload: {}, filter: 'tags == ["a"] && channels == ["b"]' }
  assert.equal((await tried({ ...given, tags: ['a'], channels: ['b'] })).body.matches, true)
  assert.equal((await tried({ ...given, filter: null })).body.filter, null)
  assert.equal((await tried({ ...given, filter: '1 +' })).body.code, 'filter-invalid')
  assert.equal((await tried({ eventType: 'a b', payload: [] })).body.code, 'request-invalid')
  await here.server.svix.endpoint.patch('shop', here.endpointId, { disabled: true })
  assert.equal((await tried(given)).body.because, 'disabled')
  await here.quiet()
  assert.equal(here.receiver.received.length, 0)
})

test('each message of a batch is judged by itself', async (t) => {
  const here = await scene(t)
  await call(here, 'PATCH', `/app/shop/endpoint/${here.endpointId}`, { filter: 'payload.n > 1' })
  const messages = [1, 2, 3].map((n) => ({ eventType: 'a', payload: { n } }))
  const { body } = await call(here, 'POST', '/app/shop/msg/batch', { messages })
  assert.deepEqual(
    (body.data as { status: number }[]).map(({ status }) => status),
    [202, 202, 202],
  )
  await here.arrived(2)
  await here.quiet()
  assert.deepEqual(here.receiver.received.map(({ body }) => body.toString()).toSorted(), ['{"n":2}', '{"n":3}'])
})

test('an endpoint wants all event types of a group by one name', async (t) => {
  const here = await scene(t)
  await here.server.svix.endpoint.patch('shop', here.endpointId, { eventTypes: ['invoice.*'] })
  for (const eventType of ['invoice.paid', 'invoice.line.added', 'invoice', 'invoices.paid', 'user.created']) {
    await here.server.svix.message.create('shop', { eventType, payload: { eventType } })
  }
  await here.arrived(2)
  await here.quiet()
  assert.equal(here.receiver.received.length, 2)
})
