// What PostgreSQL cannot keep in a text, NUL and half surrogate pairs, where strangers can put them: no request may be lost for
// it, and no commit that others wait for may fail by it.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually } from '../support/eventually.ts'
import { startReceiver } from '../support/receiver.ts'
import { sendRequest } from '../support/sent-request.ts'
import { startTestServer } from '../support/server.ts'
import { newEndpoint, newSource, quarantined, receivedMessages } from './source.ts'

const preset = {
  schemes: [],
  id: { alternatives: [[{ body: '/id' }]], otherwise: 'none' },
  type: [[{ body: '/type' }]],
  orderingKey: [[{ body: '/order' }]],
  retry: { number: { body: '/try' }, reason: { body: '/why' } },
}

test('a request whose every value has NUL and half surrogate pairs is stored, told apart, repeated, and forwarded as it came', async (t) => {
  const server = await startTestServer()
  t.after(() => server.stop())
  const receiver = await startReceiver()
  t.after(() => receiver.close())
  receiver.answer = (_, response) => response.writeHead(200).end('said\0so')
  const { id, path: target } = await newSource(server, { type: 'custom', config: { preset } })
  await newEndpoint(server, id, receiver.url)
  const headers = ['content-type', 'application/json', 'x-latin', 'caf\xe9\xff']
  const send = async (text: string | Uint8Array): Promise<void> => {
    const body = Buffer.from(text)
    const { status } = await sendRequest({
      method: 'POST',
      origin: server.url,
      target: `${target}?a=%00&b=%ed%a0%80`,
      headers,
      body,
    })
    assert.equal(status, 200)
  }
  const fact = (end: string) => `{"id":"i${end}","type":"t${end}","order":"o${end}","try":"1${end}","why":"w${end}"}`
  const bodies = [fact('\\u0000'), fact('\\ud800'), fact('\\udc00\\u0000'), '{"id":"raw\0"}', '\0\xff']
  for (const body of [...bodies, ...bodies.slice(0, 3)]) await send(body)

  const messages = (await receivedMessages(server, id)).toReversed()
  assert.deepEqual(
    messages.map(({ body }) => body.toString()),
    bodies,
  )
  assert.deepEqual(
    messages.map(({ duplicates }) => duplicates),
    [1, 1, 1, 0, 0],
  )
  for (const { id: messageId } of messages.slice(0, 3)) {
    const found = await server.fetch(`/ingest/api/v1/source/${id}/message/${messageId}`)
    assert.equal(found.status, 200, await found.text())
  }
  await eventually(server.world, 'all are forwarded', () => receiver.received.length === bodies.length)
  assert.deepEqual(receiver.received.map(({ body }) => body.toString()).toSorted(), bodies.toSorted())
  const attempts = await server.svix.messageAttempt.listByMsg(id, messages[0]?.id ?? '', { withContent: true })
  assert.deepEqual(
    attempts.data.map(({ response }) => response),
    ['said\ufffdso'],
  )
})

test('what is refused with such values in it is kept apart, with the bytes that came', async (t) => {
  const server = await startTestServer()
  t.after(() => server.stop())
  const { id, path: target } = await newSource(server, { type: 'github', config: { secret: 'not-theirs' } })
  const bodies = ['{"a":"\\u0000\\ud800"}', 'a\0b']
  for (const text of bodies) {
    const headers = ['x-hub-signature-256', 'sha256=\xff', 'x-github-event', 'p\xff']
    const request = { method: 'POST', origin: server.url, target, headers, body: Buffer.from(text) }
    assert.equal((await sendRequest(request)).status, 401)
  }
  const kept = await quarantined(server, id)
  assert.deepEqual(kept.map(({ encoding }) => encoding).toReversed(), [null, 'base64'])
  for (const { id: one } of kept) {
    const shown = await server.fetch(`/ingest/api/v1/source/${id}/quarantine/${one}`)
    assert.equal(shown.status, 200, await shown.text())
  }
})
