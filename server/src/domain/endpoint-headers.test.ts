import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { checkEndpointHeaders } from './endpoint-headers.ts'
import { Problem } from './problem.ts'

function faultsOf(headers: Record<string, string>) {
  try {
    checkEndpointHeaders(headers, '/headers')
  } catch (error) {
    assert.ok(error instanceof Problem)
    assert.equal(error.code, 'header-reserved')
    return error.faults
  }
  assert.fail(`${JSON.stringify(headers)} were taken`)
}

test("an owner's own headers are kept as they were spelled", () => {
  const headers = {
    Authorization: 'Bearer x/y+z==',
    'X-Tab': 'a\tb',
    cookie: 'a=b; c="d"',
    'x-empty': '',
    "!#$%&'*+-.^_`|~09": '~',
  }
  assert.deepEqual(checkEndpointHeaders(headers, '/headers'), headers)
  assert.deepEqual(checkEndpointHeaders({}, '/headers'), {})
})

describe("headers that are not the owner's to set", () => {
  const names = [
    'Host',
    'connection',
    'Keep-Alive',
    'Proxy-Authorization',
    'proxy-connection',
    'proxy-anything',
    'TE',
    'Trailer',
    'Transfer-Encoding',
    'upgrade',
    'Expect',
    'HTTP2-Settings',
    'Content-Length',
    'content-type',
    'Content-Encoding',
    'User-Agent',
    'traceparent',
    'webhook-id',
    'Webhook-Signature',
    'webhook-anything',
    'svix-id',
    'SVIX-Signature',
  ]
  for (const name of names) {
    test(name, () =>
      assert.deepEqual(
        faultsOf({ [name]: 'x' }).map((fault) => fault.pointer),
        [`/headers/${name}`],
      ),
    )
  }
})

describe('headers that would break out of their line', () => {
  const headers: readonly (readonly [string, string, string])[] = [
    ['a CR LF in the value', 'x-a', 'b\r\nx-evil: 1'],
    ['a bare LF in the value', 'x-a', 'b\nc'],
    ['a bare CR in the value', 'x-a', 'b\rc'],
    ['a NUL in the value', 'x-a', 'b\0c'],
    ['DEL in the value', 'x-a', 'b\x7f'],
    ['an escape in the value', 'x-a', '\x1b[31m'],
    ['text beyond ASCII in the value', 'x-a', 'ü'],
    ['a character that would become LF in one byte', 'x-a', '\u010a'],
    ['a line break in the name', 'x-a\r\nx-evil', '1'],
    ['a colon in the name', 'x:a', '1'],
    ['a space in the name', 'x a', '1'],
    ['no name', '', '1'],
    ['a name beyond ASCII', 'x-ü', '1'],
    ['a name that lower-cases into a reserved one', '\u212aeep-alive', '1'],
  ]
  for (const [name, header, value] of headers) test(name, () => assert.equal(faultsOf({ [header]: value }).length, 1))
})

test('every fault is told at once, each with its pointer', () => {
  const faults = faultsOf({ host: 'a', 'x/~y': 'b', 'x-fine': 'c', 'x-bad': '\n' })
  assert.deepEqual(
    faults.map((fault) => fault.pointer),
    ['/headers/host', '/headers/x~1~0y', '/headers/x-bad'],
  )
})

test('a name given twice in different case is refused once', () => {
  assert.deepEqual(
    faultsOf({ 'X-Key': '1', 'x-key': '2' }).map((fault) => fault.pointer),
    ['/headers/x-key'],
  )
})

test('the limits hold to the character: 50 headers, names of 128, values of 4,096', () => {
  const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, n) => [`x-${n}`, '']))
  assert.equal(Object.keys(checkEndpointHeaders(many(50), '/headers')).length, 50)
  assert.deepEqual(
    faultsOf(many(51)).map((fault) => fault.pointer),
    ['/headers'],
  )
  checkEndpointHeaders({ ['x'.repeat(128)]: 'v'.repeat(4096) }, '/headers')
  assert.equal(faultsOf({ ['x'.repeat(129)]: '' }).length, 1)
  assert.equal(faultsOf({ x: 'v'.repeat(4097) }).length, 1)
})

test('a header named like a property of every object is a header, not a trap', () => {
  const headers = JSON.parse('{"__proto__": "a", "constructor": "b"}') as Record<string, string>
  const kept = checkEndpointHeaders(headers, '/headers')
  assert.deepEqual(Object.entries(kept), [
    ['__proto__', 'a'],
    ['constructor', 'b'],
  ])
})
