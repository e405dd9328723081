import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Ref } from '../../domain/preset.ts'
import { type OutgoingRequest, place } from './place.ts'

const request = (given: Partial<Omit<OutgoingRequest, 'body'>> & { readonly body?: string }): OutgoingRequest => ({
  ...{ method: 'POST', publicUrl: 'https://hooks.example.com/in/t', url: '', headers: [] },
  ...given,
  body: Buffer.from(given.body ?? ''),
})
const placed = (from: OutgoingRequest, ref: Ref, value: string) => {
  const after = place(from, ref, () => value, { name: 'X-Chosen' })
  return after && { ...after, body: Buffer.from(after.body).toString() }
}

test('a header keeps its case and its place, and several of one name become one', () => {
  const before = request({
    headers: [
      ['X-Sig', 'a'],
      ['Accept', '*/*'],
      ['x-sig', 'b'],
    ],
  })
  assert.deepEqual(placed(before, { header: 'x-SIG' }, 'new')?.headers, [
    ['X-Sig', 'new'],
    ['Accept', '*/*'],
  ])
  assert.deepEqual(placed(before, { header: { setting: 'name' } }, 'new')?.headers.at(-1), ['X-Chosen', 'new'])
  assert.equal(
    place(before, { header: { setting: 'other' } }, () => 'new', {}),
    null,
  )
})

test('a parameter of a header is replaced among the others, spaces and all, and its repeats go', () => {
  const before = request({ headers: [['S', 't=1, v1=a,v1=b, v0=c']] })
  const after = placed(before, { header: 'S', parameter: 'v1' }, 'new=')
  assert.deepEqual(after?.headers, [['S', 't=1, v1=new=, v0=c']])
  const paddle = request({ headers: [['S', 'ts=1;h1=a']] })
  assert.deepEqual(placed(paddle, { header: 'S', parameter: 'ts', separator: ';' }, '2')?.headers, [['S', 'ts=2;h1=a']])
})

test('query and form keep how everything else in them is spelled', () => {
  const before = request({ url: '/x?a=%7e+1&b=2', body: 'A=%7E&token=old&B=x+y' })
  assert.equal(placed(before, { query: 'b' }, 'é&')?.url, '/x?a=%7e+1&b=%C3%A9%26')
  assert.equal(placed(before, { query: 'c' }, '3')?.url, '/x?a=%7e+1&b=2&c=3')
  assert.equal(placed(before, { form: 'token' }, 'new one')?.body, 'A=%7E&token=new%20one&B=x+y')
  assert.equal(placed(before, { form: 'none' }, 'new'), null)
})

test('JSON in a form field changes inside only', () => {
  const before = request({ body: `a=1&payload=${encodeURIComponent('{"id":"1", "n":1.0}')}` })
  const after = placed(before, { form: 'payload', pointer: '/id' }, '2')
  assert.equal(decodeURIComponent(after?.body ?? ''), 'a=1&payload={"id":"2", "n":1.0}')
})

test('a member is replaced at every place a star stands for; a number stays one, a text is escaped', () => {
  const before = request({ body: '[{"id":7,"é":1},{"id": 8}]' })
  assert.equal(placed(before, { body: '/*/id' }, '9')?.body, '[{"id":9,"é":1},{"id": 9}]')
  assert.equal(placed(before, { body: '/0/id' }, 'a"b')?.body, '[{"id":"a\\"b","é":1},{"id": 8}]')
  assert.equal(placed(before, { body: '/0/é' }, '2')?.body, '[{"id":7,"é":2},{"id": 8}]')
  assert.equal(placed(before, { body: '/0/none' }, '9'), null)
  assert.equal(placed(request({ body: '{"id":' }), { body: '/id' }, '9'), null)
})

test('a member within JSON within a token is replaced there, and header and signature of the token stay', () => {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const token = (id: string) => `${part({ alg: 'RS256' })}.${part({ data: JSON.stringify({ id, n: 1 }), iat: 7 })}.c2ln`
  const before = request({ body: token('é-1') })
  assert.equal(placed(before, { body: '/data', inner: ['/id'] }, '2 ü')?.body, token('2 ü'))
  assert.equal(placed(before, { body: '/none', inner: ['/id'] }, '2'), null)
})
