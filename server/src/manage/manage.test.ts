import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { testWorld } from '../../test/support/world.ts'
import { type ControlPart, usualControl } from '../domain/control.ts'
import { parseEgressAllow } from '../domain/egress.ts'
import { openSecrets } from '../domain/endpoint-seal.ts'
import { type EnvironmentId, makeIds } from '../domain/ids.ts'
import { Problem } from '../domain/problem.ts'
import { newSecret, publicKeyOf, secretsAt } from '../domain/secret.ts'
import { presetBook } from '../inbound/presets.ts'
import { makeJudge } from '../judge/judge.ts'
import type { Store } from '../ports/store.ts'
import { openSqliteStore } from '../stores/sqlite/store.ts'
import { untilFresh } from './change.ts'
import { hashKey } from './keys.ts'
import { type Manage, makeManage } from './manage.ts'

const folder = mkdtempSync(join(tmpdir(), 'posthorn-manage-'))
const world = testWorld()
const masterKey = randomBytes(32)
const judge = makeJudge(world)
const told: string[] = []
let store: Store
let manage: Manage
let environmentId: EnvironmentId

before(async () => {
  store = await openSqliteStore(join(folder, 'test.db'))
  manage = makeManage({
    judge,
    presets: presetBook,
    changedEventTypes: () => {},
    store,
    world,
    newId: makeIds(world.now, world.randomBytes),
    masterKey,
    egressAllow: parseEgressAllow(''),
    control: usualControl,
    told: async () => null,
    changed: (id) => told.push(`changed ${id}`),
    changedEnvironment: (id) => told.push(`changed ${id}`),
    expunge: async () => 0,
    wake: () => told.push('wake'),
    wakeTasks: () => told.push('wake tasks'),
    recall: async () => [],
    cancelHot: async () => 0,
    hotWaits: () => new Map(),
    resumed: (id) => told.push(`resumed ${id}`),
    probe: (id) => told.push(`probe ${id}`),
  })
  environmentId = (await manage.keys.create({ environment: 'test', name: 'test', scopes: ['admin'] })).key.environmentId
})
after(async () => {
  await judge.close()
  await store.close()
  rmSync(folder, { recursive: true, force: true })
})

const wish = {
  url: 'https://example.com/',
  description: '',
  uid: null,
  disabled: false,
  eventTypes: null,
  channels: null,
  filter: null,
  control: (held: ControlPart) => held,
  metadata: {},
  throttleRate: null,
}
const application = () =>
  manage.applications.create(environmentId, {
    name: 'A',
    uid: null,
    throttleRate: null,
    control: (held) => held,
    metadata: {},
  })
const isProblem = (code: string) => (error: unknown) => error instanceof Problem && error.code === code

test('people who change different parts of one thing at the same time all have their way', async () => {
  const { id } = (await application()).row
  await Promise.all([
    manage.applications.patch(environmentId, id, { name: 'B' }),
    manage.applications.patch(environmentId, id, { throttleRate: 5 }),
    manage.applications.patch(environmentId, id, { metadata: { a: 'b' } }),
    manage.applications.patch(environmentId, id, { uid: 'all' }),
  ])
  const { name, throttleRate, metadata, uid, revision } = await manage.applications.get(environmentId, id)
  assert.deepEqual(
    { name, throttleRate, metadata, uid, revision },
    { name: 'B', throttleRate: 5, metadata: { a: 'b' }, uid: 'all', revision: 5 },
  )
})

test('a thing that changes under every try is given up after five, not fought over for ever', async () => {
  let tries = 0
  const losing = untilFresh(async () => {
    tries++
    return 'stale'
  })
  await assert.rejects(losing, isProblem('changed-meanwhile'))
  assert.equal(tries, 5)
})

test('the fast road is told of each change before the caller is answered, and woken when an endpoint is enabled', async () => {
  const { id: app } = (await application()).row
  const { id } = await manage.endpoints.create(environmentId, app, wish, null, {})
  const tells = async (change: () => Promise<unknown>) => {
    told.length = 0
    await change()
    return told.map((text) => text.replace(app, 'it'))
  }
  const { endpoints, applications } = manage
  assert.deepEqual(await tells(() => endpoints.patch(environmentId, app, id, { disabled: true })), ['changed it'])
  assert.deepEqual(await tells(() => endpoints.patch(environmentId, app, id, { disabled: false })), [
    'changed it',
    'wake',
  ])
  assert.deepEqual(await tells(() => endpoints.rotateSecret(environmentId, app, id, null, 0)), ['changed it'])
  assert.deepEqual(await tells(() => endpoints.replaceHeaders(environmentId, app, id, { 'x-a': 'b' })), ['changed it'])
  const { environments } = manage
  assert.deepEqual(await tells(() => environments.patchSettings(environmentId, (held) => held)), [
    `changed ${environmentId}`,
  ])
  assert.deepEqual(await tells(() => environments.import(environmentId, new Map(), null)), [`changed ${environmentId}`])
  assert.deepEqual(await tells(() => endpoints.delete(environmentId, app, id)), ['changed it'])
  assert.deepEqual(await tells(() => applications.delete(environmentId, app)), ['changed it'])
  assert.deepEqual(await tells(() => applications.delete(environmentId, app).catch(() => {})), [])
})

test('a source that is paused no more lets go all of its endpoints but those that are paused themselves', async () => {
  const none = { settings: {}, secrets: undefined, values: {}, custom: undefined, uid: undefined }
  const own = { ...none, control: (held: ControlPart) => held, throttleRate: undefined }
  const source = await manage.sources.create(environmentId, {
    ...{ ...own, name: 'A', type: 'generic-webhook', metadata: {}, settings: { state: 'paused' } },
  })
  const going = await manage.endpoints.create(environmentId, source.id, wish, null, {})
  const staying = await manage.endpoints.create(environmentId, source.id, wish, null, {})
  await manage.endpoints.pause(environmentId, source.id, staying.id, true)
  const resumed = async (state: 'active' | 'paused' | 'disabled') => {
    told.length = 0
    await manage.sources.patch(environmentId, source.id, { ...own, settings: { state } })
    return told.filter((one) => one.startsWith('resumed'))
  }
  assert.deepEqual(await resumed('active'), [`resumed ${going.id}`])
  assert.deepEqual(await resumed('active'), [])
  assert.deepEqual(await resumed('paused'), [])
  assert.deepEqual(await resumed('disabled'), [`resumed ${going.id}`], 'what it took before is still on its way')
})

test('an endpoint that is enabled again starts with a clean slate', async () => {
  const { id: app } = (await application()).row
  const made = await manage.endpoints.create(environmentId, app, wish, null, {})
  const nothing = { messages: [], deliveries: [], attempts: [], settlements: [] }
  const failing = { kind: 'failing', endpointId: made.id, since: world.now() } as const
  const disable = { kind: 'disable', endpointId: made.id, because: 'failing', at: world.now() } as const
  await store.road.commit({ lease: 'lease_test', now: world.now(), ...nothing, turns: [failing, disable] })
  const touched = await manage.endpoints.patch(environmentId, app, made.id, { description: 'x', disabled: true })
  assert.deepEqual([touched.disabledBecause, touched.failingSince], ['failing', world.now()])
  const enabled = await manage.endpoints.patch(environmentId, app, made.id, { disabled: false })
  assert.deepEqual([enabled.disabledBecause, enabled.failingSince], [null, null])
})

test('both secrets sign while one is rotated, only the new one afterwards', async () => {
  const { id: app } = (await application()).row
  const { id } = await manage.endpoints.create(environmentId, app, wish, null, {})
  const secrets = async () => openSecrets(masterKey, await manage.endpoints.get(environmentId, app, id))
  const { current: old } = await secrets()
  await manage.endpoints.rotateSecret(environmentId, app, id, null, 60_000)
  const { current } = await secrets()
  assert.deepEqual(secretsAt(await secrets(), world.now() + 59_999), [current, old])
  assert.deepEqual(secretsAt(await secrets(), world.now() + 60_000), [current])
})

test('of a key pair only the public half is shown, and it rotates to another pair', async () => {
  const { id: app } = (await application()).row
  const secret = newSecret(world.randomBytes, 'whsk')
  const { id } = await manage.endpoints.create(environmentId, app, wish, secret, {})
  assert.equal(await manage.endpoints.secret(environmentId, app, id), publicKeyOf(secret))
  await manage.endpoints.rotateSecret(environmentId, app, id, null, 0)
  const { current } = openSecrets(masterKey, await manage.endpoints.get(environmentId, app, id))
  assert.match(current, /^whsk_/)
  assert.notEqual(current, secret)
})

test('a key is shown once, has no dots, and only its hash is kept', async () => {
  const { key, text } = await manage.keys.create({ environment: 'keys', name: 'one', scopes: ['read', 'publish'] })
  assert.match(text, /^phk_[\w-]{43}$/)
  assert.deepEqual(await store.keys.byHash(hashKey(text)), key)
  assert.deepEqual(await manage.keys.list(key.environmentId), [key])
  assert.ok(!JSON.stringify(key).includes(text))
  await assert.rejects(
    manage.keys.create({ environment: 'keys', name: 'none', scopes: [] }),
    isProblem('request-invalid'),
  )
})

test("the operator's own key is adopted once, and one that was revoked is not brought back", async () => {
  const given = { environment: 'keys', name: 'own', scopes: ['admin'] as const }
  const key = await manage.keys.adopt(given, 'chosen')
  assert.deepEqual(await manage.keys.adopt(given, 'chosen'), key)
  await manage.keys.revoke(key.id)
  assert.equal((await manage.keys.adopt(given, 'chosen')).revokedAt, world.now())
  await assert.rejects(manage.keys.revoke('key_none'), isProblem('not-found'))
})

test('what is changed between the looking and the writing is looked at again, and then left alone', async () => {
  const { applications, endpoints, environments, eventTypes } = manage
  const { row } = await application()
  const app = row.id
  const { id } = await endpoints.create(environmentId, app, wish, null, {})
  const eventType = {
    ...{ description: '', archived: false, deprecated: false, schemas: null, groupName: null, featureFlags: null },
  }
  await eventTypes.create(environmentId, 'expected', eventType)

  /** Expects nothing the first time, and lets somebody else come between; the second time it finds that out. */
  const surprised = (other: () => Promise<unknown>) => {
    let asked = 0
    return async () => {
      asked += 1
      if (asked > 1) throw new Problem('precondition-failed')
      await other()
    }
  }
  let count = 0
  const application2 = () => applications.patch(environmentId, app, { name: `another ${++count}` })
  const endpoint2 = () => endpoints.patch(environmentId, app, id, { description: `another ${++count}` })
  const eventType2 = () => eventTypes.patch(environmentId, 'expected', { description: `another ${++count}` })
  const settings2 = () => environments.patchSettings(environmentId, (held) => held)
  const replaced = { name: 'mine', uid: undefined, throttleRate: null, control: wish.control, metadata: {} }
  const changes: readonly (() => Promise<unknown>)[] = [
    () => applications.replace(environmentId, app, replaced, surprised(application2)),
    () => applications.patch(environmentId, app, { name: 'mine' }, surprised(application2)),
    () => applications.delete(environmentId, app, surprised(application2)),
    () => endpoints.replace(environmentId, app, id, { ...wish, description: 'mine' }, surprised(endpoint2)),
    () => endpoints.patch(environmentId, app, id, { description: 'mine' }, surprised(endpoint2)),
    () => endpoints.delete(environmentId, app, id, surprised(endpoint2)),
    () => endpoints.replaceHeaders(environmentId, app, id, { a: 'mine' }, surprised(endpoint2)),
    () => endpoints.patchHeaders(environmentId, app, id, { a: 'mine' }, [], surprised(endpoint2)),
    () => eventTypes.replace(environmentId, 'expected', { ...eventType, description: 'mine' }, surprised(eventType2)),
    () => eventTypes.patch(environmentId, 'expected', { description: 'mine' }, surprised(eventType2)),
    () => eventTypes.delete(environmentId, 'expected', false, surprised(eventType2)),
    () => eventTypes.delete(environmentId, 'expected', true, surprised(eventType2)),
    () => environments.patchSettings(environmentId, (held) => held, surprised(settings2)),
  ]
  for (const change of changes) {
    await assert.rejects(
      change(),
      (error) => error instanceof Problem && error.code === 'precondition-failed',
      String(change),
    )
  }
  assert.match((await applications.get(environmentId, app)).name, /^another/)
  assert.match((await endpoints.get(environmentId, app, id)).description, /^another/)
  assert.deepEqual((await endpoints.headers(environmentId, app, id)).headers, {})
  assert.match((await eventTypes.get(environmentId, 'expected')).description, /^another/)
})
