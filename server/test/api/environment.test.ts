import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Svix } from 'svix'
import { makeIds } from '../../src/domain/ids.ts'
import { createKey } from '../../src/manage/keys.ts'
import { startTestServer, type TestServer } from '../support/server.ts'
import { eventually } from './receiver.ts'
import { refused } from './refused.ts'

let server: TestServer
before(async () => {
  server = await startTestServer()
})
after(() => server.stop())

const settingsPath = '/api/v1/environment/settings'
const patch = (body: unknown): Promise<Response> =>
  server.fetch(settingsPath, {
    method: 'PATCH',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })

/** The client with a key of another environment of this server. */
async function another(name: string): Promise<Svix> {
  const { store, world } = server
  const newId = makeIds(world.now, world.randomBytes)
  const { text } = await createKey({ store, world, newId }, { environment: name, name: 'test', scopes: ['admin'] })
  return new Svix(text, { serverUrl: server.url, retryScheduleInMs: [] })
}

test('what one environment exports, another imports: event types with schemas, archived ones, and settings', async () => {
  const { svix } = server
  const schemas = { '1': { type: 'object', required: ['id'] } }
  await svix.eventType.create({
    name: 'a.kept',
    description: 'Kept',
    schemas,
    groupName: 'a',
    featureFlags: ['x', 'y'],
  })
  await svix.eventType.create({ name: 'a.old', description: 'Old', deprecated: true })
  await svix.eventType.delete('a.old')
  await patch({ control: { retentionDays: 7, retrySchedule: [1.5, 60] }, schemaValidation: 'warn' })
  const exported = await svix.environment.export()
  assert.deepEqual(
    exported.eventTypes.map(({ name, archived }) => [name, archived]),
    [
      ['a.kept', false],
      ['a.old', true],
    ],
  )
  const other = await another('twin')
  await other.eventType.create({ name: 'a.kept', description: 'Will be replaced' })
  await other.eventType.create({ name: 'b.own', description: 'Is not in the export' })
  await other.environment.import(exported)
  const there = await other.environment.export()
  const known = (one: typeof there) => one.eventTypes.map(({ createdAt: _, updatedAt: __, ...rest }) => rest)
  assert.deepEqual(known(there).slice(0, 2), known(exported))
  assert.deepEqual(there.eventTypes[2]?.name, 'b.own')
  assert.deepEqual(there.settings, {
    control: { retrySchedule: [1.5, 60], retentionDays: 7 },
    schemaValidation: 'warn',
    strictEventTypes: false,
  })
})

test('an import is refused whole when a part of it does not fit, and when it brings connectors', async () => {
  const other = await another('picky')
  const good = { name: 'good.one', description: 'Fits' }
  const unfit = await refused(other.environment.import({ eventTypes: [good, { name: 'not good', description: '' }] }))
  assert.deepEqual([unfit.code, unfit.body.errors?.map(({ pointer }) => pointer)], [422, ['/eventTypes/1/name']])
  const connector = { name: 'Slack', transformation: 'x' }
  const brought = await refused(other.environment.import({ eventTypes: [good], connectors: [connector] }))
  assert.deepEqual([brought.code, brought.body.errors?.map(({ pointer }) => pointer)], [422, ['/connectors']])
  assert.deepEqual((await other.environment.export()).eventTypes, [])
})

test('settings change by what is named, null inherits again, and what cannot be is refused', async () => {
  const fresh = await patch({ control: { throttleRate: 5, timeoutSeconds: 20 }, strictEventTypes: true })
  assert.equal(fresh.status, 200)
  await patch({ control: { throttleRate: null } })
  const held = (await (await server.fetch(settingsPath)).json()) as { control: object; strictEventTypes: boolean }
  assert.equal(held.strictEventTypes, true)
  assert.equal('throttleRate' in held.control, false)
  assert.equal('timeoutSeconds' in held.control, true)
  const wrong = await patch({ control: { timeoutSeconds: 600 }, schemaValidation: 'maybe' })
  assert.equal(wrong.status, 422)
  await patch({ control: null, strictEventTypes: false, schemaValidation: 'off' })
  const bare = { control: {}, schemaValidation: 'off', strictEventTypes: false }
  assert.deepEqual(await (await server.fetch(settingsPath)).json(), bare)
})

test('event types that are published without being declared are listed a second later, once', async () => {
  const { svix, world } = server
  const { id } = await svix.application.create({ name: 'Undeclared' })
  await svix.eventType.create({ name: 'seen.declared', description: '' })
  for (const eventType of ['seen.typo', 'seen.declared', 'seen.typo']) {
    await svix.message.create(id, { eventType, payload: {} })
  }
  const seenAt = new Date(world.now()).toISOString()
  const listed = async () => {
    const answer = await server.fetch('/api/v1/environment/undeclared-event-type')
    return ((await answer.json()) as { data: object[] }).data
  }
  assert.deepEqual(await listed(), [])
  await world.advance(1_000)
  const data = await eventually(listed, ({ length }) => length > 0)
  assert.deepEqual(data, [{ name: 'seen.typo', archived: false, seenAt }])
})

test('an endpoint shows what counts for it, and which level says so', async () => {
  const { svix } = server
  await patch({ control: { throttleRate: 50, timeoutSeconds: 20, maxInFlight: 3 } })
  const { id } = await svix.application.create({ name: 'Shop', throttleRate: 200 })
  const json = async (method: string, path: string, body?: object) => {
    const answer = await server.fetch(`/api/v1/app/${id}${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
    })
    assert.ok(answer.ok, await answer.clone().text())
    return answer.json() as Promise<{ id: string; resolved: Record<string, { value: unknown; from: string }> }>
  }
  await json('PATCH', '', { control: { timeoutSeconds: 30, ordering: 'endpoint' } })
  const made = await json('POST', '/endpoint', {
    ...{
      url: 'https://example.com/',
      control: { timeoutSeconds: 40, throttleRate: 'unread', retentionDays: 'unread' },
    },
  })
  const { resolved } = await json('GET', `/endpoint/${made.id}`)
  assert.deepEqual(resolved, made.resolved)
  assert.deepEqual(resolved.timeoutSeconds, { value: 40, from: 'endpoint' })
  assert.deepEqual(resolved.ordering, { value: 'endpoint', from: 'application' })
  assert.deepEqual(resolved.maxInFlight, { value: 3, from: 'environment' })
  assert.deepEqual(resolved.throttleRate, { value: 50, from: 'environment' })
  assert.deepEqual(resolved.retentionDays, { value: 90, from: 'server' })
  assert.deepEqual(resolved.applicationThrottleRate, { value: 200, from: 'application' })
  const patched = await json('PATCH', `/endpoint/${made.id}`, { throttleRate: 9, control: { timeoutSeconds: null } })
  assert.deepEqual(patched.resolved.throttleRate, { value: 9, from: 'endpoint' })
  assert.deepEqual(patched.resolved.timeoutSeconds, { value: 30, from: 'application' })
})
