import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import type { DetectOut, SourceTriggerOut } from '@posthorn/contract'
import { type SeenAnswer, sendRequest } from '../support/sent-request.ts'
import { startTestServer, type TestServer } from '../support/server.ts'
import { type NewSource, newSource, quarantined, receivedMessages } from './source.ts'

let server: TestServer
before(async () => {
  server = await startTestServer()
})
after(() => server.stop())

const post = (path: string, body: unknown): Promise<Response> =>
  server.fetch(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })

const asked = (source: NewSource, body: Readonly<Record<string, unknown>>): Promise<Response> =>
  post(`/ingest/api/v1/source/${source.id}/trigger`, body)

async function triggered(source: NewSource, body: Readonly<Record<string, unknown>>): Promise<SourceTriggerOut> {
  const answer = await asked(source, body)
  const text = await answer.text()
  assert.equal(answer.status, 200, text)
  assert.equal(answer.headers.get('cache-control'), 'no-store')
  return JSON.parse(text)
}

function sent({ request }: SourceTriggerOut): Promise<SeenAnswer> {
  const { pathname, search } = new URL(request.url)
  return sendRequest({
    ...{ method: request.method, origin: server.url, target: pathname + search, headers: request.headers.flat() },
    body: request.body === null ? Buffer.from(request.bodyBase64 ?? '', 'base64') : Buffer.from(request.body),
  })
}

describe('POST …/source/{source_id}/trigger', () => {
  test('makes what the source takes for genuine, and another event each time', async () => {
    const source = await newSource(server, { type: 'stripe', config: { secret: 'whsec_of_the_source' } })
    for (let time = 0; time < 2; time++) {
      const made = await triggered(source, { event: 'payment_intent.succeeded' })
      assert.deepEqual([made.provider, made.schemes], ['stripe', ['v1']])
      assert.ok(!JSON.stringify(made).includes('whsec_of_the_source'))
      assert.equal((await sent(made)).status, 200)
    }
    const messages = await receivedMessages(server, source.id)
    assert.deepEqual(
      messages.map(({ eventType, verification }) => [eventType, verification.kind]),
      [
        ['payment_intent.succeeded', 'verified'],
        ['payment_intent.succeeded', 'verified'],
      ],
    )
    assert.notEqual(messages[0]?.eventId, messages[1]?.eventId)
  })

  test('makes what the source refuses: a forged one and one that is too old, by its own tolerance too', async () => {
    const source = await newSource(server, { type: 'slack', config: { secret: 's' }, toleranceSeconds: 7200 })
    for (const kind of ['forged', 'stale']) {
      assert.equal((await sent(await triggered(source, { event: 'message', kind }))).status, 401)
    }
    const reasons = (await quarantined(server, source.id)).map(({ request }) =>
      request.verification.kind === 'refused' ? request.verification.reason : null,
    )
    assert.deepEqual(reasons.toSorted(), ['signature-wrong', 'stale'])
  })

  test('signs with the private half of a pair whose public half the source has', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519')
    const secret = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32).toString('hex')
    const source = await newSource(server, { type: 'discord', config: { publicKey: secret } })
    const event = 'ENTITLEMENT_CREATE'
    const refused = await asked(source, { event })
    assert.equal(refused.status, 422)
    assert.match(await refused.text(), /not-signable.*needs the private key/)
    const pem = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()
    assert.ok((await sent(await triggered(source, { event, privateKey: pem }))).status < 300)
    assert.equal((await receivedMessages(server, source.id))[0]?.verification.kind, 'verified')
  })

  test("a custom source signs another provider's events in its own way", async () => {
    const scheme = {
      ...{ name: 'mine', algorithm: 'hmac-sha512', key: { from: 'secret', encoding: 'utf8' } },
      ...{ signature: [{ header: 'X-Mine' }], encoding: 'base64url', template: [{ request: 'body' }] },
    }
    const preset = { schemes: [scheme], id: { alternatives: [], otherwise: 'body' } }
    const source = await newSource(server, { type: 'custom', config: { secret: 'mine', preset } })
    const unnamed = await asked(source, { event: 'push' })
    assert.match(await unnamed.text(), /\/provider.*is required for a custom source/)
    const made = await triggered(source, { event: 'push', provider: 'github' })
    assert.deepEqual(made.schemes, ['mine'])
    assert.equal((await sent(made)).status, 200)
    assert.equal((await receivedMessages(server, source.id))[0]?.verification.kind, 'verified')
  })

  test('refuses with what there is: the events, the provider that was meant, and that there is no secret', async () => {
    const source = await newSource(server, { type: 'github' })
    const faults = await Promise.all(
      [{ event: 'pushed' }, { event: 'push', provider: 'githib' }, { event: 'push' }].map(async (body) => {
        const answer = await asked(source, body)
        assert.equal(answer.status, 422)
        return answer.text()
      }),
    )
    assert.match(faults[0] ?? '', /\/event.*must be one of those recorded of github: .*push/)
    assert.match(faults[1] ?? '', /did you mean github\?/)
    assert.match(faults[2] ?? '', /not-signable.*no secret/)
  })
})

describe('POST /ingest/api/v1/detect', () => {
  const detected = async (body: unknown): Promise<DetectOut['candidates']> => {
    const answer = await post('/ingest/api/v1/detect', body)
    const text = await answer.text()
    assert.equal(answer.status, 200, text)
    return JSON.parse(text).candidates
  }

  test('names the provider of what is pasted, and what it needs', async () => {
    const raw = 'curl https://example.com -H \'Stripe-Signature: t=1,v1=00ff\' -d \'{"id":"evt_1"}\''
    const [first] = await detected({ raw })
    assert.deepEqual([first?.preset, first?.certainty], ['stripe', 'sure'])
    assert.match(first?.needs.secret?.where ?? '', /Signing secret/)
    const [shopify] = await detected({ headers: { 'x-shopify-hmac-sha256': ['3gC0mA=='] }, body: '{}' })
    assert.equal(shopify?.preset, 'shopify')
    const [trello] = await detected({ headers: [['X-Trello-Webhook', 'ZqBjWvQ=']], bodyBase64: 'AAH/' })
    assert.equal(trello?.preset, 'trello')
  })

  test('says nothing of what says nothing, and refuses nothing at all', async () => {
    assert.deepEqual(await detected({ raw: '{"a":1}' }), [])
    for (const body of [{}, { raw: 'a', body: 'b' }, { body: 'a', bodyBase64: 'YQ==' }]) {
      assert.equal((await post('/ingest/api/v1/detect', body)).status, 422)
    }
  })
})
