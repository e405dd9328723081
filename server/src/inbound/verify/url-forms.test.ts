import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import twilio from 'twilio'
import { check, said, secretOf } from '../../../test/support/checked-request.ts'
import { presetBook } from '../presets.ts'
import { urlsOf } from './url-forms.ts'

const urls = [
  'https://a.example/h',
  'https://a.example/h?a=1&b=2',
  'https://a.example:443/h?x=%2F+%20',
  'https://a.example:8443/h',
  'http://a.example/h',
  'https://u:p%40w@a.example/h?q=it%27s',
  "https://a.example/h?q=it's&z=a:b&q=2",
  'https://[2001:db8::1]:8443/h?x',
  'https://a.example',
  'https://A.Example/H?é=1',
]

/** Spellings of a URL that somebody may have signed, right ones and wrong ones. */
const spellings = (url: string): readonly string[] => [
  url,
  url.replace(/^(https:\/\/[^/]*?)(?::\d+)?(\/|$)/, '$1:443$2'),
  url.replace(/:\d+(\/|$)/, '$1'),
  new URL(url).href,
  new URL(url).href.replace(/'/g, '%27').replace(/\+/g, '%20'),
  `${url}/`,
  url.replace('https:', 'http:'),
  url.toLowerCase(),
  url.split('?')[0] ?? '',
]

test('of every spelling of a URL, the one that is signed passes exactly where it passes with the library of Twilio', () => {
  const preset = presetBook.get('twilio')
  assert.ok(preset)
  const setup = { preset, secrets: [secretOf('t0ken')] }
  const headers = ['content-type', 'application/x-www-form-urlencoded']
  let passed = 0
  for (const url of urls) {
    for (const spelled of spellings(url)) {
      const signature = createHmac('sha1', 't0ken').update(`${spelled}A1`).digest('base64')
      const right = twilio.validateRequest('t0ken', signature, url, { A: '1' })
      const sent = { headers: [...headers, 'X-Twilio-Signature', signature], body: 'A=1' }
      assert.equal(
        said(check(sent, { ...setup, url })),
        right ? 'verified' : 'signature-wrong',
        `${spelled} for ${url}`,
      )
      passed += right ? 1 : 0
    }
  }
  assert.ok(passed > 20 && passed < 80, `${passed} passed`)
})

test('escapes that HubSpot decodes are decoded, and no others', () => {
  assert.deepEqual(urlsOf('percent-decoded', 'https://a.example/%7Ex%2fy?q=%3A%26%40%21%E2%98%83#'), [
    'https://a.example/%7Ex/y?q=:%26@!%E2%98%83#',
  ])
})

test('what is no URL stays as it is', () => {
  for (const form of [
    'exact',
    'with-port',
    'without-port',
    'percent-decoded',
    'legacy-query',
    'without-query',
  ] as const) {
    for (const url of urlsOf(form, 'nonsense')) assert.equal(url, 'nonsense')
  }
})
