import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, before, test } from 'node:test'
import { Stripe } from 'stripe'
import { newDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'
import { type Receiver, startReceiver } from '../support/receiver.ts'
import { type SeenAnswer, sendRequest } from '../support/sent-request.ts'
import { startTestServer, type TestServer } from '../support/server.ts'
import { type NewSource, newEndpoint, newSource, quarantined, receivedMessages } from './source.ts'

// The sixteen things that a receiver of webhooks meets, with the provider's own library as the sender.

const secret = 'whsec_of_the_scenarios'
const stripe = new Stripe('sk_test_none')
const { url: databaseUrl, drop } = await newDatabase()
let server: TestServer
let receiver: Receiver

before(async () => {
  server = await startTestServer({ databaseUrl })
  receiver = await startReceiver()
})
after(async () => {
  await receiver.close()
  await server.stop()
  await drop()
})

const newStripe = (): Promise<NewSource> => newSource(server, { type: 'stripe', config: { secret } })
const seconds = (): number => Math.floor(server.world.now() / 1000)
const event = (id: string): string => `{"id":"${id}","object":"event","type":"invoice.paid","amount":1.50}`
const signed = (payload: string, key = secret, timestamp = seconds()): string =>
  stripe.webhooks.generateTestHeaderString({ payload, secret: key, timestamp })

const send = (
  path: string,
  payload: string | Buffer,
  signature: string | null,
  type = 'application/json',
): Promise<SeenAnswer> =>
  sendRequest({
    method: 'POST',
    origin: server.url,
    target: path,
    headers: ['Content-Type', type, ...(signature === null ? [] : ['Stripe-Signature', signature])],
    body: Buffer.from(payload),
  })

const genuine = (path: string, id: string): Promise<SeenAnswer> => send(path, event(id), signed(event(id)))

const ids = async ({ id }: NewSource): Promise<readonly (string | null)[]> =>
  (await receivedMessages(server, id)).map(({ eventId }) => eventId).toReversed()

/** Refused with 401, kept with this reason, and no message. */
async function refused(source: NewSource, answer: SeenAnswer, reason: string): Promise<void> {
  assert.equal(answer.status, 401)
  assert.deepEqual(await ids(source), [])
  const [kept] = await quarantined(server, source.id)
  const verification = kept?.request.verification
  assert.ok(verification?.kind === 'refused')
  assert.equal(verification.reason, reason)
  assert.ok(verification.explanation.length > 0)
}

test('1. an event that comes again later is one message', async () => {
  const source = await newStripe()
  const first = await genuine(source.path, 'evt_1')
  await server.world.advance(3_600_000)
  const second = await genuine(source.path, 'evt_1')
  assert.deepEqual([first.status, first.body], [second.status, second.body])
  assert.deepEqual(await ids(source), ['evt_1'])
})

test('2. an event that comes many times at once is one message', async () => {
  const source = await newStripe()
  const answers = await Promise.all(Array.from({ length: 20 }, () => genuine(source.path, 'evt_1')))
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]))
  assert.deepEqual(await ids(source), ['evt_1'])
})

test('3. events that overtake each other are all kept, in the order they came', async () => {
  const source = await newStripe()
  for (const id of ['evt_3', 'evt_1', 'evt_2']) await genuine(source.path, id)
  assert.deepEqual(await ids(source), ['evt_3', 'evt_1', 'evt_2'])
})

test('4. a sender that hangs up before it has read the answer, and comes again, has sent one message', async () => {
  const source = await newStripe()
  const body = event('evt_1')
  const socket = connect(Number(new URL(server.url).port), '127.0.0.1')
  socket.write(
    `POST ${source.path} HTTP/1.1\r\nHost: x\r\nStripe-Signature: ${signed(body)}\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    () => socket.destroy(),
  )
  await eventually(server.world, 'it was stored all the same', async () => (await ids(source)).length === 1)
  assert.equal((await genuine(source.path, 'evt_1')).status, 200)
  assert.deepEqual(await ids(source), ['evt_1'])
})

test('5. a request without a signature is refused', async () => {
  const source = await newStripe()
  await refused(source, await send(source.path, event('evt_1'), null), 'signature-missing')
})

test('6. a signature that is none is refused', async () => {
  const source = await newStripe()
  const answer = await send(source.path, event('evt_1'), `t=${seconds()},v1=not-hexadecimal`)
  await refused(source, answer, 'signature-malformed')
})

test('7. a signature by another key is refused', async () => {
  const source = await newStripe()
  const body = event('evt_1')
  await refused(source, await send(source.path, body, signed(body, 'whsec_of_somebody_else')), 'signature-wrong')
})

test('8. a signature of an hour ago is refused', async () => {
  const source = await newStripe()
  const body = event('evt_1')
  await refused(source, await send(source.path, body, signed(body, secret, seconds() - 3600)), 'stale')
})

test('9. a body that was altered is refused', async () => {
  const source = await newStripe()
  await refused(source, await send(source.path, event('evt_2'), signed(event('evt_1'))), 'signature-wrong')
})

test('10. a time that was altered is refused', async () => {
  const source = await newStripe()
  const body = event('evt_1')
  const old = signed(body, secret, seconds() - 3600)
  await refused(source, await send(source.path, body, old.replace(/t=\d+/, `t=${seconds()}`)), 'signature-wrong')
})

test('11. an empty body that is signed is a message', async () => {
  const source = await newStripe()
  assert.equal((await send(source.path, '', signed(''))).status, 200)
  const [message] = await receivedMessages(server, source.id)
  assert.deepEqual([message?.eventType, message?.body.length], ['stripe', 0])
})

test('12. a body that is no JSON, though it says so, is a message when it is signed, and is kept as it came', async () => {
  const source = await newStripe()
  const body = '{"id":"evt_1",'
  assert.equal((await send(source.path, body, signed(body))).status, 200)
  const [message] = await receivedMessages(server, source.id)
  assert.equal(Buffer.from(message?.body ?? []).toString(), body)
})

test('13. a content type that does not fit changes nothing', async () => {
  const source = await newStripe()
  const body = event('evt_1')
  assert.equal((await send(source.path, body, signed(body), 'text/html; charset=iso-8859-1')).status, 200)
  assert.deepEqual(await ids(source), ['evt_1'])
})

test('14. a receiver that fails is tried again, and the provider hears nothing of it', async () => {
  const source = await newStripe()
  await newEndpoint(server, source.id, `${receiver.url}/failing`)
  let tries = 0
  receiver.answer = (_, response) => response.writeHead(++tries === 1 ? 500 : 204).end()
  assert.equal((await genuine(source.path, 'evt_1')).status, 200)
  await eventually(server.world, 'it is tried again', async () => {
    await server.world.advance(1_000)
    return tries === 2
  })
})

test('15. an event that comes a hundred times more after a restart is still one message, and what waited goes on', async () => {
  const source = await newStripe()
  await newEndpoint(server, source.id, `${receiver.url}/restart`)
  await server.fetch(`/ingest/api/v1/source/${source.id}`, {
    method: 'PATCH',
    headers: { 'content-type': 'application/json' },
    body: '{"state":"paused"}',
  })
  await genuine(source.path, 'evt_1')
  const { world } = server
  await server.stop()
  server = await startTestServer({ databaseUrl, world })
  const { secrets } = (await (await server.fetch(`/ingest/api/v1/source/${source.id}`)).json()) as {
    readonly secrets: readonly { readonly lastUsedAt?: string }[]
  }
  assert.deepEqual(
    secrets.map(({ lastUsedAt }) => lastUsedAt),
    [new Date(world.now()).toISOString()],
    'what nobody waited for was written before it stopped',
  )
  const again = await Promise.all(Array.from({ length: 100 }, () => genuine(source.path, 'evt_1')))
  assert.deepEqual(new Set(again.map(({ status, body }) => `${status} ${body}`)), new Set(['200 ']))
  const [message, ...more] = await receivedMessages(server, source.id)
  assert.deepEqual([message?.duplicates, more.length], [100, 0])
  await server.fetch(`/ingest/api/v1/source/${source.id}`, {
    method: 'PATCH',
    headers: { 'content-type': 'application/json' },
    body: '{"state":"active"}',
  })
  await eventually(world, 'it goes on', () => receiver.received.some(({ path }) => path === '/restart'))
})

test('16. while the store does not take anything the answer is 503 with a time to come again, never 4xx', async () => {
  const source = await newStripe()
  await genuine(source.path, 'evt_1')
  await server.store.close()
  const signature = signed(event('evt_2'))
  for (const answer of [
    await send(source.path, event('evt_2'), signature),
    await send(source.path, event('evt_2'), 'forged'),
  ]) {
    assert.equal(answer.status, 503)
    assert.ok(Number(answer.headers['retry-after']) >= 1)
  }
  const unknown = await send('/in/never-heard-of', '{}', null)
  assert.equal(unknown.status, 503, 'whether it is known cannot be told')
})
