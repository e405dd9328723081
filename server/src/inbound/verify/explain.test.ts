import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { describe, test } from 'node:test'
import type { InboundRequest } from '../../domain/inbound.ts'
import type { SourceSecret } from '../../domain/source.ts'
import { presetBook } from '../presets.ts'
import { RequestView } from '../reading/view.ts'
import { explain, signatureHeaders } from './explain.ts'
import { makeVerifier, type VerifierSettings } from './verifier.ts'

const now = 1_770_000_000_000
const seconds = now / 1000
const others = signatureHeaders(presetBook.all())
const plain: VerifierSettings = { values: {}, schemes: null, tolerance: null }

const secretOf = (value: string, more: Partial<SourceSecret> = {}): SourceSecret => ({
  id: 'sec_1',
  name: null,
  value,
  from: null,
  until: null,
  captured: false,
  createdAt: 0,
  ...more,
})

interface Sent {
  readonly headers: readonly string[]
  readonly body?: string
  readonly target?: string
  readonly method?: string
}

interface Owner {
  readonly type: string
  readonly secrets: readonly SourceSecret[]
  readonly settings?: Partial<VerifierSettings>
  readonly publicUrl?: string
}

/** What an owner is told of a request that is refused; fails if it is not. */
function told({ headers, body = '', target = '/in/token', method = 'POST' }: Sent, owner: Owner): readonly string[] {
  const preset = presetBook.get(owner.type)
  assert.ok(preset)
  const settings = { ...plain, ...owner.settings }
  const inbound: InboundRequest = {
    method,
    target,
    headers,
    peer: '192.0.2.1',
    client: '192.0.2.1',
    body: Buffer.from(body),
    receivedAt: now,
  }
  const view = new RequestView(inbound, { url: owner.publicUrl ?? 'https://hooks.example/in/token', pathLength: 9 })
  const { secrets } = owner
  const verdict = makeVerifier({ preset, secrets, settings }).verify(view, now, new Map())
  assert.ok(verdict.kind === 'refused', verdict.kind)
  const sentences = explain({ preset, secrets, settings, view, now, verdict, fetched: new Map(), others })
  assert.ok(sentences.length > 0)
  for (const sentence of sentences) {
    assert.match(sentence, /^\S.*\.$|\?$/, sentence)
    for (const { value } of secrets) assert.ok(!sentence.includes(value.trim()), `${sentence} shows a secret`)
  }
  return sentences
}

const mac = (algorithm: string, key: string | Buffer, text: string) => createHmac(algorithm, key).update(text)
const githubHeaders = (key: string | Buffer, body: string) => [
  'X-Hub-Signature-256',
  `sha256=${mac('sha256', key, body).digest('hex')}`,
]
const stripeHeaders = (key: string, at: number, body: string) => [
  'Stripe-Signature',
  `t=${at},v1=${mac('sha256', key, `${at}.${body}`).digest('hex')}`,
]

describe('another secret', () => {
  const body = '{"a":1}'
  const headers = githubHeaders('right one', body)
  const owner = (more: Partial<SourceSecret>) => ({
    type: 'github',
    secrets: [secretOf('wrong one'), secretOf('right one', { id: 'sec_2', ...more })],
  })

  test('that has ended, or does not count yet, is named with how long', () => {
    assert.match(
      told({ headers, body }, owner({ name: 'former', until: now - 90_000 }))[0] ?? '',
      /^It would pass with secret “former”, but that had ended 90 s before it arrived\.$/,
    )
    assert.match(
      told({ headers, body }, owner({ from: now + 1 }))[0] ?? '',
      /^It would pass with secret sec_2, but that is valid only 0 s after it arrived\.$/,
    )
  })

  test('of another name than the request asks for is named', () => {
    const pusher = ['X-Pusher-Key', 'key-1', 'X-Pusher-Signature', mac('sha256', 'right one', body).digest('hex')]
    const secrets = [secretOf('wrong one', { name: 'key-1' }), secretOf('right one', { name: 'key-2' })]
    assert.equal(
      told({ headers: pusher, body }, { type: 'pusher', secrets })[0],
      'It would pass with secret “key-2”, but the request asks for one of another name.',
    )
  })
})

describe('the secret as it was entered', () => {
  const body = '{"a":1}'
  const first = (key: string | Buffer, entered: string) =>
    told({ headers: githubHeaders(key, body), body }, { type: 'github', secrets: [secretOf(entered)] })[0]

  test('with spaces, quotes or a line end around it', () => {
    for (const entered of [' key-of-mine', 'key-of-mine\n', '"key-of-mine"']) {
      assert.equal(
        first('key-of-mine', entered),
        'It would pass if the secret had no spaces, line ends or quotes around it.',
      )
    }
  })

  test('still in base64 or hex, or decoded although the text is the key', () => {
    const bytes = Buffer.from('0123456789abcdef')
    assert.equal(first(bytes, bytes.toString('base64')), 'It would pass if the secret were decoded from base64.')
    assert.equal(first(bytes, bytes.toString('hex')), 'It would pass if the secret were decoded from hex.')
    const headers = (key: string | Buffer) => [
      'webhook-id',
      'a',
      'webhook-timestamp',
      String(seconds),
      'webhook-signature',
      `v1,${mac('sha256', key, `a.${seconds}.${body}`).digest('base64')}`,
    ]
    const secrets = [secretOf(`whsec_${bytes.toString('base64')}`)]
    const said = (key: string | Buffer) => told({ headers: headers(key), body }, { type: 'svix', secrets })[0]
    assert.equal(said(`whsec_${bytes.toString('base64')}`), 'It would pass if the whsec_ were part of the secret.')
    assert.equal(said(bytes.toString('base64')), 'It would pass if the secret behind whsec_ were taken as its text.')
  })

  test('with or without its prefix', () => {
    assert.equal(first('abcdef', 'whsec_abcdef'), 'It would pass if the secret had no whsec_ before it.')
    assert.equal(first('whsec_abcdef', 'abcdef'), 'It would pass if the secret had whsec_ before it.')
  })

  test('in a form that is no key at all', () => {
    const sentences = told(
      { headers: ['HmacSignature', 'aaaa'], body },
      { type: 'adyen', secrets: [secretOf('no hex', { name: 'live' })] },
    )
    assert.equal(sentences[0], 'Secret “live” cannot be used: it is not hex.')
  })
})

describe('the body', () => {
  const secrets = [secretOf('k3y')]
  const first = (signed: string, came: string) =>
    told({ headers: githubHeaders('k3y', signed), body: came }, { type: 'github', secrets })[0]

  test('with or without its last line end', () => {
    assert.equal(first('{"a":1}', '{"a":1}\n'), 'It would pass if the body had no line end at its end.')
    assert.equal(first('{"a":1}', '{"a":1}\r\n'), 'It would pass if the body had no line end at its end.')
    assert.equal(first('{"a":1}\n', '{"a":1}'), 'It would pass if the body had a line feed at its end.')
    assert.equal(first('{"a":1}\r\n', '{"a":1}'), 'It would pass if the body had a line end (CR LF) at its end.')
    assert.equal(first('a\nb', 'a\r\nb'), 'It would pass if the lines of the body ended in LF.')
  })

  test('written anew', () => {
    assert.equal(
      first('{"a":[1,"é"]}', '{ "a": [1, "é"] }'),
      'It would pass if the JSON of the body were written compactly.',
    )
    assert.equal(
      first('{"a":"\\u00e9"}', '{"a":"é"}'),
      'It would pass if the JSON of the body were written compactly, with \\u for what is not ASCII.',
    )
    assert.equal(
      first('{\n  "a": 1\n}', '{"a":1}'),
      'It would pass if the JSON of the body were indented by two spaces.',
    )
  })
})

describe('the public URL', () => {
  const body = '{}'
  const owner = { type: 'square', secrets: [secretOf('k3y')] }
  const first = (signed: string, publicUrl: string, more: Partial<Sent> = {}) => {
    const signature = mac('sha256', 'k3y', signed + body).digest('base64')
    const headers = ['x-square-hmacsha256-signature', signature, ...(more.headers ?? [])]
    return told({ ...more, headers, body }, { ...owner, publicUrl })[0]
  }

  test('with another protocol, slash, port or host', () => {
    assert.equal(
      first('http://a.example/h', 'https://a.example/h'),
      'It would pass if the public URL began with http://.',
    )
    assert.equal(
      first('https://a.example/h/', 'https://a.example/h'),
      'It would pass if the public URL had a slash at its end.',
    )
    assert.equal(
      first('https://a.example/h', 'https://a.example/h/'),
      'It would pass if the public URL had no slash at its end.',
    )
    assert.equal(
      first('https://a.example/h', 'https://a.example:8443/h'),
      'It would pass if the public URL had no port.',
    )
    assert.equal(
      first('https://a.example:443/h', 'https://a.example/h'),
      'It would pass if the public URL had its usual port in it.',
    )
    assert.equal(
      first('https://b.example/h', 'https://a.example/h', { headers: ['Host', 'b.example'] }),
      'It would pass if the public URL began with https://b.example.',
    )
    assert.equal(
      first('https://b.example/in/token?x=1', 'https://a.example/h', {
        target: '/in/token?x=1',
        headers: ['Host', 'internal', 'X-Forwarded-Host', 'b.example'],
      }),
      'It would pass if the public URL were the one it came to, at https://b.example.',
    )
  })
})

describe('the signature', () => {
  const body = '{"a":1}'
  const secrets = [secretOf('k3y')]

  test('made with another hash, or spelled in another way', () => {
    const sha1 = ['X-Hub-Signature-256', `sha256=${mac('sha1', 'k3y', body).digest('hex')}`]
    assert.equal(
      told({ headers: sha1, body }, { type: 'github', secrets })[0],
      'It would pass if hmac-sha1 were expected instead of hmac-sha256.',
    )
    const base64 = ['X-Hub-Signature-256', `sha256=${mac('sha256', 'k3y', body).digest('base64')}`]
    assert.equal(
      told({ headers: base64, body }, { type: 'github', secrets })[0],
      'It would pass if the signature were expected in base64.',
    )
  })

  test('that is malformed is told with what was expected', () => {
    const sentences = told({ headers: ['X-Hub-Signature-256', 'sha512=00'], body }, { type: 'github', secrets })
    assert.deepEqual(sentences, [
      'Header X-Hub-Signature-256 begins with “sha256=” nowhere.',
      'Expected: “sha256=” and then hex.',
    ])
  })

  test('whose header is there twice is told so', () => {
    const [name = '', value = ''] = githubHeaders('other', body)
    const sentences = told({ headers: [name, value, name, value], body }, { type: 'github', secrets })
    assert.ok(sentences.includes('Header X-Hub-Signature-256 is there 2 times.'), sentences.join(' '))
  })

  test('of another provider is recognised', () => {
    const sentences = told({ headers: stripeHeaders('k3y', seconds, body), body }, { type: 'slack', secrets })
    assert.match(sentences[0] ?? '', /^It has header stripe-signature, in which Stripe signs: /)
    assert.equal(sentences[1], 'Header X-Slack-Signature is not there.')
  })

  test('that is right by a scheme which does not count is told so', () => {
    const sentences = told(
      { headers: ['X-Hub-Signature', `sha1=${mac('sha1', 'k3y', body).digest('hex')}`], body },
      { type: 'github', secrets, settings: { schemes: ['sha256'] } },
    )
    assert.equal(sentences[0], 'It would pass by scheme sha1, which does not count for this source.')
  })
})

test('of the time it is told how far it is off, and that the signature is right', () => {
  const secrets = [secretOf('k3y')]
  const body = '{}'
  assert.deepEqual(told({ headers: stripeHeaders('k3y', seconds - 412, body), body }, { type: 'stripe', secrets }), [
    'The request was made 412 s before it arrived, 300 s are allowed.',
    'Its signature is right: it was sent late or once more, or the clock of this machine is ahead; the source may allow more.',
  ])
  const at = seconds + 7_200
  const slack = [
    'X-Slack-Request-Timestamp',
    String(at),
    'X-Slack-Signature',
    `v0=${mac('sha256', 'k3y', `v0:${at}:${body}`).digest('hex')}`,
  ]
  assert.deepEqual(told({ headers: slack, body }, { type: 'slack', secrets }), [
    'The request says that it was made 120 minutes after it arrived, 300 s are allowed.',
    'Its signature is right: the clock of this machine is behind, or that of the sender ahead.',
  ])
})

test('what is simply wrong is told as such, and a large forgery costs little', () => {
  const secrets = [secretOf('k3y')]
  assert.deepEqual(told({ headers: githubHeaders('other', 'x'), body: 'x' }, { type: 'github', secrets }), [
    'Header X-Hub-Signature-256 is not a signature of this request by the key.',
    'Compare the secret with what GitHub shows as “Secret”: each webhook there may have its own, and test mode another.',
    'If that is right, something changed the request on its way, or it is forged.',
  ])
  const formed = ['Content-Type', 'application/x-www-form-urlencoded']
  const twilio = {
    headers: [...formed, 'X-Twilio-Signature', mac('sha1', 'other', 'https://x.example/').digest('base64')],
    body: 'a=1',
  }
  assert.equal(
    told(twilio, { type: 'twilio', secrets })[1],
    'It is checked as sent to https://hooks.example/in/token: if another URL is registered, set it as publicUrl of the source.',
  )
  const body = `[${'{"a":1},'.repeat(131_071)}{}]`
  const before = performance.now()
  told({ headers: githubHeaders('other', body), body }, { type: 'github', secrets })
  // Four MACs over 1 MiB; all the ways that are tried on small ones would take ten times as long.
  assert.ok(performance.now() - before < 500)
})
