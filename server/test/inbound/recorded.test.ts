import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { SourceId } from '../../src/domain/ids.ts'
import { asEventType } from '../../src/inbound/facts.ts'
import { presetBook } from '../../src/inbound/presets.ts'
import { type RecordedRequest, recordedBody, recordedRequests } from '../../src/inbound/recorded.ts'
import { type SeenAnswer, sendRequest } from '../support/sent-request.ts'
import { startTestServer, type TestServer } from '../support/server.ts'
import { newSource, receivedMessage } from './source.ts'

// Every vector and recorded request of the presets, sent to the door of a real server, byte for byte. But those whose keys
// stand at their providers: these are checked with the keys at hand (recorded.test.ts) and fetched elsewhere (fetching.test.ts).

let server: TestServer
before(async () => {
  server = await startTestServer()
})
after(() => server.stop())

async function send(preset: string, recorded: RecordedRequest): Promise<{ answer: SeenAnswer; sourceId: SourceId }> {
  const { secrets, settings = {}, publicUrl } = recorded
  const source = await newSource(server, {
    type: preset,
    config: { ...settings, ...(secrets.length > 0 ? { secrets } : {}) },
    mode: recorded.expect === 'unverified' || secrets.length === 0 ? 'observe' : 'enforce',
    ...(publicUrl === undefined ? {} : { publicUrl }),
  })
  await server.world.leap(recorded.clock * 1000 - server.world.now())
  const answer = await sendRequest({
    method: recorded.method,
    origin: server.url,
    target: `${source.path}${recorded.url ?? ''}`,
    headers: recorded.headers.flat(),
    body: recordedBody(recorded),
  })
  return { answer, sourceId: source.id }
}

const presets = presetBook.all()

for (const preset of presets) {
  describe(preset.name, () => {
    for (const recorded of recordedRequests(preset.name).filter(({ served }) => served === undefined)) {
      test(`${recorded.name}: ${recorded.expect}`, async () => {
        const { answer, sourceId } = await send(preset.name, recorded)
        const message = await receivedMessage(server, sourceId)
        const status = recorded.answer?.status
        switch (recorded.expect) {
          case 'verified':
          case 'unverified':
            assert.equal(answer.status, status ?? preset.ack?.status ?? 200, answer.body)
            assert.equal(message?.verification.kind, recorded.expect)
            assert.equal(message?.eventType, asEventType(recorded.event ?? preset.name))
            assert.deepEqual(Buffer.from(message?.body ?? []), Buffer.from(recordedBody(recorded)))
            break
          case 'refused':
            assert.equal(answer.status, status ?? preset.refusal ?? 401)
            assert.equal(message, null)
            break
          case 'challenge':
            assert.equal(answer.status, status ?? preset.ack?.status ?? 200, answer.body)
            assert.equal(message, null, 'a challenge is no message')
        }
        if (recorded.answer?.body !== undefined) assert.equal(answer.body, recorded.answer.body)
        for (const [name, value] of Object.entries(recorded.answer?.headers ?? {})) {
          assert.equal(answer.headers[name.toLowerCase()], value, name)
        }
      })
    }
  })
}

test('every preset has been seen to take a request as it should', () => {
  const lacking = presets.filter(
    ({ name, schemes }) =>
      !recordedRequests(name).some(({ expect }) => expect === (schemes.length > 0 ? 'verified' : 'unverified')),
  )
  assert.deepEqual(
    lacking.map(({ name }) => name),
    [],
  )
  assert.ok(presets.length >= 68, `${presets.length} presets`)
})
