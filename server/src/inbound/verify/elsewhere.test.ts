import assert from 'node:assert/strict'
import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { describe, type TestContext, test } from 'node:test'
import { crc32 } from 'node:zlib'
import { type Certified, certify, trust } from '../../../test/support/certificates.ts'
import { elsewhere } from '../../../test/support/elsewhere.ts'
import { testWorld } from '../../../test/support/world.ts'
import type { Preset } from '../../domain/preset.ts'
import { presetBook } from '../presets.ts'
import { RequestView } from '../reading/view.ts'
import { KeyFetching } from './fetching.ts'
import type { FetchedKey } from './verdict.ts'
import { makeVerifier } from './verifier.ts'

// What of a request's check needs the network, all of it: preset, verifier, what is fetched, and the network.

interface Sent {
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

const paypal = presetBook.get('paypal')
assert.ok(paypal)
const paypalHost = 'api.paypal.com'
const certUrl = `https://${paypalHost}/v1/notifications/certs/CERT-360caa42-fca2a594-7a8abba8`
const webhookId = '1JE41803X61234567'
const authority = certify({ name: 'An authority', authority: true })
const between = certify({ name: 'Another in between', authority: true, by: authority })
const payPalName = 'messageverificationcerts.paypal.com'
const payPalSigner = certify({ name: payPalName, by: between, type: 'rsa' })

const google = {
  name: 'tokens',
  title: 'Tokens',
  docs: 'https://example.com',
  basis: 'read',
  secret: null,
  schemes: [
    {
      name: 'token',
      algorithm: 'jwt',
      key: { from: 'jwks', url: ['https://www.googleapis.com/oauth2/v3/certs'], hosts: ['www.googleapis.com'] },
      signature: [{ header: 'authorization' }],
      prefix: 'Bearer ',
      jwt: { algorithms: ['RS256'], claims: { aud: [{ setting: 'audience' }] } },
    },
  ],
  id: { alternatives: [], otherwise: 'body' },
  retryWindow: 0,
} as const satisfies Preset
const tokenKey = generateKeyPairSync('rsa', { modulusLength: 2048 })
const otherKey = generateKeyPairSync('rsa', { modulusLength: 2048 })

async function setting(t: TestContext, preset: Preset, host: string, values: Readonly<Record<string, string>>) {
  const world = testWorld({ now: Date.UTC(2026, 1, 13, 16, 27) })
  const served = { body: '', status: 200 }
  const at = await elsewhere(t, world, [host], (_request, response) =>
    response.writeHead(served.status).end(served.body),
  )
  const keys = new KeyFetching({ fetcher: at.fetcher, world, onFailure() {} })
  const verifier = makeVerifier({ preset, secrets: [], settings: { values, schemes: null, tolerance: null } })
  /** As the door does it. */
  const check = async ({ headers, body }: Sent): Promise<string> => {
    const request = {
      method: 'POST',
      target: '/in/x',
      headers: Object.entries(headers).flat(),
      peer: '192.0.2.1',
      client: '192.0.2.1',
      body: Buffer.from(body),
      receivedAt: world.now(),
    }
    const view = new RequestView(request, { url: 'https://posthorn.example/in/x', pathLength: 5 })
    const fetched = new Map<string, FetchedKey>()
    for (;;) {
      const verdict = verifier.verify(view, world.now(), fetched)
      if (verdict.kind === 'refused') return `${verdict.reason}: ${verdict.detail}`
      if (verdict.kind !== 'needs') return verdict.kind
      assert.ok(!fetched.has(verdict.wanted.url), 'what was fetched is final')
      fetched.set(verdict.wanted.url, await keys.get(verdict.wanted))
    }
  }
  return { ...at, served, world, check }
}

function payPalRequest(signer: Certified, changes: Readonly<Record<string, string>> = {}): Sent {
  const body = '{"id":"WH-1","event_type":"PAYMENT.CAPTURE.COMPLETED"}'
  const headers: Record<string, string> = {
    'PAYPAL-AUTH-ALGO': 'SHA256withRSA',
    'PAYPAL-CERT-URL': certUrl,
    'PAYPAL-TRANSMISSION-ID': '69cd13f0-d67a-11e5-baa3-778b53f4ae55',
    'PAYPAL-TRANSMISSION-TIME': '2026-02-13T16:26:40Z',
    ...changes,
  }
  const id = headers['PAYPAL-TRANSMISSION-ID']
  const signed = `${id}|${headers['PAYPAL-TRANSMISSION-TIME']}|${webhookId}|${crc32(body)}`
  headers['PAYPAL-TRANSMISSION-SIG'] ??= sign('sha256', Buffer.from(signed), signer.privateKey).toString('base64')
  return { headers, body }
}

describe('a request that names its certificate', () => {
  const payPal = (t: TestContext) => setting(t, paypal, paypalHost, { webhookId })

  test('passes by a certificate of the right name from a trusted authority, fetched once', async (t) => {
    trust(t, authority)
    const { check, requests, served } = await payPal(t)
    served.body = payPalSigner.pem + between.pem
    for (let n = 0; n < 3; n++) assert.equal(await check(payPalRequest(payPalSigner)), 'verified')
    assert.deepEqual(requests, [`GET ${certUrl}`])
  })

  test('is refused by a certificate that is not to be believed, with the reason', async (t) => {
    trust(t, authority)
    const { check, requests, served, world } = await payPal(t)
    const key = payPalSigner.privateKey
    const until = new Date(world.now() - 1000)
    const cases = [
      [certify({ name: payPalName, key }), 'no authority that this machine trusts has issued it'],
      [
        certify({ name: 'paypal.com.evil.example', by: between, key }),
        'is issued to "paypal.com.evil.example", not to',
      ],
      [certify({ name: payPalName, by: between, until, key }), 'was valid until'],
      [certify({ name: payPalName, by: between }), 'is not one for rsa-sha256'],
    ] as const
    for (const [n, [signer, why]] of cases.entries()) {
      served.body = signer.pem + between.pem
      const told = await check(payPalRequest(payPalSigner, { 'PAYPAL-CERT-URL': `${certUrl}${n}` }))
      assert.ok(told.startsWith('signature-wrong: ') && told.includes(why), told)
    }
    assert.equal(requests.length, cases.length)
  })

  test('fetches nothing when anything else about it is wrong', async (t) => {
    const { check, opened } = await payPal(t)
    for (const [changes, why] of [
      [
        { 'PAYPAL-CERT-URL': 'https://evil.example/v1/notifications/certs/CERT-1' },
        /^signature-malformed: .*evil\.example is not/,
      ],
      [{ 'PAYPAL-CERT-URL': `https://${paypalHost}.evil.example/CERT-1` }, /^signature-malformed: /],
      [{ 'PAYPAL-CERT-URL': `https://${paypalHost}@evil.example/CERT-1` }, /^signature-malformed: /],
      [{ 'PAYPAL-CERT-URL': `https://${paypalHost}:8443/CERT-1` }, /^signature-malformed: /],
      [{ 'PAYPAL-CERT-URL': `http://${paypalHost}/CERT-1` }, /^signature-malformed: /],
      [{ 'PAYPAL-CERT-URL': 'http://169.254.169.254/latest/meta-data/' }, /^signature-malformed: /],
      [{ 'PAYPAL-TRANSMISSION-TIME': '2026-02-01T00:00:00Z' }, /^stale: /],
      [{ 'PAYPAL-TRANSMISSION-TIME': 'yesterday' }, /^timestamp-malformed: /],
      [{ 'PAYPAL-TRANSMISSION-SIG': '!!!' }, /^signature-malformed: /],
      [{ 'PAYPAL-AUTH-ALGO': 'SHA1withRSA' }, /^signature-missing|malformed/],
    ] as const) {
      assert.match(await check(payPalRequest(payPalSigner, changes)), why, JSON.stringify(changes))
    }
    for (const name of [
      'PAYPAL-CERT-URL',
      'PAYPAL-TRANSMISSION-ID',
      'PAYPAL-TRANSMISSION-TIME',
      'PAYPAL-TRANSMISSION-SIG',
    ]) {
      const { headers, body } = payPalRequest(payPalSigner)
      const { [name]: _, ...rest } = headers
      assert.match(await check({ headers: rest, body }), /-missing: /, name)
    }
    assert.equal(opened(), 0)
  })

  test('costs one fetch, however many are forged', async (t) => {
    trust(t, authority)
    const { check, requests, served } = await payPal(t)
    served.body = payPalSigner.pem + between.pem
    const forger = { ...payPalSigner, privateKey: otherKey.privateKey }
    for (let n = 0; n < 50; n++) {
      const forged = payPalRequest(forger, { 'PAYPAL-TRANSMISSION-ID': String(n) })
      assert.match(await check(forged), /^signature-wrong: /)
    }
    assert.equal(requests.length, 1)
  })
})

describe('a request with a token', () => {
  const audience = 'https://posthorn.example/push'
  const tokens = (t: TestContext) => setting(t, google, 'www.googleapis.com', { audience })
  const inHalfAnHour = Date.UTC(2026, 1, 13, 16, 57) / 1000
  const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const bearer = (header: object, claims: object, by: KeyObject | string = tokenKey.privateKey): Sent => {
    const content = `${encoded(header)}.${encoded(claims)}`
    const signature =
      typeof by === 'string'
        ? createHmac('sha256', by).update(content).digest('base64url')
        : sign('sha256', Buffer.from(content), by).toString('base64url')
    return { headers: { authorization: `Bearer ${content}.${signature}` }, body: '{"message":{}}' }
  }
  const fine = { aud: audience, exp: inHalfAnHour }
  const setOf = (...keys: readonly (readonly [string, KeyObject])[]) =>
    JSON.stringify({
      keys: keys.map(([kid, key]) => ({ ...key.export({ format: 'jwk' }), kid, alg: 'RS256', use: 'sig' })),
    })

  test('passes by a key of the set, and by one that came into it later', async (t) => {
    const { check, requests, served, world } = await tokens(t)
    served.body = setOf(['a', tokenKey.publicKey])
    assert.equal(await check(bearer({ alg: 'RS256', kid: 'a' }, fine)), 'verified')
    assert.equal(await check(bearer({ alg: 'RS256', kid: 'a' }, fine)), 'verified')
    assert.equal(requests.length, 1)
    await world.advance(60_000)
    served.body = setOf(['a', tokenKey.publicKey], ['b', otherKey.publicKey])
    assert.equal(await check(bearer({ alg: 'RS256', kid: 'b' }, fine, otherKey.privateKey)), 'verified')
    assert.match(await check(bearer({ alg: 'RS256', kid: 'b' }, fine)), /^signature-wrong: /)
    assert.equal(requests.length, 2)
  })

  test('whose key does not exist is refused, and asks for the set once a minute at most', async (t) => {
    const { check, requests, served } = await tokens(t)
    served.body = setOf(['a', tokenKey.publicKey])
    for (let n = 0; n < 30; n++) {
      assert.match(await check(bearer({ alg: 'RS256', kid: `forged ${n}` }, fine)), /^signature-wrong: /)
    }
    assert.equal(requests.length, 1)
  })

  test('fetches nothing when anything else about it is wrong', async (t) => {
    const { check, opened } = await tokens(t)
    const publicPem = tokenKey.publicKey.export({ type: 'spki', format: 'pem' }).toString()
    for (const [sent, why] of [
      [bearer({ alg: 'none' }, fine), /^signature-malformed: /],
      [bearer({ alg: 'HS256', kid: 'a' }, fine, publicPem), /^signature-malformed: /],
      [bearer({ alg: 'RS256', kid: 'a' }, { ...fine, aud: 'https://other.example' }), /^claim-wrong: /],
      [bearer({ alg: 'RS256', kid: 'a' }, { exp: inHalfAnHour }), /^claim-wrong: /],
      [bearer({ alg: 'RS256', kid: 'a' }, { ...fine, exp: inHalfAnHour - 3600 }), /^stale: /],
      [bearer({ alg: 'RS256', kid: 'a' }, { ...fine, nbf: inHalfAnHour }), /^from-the-future: /],
      [{ headers: { authorization: 'Bearer a.b' }, body: '' }, /^signature-malformed: /],
      [{ headers: {}, body: '' }, /^signature-missing: /],
    ] as const) {
      assert.match(await check(sent), why)
    }
    assert.equal(opened(), 0)
  })
})
