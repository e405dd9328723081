// Portal tokens: what a customer of the operator can and cannot do, with the official client as the caller.

import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { after, before, test } from 'node:test'
import { type Capability, capabilities, type Operation, operations } from '@posthorn/contract'
import { ApiException, AppPortalCapability, Svix } from 'svix'
import { Authenticator } from '../../src/api/auth.ts'
import { intoApplication } from '../../src/api/portal-wall.ts'
import { covers } from '../../src/domain/portal.ts'
import { getApplication } from '../../src/manage/applications.ts'
import { getSource } from '../../src/manage/sources.ts'
import { openDatabase } from '../support/database.ts'
import { startTestServer, type TestServer } from '../support/server.ts'
import { eventually, receiver } from './receiver.ts'

const publicUrl = 'https://hooks.example'
let server: TestServer
before(async () => {
  server = await startTestServer({ settings: { publicUrl } })
})
after(() => server.stop())

const all: readonly Operation[] = Object.values(operations)
const hour = 3_600

const clientWith = (token: string): Svix => new Svix(token, { serverUrl: server.url, retryScheduleInMs: [] })

let made = 0
async function application(): Promise<{ readonly id: string; readonly uid: string }> {
  const uid = `portal-${++made}`
  const { id } = await server.svix.application.create({ name: uid, uid })
  return { id, uid }
}

/** Calls as an application's customer. */
async function customerOf(
  app: string,
  asked: Parameters<Svix['authentication']['appPortalAccess']>[1] = {},
): Promise<Svix> {
  return clientWith((await server.svix.authentication.appPortalAccess(app, asked)).token)
}

/** Status and problem code of a call that must be refused. */
async function refusal(call: Promise<unknown>): Promise<string> {
  try {
    await call
  } catch (error) {
    if (error instanceof ApiException) return `${error.code} ${(error.body as { code?: string }).code}`
    throw error
  }
  throw new Error('was not refused')
}

test('a link leads to a page of ours and carries the token where no server sees it', async () => {
  const { id, uid } = await application()
  const { url, token } = await server.svix.authentication.appPortalAccess(uid, {})
  assert.match(token, /^phapp_[\w-]{43}$/)
  assert.equal(url, `${publicUrl}/portal#key=${token}&app=${id}`)

  const answer = await fetch(`${server.url}${new URL(url).pathname}`)
  const page = await answer.text()
  assert.equal(answer.status, 200)
  assert.equal(answer.headers.get('referrer-policy'), 'no-referrer')
  const policy = answer.headers.get('content-security-policy') ?? ''
  const [, style = ''] = /<style>(.*?)<\/style>/s.exec(page) ?? []
  assert.ok(policy.includes(`default-src 'none'; style-src 'sha256-${hash('sha256', style, 'base64')}';`), policy)
  assert.doesNotMatch(page, /<script|<link|<img|\son\w+=|style=/)
  for (const { portal, path } of all) if (portal !== null) assert.ok(page.includes(path), path)
  const post = await fetch(`${server.url}/portal`, { method: 'POST' })
  assert.deepEqual([post.status, post.headers.get('allow')], [405, 'GET, HEAD, OPTIONS'])
})

test('a customer looks after his own endpoints, by the id and by the uid of his application', async (t) => {
  const { id, uid } = await application()
  const { url } = await receiver(t)
  for (const app of [id, uid]) {
    const svix = await customerOf(app)
    const endpoint = await svix.endpoint.create(app, { url, headers: { 'x-mine': 'yes' } })
    assert.equal((await svix.endpoint.patch(app, endpoint.id, { description: 'Mine' })).description, 'Mine')
    assert.match((await svix.endpoint.getSecret(app, endpoint.id)).key, /^whsec_/)
    await svix.endpoint.rotateSecret(app, endpoint.id)
    assert.deepEqual((await svix.endpoint.getHeaders(app, endpoint.id)).headers, { 'x-mine': 'yes' })
    const message = await server.svix.message.create(app, { eventType: 'a', payload: {} })
    assert.equal((await svix.message.get(app, message.id)).id, message.id)
    const { data } = await eventually(
      () => svix.messageAttempt.listByMsg(app, message.id),
      (page) => page.data.length === 1,
    )
    assert.equal(data[0]?.endpointId, endpoint.id)
    await svix.messageAttempt.resend(app, message.id, endpoint.id)
    assert.equal((await svix.application.get(app)).id, id)
    await svix.endpoint.delete(app, endpoint.id)
  }
})

test('an application that is not there is made as the body describes it, and one that is stays as it is', async () => {
  const { svix } = server
  const asked = { application: { name: 'New' } }
  assert.equal(await refusal(svix.authentication.appPortalAccess('portal-made')), '404 not-found')
  const customer = clientWith((await svix.authentication.appPortalAccess('portal-made', asked)).token)
  assert.equal((await customer.application.get('portal-made')).name, 'New')
  await svix.authentication.appPortalAccess('portal-made', { application: { name: 'Other' } })
  assert.equal((await svix.application.get('portal-made')).name, 'New')
  const unlike = { application: { name: 'New', uid: 'another' } }
  assert.equal(await refusal(svix.authentication.appPortalAccess('portal-unlike', unlike)), '422 request-invalid')
})

test('every operation is allowed to a token whose capabilities cover it, and to no other', async () => {
  const { id } = await application()
  const sets: readonly (readonly Capability[])[] = [...capabilities.map((one) => [one]), capabilities]
  // Logging out last: it ends the token that the others are called with.
  const inOrder = all.toSorted((a, b) => Number(a.path.endsWith('/logout')) - Number(b.path.endsWith('/logout')))
  for (const set of sets) {
    const asked = { capabilities: set.map((one) => AppPortalCapability[one]) }
    const { token } = await server.svix.authentication.appPortalAccess(id, asked)
    for (const { operationId, method, path, scope, portal } of inOrder) {
      const at = path.replace('{app_id}', id).replaceAll(/\{\w+\}/g, 'nowhere')
      const answer = await fetch(`${server.url}${at}`, { method, headers: { authorization: `Bearer ${token}` } })
      const text = await answer.text()
      const may = scope === null || (portal !== null && covers(['ViewBase', ...set], portal))
      assert.equal(text.includes('"capability-missing"'), !may, `${operationId} with ${set}: ${answer.status} ${text}`)
      assert.equal(answer.status === 403, !may, `${operationId} with ${set}: ${answer.status} ${text}`)
      assert.notEqual(answer.status, 401, operationId)
      if (!may && portal === null) assert.match(text, /needs an API key with scope/, operationId)
    }
  }
})

test('outside of an application or a source a token reaches only what has a wall of its own', () => {
  const open = all.filter(({ portal, path }) => portal !== null && !/\/\{(app|source)_id\}/.test(path))
  assert.deepEqual(open.map(({ operationId }) => operationId).toSorted(), [
    'v1.authentication.logout',
    'v1.background-task.get',
    'v1.event-type.get',
    'v1.event-type.list',
  ])
})

test('what publishes, makes tokens or concerns the whole environment is closed to every token', () => {
  const closed = all.filter(({ portal }) => portal === null).map(({ operationId }) => operationId)
  for (const operationId of [
    'v1.message.create',
    'v1.authentication.app-portal-access',
    'v1.authentication.expire-all',
    'v1.application.list',
    'v1.application.create',
    'v1.application.update',
    'v1.application.patch',
    'v1.application.delete',
    'v1.event-type.create',
    'v1.event-type.update',
    'v1.event-type.patch',
    'v1.event-type.delete',
  ]) {
    assert.ok(closed.includes(operationId), operationId)
  }
})

test('a token that may only look sees neither secrets nor headers, and changes nothing', async () => {
  const { id } = await application()
  const endpoint = await server.svix.endpoint.create(id, { url: 'http://127.0.0.1:9/' })
  for (const asked of [
    { readOnly: true },
    { readOnly: true, capabilities: [AppPortalCapability.ManageEndpoint] },
    { capabilities: [] },
  ]) {
    const svix = await customerOf(id, asked)
    assert.equal((await svix.endpoint.get(id, endpoint.id)).id, endpoint.id)
    for (const call of [
      () => svix.endpoint.getSecret(id, endpoint.id),
      () => svix.endpoint.getHeaders(id, endpoint.id),
      () => svix.endpoint.patch(id, endpoint.id, { disabled: true }),
      () => svix.endpoint.delete(id, endpoint.id),
    ]) {
      assert.equal(await refusal(call()), '403 capability-missing')
    }
  }
})

test('a neighbour is not there for a token, word for word, by id or by uid, whatever is asked of it', async (t) => {
  const [mine, neighbour] = [await application(), await application()]
  const { url } = await receiver(t)
  const endpoint = await server.svix.endpoint.create(neighbour.id, { url, uid: 'ep' })
  const message = await server.svix.message.create(neighbour.id, { eventType: 'a', payload: {}, eventId: 'evt' })
  const { data } = await eventually(
    () => server.svix.messageAttempt.listByMsg(neighbour.id, message.id),
    (page) => page.data.length === 1,
  )
  const { token } = await server.svix.authentication.appPortalAccess(mine.id)
  const ask = async ({ method, path, body }: Operation, names: Readonly<Record<string, string>>) => {
    const examples: readonly unknown[] = body && 'examples' in body ? [body.examples].flat() : []
    const answer = await fetch(
      `${server.url}${path.replaceAll(/\{(\w+)\}/g, (_, name: string) => names[name] ?? '-')}`,
      {
        method,
        headers: { authorization: `Bearer ${token}`, ...(body ? { 'content-type': 'application/json' } : {}) },
        ...(body ? { body: JSON.stringify(examples[0]) } : {}),
      },
    )
    return `${answer.status} ${await answer.text()}`
  }
  const byId = { endpoint_id: endpoint.id, msg_id: message.id, attempt_id: data[0]?.id ?? '' }
  const byName = { ...byId, endpoint_id: 'ep', msg_id: 'evt' }
  let tried = 0
  for (const operation of all) {
    if (operation.portal === null || !operation.path.includes('{app_id}')) continue
    const nowhere = await ask(operation, { ...byName, app_id: 'nowhere' })
    assert.match(nowhere, /^404 .*No application/, operation.operationId)
    for (const names of [byId, byName]) {
      for (const app_id of [neighbour.id, neighbour.uid, encodeURIComponent(` ${mine.id}`)]) {
        const answer = await ask(operation, { ...names, app_id })
        assert.equal(answer, nowhere.replaceAll('nowhere', decodeURIComponent(app_id)), operation.operationId)
      }
      // Nor is what the neighbour has, under the token's own name.
      if (!/\{(endpoint|msg)_id\}/.test(operation.path)) continue
      if (names === byName && operation.operationId === 'v1.endpoint.update') continue
      assert.match(await ask(operation, { ...names, app_id: mine.id }), /^404 /, operation.operationId)
    }
    tried++
  }
  assert.ok(tried > 15)
  assert.deepEqual(await server.svix.endpoint.get(neighbour.id, 'ep'), endpoint)
  assert.equal((await server.svix.endpoint.list(neighbour.id)).data.length, 1)
})

test('a uid that changes hands does not take the token along', async () => {
  const [mine, other] = [await application(), await application()]
  const svix = await customerOf(mine.uid)
  assert.equal((await svix.application.get(mine.uid)).id, mine.id)
  await server.svix.application.patch(mine.id, { uid: `${mine.uid}-was` })
  await server.svix.application.patch(other.id, { uid: mine.uid })
  assert.equal(await refusal(svix.application.get(mine.uid)), '404 not-found')
  assert.equal((await svix.application.get(`${mine.uid}-was`)).id, mine.id)
})

test('the name in a path is settled before a handler runs, so that no change meanwhile leads elsewhere', async () => {
  const { id, uid } = await application()
  const { token } = await server.svix.authentication.appPortalAccess(id)
  const principal = await new Authenticator(server.store, server.world).read(`Bearer ${token}`)
  assert.ok(principal.kind === 'portal')
  const request = { params: { app_id: uid, endpoint_id: 'x' } }
  const applications: Parameters<typeof intoApplication>[0]['applications'] = {
    get: (...given) => getApplication(server, ...given),
  }
  const sources: Parameters<typeof intoApplication>[0]['sources'] = { get: (...given) => getSource(server, ...given) }
  await intoApplication({ applications, sources }, principal, request)
  assert.deepEqual(request.params, { app_id: id, endpoint_id: 'x' })
})

test("a token knows only its own environment's event types, and of those no hidden ones", async () => {
  const { id } = await application()
  const { svix } = server
  for (const [name, featureFlags] of [
    ['flag.none', null],
    ['flag.empty', []],
    ['flag.beta', ['beta']],
    ['flag.both', ['beta', 'eu']],
  ] as const) {
    await svix.eventType.create({ name, description: '', featureFlags: featureFlags && [...featureFlags] })
  }
  await svix.eventType.create({ name: 'flag.old', description: '', archived: true })
  const seen = async (customer: Svix) => {
    const names: string[] = []
    for (let iterator: string | null = null, done = false; !done; ) {
      const page = await customer.eventType.list({ limit: 1, ...(iterator === null ? {} : { iterator }) })
      names.push(...page.data.map(({ name }) => name))
      iterator = page.iterator ?? null
      done = page.done
    }
    return names.filter((name) => name.startsWith('flag.'))
  }
  const plain = await customerOf(id)
  assert.deepEqual(await seen(plain), ['flag.empty', 'flag.none'])
  assert.deepEqual(await seen(await customerOf(id, { featureFlags: ['eu'] })), ['flag.both', 'flag.empty', 'flag.none'])
  assert.deepEqual(await seen(svix), ['flag.beta', 'flag.both', 'flag.empty', 'flag.none'])
  assert.equal(await refusal(plain.eventType.get('flag.beta')), '404 not-found')
  assert.equal((await (await customerOf(id, { featureFlags: ['beta'] })).eventType.get('flag.beta')).name, 'flag.beta')
})

test('a customer can follow the tasks of his application, and no others', async () => {
  const [mine, neighbour] = [await application(), await application()]
  const since = new Date(server.world.now())
  const taskOf = async (app: string, svix: Svix) => {
    const endpoint = await svix.endpoint.create(app, { url: 'http://127.0.0.1:9/' })
    return (await svix.endpoint.recover(app, endpoint.id, { since, until: new Date(server.world.now() + 1) })).id
  }
  const svix = await customerOf(mine.id)
  const own = await taskOf(mine.id, svix)
  assert.equal((await svix.backgroundTask.get(own)).id, own)
  assert.equal(await refusal(svix.backgroundTask.get(await taskOf(neighbour.id, server.svix))), '404 not-found')
  const usage = await server.svix.statistics.aggregateEventTypes()
  assert.equal(await refusal(svix.backgroundTask.get(usage.id)), '404 not-found')
  assert.equal((await server.svix.backgroundTask.get(own)).id, own)
})

test('what the operator says about deliveries stays as it is, whoever replaces the endpoint', async () => {
  const { id } = await application()
  const { token } = await server.svix.authentication.appPortalAccess(id)
  const send = async (key: string, method: string, path: string, body: object) => {
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
    const answer = await fetch(`${server.url}/api/v1/app/${id}/endpoint${path}`, {
      method,
      headers,
      body: JSON.stringify(body),
    })
    return { status: answer.status, body: JSON.parse(await answer.text()) }
  }
  const url = 'http://127.0.0.1:9/'
  const control = { timeoutSeconds: 30, maxInFlight: 2 }
  await send(server.key, 'POST', '', { url, uid: 'ruled', control })
  for (const [method, path] of [
    ['POST', ''],
    ['PUT', '/ruled'],
    ['PUT', '/fresh'],
    ['PATCH', '/ruled'],
  ] as const) {
    const { status, body } = await send(token, method, path, { url, control: { timeoutSeconds: 60 } })
    assert.deepEqual([status, body.code, body.errors[0].pointer], [403, 'operator-reserved', '/control'], method)
  }
  assert.equal((await send(token, 'PATCH', '/ruled', { control: null })).status, 403)
  const replaced = await send(token, 'PUT', '/ruled', { url, description: 'Mine' })
  assert.deepEqual([replaced.status, replaced.body.control], [200, control])
  // A form that sends back all it has read means no change by it.
  assert.equal((await send(token, 'PUT', '/ruled', replaced.body)).status, 200)
})

test('a token ends when it was to, to the millisecond, however busy it is', async () => {
  const { id } = await application()
  const { world } = server
  const [short, usual] = [await customerOf(id, { expiry: hour }), await customerOf(id)]
  await world.leap(hour * 1000 - 100)
  for (let ms = 0; ms < 100; ms += 10) {
    await short.application.get(id)
    await world.advance(10)
  }
  assert.equal(await refusal(short.application.get(id)), '401 unauthenticated')
  await world.leap(6 * 24 * hour * 1000)
  await usual.application.get(id)
  await world.leap(23 * hour * 1000)
  assert.equal(await refusal(usual.application.get(id)), '401 unauthenticated')
  for (const expiry of [hour - 1, 7 * 24 * hour + 1]) {
    assert.equal(await refusal(server.svix.authentication.appPortalAccess(id, { expiry })), '422 request-invalid')
  }
})

test('a token that logged out stops within a second, and no other with it', async () => {
  const { id } = await application()
  const [svix, other] = [await customerOf(id), await customerOf(id)]
  await svix.application.get(id)
  await svix.authentication.logout()
  await server.world.advance(1_000)
  assert.equal(await refusal(svix.application.get(id)), '401 unauthenticated')
  assert.equal(await refusal(svix.authentication.logout()), '401 unauthenticated')
  await other.application.get(id)
})

test('an API key cannot log out, and is told how it is ended instead', async () => {
  await assert.rejects(server.svix.authentication.logout(), (error: ApiException<{ code: string }>) => {
    assert.deepEqual([error.code, (error.body as { code: string }).code], [422, 'portal-token-needed'])
    return true
  })
  await server.svix.application.list()
})

test('expire-all ends the tokens there are within a second, and none of another application or made later', async () => {
  const [here, there] = [await application(), await application()]
  const [first, second, neighbour] = [
    await customerOf(here.id),
    await customerOf(here.id, { sessionId: 's' }),
    await customerOf(there.id),
  ]
  await first.application.get(here.id)
  await server.svix.authentication.expireAll(here.uid)
  await server.world.advance(1_000)
  for (const svix of [first, second]) assert.equal(await refusal(svix.application.get(here.id)), '401 unauthenticated')
  await neighbour.application.get(there.id)
  await (await customerOf(here.id)).application.get(here.id)
  assert.equal(await refusal(server.svix.authentication.expireAll('nowhere')), '404 not-found')
})

test('expire-all leaves the grace it was told, and those of other sessions alone', async () => {
  const { id } = await application()
  const sessions = [
    await customerOf(id, { sessionId: 'a' }),
    await customerOf(id, { sessionId: 'b' }),
    await customerOf(id),
  ] as const
  const [a, b, none] = sessions
  await server.svix.authentication.expireAll(id, { expiry: 60, sessionIds: ['a'] })
  await server.world.leap(59_999)
  for (const svix of sessions) await svix.application.get(id)
  await server.world.advance(1)
  assert.equal(await refusal(a.application.get(id)), '401 unauthenticated')
  await b.application.get(id)
  await none.application.get(id)
  // A later, longer grace does not wake what has ended.
  await server.svix.authentication.expireAll(id, { expiry: 600 })
  assert.equal(await refusal(a.application.get(id)), '401 unauthenticated')
})

test('more tokens than one step ends are all ended', async () => {
  const { id } = await application()
  await customerOf(id)
  const database = openDatabase(server.databaseUrl)
  await database.exec(`insert into portal_token
    with recursive more (n) as (select 1 union all select n + 1 from more where n < 1100)
    select hash || n, id, environment_id, application_id, capabilities, feature_flags, session_id, created_at, expires_at
    from portal_token, more where application_id = '${id}'`)
  await server.svix.authentication.expireAll(id)
  const alive = await database.count(
    'select count(*) from portal_token where application_id = ? and expires_at > ?',
    id,
    server.world.now(),
  )
  await database.close()
  assert.equal(alive, 0)
})

test('a name that nothing can have is refused to a token, too, before a store is asked for it', async () => {
  const { id } = await application()
  const { token } = await server.svix.authentication.appPortalAccess(id, {})
  const answer = await server.fetch('/api/v1/app/a%00/endpoint', { headers: { authorization: `Bearer ${token}` } })
  assert.equal(answer.status, 422, await answer.text())
})

test('tokens of a deleted application are of no use, not even for event types', async () => {
  const { id } = await application()
  const svix = await customerOf(id)
  await svix.eventType.list()
  await server.svix.application.delete(id)
  await server.world.advance(1_000)
  assert.equal(await refusal(svix.eventType.list()), '401 unauthenticated')
})

test('what has ended leaves the database by itself', async () => {
  const { id } = await application()
  const svix = await customerOf(id, { expiry: hour })
  const database = openDatabase(server.databaseUrl)
  const count = () => database.count('select count(*) from portal_token where application_id = ?', id)
  await server.world.leap(hour * 1000 - 1)
  await svix.application.get(id)
  assert.equal(await count(), 1)
  // The chore asks the store's thread, and sets its next time only when that has answered.
  const nextLook = async () => {
    await server.world.advance(60_000)
    return count()
  }
  await eventually(nextLook, (left) => left === 0)
  await database.close()
})

test('answers that carry a credential are not to be kept by anybody', async () => {
  const { id } = await application()
  const endpoint = await server.svix.endpoint.create(id, { url: 'http://127.0.0.1:9/' })
  const carrying = all.filter(
    ({ method, path }) => path.includes('portal-access') || (method === 'GET' && /\/(secret|headers)$/.test(path)),
  )
  assert.ok(carrying.length >= 3)
  for (const { operationId, confidential } of carrying) assert.equal(confidential, true, operationId)
  for (const { method, path } of carrying) {
    if (!path.includes('{app_id}')) continue
    const at = path.replace('{app_id}', id).replace('{endpoint_id}', endpoint.id)
    const answer = await server.fetch(at, { method })
    assert.deepEqual([answer.status, answer.headers.get('cache-control')], [200, 'no-store'], at)
    await answer.text()
  }
})
