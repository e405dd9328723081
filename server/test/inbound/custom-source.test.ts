import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { after, before, test } from 'node:test'
import { sendRequest } from '../support/sent-request.ts'
import { startTestServer, type TestServer } from '../support/server.ts'
import { newSource, quarantined, receivedMessages } from './source.ts'

let server: TestServer
before(async () => {
  server = await startTestServer()
})
after(() => server.stop())

const preset = {
  settings: [{ name: 'tenant', label: 'Tenant', where: 'Account', required: true }],
  schemes: [
    {
      name: 'v2',
      algorithm: 'hmac-sha512',
      key: { from: 'secret', encoding: 'hex', strip: 'acme_' },
      signature: [{ header: 'X-Acme', parameter: 's', separator: ';' }],
      encoding: 'base64url',
      template: [
        { header: 'X-Acme', parameter: 't', separator: ';' },
        '\n',
        { setting: 'tenant' },
        '\n',
        { request: 'body' },
      ],
      timestamp: {
        at: [{ header: 'X-Acme', parameter: 't', separator: ';' }],
        unit: 'ms',
        tolerance: 60,
        sides: 'both',
      },
    },
  ],
  id: { alternatives: [[{ body: '/meta/id' }]], otherwise: 'none' },
  type: [[{ body: '/meta/kind' }]],
}

test('who describes how a sender signs gets its requests verified, named and told apart, as of any provider', async () => {
  const config = { preset, secret: 'acme_00ff', tenant: 't-1' }
  const { id, path: target } = await newSource(server, { type: 'custom', config })
  const send = (text: string, key: string, age = 0) => {
    const at = server.world.now() - age
    const mac = createHmac('sha512', Buffer.from(key, 'hex')).update(`${at}\nt-1\n${text}`).digest('base64url')
    const headers = ['x-acme', `t=${at};s=${mac}`]
    return sendRequest({ method: 'POST', origin: server.url, target, headers, body: Buffer.from(text) })
  }
  const text = '{"meta":{"id":12345678901234567890,"kind":"order.paid"}}'
  assert.equal((await send(text, '00ff')).status, 200)
  assert.equal((await send(text, '00ff')).status, 200)
  assert.equal((await send(text, '00fe')).status, 401)
  assert.equal((await send(text, '00ff', 61_000)).status, 401)
  const messages = await receivedMessages(server, id)
  assert.deepEqual(
    messages.map(({ eventType, eventId, duplicates, verification }) => [
      eventType,
      eventId,
      duplicates,
      verification.kind,
    ]),
    [['order.paid', '12345678901234567890', 1, 'verified']],
  )
  const reasons = (await quarantined(server, id)).map(({ request: { verification } }) =>
    verification.kind === 'refused' ? [verification.reason, verification.explanation[0]] : [],
  )
  assert.deepEqual(reasons, [
    ['stale', 'The request was made 61 s before it arrived, 60 s are allowed.'],
    ['signature-wrong', 'Parameter s of header X-Acme is not a signature of this request by the key.'],
  ])
})

test('a descriptor that would check nothing, or give the secret away, is refused with all its faults', async () => {
  const [scheme] = preset.schemes
  const secret = [{ secret: true }]
  const answer = await server.fetch('/ingest/api/v1/source', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      name: 'x',
      type: 'custom',
      ack: { status: 200, text: secret },
      config: {
        secret: 'acme_00ff',
        preset: {
          schemes: [
            { ...scheme, template: ['v2'] },
            { ...scheme, algorithm: 'hash-sha256' },
          ],
          challenges: [{ name: 'c', match: [{ at: { query: 'c' } }], answer: { status: 200, text: secret } }],
        },
      },
    }),
  })
  const { code, errors } = (await answer.json()) as { code: string; errors: { pointer: string; message: string }[] }
  assert.deepEqual([answer.status, code], [422, 'request-invalid'])
  assert.deepEqual(
    errors.map(({ pointer, message }) => `${pointer} ${message}`),
    [
      '/config/preset/schemes/1/name is there twice: v2',
      '/config/preset/schemes/0/template must have something of the request',
      '/config/preset/schemes/0/timestamp/at/0 must be signed: whoever repeats a request could say any other time',
      '/config/preset/schemes/1/template must have the secret in it, or anybody could make the hash',
      '/config/preset/challenges/0/answer/text must not have the secret in it: whoever asks would get it',
      '/config/preset/schemes/1/template/2/setting must be the name of one of settings; tenant is none',
      '/ack/text must not have the secret in it: whoever asks would get it',
    ],
  )
})
