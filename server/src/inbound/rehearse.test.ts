import assert from 'node:assert/strict'
import { test } from 'node:test'
import { presetBook } from './presets.ts'
import { type RecordedRequest, recordedRequests } from './recorded.ts'
import { rehearse } from './rehearse.ts'

const recorded = (preset: string, expect: RecordedRequest['expect']): RecordedRequest =>
  recordedRequests(preset).find((request) => request.expect === expect) ?? assert.fail()
const rehearsed = (preset: string, request: RecordedRequest) =>
  rehearse(presetBook.get(preset) ?? assert.fail(), request)

test('every recorded request of every preset comes to what it says', () => {
  const all = presetBook
    .all()
    .flatMap((preset) => recordedRequests(preset.name).map((request) => ({ preset, request })))
  assert.ok(all.length > 300, `${all.length} were rehearsed`)
  const faults = all.flatMap(({ preset, request }) =>
    rehearse(preset, request).map((fault) => `${preset.name}, ${request.name}: ${fault}`),
  )
  assert.deepEqual(faults, [])
})

test('what is not as it says is told in words: the verdict, its reason, the answer to a challenge', () => {
  const good = recorded('stripe', 'verified')
  const altered = rehearsed('stripe', { ...good, body: `${good.body} ` })
  assert.match(altered.join(), /^should be verified and is refused \(signature-wrong\): /)
  const refused = recorded('stripe', 'refused')
  assert.match(
    rehearsed('stripe', { ...refused, reason: 'schema-violated' }).join(),
    /should be refused \(schema-violated\)/,
  )
  const challenge = recorded('slack', 'challenge')
  const answer = { status: 204, body: 'other', headers: { 'content-type': 'text/html' } }
  assert.equal(rehearsed('slack', { ...challenge, answer }).length, 3)
  assert.deepEqual(rehearsed('slack', { ...challenge, expect: 'verified' }), [
    'is taken for the challenge url-verification',
  ])
  assert.deepEqual(rehearsed('stripe', { ...good, expect: 'challenge' }), ['is not taken for a challenge'])
  assert.match(rehearsed('slack', { ...challenge, secrets: [{ value: 'other' }] }).join(), /^is refused: /)
})
