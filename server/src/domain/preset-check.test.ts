import assert from 'node:assert/strict'
import { test } from 'node:test'
import { presetBook } from '../inbound/presets.ts'
import type { Challenge, Preset, Ref, Scheme } from './preset.ts'
import { presetFaults } from './preset-check.ts'

const scheme = (more: Partial<Scheme> = {}): Scheme => ({
  ...{ name: 'v1', algorithm: 'hmac-sha256', key: { from: 'secret', encoding: 'utf8' } },
  ...{ signature: [{ header: 'S' }], encoding: 'hex', template: [{ request: 'body' }] },
  ...more,
})
const challenge = (answer: Challenge['answer']): Partial<Preset> => ({
  challenges: [{ name: 'ping', match: [{ at: { query: 'c' } }], answer }],
})

const faultsOf = (schemes: readonly Scheme[], more: Partial<Preset> = {}): readonly string[] => {
  const preset: Preset = {
    ...{ name: 'acme', title: 'Acme', docs: '', basis: 'read', secret: null, schemes, retryWindow: 0 },
    ...{ id: { alternatives: [], otherwise: 'body' } },
    ...more,
  }
  return presetFaults(preset, '/p').map(({ pointer, message }) => `${pointer} ${message}`)
}

test('nothing is wrong with any preset that comes with the gateway', () => {
  assert.ok(presetBook.all().length > 0)
  for (const preset of presetBook.all()) assert.deepEqual(presetFaults(preset, ''), [], preset.name)
})

test('a check that anybody could pass is refused', () => {
  const { template: _, ...bare } = scheme()
  assert.deepEqual(faultsOf([bare]), ['/p/schemes/0/template is required: what is signed'])
  assert.deepEqual(faultsOf([scheme({ template: ['v1'] })]), [
    '/p/schemes/0/template must have something of the request',
  ])
  assert.match(faultsOf([scheme({ algorithm: 'hash-sha256' })])[0] ?? '', /template must have the secret in it/)
  const inHash = [{ hash: 'sha1', of: [{ secret: true }, { request: 'body' }], encoding: 'hex' }] as const
  assert.deepEqual(faultsOf([scheme({ algorithm: 'hash-sha256', template: inHash })]), [])
})

test('a time that is judged is signed', () => {
  const timed = (template: Scheme['template'], at: Ref, tolerance: number | null = 300) =>
    faultsOf([scheme({ ...(template && { template }), timestamp: { at: [at], unit: 's', tolerance, sides: 'both' } })])
  const fault = '/p/schemes/0/timestamp/at/0 must be signed: whoever repeats a request could say any other time'
  assert.deepEqual(timed([{ request: 'body' }], { header: 'T' }), [fault])
  assert.deepEqual(timed([{ request: 'body' }], { header: 'T' }, null), [], 'it is not judged')
  assert.deepEqual(timed([{ request: 'body' }], { body: '/t' }), [])
  assert.deepEqual(timed([{ header: 'T' }, { request: 'body' }], { header: 'T' }), [])
  assert.deepEqual(timed([{ header: 'T', parameter: 't' }], { header: 'T', parameter: 'u' }), [fault])
  assert.deepEqual(timed([{ hash: 'sha1', of: [{ body: '/t' }], encoding: 'hex' }], { body: '/t' }), [])
  assert.deepEqual(timed([{ request: 'url' }], { query: 't' }), [])
  assert.deepEqual(timed([{ fields: ['a'] }], { body: '/t' }), [fault])
})

test('a secret is handed out to nobody', () => {
  const secret = [{ secret: true }] as const
  assert.match(faultsOf([scheme({ template: [{ request: 'body' }, ...secret] })])[0] ?? '', /must not have the secret/)
  const leak = {
    status: 200,
    text: secret,
    json: { a: secret, b: 1 },
    headers: { 'X-A': [{ hash: 'md5', of: secret, encoding: 'hex' }] },
  } as const
  const places = ['/headers/X-A', '/text', '/json/a']
  const message = 'must not have the secret in it: whoever asks would get it'
  assert.deepEqual(
    faultsOf([], { ack: leak }),
    places.map((place) => `/p/ack${place} ${message}`),
  )
  assert.deepEqual(
    faultsOf([], challenge(leak)),
    places.map((place) => `/p/challenges/0/answer${place} ${message}`),
  )
  const mac = [{ hmac: 'sha256', of: [{ query: 'c' }], encoding: 'hex' }] as const
  assert.deepEqual(faultsOf([], challenge({ status: 200, json: { c: mac } })), [], 'a MAC shows nothing of it')
})

test('keys must be of the kind that the algorithm needs', () => {
  const pem = { from: 'secret', encoding: 'pem' } as const
  assert.match(faultsOf([scheme({ key: pem })])[0] ?? '', /encoding cannot be pem: hmac-sha256 needs a shared secret/)
  assert.match(
    faultsOf([scheme({ algorithm: 'ed25519' })])[0] ?? '',
    /encoding cannot be utf8: ed25519 needs a public key/,
  )
  const jwks = { from: 'jwks', url: ['https://a.example/keys'], hosts: ['*.com'] } as const
  assert.deepEqual(
    faultsOf([scheme({ key: jwks })]).map((fault) => fault.slice(0, 30)),
    ['/p/schemes/0/key/from cannot b', '/p/schemes/0/key/hosts/0 it le'],
  )
  const certificate = { from: 'certificate', url: { body: '/u' }, hosts: [] } as const
  assert.deepEqual(faultsOf([scheme({ algorithm: 'rsa-sha256', key: certificate })]), [
    '/p/schemes/0/key/hosts must name a host',
  ])
  const { template: _, ...token } = scheme({
    algorithm: 'jwt',
    jwt: { algorithms: ['HS256', 'RS256'], claims: {}, withBody: ['h'] },
  })
  assert.deepEqual(faultsOf([token]), [
    '/p/schemes/0/jwt/withBody/0 must be one of claims',
    '/p/schemes/0/jwt/algorithms/1 cannot be RS256 with keys in utf8',
  ])
})

test('what is named must be there, and only once', () => {
  const settings = [{ name: 'h', label: '', where: '' }]
  const chosen = scheme({ signature: [{ header: { setting: 'h' } }] })
  assert.deepEqual(faultsOf([chosen], { settings }), [])
  assert.deepEqual(faultsOf([chosen]), [
    '/p/schemes/0/signature/0/header/setting must be the name of one of settings; h is none',
  ])
  assert.deepEqual(faultsOf([scheme(), scheme()]), ['/p/schemes/1/name is there twice: v1'])
  assert.match(faultsOf([], { settings: [{ name: 'secret', label: '', where: '' }] })[0] ?? '', /meaning of its own/)
})

test('answers leave alone what the server says itself', () => {
  const answer = { status: 200, headers: { 'Content-Length': ['5'], 'X Y': ['1'] }, contentType: 'a\r\nb: c' }
  assert.deepEqual(faultsOf([], challenge(answer)), [
    '/p/challenges/0/answer/headers/Content-Length cannot be said: the server does, and contentType',
    '/p/challenges/0/answer/headers/X Y is not the name of a header',
    '/p/challenges/0/answer/contentType must be plain ASCII',
  ])
})
