import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Verification } from '../domain/inbound.ts'
import type { Ref } from '../domain/preset.ts'
import { duplicateKeyOf, eventTypeOf, orderingKeyOf, type Told } from './facts.ts'
import { presetBook } from './presets.ts'
import { RequestView } from './reading/view.ts'

const verified: Verification = { kind: 'verified', scheme: 's', secret: null }

function told(body: string, headers: readonly string[] = [], target = '/in/token', method = 'POST'): Told {
  const request = { method, target, headers, peer: '', client: '', body: Buffer.from(body), receivedAt: 0 }
  return { view: new RequestView(request, { url: 'https://posthorn.test/in/token', pathLength: 9 }), values: {} }
}

const at = (body: string): Ref => ({ body })
const ids = (...alternatives: Ref[][]) => ({ id: { alternatives, otherwise: 'body' as const }, schemes: [] })
const key = (preset: ReturnType<typeof ids>, body: string): string | null =>
  duplicateKeyOf(preset, told(body), verified)

test('an id that is one plain text is kept as it is, for people to look for', () => {
  assert.equal(key(ids([at('/id')]), '{"id":"evt_1"}'), 'evt_1')
})

test('("ab", "c") is another event than ("a", "bc")', () => {
  const both = ids([at('/a'), at('/b')])
  assert.notEqual(key(both, '{"a":"ab","b":"c"}'), key(both, '{"a":"a","b":"bc"}'))
  const list = ids([at('/*/id')])
  assert.notEqual(key(list, '[{"id":"ab"},{"id":"c"}]'), key(list, '[{"id":"a"},{"id":"bc"}]'))
})

test('no two different ids have one key, whatever they are made of and wherever they stand', () => {
  const either = ids([at('/a'), at('/b')], [at('/c')])
  const single = ids([at('/c')])
  const places = ids([at('/c')], [at('/d')], [at('/e')])
  const text = fc.oneof(fc.string(), fc.constantFrom('["x"]', 'sha256:x', 'unverified:x', '[0,["x"]]'))
  fc.assert(
    fc.property(text, text, text, text, (a, b, c, d) => {
      if (a !== c || b !== d) {
        assert.notEqual(key(either, JSON.stringify({ a, b })), key(either, JSON.stringify({ a: c, b: d })))
      }
      if (a !== b) assert.notEqual(key(single, JSON.stringify({ c: a })), key(single, JSON.stringify({ c: b })))
      assert.notEqual(key(either, JSON.stringify({ a, b })), key(either, JSON.stringify({ c })))
      assert.equal(new Set([{ c: a }, { d: a }, { e: a }].map((body) => key(places, JSON.stringify(body)))).size, 3)
    }),
  )
})

test('without an id, method, query and body make a request the same, or nothing does', () => {
  const preset = ids([at('/id')])
  const first = duplicateKeyOf(preset, told('{}'), verified)
  assert.match(first ?? '', /^sha256:[0-9a-f]{64}$/)
  assert.equal(duplicateKeyOf(preset, told('{}', ['x', 'y'], '/in/other'), verified), first)
  assert.notEqual(duplicateKeyOf(preset, told('{ }'), verified), first)
  assert.notEqual(duplicateKeyOf(preset, told('{}', [], '/in/token', 'PUT'), verified), first)
  assert.notEqual(duplicateKeyOf(preset, told('{}', [], '/in/token?a=1'), verified), first)
  assert.equal(duplicateKeyOf({ id: { alternatives: [], otherwise: 'none' }, schemes: [] }, told('{}'), verified), null)
})

test('what was not verified never has the key of what was', () => {
  const preset = ids([at('/id')])
  const refused: Verification = { kind: 'refused', reason: 'signature-wrong', explanation: [] }
  const noSecret: Verification = { kind: 'unverified', because: 'no-secret' }
  const noScheme: Verification = { kind: 'unverified', because: 'no-scheme' }
  const body = '{"id":"evt_1"}'
  assert.equal(duplicateKeyOf(preset, told(body), noScheme), 'evt_1')
  const { schemes } = presetBook.get('github') ?? assert.fail()
  assert.equal(duplicateKeyOf({ ...preset, schemes }, told(body), noScheme), 'unverified:evt_1')
  for (const verification of [refused, noSecret]) {
    assert.equal(duplicateKeyOf(preset, told(body), verification), 'unverified:evt_1')
  }
  assert.notEqual(duplicateKeyOf(preset, told('{"id":"unverified:evt_1"}'), verified), 'unverified:evt_1')
})

test('what is sent under one name of an id and repeated under another is the same, and so is what says it twice', () => {
  const preset = presetBook.get('svix') ?? assert.fail()
  const keyOf = (...headers: string[]) => duplicateKeyOf(preset, told('{}', headers), verified)
  for (const headers of [
    ['webhook-id', 'msg_1'],
    ['svix-id', 'msg_1', 'SVIX-ID', 'msg_1'],
  ]) {
    assert.equal(keyOf(...headers), keyOf('svix-id', 'msg_1'))
  }
  assert.notEqual(keyOf('webhook-id', 'msg_2'), keyOf('svix-id', 'msg_1'))
})

test('a long id is shortened to one that is still its own', () => {
  const long = 'x'.repeat(300)
  const one = key(ids([at('/id')]), JSON.stringify({ id: long }))
  assert.ok(one !== null && one.length <= 256)
  assert.notEqual(one, key(ids([at('/id')]), JSON.stringify({ id: `${long}y` })))
})

test('an event type is spelled as endpoints can ask for it, and is the name of the provider where there is none', () => {
  const preset = {
    name: 'github',
    type: [[{ header: 'x-github-event' }, at('/action')], [{ header: 'x-github-event' }]],
  }
  const headers = ['X-GitHub-Event', 'pull_request']
  assert.equal(eventTypeOf(preset, told('{"action":"opened"}', headers)), 'pull_request.opened')
  assert.equal(eventTypeOf(preset, told('{}', headers)), 'pull_request')
  assert.equal(
    eventTypeOf(preset, told('{}', ['X-GitHub-Event', 'Push Hook: é'])),
    'Push_Hook:_é'.replaceAll(/[^\w]/g, '_'),
  )
  assert.equal(eventTypeOf(preset, told('{}')), 'github')
  assert.equal(eventTypeOf(preset, told('{}', ['X-GitHub-Event', '..'])), 'github')
  assert.equal(eventTypeOf(preset, told('{}', ['X-GitHub-Event', 'x'.repeat(999)])).length, 256)
})

test('an ordering key of several parts keeps them apart', () => {
  const preset = { orderingKey: [[at('/a'), at('/b')]] }
  assert.notEqual(orderingKeyOf(preset, told('{"a":"ab","b":"c"}')), orderingKeyOf(preset, told('{"a":"a","b":"bc"}')))
  assert.equal(orderingKeyOf({ orderingKey: [[at('/a')]] }, told('{"a":"acme"}')), 'acme')
  assert.equal(orderingKeyOf(preset, told('{"a":"x"}')), null)
  assert.equal(orderingKeyOf({ orderingKey: [[at('/a')]] }, told('{"a":""}')), null)
})

test('an order by what no store can keep is an order all the same, and not that of another key', () => {
  const key = (a: string) => orderingKeyOf({ orderingKey: [[at('/a')]] }, told(`{"a":"${a}"}`)) ?? assert.fail()
  const keys = ['x', 'x\\u0000', 'x\\ud800', 'x\ufffd'].map(key)
  assert.equal(new Set(keys).size, keys.length)
  for (const one of keys) assert.ok(!one.includes('\0') && one.isWellFormed())
  assert.equal(key('x\\u0000'), key('x\\u0000'))
})

test('an id that was signed counts before one that anybody could add', () => {
  const svix = presetBook.get('svix') ?? assert.fail()
  const headers = ['webhook-id', 'signed', 'svix-id', 'added']
  const by = (scheme: string) => duplicateKeyOf(svix, told('{}', headers), { kind: 'verified', scheme, secret: null })
  const alone = (name: string, value: string) => duplicateKeyOf(svix, told('{}', [name, value]), verified)
  assert.equal(by('v1'), alone('webhook-id', 'signed'))
  assert.equal(by('v1-svix'), alone('svix-id', 'added'))
})
