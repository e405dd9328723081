// The whole table of the official client: each of its operations is really called, against one running server.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { clientOperations, notBuilt } from '@posthorn/contract'
import { ApiException, Svix } from 'svix'
import { type ClientMethod, clientMethods, misfits } from '../support/client-sources.ts'
import { startTestServer, type TestServer } from '../support/server.ts'
import { eventually, receiver } from './receiver.ts'
import { calls, type Scene, svixSource } from './table-calls.ts'

/** How many of the client's operations worked when this was last raised: 62 are about sending, 16 about receiving. Never lower it. */
const worked = 78

const shape = ({ method, path }: { readonly method: string; readonly path: string }): string => `${method} ${path}`
const unbuilt = new Set(notBuilt.map(shape))

let server: TestServer
before(async () => {
  server = await startTestServer()
})
after(() => server.stop())

/** The client, and what came back when it last asked for something. */
function watched(key: string): {
  readonly svix: Svix
  readonly seen: { method: string; path: string; status: number }[]
} {
  const seen: { method: string; path: string; status: number }[] = []
  const svix = new Svix(key, {
    serverUrl: server.url,
    retryScheduleInMs: [],
    fetch: async (url, init) => {
      const answer = await fetch(url, init)
      seen.push({ method: init?.method ?? 'GET', path: new URL(String(url)).pathname, status: answer.status })
      return answer
    },
  })
  return { svix, seen }
}

test("the contract's list of the client's operations is the one in the client's own sources", () => {
  assert.equal(clientOperations.length, 138)
  assert.deepEqual(clientOperations.map(shape).toSorted(), [...new Set(clientMethods.map(shape))].toSorted())
  for (const operation of clientOperations) {
    const names = clientMethods.filter((method) => shape(method) === shape(operation)).map(({ name }) => name)
    assert.ok(names.includes(operation.name), operation.name)
  }
})

test('what is called to be not built says what to do instead', () => {
  for (const { name, instead } of notBuilt) assert.match(instead, /^[A-Z].*\.$/, name)
})

type Verdict = 'works' | 'not built' | 'fails'

/** Calls one method of the client as a user would, and judges what comes back. */
async function judge(method: ClientMethod, scene: Scene): Promise<{ readonly verdict: Verdict; readonly why: string }> {
  const { svix, seen } = watched(server.key)
  const call = calls[method.name] ?? (unbuilt.has(shape(method)) ? () => callBlindly(svix, method) : undefined)
  if (!call) return { verdict: 'fails', why: 'table-calls.ts has no call of it' }
  try {
    const value = await call(svix, scene)
    const faults = misfits(method.returns, value)
    const last = seen.at(-1)
    const reached = last === undefined || fits(method, last)
    if (!reached) return { verdict: 'fails', why: `the call ended in ${last.method} ${last.path}` }
    return faults.length === 0 ? { verdict: 'works', why: '' } : { verdict: 'fails', why: faults.join('; ') }
  } catch (error) {
    if (!(error instanceof ApiException)) return { verdict: 'fails', why: String(error) }
    const body: unknown = typeof error.body === 'string' ? JSON.parse(error.body) : error.body
    const why = JSON.stringify(body)
    const last = seen.at(-1)
    const named = why.includes(clientOperations.find((operation) => shape(operation) === shape(method))?.name ?? '?')
    const honest = error.code === 501 && last !== undefined && (named || !fits(method, last))
    return { verdict: honest ? 'not built' : 'fails', why }
  }
}

const fits = (method: ClientMethod, seen: { readonly method: string; readonly path: string }): boolean =>
  seen.method === method.method && new RegExp(`^${method.path.replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(seen.path)

/** What is not built is called with anything: that it is not there must not depend on what is sent. */
async function callBlindly(svix: Svix, { name, path }: ClientMethod): Promise<unknown> {
  const parts = name.split('.')
  let holder: unknown = svix
  for (const part of parts.slice(0, -1)) holder = Reflect.get(Object(holder), part)
  const run: unknown = Reflect.get(Object(holder), parts.at(-1) ?? '')
  if (typeof run !== 'function') throw new Error(`the client has no ${name}`)
  const inPath = [...path.matchAll(/\{\w+\}/g)].map(() => 'anything')
  return Reflect.apply(run, holder, [...inPath, { config: {}, type: 'cron', events: [] }])
}

/** A server with something of each kind in it, as far as it can be made yet. */
async function makeScene(url: string): Promise<Scene> {
  const { svix, world } = server
  let made = 0
  const fresh = (): string => `table-${++made}`
  const { id: app } = await svix.application.create({ name: 'Table', uid: 'table' })
  const { name: eventType } = await svix.eventType.create({
    name: 'table.tested',
    description: 'Tested',
    schemas: { '1': { type: 'object', properties: { n: { type: 'integer' } }, examples: [{ n: 1 }] } },
  })
  const { id: endpoint } = await svix.endpoint.create(app, { url })
  const { id: message } = await svix.message.create(app, { eventType, payload: { n: 1 } })
  const attempts = await eventually(
    () => svix.messageAttempt.listByMsg(app, message),
    ({ data }) => data.length === 1,
  )
  const { id: source } = await svix.ingest.source.create(svixSource)
  const since = new Date(world.now() - 3_600_000)
  const until = new Date(world.now() + 3_600_000)
  const built = (name: string): boolean => {
    const method = clientMethods.find((method) => method.name === name)
    return method !== undefined && !unbuilt.has(shape(method))
  }
  return {
    app,
    endpoint,
    message,
    attempt: attempts.data[0]?.id ?? '',
    eventType,
    task: built('endpoint.recover') ? (await svix.endpoint.recover(app, endpoint, { since })).id : 'qtask_none',
    operational: built('operationalWebhook.endpoint.create')
      ? (await svix.operationalWebhook.endpoint.create({ url })).id
      : 'ep_none',
    source,
    sourceEndpoint: (await svix.ingest.endpoint.create(source, { url })).id,
    url,
    since,
    until,
    fresh,
    async portal() {
      if (!built('authentication.appPortalAccess')) return svix
      const { token } = await svix.authentication.appPortalAccess(app)
      return new Svix(token, { serverUrl: server.url, retryScheduleInMs: [] })
    },
  }
}

test('every operation of the client works, or says that it is not built', async (t) => {
  const { url } = await receiver(t)
  const scene = await makeScene(url)
  const verdicts = new Map<string, Verdict>()
  const failures: string[] = []
  for (const method of clientMethods) {
    const { verdict, why } = await judge(method, scene)
    if (verdict === 'fails') failures.push(`${method.name}: ${why}`)
    if (verdicts.get(shape(method)) !== 'fails') verdicts.set(shape(method), verdict)
  }
  const count = (verdict: Verdict): number => [...verdicts.values()].filter((each) => each === verdict).length
  t.diagnostic(`of ${verdicts.size} operations ${count('works')} work, ${count('not built')} are not built`)
  assert.deepEqual(failures, [])
  for (const [operation, verdict] of verdicts) {
    assert.equal(verdict, unbuilt.has(operation) ? 'not built' : 'works', operation)
  }
  assert.ok(count('works') >= worked, `${count('works')} operations work; it were ${worked}`)
})

test('what is not built is told only to who may call it', async () => {
  for (const { method, path, name } of notBuilt) {
    const url = `${server.url}${path.replaceAll(/\{\w+\}/g, 'x')}`
    const stranger = await fetch(url, { method })
    assert.equal(stranger.status, 401, name)
    const answer = await fetch(url, { method, headers: { authorization: `Bearer ${server.key}` } })
    const problem: unknown = JSON.parse(await answer.text())
    assert.deepEqual([answer.status, Reflect.get(Object(problem), 'code')], [501, 'not-built'], name)
    await stranger.arrayBuffer()
  }
})
