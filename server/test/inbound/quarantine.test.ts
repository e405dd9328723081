// What sources refuse: kept apart, explained, checked again, released. Through the door and the API of a running server.

import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { after, before, test } from 'node:test'
import { loadSettings } from '../../src/config.ts'
import type { EnvironmentId } from '../../src/domain/ids.ts'
import type { Preset } from '../../src/domain/preset.ts'
import type { Source, SourceSettings } from '../../src/domain/source.ts'
import { hashOfToken, sealSourceSecrets, sealToken } from '../../src/domain/source-seal.ts'
import { samples } from '../../src/stores/conformance/samples.ts'
import { eventually } from '../api/receiver.ts'
import { sendRequest } from '../support/sent-request.ts'
import { startTestServer, type TestServer } from '../support/server.ts'
import { receivedMessages } from './source.ts'

const masterKey = new Uint8Array(32).fill(7)
const make = samples()
let server: TestServer
let environmentId: EnvironmentId
before(async () => {
  server = await startTestServer({ settings: { masterKey, trustedProxies: 1 } })
  const [environment] = await server.store.environments.list()
  assert.ok(environment)
  environmentId = environment.id
})
after(() => server.stop())

const nonce = () => Buffer.from(server.world.randomBytes(12))
const sealed = (id: Source['id'], secret: string) =>
  sealSourceSecrets(
    masterKey,
    id,
    [{ id: 'ssec_1', name: null, value: secret, from: null, until: null, captured: false, createdAt: 0 }],
    nonce(),
  )

interface Door {
  readonly path: string
  readonly source: Source
  /** Changes what its owner says, and the secret. */
  mend(settings: Partial<SourceSettings>, secret?: string): Promise<void>
  rotate(): Promise<void>
  reverify(iterator?: string): Promise<unknown>
  quarantine(): Promise<
    readonly { readonly id: Source['id']; readonly reason: string; readonly acknowledged: boolean }[]
  >
}

async function door(type: string, secret: string, settings: Partial<SourceSettings> = {}): Promise<Door> {
  const token = Buffer.from(server.world.randomBytes(16)).toString('base64url')
  const plain = make.source(environmentId, { type })
  let row: Source = {
    ...plain,
    settings: { ...plain.settings, ...settings },
    sealedSecrets: sealed(plain.id, secret),
    sealedToken: sealToken(masterKey, plain.id, token, nonce()),
  }
  await server.store.sources.insert(row, hashOfToken(token))
  const all = `/ingest/api/v1/source/${row.id}/quarantine`
  return {
    path: `/in/${token}`,
    source: row,
    async mend(changes, mended = secret) {
      row = {
        ...{ ...row, revision: row.revision + 1, settings: { ...row.settings, ...changes } },
        sealedSecrets: sealed(row.id, mended),
      }
      assert.equal(await server.store.sources.update(row), 'done')
    },
    async rotate() {
      const next = Buffer.from(server.world.randomBytes(16)).toString('base64url')
      row = { ...row, revision: row.revision + 1, sealedToken: sealToken(masterKey, row.id, next, nonce()) }
      assert.equal(await server.store.sources.rotateToken(row, hashOfToken(next), 0), 'done')
    },
    async reverify(iterator) {
      const body = iterator === undefined ? null : JSON.stringify({ iterator })
      const headers = { 'content-type': 'application/json' }
      const answer = await server.fetch(`${all}/reverify`, {
        method: 'POST',
        ...(body === null ? {} : { body, headers }),
      })
      return answer.json()
    },
    async quarantine() {
      return JSON.parse(await (await server.fetch(`${all}?order=ascending&limit=250`)).text()).data
    },
  }
}

const send = async (path: string, body: string, headers: readonly string[] = []) =>
  (await sendRequest({ method: 'POST', origin: server.url, target: path, headers, body: Buffer.from(body) })).status

/** As Stripe signs, at the time it is. */
function stripe(path: string, secret: string, id: string): Promise<number> {
  const body = JSON.stringify({ id, type: 'invoice.paid', object: 'event' })
  const at = Math.floor(server.world.now() / 1000)
  const signature = createHmac('sha256', secret).update(`${at}.${body}`).digest('hex')
  return send(path, body, ['Content-Type', 'application/json', 'Stripe-Signature', `t=${at},v1=${signature}`])
}

const hour = 3_600_000

test('once the secret is mended, what was refused is released in the order it came, however old it is by then', async () => {
  const { path, source, mend, reverify, quarantine } = await door('stripe', 'whsec_typed_wrong')
  for (const id of ['evt_1', 'evt_2', 'evt_3']) {
    assert.equal(await stripe(path, 'whsec_right', id), 401)
    await server.world.advance(1_000)
  }
  assert.equal(await stripe(path, 'whsec_of_somebody_else', 'evt_forged'), 401)
  assert.deepEqual(
    (await quarantine()).map(({ reason, acknowledged }) => [reason, acknowledged]),
    Array.from({ length: 4 }, () => ['signature-wrong', false]),
  )
  assert.deepEqual(await receivedMessages(server, source.id), [])
  await server.world.advance(5 * hour)
  await mend({}, 'whsec_right')
  assert.deepEqual(await reverify(), {
    ...{ checked: 4, released: 3, duplicates: 0, remaining: 1, iterator: null, done: true },
  })
  const messages = (await receivedMessages(server, source.id)).toReversed()
  assert.deepEqual(
    messages.map(({ eventId, verification }) => [eventId, verification.kind]),
    ['evt_1', 'evt_2', 'evt_3'].map((id) => [id, 'verified']),
  )
  assert.equal((await quarantine()).length, 1)
})

test('what its provider has sent again meanwhile is a duplicate, and what is released is one for the door', async () => {
  const { path, source, mend, reverify } = await door('stripe', 'whsec_typed_wrong')
  await stripe(path, 'whsec_right', 'evt_1')
  await stripe(path, 'whsec_right', 'evt_2')
  await mend({}, 'whsec_right')
  await server.world.advance(2 * 60_000) // The door remembers a source for a minute.
  assert.equal(await stripe(path, 'whsec_right', 'evt_1'), 200)
  assert.deepEqual(await reverify(), {
    ...{ checked: 2, released: 1, duplicates: 1, remaining: 0, iterator: null, done: true },
  })
  assert.equal(await stripe(path, 'whsec_right', 'evt_2'), 200)
  const messages = await receivedMessages(server, source.id)
  assert.deepEqual(messages.map(({ eventId }) => eventId).toSorted(), ['evt_1', 'evt_2'])
})

const custom: Preset = {
  ...{ name: 'custom', title: 'Own', docs: 'https://example.com', basis: 'read', retryWindow: 0 },
  secret: { label: 'Token', where: 'Made up.' },
  schemes: [
    {
      ...{ name: 'token', algorithm: 'equality', signature: [{ header: 'X-Token' }] },
      key: { from: 'secret', encoding: 'utf8' },
    },
  ],
  id: { alternatives: [], otherwise: 'none' },
}

test('a request that nothing makes the same as another is released once, also when it was not removed in time', async () => {
  const { path, source, mend, reverify } = await door('custom', 'typed-wrong', { custom })
  assert.equal(await send(path, '{}', ['X-Token', 'whsec_right']), 401)
  const rows = await server.store.quarantine.oldest(source.id, '', 10, 1 << 20)
  await mend({}, 'whsec_right')
  await reverify()
  await server.store.quarantine.keep(rows, { count: 10, bytes: 1 << 20 })
  assert.deepEqual(await reverify(), {
    ...{ checked: 1, released: 0, duplicates: 1, remaining: 0, iterator: null, done: true },
  })
  assert.equal((await receivedMessages(server, source.id)).length, 1)
})

test('where the URL is signed, it is the one of that time, also when the token has been rotated since', async () => {
  const { path, source, mend, rotate, reverify } = await door('twilio', 'typed_wrong')
  const url = `${loadSettings({ env: {}, flags: { listen: '127.0.0.1:0' } }).publicUrl}${path}`
  const signature = createHmac('sha1', 'right').update(`${url}MessageSidSM1`).digest('base64')
  const form = ['Content-Type', 'application/x-www-form-urlencoded', 'X-Twilio-Signature', signature]
  assert.ok((await send(path, 'MessageSid=SM1', form)) >= 400)
  await rotate()
  await mend({}, 'right')
  assert.equal(Object(await reverify()).released, 1)
  assert.equal((await receivedMessages(server, source.id))[0]?.verification.kind, 'verified')
})

test('a genuine request that violates the schema is answered as stored, is kept, and comes out with the schema', async () => {
  const { path, source, mend, reverify, quarantine } = await door('stripe', 'whsec_right', {
    schemaCheck: 'quarantine',
    schemas: { 'invoice.paid': { type: 'object', required: ['amount'] } },
  })
  assert.equal(await stripe(path, 'whsec_right', 'evt_1'), 200)
  assert.equal(await stripe(path, 'whsec_wrong', 'evt_2'), 401)
  assert.deepEqual(
    (await quarantine()).map(({ reason, acknowledged }) => [reason, acknowledged]),
    [
      ['schema-violated', true],
      ['signature-wrong', false],
    ],
  )
  assert.deepEqual(await receivedMessages(server, source.id), [])
  await mend({ schemas: { 'invoice.paid': { type: 'object' } } })
  await reverify()
  assert.equal((await receivedMessages(server, source.id)).length, 1)
  assert.equal((await quarantine()).length, 1)
})

test('what is checked again meets all that the door would ask, whatever the mode of its source is by then', async () => {
  const released = async (one: Door): Promise<number> => Object(await one.reverify()).released
  const from = ['192.0.2.0/24']
  const stranger = await door('stripe', 'whsec_right', { allowedAddresses: from })
  assert.equal(await stripe(stranger.path, 'whsec_right', 'evt_1'), 403)
  assert.equal(await released(stranger), 0)
  await stranger.mend({ allowedAddresses: null })
  assert.equal(await released(stranger), 1)

  const forged = await door('stripe', 'whsec_right')
  assert.equal(await stripe(forged.path, 'whsec_wrong', 'evt_1'), 401)
  await forged.mend({ mode: 'observe' })
  assert.equal(await released(forged), 0)

  const schemas = { '*': { type: 'object', required: ['amount'] } }
  const misfit = await door('stripe', 'whsec_right', { schemaCheck: 'quarantine', schemas })
  assert.equal(await stripe(misfit.path, 'whsec_right', 'evt_1'), 200)
  assert.equal(await released(misfit), 0)

  const unsigned: Preset = { ...custom, schemes: [] }
  const closed = await door('custom', 'whsec_right', { custom })
  assert.equal(await send(closed.path, '{}', ['X-Token', 'wrong']), 401)
  await closed.mend({ custom: unsigned })
  assert.equal(await released(closed), 0)
  await closed.mend({ mode: 'observe' })
  assert.equal(await released(closed), 1)
})

test('a source that only warns of its schema takes the request, and the operator sees that it did not fit', async () => {
  const schemas = { '*': { type: 'object', required: ['amount'] } }
  const { path, source } = await door('stripe', 'whsec_right', { schemaCheck: 'warn', schemas })
  assert.equal(await stripe(path, 'whsec_right', 'evt_1'), 200)
  assert.equal((await receivedMessages(server, source.id)).length, 1)
  const metrics = await (await server.fetch('/metrics')).text()
  assert.match(metrics, /posthorn_payload_misfits_total\{mode="warn"\} 1/)
})

test('an address that may not call is refused with 403, known behind a proxy, and explained', async () => {
  const { path, quarantine } = await door('stripe', 'whsec_right', { allowedAddresses: ['192.0.2.0/24'] })
  const from = (address: string) => send(path, '{}', ['X-Forwarded-For', address])
  assert.equal(await from('192.0.2.7'), 401)
  assert.equal(await from('198.51.100.7'), 403)
  assert.equal(await from('192.0.2.7, 198.51.100.7'), 403)
  assert.deepEqual(
    (await quarantine()).map(({ reason }) => reason),
    ['signature-missing', 'address-not-allowed', 'address-not-allowed'],
  )
})

test('a flood of forged requests is answered, and little of it is kept', async () => {
  const { path, quarantine } = await door('stripe', 'whsec_right')
  const answers = await Promise.all(Array.from({ length: 400 }, () => stripe(path, 'whsec_forged', 'evt_1')))
  assert.ok(answers.every((status) => status === 401))
  const kept = (await quarantine()).length
  assert.ok(kept >= 100 && kept <= 110, `${kept}`)
})

test('what is past its age goes by itself', async () => {
  const { path, quarantine } = await door('stripe', 'whsec_right')
  await stripe(path, 'whsec_forged', 'evt_1')
  assert.equal((await quarantine()).length, 1)
  await server.world.leap(30 * 24 * hour - 10 * 60_000)
  // A round of chores takes the store's own time.
  for (let round = 0; round < 5; round++) {
    assert.equal((await quarantine()).length, 1)
    await server.world.leap(60_000)
  }
  await server.world.leap(10 * 60_000)
  const look = async () => {
    await server.world.leap(60_000)
    return quarantine()
  }
  await eventually(look, (kept) => kept.length === 0)
})

test('an iterator that this call did not give out is refused, and a source that is not there is not found', async () => {
  const { reverify } = await door('stripe', 'whsec_right')
  assert.equal(Object(await reverify('nonsense')).code, 'iterator-invalid')
  const nobody = await server.fetch('/ingest/api/v1/source/nobody/quarantine/reverify', { method: 'POST' })
  assert.equal(nobody.status, 404)
})
