// Sources as people manage them: the official client is the caller wherever it has a method.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type IngestSourceIn, Ordering, Svix, Webhook } from 'svix'
import { recordedRequests } from '../../src/inbound/recorded.ts'
import { placesHolding } from '../support/database.ts'
import { startTestServer, type TestServer } from '../support/server.ts'
import { eventually, receiver } from './receiver.ts'
import { refused } from './refused.ts'

let server: TestServer
before(async () => {
  server = await startTestServer()
})
after(() => server.stop())

const [first, second, third] = [
  'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
  'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD',
  'whsec_plJ3nmyCDGBKInavdOK15jsl+ajPvYgs',
]
const hour = 3_600_000
let made = 0
const fresh = (): string => `source-${++made}`
const signed = (config: { secret: string } = { secret: first }): IngestSourceIn => ({
  ...{ name: 'Signed', type: 'svix' },
  config,
})

type Shown = Readonly<Record<string, unknown>> & {
  readonly id: string
  readonly mode: string
  readonly ingestUrl: string
  readonly secrets: readonly (Readonly<Record<string, unknown>> & { readonly id: string })[]
}

/** What the client has no method or no field for. */
async function ask(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
  const answer = await server.fetch(path.startsWith('/') ? path : `/ingest/api/v1/source/${path}`, {
    method,
    headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await answer.text()
  return {
    status: answer.status,
    etag: answer.headers.get('etag') ?? '',
    text,
    json: text === '' ? null : JSON.parse(text),
  }
}

async function done(method: string, path: string, body?: unknown): Promise<Shown> {
  const { status, text, json } = await ask(method, path, body)
  assert.ok(status < 300, `${status} ${text}`)
  return json as Shown
}

/** Pointers and messages of everything that is wrong with a body. */
async function faultsOf(
  body: object,
  path = '/ingest/api/v1/source',
  method = 'POST',
): Promise<Record<string, string>> {
  const { status, json } = await ask(method, path, body)
  assert.equal(status, 422, JSON.stringify(json))
  return Object.fromEntries(json.errors.map(({ pointer, message }: Record<string, string>) => [pointer, message]))
}

/** Posts to a door as the provider would; resolves to the status. */
async function post(
  ingestUrl: string | null | undefined,
  secret: string | null,
  payload = '{"type":"a"}',
): Promise<number> {
  const id = `msg_${fresh()}`
  const at = new Date(server.world.now())
  const headers: Record<string, string> =
    secret === null
      ? {}
      : {
          'svix-id': id,
          'svix-timestamp': String(Math.floor(at.getTime() / 1000)),
          'svix-signature': new Webhook(secret).sign(id, at, payload),
        }
  const { pathname } = new URL(ingestUrl ?? assert.fail('it has no URL'))
  const answer = await fetch(server.url + pathname, { method: 'POST', body: payload, headers })
  await answer.text()
  return answer.status
}

describe('a source', () => {
  test('is created as described, with what was left out at its default', async () => {
    const now = new Date(server.world.now())
    const uid = fresh()
    const row = await server.svix.ingest.source.create({ ...signed(), uid, metadata: { team: 'money' } })
    assert.match(row.id, /^src_[0-9A-Za-z]{27}$/)
    assert.match(row.ingestUrl ?? '', /^http:\/\/127\.0\.0\.1:\d+\/in\/[\w-]{32}$/)
    assert.deepEqual([row.uid, row.name, row.type, row.config], [uid, 'Signed', 'svix', {}])
    assert.deepEqual([row.metadata, row.createdAt, row.updatedAt], [{ team: 'money' }, now, now])
    assert.deepEqual(await server.svix.ingest.source.get(row.id), row)
    assert.deepEqual(await server.svix.ingest.source.get(uid), row)
    const { id, ingestUrl, secrets, createdAt, updatedAt, ...shown } = await done('GET', row.id)
    assert.deepEqual(shown, {
      ...{ uid, name: 'Signed', type: 'svix', config: {}, metadata: { team: 'money' } },
      ...{ mode: 'enforce', state: 'active', disabledAnswer: 410, publicUrl: null, schemes: null },
      ...{ toleranceSeconds: null, duplicateWindowSeconds: null, allowedAddresses: null, schemas: null },
      ...{ schemaCheck: 'off', ack: null, forwardChallenges: false, control: {}, throttleRate: null },
      ...{ verifying: true, handshakes: [], quarantined: { count: 0, bytes: 0 } },
    })
    assert.match(secrets[0]?.id ?? '', /^sec_\w{27}$/)
    assert.deepEqual(
      { ...secrets[0], id: '' },
      {
        ...{ id: '', name: null, from: null, until: null, captured: false },
        ...{ createdAt: now.toISOString(), lastUsedAt: null },
      },
    )
  })

  test('of every type that the client knows can be made and read by it, where there is a preset of it', async () => {
    const sources = fileURLToPath(new URL('src/models/ingestSourceIn.ts', import.meta.resolve('svix/package.json')))
    const types = [...readFileSync(sources, 'utf8').matchAll(/^ {2}type: "([^"]+)";/gm)].map(([, type = '']) => type)
    assert.ok(types.length > 40, `${types.length} types were seen`)
    const without = new Map([
      ['cron', /receives nothing/],
      ['vgs', /must be the name of a preset/],
    ])
    for (const type of types) {
      const recorded = recordedRequests(type).find(({ secrets }) => secrets.length > 0) ?? recordedRequests(type)[0]
      const value = recorded?.secrets[0]?.value
      const settings = { clientId: 'client', verifyToken: 'token', ...recorded?.settings }
      const config = { ...settings, secret: value, publicKey: value, schedule: '* * * * *', payload: '{}' }
      const wish = { name: type, type, config } as unknown as IngestSourceIn // the union is over literal types
      const why = without.get(type)
      if (why !== undefined) {
        const { code, body } = await refused(server.svix.ingest.source.create(wish))
        assert.deepEqual([code, body.errors?.[0]?.pointer], [422, '/type'])
        assert.match(body.errors?.[0]?.message ?? '', why)
        continue
      }
      const row = await server.svix.ingest.source.create(wish)
      const shown = 'publicKey' in Object(row.config) ? { publicKey: value } : {}
      assert.deepEqual({ ...row.config }, shown, type)
      assert.equal(shown.publicKey !== undefined, ['telnyx', 'orum-io'].includes(type), type)
    }
  })

  test('a secret beside config is refused, or there would be a source that checks nothing', async () => {
    const answer = await server.fetch('/ingest/api/v1/source', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'Payments', type: 'stripe', secret: 'whsec_x' }),
    })
    assert.equal(answer.status, 422)
    const { errors } = (await answer.json()) as { errors: readonly { pointer: string; message: string }[] }
    assert.deepEqual(errors, [{ pointer: '/secret', message: 'belongs into config: /config/secret' }])
  })

  test('has a uid that is given once, and stays where it is put again without one', async () => {
    const { svix } = server
    const uid = fresh()
    const { id } = await svix.ingest.source.create({ ...signed(), uid })
    assert.equal((await refused(svix.ingest.source.create({ ...signed(), uid }))).body.code, 'uid-taken')
    const put = await svix.ingest.source.upsert(uid, { ...signed(), name: 'Put', uid: null })
    assert.deepEqual([put.id, put.uid, put.name, put.metadata], [id, uid, 'Put', {}])
    const renamed = await svix.ingest.source.upsert(uid, { ...signed(), uid: `${uid}-b` })
    assert.equal(renamed.uid, `${uid}-b`)
    assert.equal((await ask('PUT', uid, signed())).status, 201)
    assert.equal((await ask('PUT', uid, signed())).status, 200)
    assert.equal((await ask('PATCH', uid, { uid: `${uid}-b` })).json.code, 'uid-taken')
    assert.equal((await refused(svix.ingest.source.upsert(`src_${'0'.repeat(27)}`, signed()))).code, 404)
    assert.equal((await refused(svix.ingest.source.upsert(fresh(), { ...signed(), uid: 'another' }))).code, 422)
  })

  test('may have the uid of an application: neither leads to the other, and no list shows both', async () => {
    const { svix } = server
    const uid = fresh()
    const source = await svix.ingest.source.create({ ...signed(), uid })
    const application = await svix.application.create({ name: 'Same', uid })
    assert.equal((await svix.application.get(uid)).id, application.id)
    assert.equal((await svix.ingest.source.get(uid)).id, source.id)
    assert.equal((await refused(svix.ingest.source.get(application.id))).code, 404)
    const { data } = await svix.application.list({ limit: 250 })
    assert.ok(data.some(({ id }) => id === application.id))
    assert.ok(data.every(({ id }) => id.startsWith('app_')))
  })

  test('is an application by its id, which is changed as a source and not otherwise', async () => {
    const { svix } = server
    const { id, name } = await svix.ingest.source.create(signed())
    assert.equal((await svix.application.get(id)).name, name)
    for (const call of [
      () => svix.application.upsert(id, { name: 'No' }),
      () => svix.application.patch(id, { name: 'No' }),
      () => svix.application.delete(id),
    ]) {
      const { code, body } = await refused(call())
      assert.deepEqual([code, body.code], [409, 'application-of-source'])
      assert.match(body.detail ?? '', new RegExp(`/ingest/api/v1/source/${id}`))
    }
    assert.equal((await svix.ingest.source.get(id)).name, name)
  })

  test('that is deleted is gone with its door and its endpoints, and its uid is free', async () => {
    const { svix } = server
    const uid = fresh()
    const { id, ingestUrl } = await svix.ingest.source.create({ ...signed(), uid })
    const { id: endpoint } = await svix.ingest.endpoint.create(uid, { url: 'http://127.0.0.1:9/', disabled: true })
    assert.equal(await post(ingestUrl, first), 200)
    await svix.ingest.source.delete(uid)
    assert.equal(await post(ingestUrl, first), 404)
    for (const call of [
      () => svix.ingest.source.get(id),
      () => svix.ingest.source.delete(id),
      () => svix.ingest.endpoint.list(id),
      () => svix.endpoint.get(id, endpoint),
      () => svix.application.get(id),
    ]) {
      assert.equal((await refused(call())).code, 404)
    }
    assert.notEqual((await svix.ingest.source.create({ ...signed(), uid })).id, id)
  })

  test('is listed in pages, oldest first', async () => {
    const ids = []
    for (let n = 0; n < 3; n++) ids.push((await server.svix.ingest.source.create(signed())).id)
    const page = await server.svix.ingest.source.list({ limit: 2, order: Ordering.Descending })
    assert.deepEqual(
      page.data.map(({ id }) => id),
      ids.slice(1).toReversed(),
    )
    const next = await server.svix.ingest.source.list({
      limit: 1,
      order: Ordering.Descending,
      iterator: page.iterator,
    })
    assert.equal(next.data[0]?.id, ids[0])
    const { json } = await ask('GET', '/ingest/api/v1/source?limit=1')
    assert.ok(!('handshakes' in json.data[0]) && !('lastUsedAt' in (json.data[0].secrets[0] ?? {})))
  })

  test('made twice with the same Idempotency-Key is made once', async () => {
    const headers = { 'idempotency-key': fresh() }
    const [one, other] = [
      await ask('POST', '/ingest/api/v1/source', signed(), headers),
      await ask('POST', '/ingest/api/v1/source', signed(), headers),
    ]
    assert.deepEqual([one.status, one.text], [other.status, other.text])
  })
})

describe('what is wrong with a source', () => {
  test('is all said at once, each with its place', async () => {
    const faults = await faultsOf({
      ...{ name: 'x', type: 'meta', uid: '..', mode: 'enforce', schemes: ['none'], publicUrl: 'ftp://x/' },
      ...{ allowedAddresses: ['10.0.0.0/8', '10.0.0.0/33', 'provider'], duplicateWindowSeconds: 1 },
      config: { secrets: [{ value: ' padded ' }, { value: 'a' }, { value: 'a' }] },
    })
    assert.deepEqual(
      Object.keys(faults).toSorted(),
      [
        ...['/allowedAddresses/1', '/allowedAddresses/2', '/config/secrets/0', '/config/secrets/2'],
        ...['/config/verifyToken', '/duplicateWindowSeconds', '/mode', '/publicUrl', '/schemes/0', '/uid'],
      ].toSorted(),
    )
    assert.match(faults['/config/verifyToken'] ?? '', /is required: Verify token/)
    assert.match(faults['/duplicateWindowSeconds'] ?? '', /must be at least \d+: so long may Meta .+ repeat/)
  })

  test('is told with the nearest name where the type is none, and where in a descriptor it is', async () => {
    const typo = await faultsOf({ name: 'x', type: 'strpie', metadata: { long: 'x'.repeat(4096) } })
    assert.match(typo['/type'] ?? '', /did you mean stripe\?.*GET \/ingest\/api\/v1\/preset/)
    assert.ok('/metadata' in typo)
    assert.match((await faultsOf({ name: 'x', type: 'custom' }))['/config/preset'] ?? '', /is required/)
    const preset = { schemes: [{ name: 'mac', algorithm: 'hmac-md4' }], retryWindw: 5 }
    const descriptor = await faultsOf({ name: 'x', type: 'custom', config: { preset } })
    assert.match(descriptor['/config/preset/schemes/0/algorithm'] ?? '', /must be one of hmac-sha1/)
    assert.match(descriptor['/config/preset/schemes/0/key'] ?? '', /is required/)
    assert.ok(
      Object.keys(descriptor).some((pointer) => pointer.startsWith('/config/preset') && !pointer.includes('schemes')),
    )
    const both = await faultsOf({ name: 'x', type: 'svix', config: { preset: {} } })
    assert.match(both['/config/preset'] ?? '', /only for the type custom/)
  })

  test('is a key that is none of its provider, and is never repeated in the answer', async () => {
    for (const [type, config, message] of [
      ['telnyx', { publicKey: 'c2hvcnQ=' }, /32 bytes/],
      ['sendgrid', { publicKey: 'Zm9vYmFy' }, /public key in base64/],
      ['svix', { secret: 'whsec_@@@@' }, /base64/],
      ['orum-io', { publicKey: '-----BEGIN PRIVATE KEY-----\nnot-to-be-seen\n' }, /private key/],
      ['adyen', { secret: 'zz-zz-zz-zz' }, /hex/],
    ] as const) {
      const answer = await ask('POST', '/ingest/api/v1/source', { name: 'x', type, config })
      assert.equal(answer.status, 422, `${type}: ${answer.text}`)
      const [value = ''] = Object.values(config)
      assert.match(answer.json.errors[0].message, message, type)
      assert.ok(!answer.text.includes(value.slice(-10)), type)
    }
  })

  test('in its schemas is told as for event types', async () => {
    const { status, json } = await ask('POST', '/ingest/api/v1/source', {
      ...signed(),
      schemas: { '*': { type: 'nope' } },
    })
    assert.deepEqual([status, json.code], [422, 'schema-invalid'])
    assert.match(json.errors[0].pointer, /^\/schemas\/\*\/type/)
  })
})

describe('secrets', () => {
  test('are in no answer and in no file of the database', async () => {
    const uid = fresh()
    const secrets = [first, second, third]
    const answers = [
      await ask('PUT', uid, { ...signed(), config: { secrets: [{ value: first, name: 'now' }] } }),
      await ask('PATCH', uid, { config: { secret: second } }),
      await ask('POST', `${uid}/secret/rotate`, { key: third }, { 'idempotency-key': fresh() }),
      await ask('PUT', uid, signed()),
      await ask('GET', uid),
      await ask('GET', '/ingest/api/v1/source?limit=250'),
      await ask('GET', `/api/v1/app/${(await server.svix.ingest.source.get(uid)).id}`),
    ]
    for (const { status, text } of answers) {
      assert.ok(status < 300, text)
      for (const secret of secrets) assert.ok(!text.includes(secret.slice(6)), text)
    }
    const { ingestUrl } = await server.svix.ingest.source.get(uid)
    for (const text of [...secrets.map((secret) => secret.slice(6)), (ingestUrl ?? '').slice(-32)]) {
      assert.deepEqual(await placesHolding(server.databaseUrl, text), [])
    }
  })

  test('that a request leaves out stay; what is the same keeps its id, and null takes all away', async () => {
    const { id, secrets } = await done('POST', '/ingest/api/v1/source', signed())
    const [held] = secrets
    await server.world.advance(1_000)
    assert.deepEqual((await done('PATCH', id, { name: 'Renamed' })).secrets, secrets)
    assert.deepEqual((await done('PUT', id, { name: 'Put', type: 'svix' })).secrets, secrets)
    assert.deepEqual((await done('PUT', id, signed())).secrets, secrets)
    const until = new Date(server.world.now() + hour).toISOString()
    const two = await done('PATCH', id, {
      config: { secrets: [{ value: second }, { value: first, name: 'old', until }] },
    })
    assert.deepEqual(two.secrets[1], { ...held, name: 'old', until })
    assert.notEqual(two.secrets[0]?.id, held?.id)
    const none = await done('PATCH', id, { config: { secret: null } })
    assert.deepEqual([none.secrets, none.verifying, none.mode], [[], false, 'observe'])
  })

  test('of one type are not kept for another', async () => {
    const { id } = await done('POST', '/ingest/api/v1/source', signed())
    const other = await done('PATCH', id, { type: 'github' })
    assert.deepEqual([other.type, other.secrets, other.mode], ['github', [], 'observe'])
  })

  test('decide the mode, unless its owner does', async () => {
    const { id, mode } = await done('POST', '/ingest/api/v1/source', { name: 'x', type: 'svix' })
    assert.equal(mode, 'observe')
    assert.equal((await done('POST', `${id}/secret/rotate`, { key: first })).mode, 'enforce')
    assert.equal((await done('PATCH', id, { mode: 'observe' })).mode, 'observe')
    assert.equal((await done('POST', `${id}/secret/rotate`, { key: second })).mode, 'observe')
    assert.equal((await done('PATCH', id, { mode: null })).mode, 'enforce')
    assert.match((await faultsOf({ config: { secret: null }, mode: 'enforce' }, id, 'PATCH'))['/mode'] ?? '', /secret/)
    const unsigned = await faultsOf({ name: 'x', type: 'generic-webhook', mode: 'enforce' })
    assert.match(unsigned['/mode'] ?? '', /nothing can be verified/)
  })

  test('that are rotated let requests pass beside the new one for the grace, and not a moment longer', async () => {
    const { id, ingestUrl } = await done('POST', '/ingest/api/v1/source', signed())
    assert.deepEqual([await post(ingestUrl, first), await post(ingestUrl, second)], [200, 401])
    const now = server.world.now()
    const { secrets } = await done('POST', `${id}/secret/rotate`, { key: second, gracePeriodSeconds: 60 })
    assert.deepEqual(
      secrets.map(({ until }) => until),
      [new Date(now + 60_000).toISOString(), null],
    )
    assert.deepEqual([await post(ingestUrl, first), await post(ingestUrl, second)], [200, 200])
    await server.world.advance(59_999)
    assert.equal(await post(ingestUrl, first), 200)
    await server.world.advance(1)
    assert.deepEqual([await post(ingestUrl, first), await post(ingestUrl, second)], [401, 200])
    const faults = await faultsOf({ key: '@@' }, `${id}/secret/rotate`)
    assert.deepEqual(Object.keys(faults), ['/key'])
    const { secrets: third_ } = await done('POST', `${id}/secret/rotate`, { key: third, gracePeriodSeconds: 0 })
    assert.equal(third_.length, 1, 'what has ended is forgotten')
  })

  test('of another name are not ended by a rotation', async () => {
    const named = {
      secrets: [
        { value: first, name: 'eu' },
        { value: second, name: 'us' },
      ],
    }
    const { id } = await done('POST', '/ingest/api/v1/source', { name: 'x', type: 'svix', config: named })
    const { secrets } = await done('POST', `${id}/secret/rotate`, { key: third, name: 'us', gracePeriodSeconds: 0 })
    assert.deepEqual(
      secrets.map(({ name, until }) => [name, until]),
      [
        ['eu', null],
        ['us', null],
      ],
    )
  })

  test('that have let something pass say when', async () => {
    const { id, ingestUrl } = await done('POST', '/ingest/api/v1/source', signed())
    const at = new Date(server.world.now()).toISOString()
    assert.equal(await post(ingestUrl, first), 200)
    await server.world.advance(60_000)
    await eventually(
      () => done('GET', id),
      ({ secrets }) => secrets[0]?.lastUsedAt === at,
    )
  })
})

describe('settings of a source', () => {
  const ours = {
    ...{ mode: 'observe', state: 'paused', disabledAnswer: 503, publicUrl: 'https://hooks.example/stripe?a=b' },
    ...{ toleranceSeconds: 600, duplicateWindowSeconds: 864_000, allowedAddresses: ['192.0.2.0/24', '::1'] },
    ...{ schemas: { '*': { type: 'object' } }, schemaCheck: 'warn', forwardChallenges: true },
    ...{ ack: { status: 202 }, control: { timeoutSeconds: 5 }, throttleRate: 9 },
  }

  test('that the client does not know stay where it puts a source, and null takes each back to what is usual', async () => {
    const shown = async (id: string): Promise<unknown> => {
      const row = await done('GET', id)
      return Object.fromEntries(Object.keys(ours).map((name) => [name, row[name]]))
    }
    const { id } = await done('POST', '/ingest/api/v1/source', { ...signed(), ...ours })
    assert.deepEqual(await shown(id), ours)
    await server.svix.ingest.source.upsert(id, { ...signed(), name: 'Put' })
    assert.deepEqual(await shown(id), ours)
    await done('PATCH', id, Object.fromEntries(Object.keys(ours).map((name) => [name, null])))
    assert.deepEqual(await shown(id), {
      ...{ mode: 'enforce', state: 'active', disabledAnswer: 410, publicUrl: null },
      ...{ toleranceSeconds: null, duplicateWindowSeconds: null, allowedAddresses: null },
      ...{ schemas: null, schemaCheck: 'off', forwardChallenges: false },
      ...{ ack: null, control: {}, throttleRate: null },
    })
  })

  test('that its preset asks for are shown, but for those that requests are compared with', async () => {
    const { id, config } = await done('POST', '/ingest/api/v1/source', {
      ...{ name: 'x', type: 'meta', config: { secret: 'app secret', verifyToken: 'not to be seen' } },
    })
    assert.deepEqual(config, {})
    assert.doesNotMatch((await ask('GET', id)).text, /not to be seen/)
    const { config: paypal } = await done('POST', '/ingest/api/v1/source', {
      ...{ name: 'x', type: 'paypal', config: { webhookId: 'WH-1' } },
    })
    assert.deepEqual(paypal, { webhookId: 'WH-1' })
  })

  test('of a custom source are a preset of its own, of which the rest is filled in', async () => {
    const preset = {
      schemes: [
        {
          ...{ name: 'mac', algorithm: 'hmac-sha256', key: { from: 'secret', encoding: 'utf8' } },
          ...{ signature: [{ header: 'x-acme' }], encoding: 'hex', template: [{ request: 'body' }] },
        },
      ],
    }
    const { id, mode, config } = await done('POST', '/ingest/api/v1/source', {
      ...{ name: 'Acme', type: 'custom', config: { preset, secret: 'shh' } },
    })
    assert.equal(mode, 'enforce')
    const shown = Object(config).preset
    assert.deepEqual([shown.name, shown.title, shown.schemes], ['custom', 'Acme', preset.schemes])
    assert.equal((await done('PATCH', id, { name: 'Renamed' })).mode, 'enforce')
    const read = await done('GET', id)
    assert.deepEqual((await done('PUT', id, read)).config, read.config, 'what was read can be put back')
    assert.equal(
      (await done('PATCH', id, { config: { secret: null } })).mode,
      'observe',
      'and nothing is decided by it',
    )
    assert.equal((await done('PATCH', id, { config: { secret: 'shh' } })).mode, 'enforce')
    const unsigned = await done('PATCH', id, { config: { preset: { schemes: [] }, secret: null } })
    assert.deepEqual([unsigned.mode, unsigned.verifying], ['observe', false])
  })

  test('decide what the door does from the answer on: disabled it turns away, and enabled it takes again', async () => {
    const { id, ingestUrl } = await done('POST', '/ingest/api/v1/source', signed())
    for (const [body, status] of [
      [{ state: 'disabled' }, 410],
      [{ disabledAnswer: 503 }, 503],
      [{ disabledAnswer: 200 }, 200],
      [{ state: null }, 200],
    ] as const) {
      await done('PATCH', id, body)
      assert.equal(await post(ingestUrl, first), status, JSON.stringify(body))
    }
    assert.equal((await server.svix.message.list(id)).data.length, 1)
  })

  test('pause all its endpoints: what comes is taken and kept, and goes out in order before what comes later', async (t) => {
    const { url, received, until } = await receiver(t)
    const { id, ingestUrl } = await done('POST', '/ingest/api/v1/source', { ...signed(), control: { maxInFlight: 1 } })
    await server.svix.ingest.endpoint.create(id, { url })
    await done('PATCH', id, { state: 'paused' })
    for (const n of [1, 2, 3]) assert.equal(await post(ingestUrl, first, `{"n":${n}}`), 200)
    await server.world.leap(hour)
    assert.equal(received.length, 0)
    await done('PATCH', id, { state: 'active' })
    assert.equal(await post(ingestUrl, first, '{"n":4}'), 200)
    await until(4)
    assert.deepEqual(
      received.map(({ body }) => body),
      ['{"n":1}', '{"n":2}', '{"n":3}', '{"n":4}'],
    )
  })
})

describe("the token in a source's URL", () => {
  test('is rotated: the former one works for 48 hours more, and not after', async () => {
    const { id, ingestUrl } = await server.svix.ingest.source.create(signed())
    const next = await server.svix.ingest.source.rotateToken(id)
    assert.notEqual(next.ingestUrl, ingestUrl)
    assert.equal((await server.svix.ingest.source.get(id)).ingestUrl, next.ingestUrl)
    await server.world.leap(48 * hour - 1)
    assert.deepEqual([await post(ingestUrl, first), await post(next.ingestUrl, first)], [200, 200])
    // What the door remembers of a former token is a minute old at the most.
    await server.world.advance(60_001)
    assert.deepEqual([await post(ingestUrl, first), await post(next.ingestUrl, first)], [404, 200])
  })

  test('is rotated three times within 48 hours at the most', async () => {
    const { svix, world } = server
    const { id } = await svix.ingest.source.create(signed())
    for (let n = 0; n < 3; n++) {
      await svix.ingest.source.rotateToken(id)
      await world.leap(hour)
    }
    const { code, body } = await refused(svix.ingest.source.rotateToken(id))
    assert.deepEqual([code, body.code], [409, 'token-rotations-spent'])
    await world.leap(45 * hour)
    await svix.ingest.source.rotateToken(id)
    assert.equal((await refused(svix.ingest.source.rotateToken(id))).code, 409)
  })
})

describe('who changes a source as he has read it', () => {
  test('is not held up by what comes in meanwhile, and sees it when he reads again', async () => {
    const { id, ingestUrl } = await done('POST', '/ingest/api/v1/source', signed())
    const read = await ask('GET', id)
    assert.equal(await post(ingestUrl, second), 401)
    const again = await ask('GET', id, undefined, { 'if-none-match': read.etag })
    assert.equal(again.status, 200)
    assert.notEqual(again.etag, read.etag)
    assert.equal(again.json.quarantined.count, 1)
    assert.equal((await ask('GET', id, undefined, { 'if-none-match': again.etag })).status, 304)
    assert.equal((await ask('PATCH', id, { name: 'A' }, { 'if-match': read.etag })).status, 200)
    assert.equal((await ask('PATCH', id, { name: 'B' }, { 'if-match': again.etag })).status, 412)
  })
})

describe('endpoints of a source', () => {
  test('are the same under both paths, with all that endpoints of applications can do', async (t) => {
    const { svix } = server
    const { url, received, until } = await receiver(t)
    const uid = fresh()
    const { id, ingestUrl } = await svix.ingest.source.create({ ...signed(), uid })
    const endpoint = await svix.ingest.endpoint.create(uid, {
      url,
      uid: 'ep',
      headers: { 'x-tenant': 'a' },
      metadata: { a: 'b' },
    })
    assert.equal((await svix.endpoint.get(id, 'ep')).id, endpoint.id)
    assert.deepEqual(await svix.ingest.endpoint.get(id, endpoint.id), endpoint)
    assert.deepEqual((await svix.ingest.endpoint.list(uid)).data, [endpoint])
    assert.equal((await svix.ingest.endpoint.getSecret(uid, 'ep')).key, (await svix.endpoint.getSecret(id, 'ep')).key)
    await svix.ingest.endpoint.setHeaders(uid, 'ep', { headers: { 'x-tenant': 'b', authorization: 'Bearer x' } })
    assert.deepEqual(await svix.ingest.endpoint.getHeaders(uid, 'ep'), {
      ...{ headers: { 'x-tenant': 'b' }, sensitive: ['authorization'] },
    })
    await svix.ingest.endpoint.rotateSecret(uid, 'ep', { key: second })
    assert.equal((await svix.ingest.endpoint.getSecret(uid, 'ep')).key, second)
    const put = await svix.ingest.endpoint.upsert(uid, 'ep', { url, description: 'Put' })
    assert.deepEqual([put.id, put.description, put.metadata], [endpoint.id, 'Put', {}])
    assert.equal(await post(ingestUrl, first, '{"b":1,"a":2}'), 200)
    await until(1)
    assert.equal(received[0]?.body, '{"b":1,"a":2}')
    assert.equal(received[0]?.headers['x-tenant'], 'b')
    const { data } = await svix.messageAttempt.listByEndpoint(id, 'ep')
    assert.ok(data.length <= 1)
    await svix.ingest.endpoint.delete(uid, 'ep')
    assert.equal((await refused(svix.endpoint.get(id, 'ep'))).code, 404)
  })
})

describe('the dashboard of a source', () => {
  const customer = async (id: string, asked = {}) => {
    const { token, url } = await server.svix.ingest.authentication.consumerPortalAccess(id, asked)
    return { url, token, svix: new Svix(token, { serverUrl: server.url, retryScheduleInMs: [] }) }
  }

  test("shows its own endpoints and messages under both paths, and nobody else's", async () => {
    const uid = fresh()
    const mine = await server.svix.ingest.source.create({ ...signed(), uid })
    const other = await server.svix.ingest.source.create(signed())
    const application = await server.svix.application.create({ name: 'Other' })
    assert.equal(await post(mine.ingestUrl, first), 200)
    const { svix, url, token } = await customer(uid)
    assert.match(url, new RegExp(`#key=${token}&app=${mine.id}$`))
    const endpoint = await svix.ingest.endpoint.create(uid, { url: 'http://127.0.0.1:9/', disabled: true })
    assert.deepEqual((await svix.ingest.endpoint.list(mine.id)).data, [endpoint])
    assert.equal((await svix.endpoint.get(mine.id, endpoint.id)).id, endpoint.id)
    assert.equal((await svix.message.list(mine.id)).data.length, 1)
    const nowhere = await refused(svix.ingest.endpoint.list('nowhere'))
    for (const id of [other.id, application.id]) {
      const hidden = await refused(svix.ingest.endpoint.list(id))
      assert.equal(hidden.body.detail, nowhere.body.detail?.replace('nowhere', id))
      assert.equal((await refused(svix.endpoint.list(id))).code, 404)
      assert.equal((await refused(svix.message.list(id))).code, 404)
    }
  })

  test('shows neither its URL nor its secrets, and changes nothing about it', async () => {
    const { id } = await server.svix.ingest.source.create(signed())
    const { svix } = await customer(id)
    for (const call of [
      () => svix.ingest.source.get(id),
      () => svix.ingest.source.list(),
      () => svix.ingest.source.upsert(id, signed()),
      () => svix.ingest.source.rotateToken(id),
      () => svix.ingest.source.delete(id),
      () => svix.ingest.authentication.consumerPortalAccess(id),
    ]) {
      assert.equal((await refused(call())).body.code, 'capability-missing')
    }
    const { svix: reader } = await customer(id, { readOnly: true })
    assert.deepEqual((await reader.ingest.endpoint.list(id)).data, [])
    const { body } = await refused(reader.ingest.endpoint.create(id, { url: 'http://127.0.0.1:9/' }))
    assert.equal(body.code, 'capability-missing')
  })

  test('of an application does not lead to a source', async () => {
    const { id } = await server.svix.application.create({ name: 'App' })
    const { token } = await server.svix.authentication.appPortalAccess(id)
    const svix = new Svix(token, { serverUrl: server.url, retryScheduleInMs: [] })
    const source = await server.svix.ingest.source.create(signed())
    assert.equal((await refused(svix.ingest.endpoint.list(source.id))).code, 404)
    assert.equal((await refused(svix.endpoint.list(source.id))).code, 404)
  })
})

describe('presets', () => {
  test('are listed by name in pages, and shown one by one', async () => {
    const names: string[] = []
    for (let query = '', done_ = false; !done_; ) {
      const { json } = await ask('GET', `/ingest/api/v1/preset?limit=40${query}`)
      names.push(...json.data.map(({ name }: { name: string }) => name))
      query = `&iterator=${json.iterator}`
      done_ = json.done
    }
    assert.ok(names.length > 60, `${names.length}`)
    assert.deepEqual(names, [...new Set(names)].toSorted())
    const { json: stripe } = await ask('GET', '/ingest/api/v1/preset/stripe')
    assert.deepEqual([stripe.name, stripe.title], ['stripe', 'Stripe'])
    const { status, json } = await ask('GET', '/ingest/api/v1/preset/githib')
    assert.equal(status, 404)
    assert.match(json.detail, /did you mean github\?/)
  })
})
