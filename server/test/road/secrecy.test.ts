import assert from 'node:assert/strict'
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { Svix } from 'svix'
import { readDatabaseTarget, shownTarget } from '../../src/domain/database-target.ts'
import { capturedLog } from '../support/captured-log.ts'
import { newDatabase, onSqliteAlone, placesHolding, sqlitePath } from '../support/database.ts'
import { startTestServer, testKey } from '../support/server.ts'
import { scene } from './scene.ts'

const secretOf = (text: string): string => `whsec_${Buffer.from(text.padEnd(32, '.')).toString('base64')}`

const keyFiles = onSqliteAlone('beside a file there can be a key file')

/** A text as it is, and as base64, base64url and hex would carry it. */
const spellings = (text: string): readonly (readonly [how: string, bytes: Buffer])[] => [
  [`${text} as it is`, Buffer.from(text)],
  ...(['base64', 'base64url', 'hex'] as const).map(
    (how) => [`${text} in ${how}`, Buffer.from(Buffer.from(text).toString(how).replace(/=+$/, ''))] as const,
  ),
]

test('neither secrets, owners’ headers, API keys, portal tokens nor the master key are in the database or in any log line', async (t) => {
  const { log, text } = capturedLog('trace')
  const masterKey = Buffer.from('the-master-key-of-this-one-test!')
  const made = await scene(t, {
    log,
    settings: { masterKey, retrySchedule: [1_000] },
    endpoint: {
      secret: secretOf('first-secret'),
      headers: { authorization: 'Bearer owners-credential', 'x-own': 'owners-header' },
    },
  })
  const { server, endpointId, publish, receiver, recorded, dueAt, disk } = made
  const { svix, world } = server
  await publish('{"found":"payload-marker"}')
  await recorded(1)
  receiver.answer = (_, response) => response.writeHead(500).end('answer-marker')
  await publish()
  await recorded(2)
  await svix.endpoint.rotateSecret('shop', endpointId, { key: secretOf('second-secret') })
  await world.advance((await dueAt()) - world.now())
  await recorded(3)
  const { token } = await svix.authentication.appPortalAccess('shop', { expiry: 3_600 })
  const customer = new Svix(token, { serverUrl: server.url, retryScheduleInMs: [] })
  await customer.endpoint.list('shop')
  await assert.rejects(customer.application.list())
  // Calls that fail, so that what tells of failures is heard too.
  await assert.rejects(svix.endpoint.rotateSecret('shop', endpointId, { key: 'whsec_wrong-secret-given' }))
  await assert.rejects(svix.endpoint.patchHeaders('shop', endpointId, { headers: { host: 'wrong-header-given' } }))
  assert.equal(
    (await fetch(`${server.url}/api/v1/app`, { headers: { authorization: 'Bearer wrong-key-given' } })).status,
    401,
  )
  await disk.refuse()
  await server.fetch('/api/v1/app/shop/msg', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"eventType":"a","payload":{"found":"payload-marker"}}',
  })
  await disk.accept()
  await world.advance(250)
  await made.restart()

  const secrets = [
    ...[
      'first-secret',
      'second-secret',
      'owners-credential',
      'owners-header',
      testKey,
      token,
      token.slice('phapp_'.length),
    ],
    ...[secretOf('first-secret').slice(6), secretOf('second-secret').slice(6), masterKey.toString()],
  ]
  const places = (kept: string) => placesHolding(server.databaseUrl, kept)
  const logged = Buffer.from(text())
  assert.notDeepEqual(await places('payload-marker'), [], 'the right place was searched')
  assert.ok(logged.includes(endpointId), 'the right log was searched')
  for (const [how, bytes] of secrets.flatMap(spellings)) {
    assert.deepEqual(await places(bytes.toString('utf8')), [], `${how} is in the database`)
    assert.ok(!logged.includes(bytes), `${how} is in the log`)
  }
  for (const word of [
    'payload-marker',
    'answer-marker',
    'wrong-secret-given',
    'wrong-header-given',
    'wrong-key-given',
  ]) {
    assert.ok(!logged.includes(word), `${word} is in the log`)
  }
})

test(
  'the master key that is made at the first start is for its owner only, and beside the database, not in it',
  keyFiles,
  async (t) => {
    const { server } = await scene(t)
    const path = sqlitePath(server.databaseUrl)
    const keyFile = `${path}.key`
    assert.equal(statSync(keyFile).mode & 0o777, 0o600)
    const key = readFileSync(keyFile, 'utf8').trim()
    for (const suffix of ['', '-wal']) {
      const bytes = readFileSync(`${path}${suffix}`)
      assert.ok(!bytes.includes(key) && !bytes.includes(Buffer.from(key, 'base64')))
    }
  },
)

test('a start with another master key is refused with a word on what is wrong, and harms nothing', async (t) => {
  const { url: databaseUrl, drop } = await newDatabase()
  t.after(drop)
  const right = { databaseUrl, settings: { masterKey: new Uint8Array(32).fill(1) } }
  const wrong = { databaseUrl, settings: { masterKey: new Uint8Array(32).fill(2) } }
  // Nothing is sealed yet: any key will do.
  await (await startTestServer(wrong)).stop()
  const first = await startTestServer(right)
  await first.svix.application.create({ name: 'Shop', uid: 'shop' })
  const { id } = await first.svix.endpoint.create('shop', { url: 'http://127.0.0.1:9/', secret: secretOf('kept') })
  await first.stop()

  await assert.rejects(startTestServer(wrong), (error: Error) => {
    assert.match(error.message, /master key/)
    assert.match(error.message, /POSTHORN_MASTER_KEY/)
    assert.ok(error.message.includes(shownTarget(readDatabaseTarget(databaseUrl))))
    return true
  })
  const again = await startTestServer(right)
  assert.equal((await again.svix.endpoint.getSecret('shop', id)).key, secretOf('kept'))
  await again.stop()
})

test(
  'a start without the key file that sealed the secrets is refused, and putting it back mends it',
  keyFiles,
  async (t) => {
    const made = await scene(t)
    const path = sqlitePath(made.server.databaseUrl)
    const keyFile = `${path}.key`
    const kept = readFileSync(keyFile)
    rmSync(keyFile)
    await assert.rejects(made.restart(), /master key/)
    assert.ok(existsSync(path))
    writeFileSync(keyFile, kept)
    await made.start()
    await made.publish()
    await made.arrived(1)
  },
)
