import assert from 'node:assert/strict'
import { test } from 'node:test'
import { presetBook } from '../presets.ts'
import { type RecordedRequest, recordedBody, recordedRequests } from '../recorded.ts'
import { type CapturedRequest, readCaptured } from './captured.ts'
import { makeDetect } from './detect.ts'

const detect = makeDetect(presetBook.all())

const captured = ({ method, url, headers, ...body }: RecordedRequest): CapturedRequest => ({
  ...{ method, url: `/in/token${url ?? ''}`, headers, body: recordedBody({ method, headers, ...body }) },
})

/** Nothing in these says whose they are. */
const unrecognisable: Readonly<Record<string, string>> = {
  'adyen, no-items': 'an empty list, without a signature',
  'formstack, form-submitted-a-header-of-its-own': 'a form, signed in a header that its owner has named',
  'generic-webhook, anything': 'anything',
  'openclaw, a-bearer-token': 'JSON with a bearer token, as of anybody',
  'typeform, without-signature': 'its signature is what it would be known by',
}

test("every recorded request is recognised as its own provider's: nobody else's is better founded", () => {
  let seen = 0
  const missed = presetBook.all().flatMap(({ name }) =>
    recordedRequests(name).flatMap((recorded) => {
      seen++
      const candidates = detect(captured(recorded))
      const own = candidates.find(({ preset }) => preset.name === name)
      return own !== undefined && own.score === candidates[0]?.score ? [] : [`${name}, ${recorded.name}`]
    }),
  )
  assert.ok(seen > 300, `${seen} requests were looked at`)
  assert.deepEqual(missed, Object.keys(unrecognisable))
})

const first = (preset: string): RecordedRequest => recordedRequests(preset)[0] ?? assert.fail()

test('what only one provider sends is sure, what is known by its body likely, what many sign alike possible', () => {
  const told = ['stripe', 'clerk', 'svix'].map((name) => detect(captured(first(name)))[0])
  assert.deepEqual(
    told.map((candidate) => [candidate?.preset.name, candidate?.certainty]),
    [
      ['stripe', 'sure'],
      ['clerk', 'likely'],
      ['svix', 'possible'],
    ],
  )
  assert.deepEqual(told[0]?.because, ['It carries parameter v1 of header Stripe-Signature, which Stripe signs with.'])
})

test('a forge that sends the headers of others as well is told from GitHub, and none of them is sure', () => {
  const found = detect(captured(first('gitea'))).map(({ preset, certainty }) => `${preset.name} ${certainty}`)
  assert.deepEqual(found.slice(0, 3), ['gitea likely', 'gogs likely', 'github likely'])
})

test('one header is enough, in any case; and nothing is made of nothing', () => {
  const named = (text: string): readonly string[] => detect(readCaptured(text)).map(({ preset }) => preset.name)
  assert.equal(named('x-shopify-hmac-sha256: 3gC0mA==')[0], 'shopify')
  assert.deepEqual(named('{"hello":"world"}'), [])
  assert.deepEqual(named(''), [])
  assert.deepEqual(named('Authorization: Bearer x\nUser-Agent: curl/8\nContent-Type: application/json\n\n{}'), [])
})
