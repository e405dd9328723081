import assert from 'node:assert/strict'
import { createHash, createHmac, generateKeyPairSync } from 'node:crypto'
import { after, before, test } from 'node:test'
import { Webhook } from 'svix'
import { type SeenAnswer, sendRequest } from '../support/sent-request.ts'
import { startTestServer, type TestServer } from '../support/server.ts'
import { newSource, receivedMessages } from './source.ts'

// What a stranger who knows the URL, or has seen one genuine request, could make of it.

let server: TestServer
before(async () => {
  server = await startTestServer()
})
after(() => server.stop())

const send = (
  method: string,
  target: string,
  headers: readonly string[],
  body: Uint8Array | string = '',
): Promise<SeenAnswer> => sendRequest({ method, origin: server.url, target, headers, body: Buffer.from(body) })

const hmac = (algorithm: string, key: string, text: string) => createHmac(algorithm, key).update(text)
const form = ['content-type', 'application/x-www-form-urlencoded']

test('a challenge cannot be used to have an event signed that X never sent', async () => {
  const source = await newSource(server, { type: 'x', config: { secret: 'consumer-secret' } })
  const forged = '{"for_user_id":"1","tweet_create_events":[]}'
  const asked = await send('GET', `${source.path}?crc_token=${encodeURIComponent(forged)}`, [])
  assert.equal(asked.status, 400)
  const oracle = hmac('sha256', 'consumer-secret', forged).digest('base64')
  assert.ok(!asked.body.includes(oracle))
  const genuine = await send('GET', `${source.path}?crc_token=bWFkZS1ieS1Y.x_1%3D%3D`, [])
  assert.deepEqual(JSON.parse(genuine.body), {
    response_token: `sha256=${hmac('sha256', 'consumer-secret', 'bWFkZS1ieS1Y.x_1==').digest('base64')}`,
  })
})

test('a message that was seen is not another one when its id is said twice, differently, or under its other name', async () => {
  const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
  const source = await newSource(server, { type: 'svix', config: { secret } })
  const at = new Date(server.world.now())
  const signature = new Webhook(secret).sign('msg_1', at, '{}')
  const time = `${Math.floor(at.getTime() / 1000)}`
  const seen = ['svix-id', 'msg_1', 'svix-timestamp', time, 'svix-signature', signature]
  const renamed = ['webhook-id', 'msg_1', 'webhook-timestamp', time, 'webhook-signature', signature]
  assert.equal((await send('POST', source.path, seen, '{}')).status, 200)
  assert.equal((await send('POST', source.path, [...seen, 'svix-id', 'msg_2'], '{}')).status, 401)
  assert.equal((await send('POST', source.path, [...seen, 'svix-id', 'msg_1'], '{}')).status, 200)
  assert.equal((await send('POST', source.path, renamed, '{}')).status, 200)
  const [message, ...others] = await receivedMessages(server, source.id)
  assert.deepEqual([others.length, message?.duplicates], [0, 2])
})

test("one signature of Mailgun's, which is over no content, lets nothing else pass, whatever form it comes in", async () => {
  const source = await newSource(server, { type: 'mailgun', config: { secret: 'mailgun-key' } })
  const timestamp = `${Math.floor(server.world.now() / 1000)}`
  const [token, other] = ['a'.repeat(50), 'b'.repeat(50)]
  const signature = hmac('sha256', 'mailgun-key', timestamp + token).digest('hex')
  const signed = `token=${token}&timestamp=${timestamp}&signature=${signature}`
  const genuine = JSON.stringify({ signature: { timestamp, token, signature }, 'event-data': { event: 'delivered' } })
  assert.equal((await send('POST', source.path, ['content-type', 'application/json'], genuine)).status, 200)
  for (const [body, status] of [
    [`${signed}&event=forged`, 200],
    [`${signed}&token=${other}&event=forged`, 401],
    [`{"signature":{"token":"${other}"},"x":"&${signed}&event=forged&"}`, 401],
  ] as const) {
    assert.equal((await send('POST', source.path, form, body)).status, status, body)
  }
  const [message, ...others] = await receivedMessages(server, source.id)
  assert.deepEqual([others.length, message?.duplicates, message?.eventType], [0, 1, 'delivered'])
})

test('parameters behind very many separators are signed like those before them', async () => {
  const source = await newSource(server, {
    type: 'twilio',
    config: { secret: 'auth-token' },
    publicUrl: 'https://a.example/twilio',
  })
  const right = '{"a":1}'
  const hashOf = (body: string): string => createHash('sha256').update(body).digest('hex')
  const query = `?bodySHA256=${hashOf(right)}`
  const target = `${source.path}${query}`
  const signature = hmac('sha1', 'auth-token', `https://a.example/twilio${query}`).digest('base64')
  const headers = ['X-Twilio-Signature', signature, 'content-type', 'application/json']
  assert.equal((await send('POST', target, headers, right)).status, 200)
  const forged = '{"a":2}'
  const longer = `${target}${'&'.repeat(1_001)}bodySHA256=${hashOf(forged)}`
  assert.equal((await send('POST', longer, headers, forged)).status, 401)
})

test('a public key that was pasted with a line before it is no shared secret', async () => {
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const secret = `# our key\n${publicKey.export({ type: 'spki', format: 'pem' })}`
  const source = await newSource(server, { type: 'fusionauth', config: { secret } })
  const body = '{"event":{"id":"e1","type":"user.create"}}'
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const claims = { request_body_sha256: createHash('sha256').update(body).digest('base64') }
  const signed = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`
  const token = `${signed}.${hmac('sha256', secret, signed).digest('base64url')}`
  assert.equal((await send('POST', source.path, ['X-FusionAuth-Signature-JWT', token], body)).status, 401)
})

test('a challenge that becomes a message takes no id from an event that is still to come', async () => {
  const secret = 'bitbucket-secret'
  const source = await newSource(server, { type: 'bitbucket', config: { secret }, forwardChallenges: true })
  const event = ['X-Request-UUID', 'uuid-1']
  assert.equal((await send('POST', source.path, [...event, 'X-Event-Key', 'diagnostics:ping'], '{}')).status, 200)
  const signature = `sha256=${hmac('sha256', secret, '{"push":1}').digest('hex')}`
  const genuine = [...event, 'X-Event-Key', 'repo:push', 'X-Hub-Signature', signature]
  assert.equal((await send('POST', source.path, genuine, '{"push":1}')).status, 200)
  const types = (await receivedMessages(server, source.id)).map(({ eventType }) => eventType)
  assert.deepEqual(types.toSorted(), ['diagnostics_ping', 'repo_push'])
})
