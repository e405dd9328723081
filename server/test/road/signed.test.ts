import assert from 'node:assert/strict'
import { createPrivateKey, createPublicKey, verify as verifyWith } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import { Webhook, WebhookVerificationError } from 'standardwebhooks'
import { version } from '../../src/main.ts'
import type { Received } from '../support/receiver.ts'
import { testWorld } from '../support/world.ts'
import { scene } from './scene.ts'

const secretOf = (letter: string): string => `whsec_${Buffer.from(letter.repeat(32)).toString('base64')}`

/** The independent judge compares with the clock of the machine, so the world begins there. */
const today = () => testWorld({ now: Date.now() })

/** Whether npm `standardwebhooks` takes the request for one signed with this secret. */
function verifies(secret: string, { body, headers }: Received): boolean {
  const given = {
    'webhook-id': String(headers['webhook-id']),
    'webhook-timestamp': String(headers['webhook-timestamp']),
    'webhook-signature': String(headers['webhook-signature']),
  }
  try {
    new Webhook(secret).verify(body, given)
    return true
  } catch (error) {
    if (error instanceof WebhookVerificationError) return false
    throw error
  }
}

const last = (received: readonly Received[]): Received => received.at(-1) ?? assert.fail('nothing was received')

test('an attempt carries the headers that were promised, and no others', async (t) => {
  const world = today()
  const { server, receiver, endpointId, publish, arrived } = await scene(t, {
    world,
    endpoint: {
      secret: secretOf('a'),
      headers: { 'X-Tenant': 'Größe'.replace('ö', 'oe').replace('ß', 'ss'), authorization: 'Bearer x' },
    },
  })
  const id = await publish('{"a":1.0}')
  await arrived(1)
  const { rawHeaders, headers } = last(receiver.received)
  const names = rawHeaders.filter((_, at) => at % 2 === 0).map((name) => name.toLowerCase())
  assert.deepEqual(
    names.toSorted(),
    [
      ...['authorization', 'connection', 'content-length', 'content-type', 'host', 'traceparent', 'user-agent'],
      ...['webhook-id', 'webhook-signature', 'webhook-timestamp', 'x-tenant'],
    ].toSorted(),
  )
  assert.equal(headers['webhook-id'], id)
  assert.equal(headers['webhook-timestamp'], `${Math.floor(world.now() / 1000)}`)
  assert.equal(headers['content-type'], 'application/json')
  assert.match(
    String(headers['user-agent']),
    new RegExp(`^Posthorn/${version.replaceAll('.', '\\.')} \\(\\+http.+/docs\\)$`),
  )
  assert.equal(headers['x-tenant'], 'Groesse')
  assert.equal(headers.authorization, 'Bearer x')
  assert.equal(headers.host, new URL(receiver.url).host)
  assert.ok(verifies(secretOf('a'), last(receiver.received)))
  assert.ok(!verifies(secretOf('b'), last(receiver.received)))
  const { key } = await server.svix.endpoint.getSecret('shop', endpointId)
  assert.equal(key, secretOf('a'))
})

test('every attempt of a message has the same id and trace, its own span, and a timestamp and signature of its own time', async (t) => {
  const world = today()
  const { receiver, publish, arrived, recorded, dueAt } = await scene(t, { world, endpoint: { secret: secretOf('a') } })
  receiver.answer = (_, response) => response.writeHead(500).end()
  await publish()
  const sentAt: number[] = []
  for (let attempt = 1; attempt <= 3; attempt++) {
    await arrived(attempt)
    sentAt.push(world.now())
    await recorded(attempt)
    await world.advance((await dueAt()) - world.now())
  }
  await arrived(4)
  const { received } = receiver
  assert.equal(new Set(received.map(({ headers }) => headers['webhook-id'])).size, 1)
  for (const [at, moment] of sentAt.entries()) {
    assert.equal(received[at]?.headers['webhook-timestamp'], `${Math.floor(moment / 1000)}`)
  }
  assert.equal(new Set(received.map(({ headers }) => headers['webhook-signature'])).size, 4)
  // W3C Trace Context, level 1, section 3.2.
  const traces = received.map(({ headers }) =>
    /^00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}$/.exec(String(headers.traceparent)),
  )
  assert.equal(new Set(traces.map((trace) => trace?.[1] ?? assert.fail('is a traceparent'))).size, 1)
  assert.equal(new Set(traces.map((trace) => trace?.[2])).size, 4)
  assert.ok(traces.every((trace) => !/^0+$/.test(trace?.[1] ?? '') && !/^0+$/.test(trace?.[2] ?? '')))
  // The judge's tolerance is five minutes of the machine's clock: the first two tries are within it.
  for (const one of received.slice(0, 2)) assert.ok(verifies(secretOf('a'), one))
})

test('two messages have two traces', async (t) => {
  const { receiver, publish, arrived } = await scene(t)
  await publish()
  await publish()
  await arrived(2)
  assert.notEqual(
    String(receiver.received[0]?.headers.traceparent).slice(3, 35),
    String(receiver.received[1]?.headers.traceparent).slice(3, 35),
  )
})

test('a message to two endpoints is one trace, and a span for each', async (t) => {
  const { server, receiver, publish, arrived } = await scene(t)
  await server.svix.endpoint.create('shop', { url: `${receiver.url}/other` })
  await publish()
  await arrived(2)
  const parts = receiver.received.map(({ headers }) => String(headers.traceparent).split('-'))
  assert.equal(new Set(parts.map(([, trace]) => trace)).size, 1)
  assert.equal(new Set(parts.map(([, , span]) => span)).size, 2)
})

// RFC 8410: an Ed25519 key in PKCS #8 is this, then the 32 bytes of its seed.
const pkcs8Start = Buffer.from('302e020100300506032b657004220420', 'hex')

test('an endpoint with a whsk_ secret gets v1a signatures that its public key verifies', async (t) => {
  const seed = Buffer.alloc(32, 7)
  const publicKey = createPublicKey(
    createPrivateKey({ key: Buffer.concat([pkcs8Start, seed]), format: 'der', type: 'pkcs8' }),
  )
  const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32)
  const secret = `whsk_${Buffer.concat([seed, raw]).toString('base64')}`
  const { receiver, publish, arrived } = await scene(t, { endpoint: { secret } })
  await publish('{"amount":1e3}')
  await arrived(1)
  const { headers, body } = last(receiver.received)
  const signed = Buffer.from(`${headers['webhook-id']}.${headers['webhook-timestamp']}.${body.toString('utf8')}`)
  const [, signature = ''] = /^v1a,([A-Za-z0-9+/=]+)$/.exec(String(headers['webhook-signature'])) ?? []
  assert.ok(verifyWith(null, signed, publicKey, Buffer.from(signature, 'base64')))
  assert.ok(!verifyWith(null, Buffer.concat([signed, Buffer.from(' ')]), publicKey, Buffer.from(signature, 'base64')))
})

async function rotated(t: TestContext, gracePeriodSeconds?: number) {
  const world = today()
  const made = await scene(t, { world, endpoint: { secret: secretOf('a') } })
  await made.publish()
  await made.arrived(1)
  const asked = { key: secretOf('b'), ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }) }
  await made.server.svix.endpoint.rotateSecret('shop', made.endpointId, asked)
  return made
}

test('while a rotated secret overlaps both verify; when the overlap ends, only the new one does', async (t) => {
  const { server, receiver, publish, arrived } = await rotated(t, 120)
  assert.ok(verifies(secretOf('a'), last(receiver.received)))
  assert.ok(!verifies(secretOf('b'), last(receiver.received)))

  await server.world.advance(119_999)
  await publish()
  await arrived(2)
  assert.ok(verifies(secretOf('a'), last(receiver.received)))
  assert.ok(verifies(secretOf('b'), last(receiver.received)))

  await server.world.advance(1)
  await publish()
  await arrived(3)
  assert.ok(!verifies(secretOf('a'), last(receiver.received)))
  assert.ok(verifies(secretOf('b'), last(receiver.received)))
})

test('unless told otherwise, the former secret signs for 24 hours more', async (t) => {
  const { server, receiver, publish, arrived } = await rotated(t)
  const signatures = () => String(last(receiver.received).headers['webhook-signature']).split(' ').length
  // Not turn by turn: a day of chores would take ten seconds.
  await server.world.leap(24 * 3_600_000 - 1)
  await publish()
  await arrived(2)
  assert.equal(signatures(), 2)
  await server.world.advance(1)
  await publish()
  await arrived(3)
  assert.equal(signatures(), 1)
})

test('with no grace the former secret stops at once', async (t) => {
  const { receiver, publish, arrived } = await rotated(t, 0)
  await publish()
  await arrived(2)
  assert.ok(!verifies(secretOf('a'), last(receiver.received)))
  assert.ok(verifies(secretOf('b'), last(receiver.received)))
})

test('a delivery that waits for its next try when the secret is rotated is signed with the new one', async (t) => {
  const world = today()
  const { server, receiver, endpointId, publish, arrived, recorded, dueAt } = await scene(t, {
    world,
    endpoint: { secret: secretOf('a') },
  })
  receiver.answer = (_, response) => response.writeHead(500).end()
  await publish()
  await arrived(1)
  await recorded(1)
  await server.svix.endpoint.rotateSecret('shop', endpointId, { key: secretOf('b'), gracePeriodSeconds: 0 })
  await world.advance((await dueAt()) - world.now())
  await arrived(2)
  assert.ok(verifies(secretOf('b'), last(receiver.received)))
  assert.ok(!verifies(secretOf('a'), last(receiver.received)))
})

test("an owner's changed headers and URL count from the next try on", async (t) => {
  const { server, receiver, endpointId, publish, arrived, recorded, dueAt } = await scene(t)
  receiver.answer = (_, response) => response.writeHead(500).end()
  await publish()
  await arrived(1)
  await recorded(1)
  await server.svix.endpoint.patchHeaders('shop', endpointId, { headers: { 'x-new': 'yes' } })
  await server.svix.endpoint.patch('shop', endpointId, { url: `${receiver.url}/moved` })
  await server.world.advance((await dueAt()) - server.world.now())
  await arrived(2)
  assert.equal(last(receiver.received).headers['x-new'], 'yes')
  assert.equal(last(receiver.received).path, '/moved')
})
