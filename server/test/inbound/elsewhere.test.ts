import assert from 'node:assert/strict'
import { generateKeyPairSync, hash, type KeyObject, sign } from 'node:crypto'
import http from 'node:http'
import { type TestContext, test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { certify } from '../support/certificates.ts'
import { elsewhere } from '../support/elsewhere.ts'
import { eventually } from '../support/eventually.ts'
import { listening } from '../support/listening.ts'
import { startTestServer } from '../support/server.ts'
import { testWorld } from '../support/world.ts'
import { newSource, receivedMessages } from './source.ts'

// What stands on the hosts of providers, through the whole server: keys to check with, URLs that confirm.

const sns = 'sns.eu-central-1.amazonaws.com'
const certificateUrl = `https://${sns}/SimpleNotificationService-01d088a6f77103d0fe307c0069e40ed6.pem`
const subscribeUrl = `https://${sns}/?Action=ConfirmSubscription&Token=2336412f37`
const callback = `https://${sns}/callback?key=1`
const topicArn = 'arn:aws:sns:eu-central-1:123456789012:orders'
const amazon = certify({ name: 'sns.amazonaws.com', type: 'rsa' })
const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey

const signedFields = [
  'Message',
  'MessageId',
  'Subject',
  'SubscribeURL',
  'Timestamp',
  'Token',
  'TopicArn',
  'Type',
] as const

const confirmation = {
  Type: 'SubscriptionConfirmation',
  MessageId: '165545c9-2a5c-472c-8df2-7ff2be2b3b1b',
  Token: '2336412f37',
  TopicArn: topicArn,
  Message: 'You have chosen to subscribe to the topic.',
  SubscribeURL: subscribeUrl,
  Timestamp: '2026-01-01T00:00:00.000Z',
  SignatureVersion: '2',
  SigningCertURL: certificateUrl,
}

function signedBody(body: Readonly<Record<string, string>>, key: KeyObject = amazon.privateKey): string {
  const signed = signedFields.flatMap((name) => (body[name] === undefined ? [] : [`${name}\n${body[name]}\n`])).join('')
  return JSON.stringify({ ...body, Signature: sign('sha256', Buffer.from(signed), key).toString('base64') })
}

const snsBody = (changes: Readonly<Record<string, string>>, key?: KeyObject): string =>
  signedBody({ ...confirmation, ...changes }, key)

async function scene(t: TestContext) {
  const world = testWorld()
  const provider = { status: 200 }
  const { fetcher, requests, ended } = await elsewhere(t, world, [sns], (request, response) => {
    response.writeHead(provider.status).end(request.url?.endsWith('.pem') ? amazon.pem : '')
  })
  const server = await startTestServer({ world, fetcher })
  t.after(() => server.stop())
  const send = async (path: string, init: RequestInit) => fetch(`${server.url}${path}`, init)
  const post = async (path: string, body: string): Promise<Response> =>
    send(path, { method: 'POST', body, headers: { 'content-type': 'text/plain; charset=UTF-8' } })
  /** Waits until so many fetches have ended, and the source shows its handshakes so: name, successes, failures, failure. */
  const shows = async (sourceId: string, fetches: number, expected: readonly unknown[]) => {
    await eventually(world, `${fetches} fetches`, () => ended() === fetches)
    await world.advance(1000)
    let seen: unknown
    await eventually(world, `the handshakes of ${sourceId}`, async () => {
      const answer = await server.fetch(`/ingest/api/v1/source/${sourceId}`)
      const { handshakes } = (await answer.json()) as { readonly handshakes: readonly Shown[] }
      seen = handshakes.map(({ name, successes, failures, failure }) => [name, successes, failures, failure])
      return isDeepStrictEqual(seen, [expected])
    }).catch(() => assert.deepEqual(seen, [expected]))
  }
  return { provider, requests, server, world, post, send, shows }
}

interface Shown {
  readonly name: string
  readonly successes: number
  readonly failures: number
  readonly failure: string | null
}

const statusOf = async (answer: Promise<Response>): Promise<number> => (await answer).status

test('a subscription of SNS is confirmed after its signature, its topic and its host were right, and not before', async (t) => {
  const { requests, server, post, shows } = await scene(t)
  const source = await newSource(server, { type: 'aws-sns', config: { topicArn } })
  const metadata = 'http://169.254.169.254/latest/meta-data/a.pem'
  for (const body of [
    snsBody({}, stranger),
    snsBody({ TopicArn: 'arn:aws:sns:eu-central-1:999999999999:theirs' }),
    snsBody({ Timestamp: '2025-12-31T00:00:00.000Z' }),
    snsBody({ SigningCertURL: `https://${sns}.evil.example/a.pem` }),
    snsBody({ SigningCertURL: metadata }),
    snsBody({}).replaceAll('2336412f37', '2336412f38'),
  ]) {
    assert.equal(await statusOf(post(source.path, body)), 401)
  }
  assert.deepEqual(requests, [`GET ${certificateUrl}`])

  // Even what Amazon has signed leads nowhere else.
  const elsewhere = `https://${sns}@evil.example/?Action=ConfirmSubscription`
  assert.equal(await statusOf(post(source.path, snsBody({ SubscribeURL: elsewhere }))), 200)
  assert.equal(await statusOf(post(source.path, snsBody({}))), 200)
  const failure = 'The URL was not fetched: its host is not a plain name.'
  await shows(source.id, 2, ['subscription', 1, 7, failure])
  assert.deepEqual(requests, [`GET ${certificateUrl}`, `GET ${subscribeUrl}`])
  assert.deepEqual(await receivedMessages(server, source.id), [])

  const { Token, SubscribeURL, ...plain } = confirmation
  assert.ok(Token && SubscribeURL)
  const order = { ...plain, Type: 'Notification', Subject: 'An order', Message: '{"order":42}' }
  assert.equal(await statusOf(post(source.path, signedBody(order))), 200)
  assert.equal((await receivedMessages(server, source.id)).length, 1)
  assert.equal(requests.length, 2)
})

test('a confirmation that is refused is shown as failed', async (t) => {
  const { provider, requests, server, post, shows } = await scene(t)
  const source = await newSource(server, { type: 'aws-sns', config: { topicArn } })
  assert.equal(await statusOf(post(source.path, snsBody({}))), 200)
  await shows(source.id, 2, ['subscription', 1, 0, null])
  provider.status = 403
  assert.equal(await statusOf(post(source.path, snsBody({}))), 200)
  await shows(source.id, 3, ['subscription', 1, 1, `The URL was fetched in vain: ${sns} answered 403.`])

  // Where nothing is verified, nobody can have one fetched.
  const subscription = {
    ...{ name: 'subscription', match: [{ at: { body: '/Type' }, equals: 'SubscriptionConfirmation' }] },
    ...{ verified: true, answer: { status: 200 }, fetch: { url: { body: '/SubscribeURL' }, hosts: [sns] } },
  }
  const preset = { schemes: [], challenges: [subscription] }
  const open = await newSource(server, { type: 'custom', config: { preset } })
  await post(open.path, snsBody({}))
  await shows(open.id, 3, ['subscription', 0, 1, 'It was not verified, so nothing that it names was fetched.'])
  assert.equal(requests.length, 3)
})

test('a certificate that cannot be had is our own trouble: 503 with Retry-After, nothing is kept, and all is well later', async (t) => {
  const { provider, requests, server, world, post } = await scene(t)
  const source = await newSource(server, { type: 'aws-sns', config: { topicArn } })
  provider.status = 500
  const notification = snsBody({ Type: 'Notification' })
  for (let n = 0; n < 3; n++) {
    const answer = await post(source.path, notification)
    assert.equal(answer.status, 503)
    assert.equal(answer.headers.get('retry-after'), '10')
    const text = await answer.text()
    assert.ok(!text.includes('amazonaws'), text)
  }
  assert.equal(requests.length, 1)
  assert.deepEqual(await receivedMessages(server, source.id), [])
  provider.status = 200
  await world.advance(10_000)
  assert.equal(await statusOf(post(source.path, notification)), 200)
  assert.equal((await receivedMessages(server, source.id)).length, 1)
})

test('a CloudEvents sender has its consent at once, and its callback fetched only where the owner lists its host', async (t) => {
  const { requests, server, send, shows } = await scene(t)
  const config = { secret: 'a token of our own' }
  const closed = await newSource(server, { type: 'cloudevents', config })
  const callbackHosts = 'events.example, *.eu-central-1.amazonaws.com'
  const open = await newSource(server, {
    type: 'cloudevents',
    config: { ...config, callbackHosts, allowedRate: '120' },
  })
  for (const [path, url] of [
    [closed.path, callback],
    [open.path, callback],
    [open.path, 'https://evil.example/'],
    [open.path, 'http://169.254.169.254/latest/meta-data/'],
    [open.path, `https://${sns}:8443/`],
  ] as const) {
    const origin = 'eventemitter.example.com'
    const headers = { 'webhook-request-origin': origin, 'webhook-request-callback': url, 'webhook-request-rate': '120' }
    const answer = await send(path, { method: 'OPTIONS', headers })
    assert.equal(answer.status, 200)
    assert.equal(answer.headers.get('webhook-allowed-origin'), origin)
    assert.equal(answer.headers.get('webhook-allowed-rate'), path === open.path ? '120' : '*')
    assert.equal(answer.headers.get('allow'), 'POST')
  }
  await shows(open.id, 1, ['consent', 1, 3, 'The URL was not fetched: it names a port other than 443.'])
  await shows(closed.id, 1, ['consent', 1, 0, null])
  assert.deepEqual(requests, [`GET ${callback}`])
})

test("a key set is fetched from the owner's own server, and only for a token that would otherwise pass", async (t) => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  let fetches = 0
  const identity = http.createServer((_request, response) => {
    fetches++
    response.end(JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'k', alg: 'EdDSA' }] }))
  })
  const { port } = await listening(t, identity)
  const server = await startTestServer()
  t.after(() => server.stop())
  const source = await newSource(server, { type: 'fusionauth', config: { baseUrl: `http://127.0.0.1:${port}` } })
  const body = '{"event":{"id":"e1","type":"user.create"}}'
  const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const post = async (claims: object): Promise<number> => {
    const content = `${encoded({ alg: 'EdDSA', kid: 'k' })}.${encoded(claims)}`
    const signature = sign(null, Buffer.from(content), privateKey).toString('base64url')
    const headers = { 'x-fusionauth-signature-jwt': `${content}.${signature}` }
    return (await fetch(`${server.url}${source.path}`, { method: 'POST', body, headers })).status
  }
  assert.equal(await post({ request_body_sha256: hash('sha256', 'another body', 'base64') }), 401)
  assert.equal(fetches, 0)
  for (let n = 0; n < 3; n++) assert.equal(await post({ request_body_sha256: hash('sha256', body, 'base64') }), 200)
  assert.equal(fetches, 1)
  assert.equal((await receivedMessages(server, source.id)).length, 1)
})
