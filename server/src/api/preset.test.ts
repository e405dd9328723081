import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Preset as PresetBody } from '@posthorn/contract'
import { hostPatternFault } from '../domain/outside-url.ts'
import type { Preset } from '../domain/preset.ts'
import { presetBook } from '../inbound/presets.ts'
import { checkOf } from './input.ts'

type Fixed<T> = T extends string | number | boolean | null ? T : { readonly [Key in keyof T]: Fixed<T[Key]> }
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : never) : never
/** What the contract promises of descriptors and what the domain reads are one: this does not compile where they differ. */
const agree: Same<Fixed<PresetBody>, Fixed<Preset>> = true

const faultsOf = (descriptor: unknown) => {
  const faults = checkOf(PresetBody)(descriptor, '')
  return faults.map(({ pointer, message }) => `${pointer} ${message}`)
}

const custom = {
  name: 'acme',
  title: 'Acme',
  docs: 'https://acme.example',
  basis: 'read',
  secret: null,
  schemes: [
    {
      name: 'v1',
      algorithm: 'hmac-sha256',
      key: { from: 'secret', encoding: 'utf8' },
      signature: [{ header: 'X-Signature', parameter: 'v1' }],
      template: ['v1:', { request: 'body' }, { hash: 'sha256', of: [{ query: 'a' }], encoding: 'hex' }],
    },
  ],
  id: { alternatives: [[{ body: '/id' }]], otherwise: 'body' },
  retryWindow: 0,
} satisfies Preset

/** The descriptor with something else at a JSON Pointer; undefined: nothing. */
function changed(pointer: string, value: unknown): unknown {
  const copy: unknown = structuredClone(custom)
  const steps = pointer.slice(1).split('/')
  const last = steps.pop() ?? ''
  const place = steps.reduce((at, step) => Object(at)[step], copy)
  if (value === undefined) delete Object(place)[last]
  else Object(place)[last] = value
  return copy
}

test('every preset that comes with the gateway could be sent by a user as a descriptor', () => {
  assert.ok(agree)
  assert.ok(presetBook.all().length > 0)
  for (const preset of presetBook.all()) assert.deepEqual(faultsOf(preset), [], preset.name)
  assert.deepEqual(faultsOf(custom), [])
})

describe('a fault is told where it is, and once:', () => {
  for (const [pointer, value, told] of [
    ['/schemes/0/tolerence', 5, '/schemes/0 has no member tolerence'],
    ['/schemes/0/algorithm', 'md5', /^\/schemes\/0\/algorithm must be one of hmac-sha1, /],
    ['/schemes/0/key/encoding', undefined, '/schemes/0/key/encoding is required'],
    ['/schemes/0/key/encoding', 'utf-8', /^\/schemes\/0\/key\/encoding must be one of utf8, /],
    ['/schemes/0/key/hosts', ['a.example'], '/schemes/0/key has no member hosts'],
    ['/schemes/0/signature', [], '/schemes/0/signature must NOT have fewer than 1 items'],
    ['/schemes/0/signature/0/body', '/sig', '/schemes/0/signature/0 is several of the kinds that it can be'],
    ['/schemes/0/signature/0/pointer', '/sig', /^\/schemes\/0\/signature\/0 must have property form/],
    [
      '/schemes/0/template/1',
      { request: 'bodies' },
      '/schemes/0/template/1/request must be one of method, url, path, body',
    ],
    ['/schemes/0/template/1', 7, '/schemes/0/template/1 must be string or object'],
    [
      '/schemes/0/template/2/of/0',
      { hash: 'sha1', of: ['x'], encoding: 'hex' },
      '/schemes/0/template/2/of/0 is none of the kinds that it can be',
    ],
    ['/id/alternatives/0/0/body', 'id', /^\/id\/alternatives\/0\/0\/body must match pattern/],
    ['/name', 'Acme Inc', /^\/name must match pattern/],
    ['/retryWindow', -1, '/retryWindow must be >= 0'],
  ] as const) {
    test(`${pointer} ${JSON.stringify(value) ?? 'left out'}`, () => {
      const [first = '', ...more] = faultsOf(changed(pointer, value))
      if (typeof told === 'string') assert.equal(first, told)
      else assert.match(first, told)
      // A member of no kind is also a kind that is not there.
      assert.ok(more.length <= 1 || more.every((fault) => fault.includes('has no member')), more.join('\n'))
    })
  }
})

test('a host that keys may be fetched from is refused in a descriptor for what it is none for when it is used', () => {
  const withHost = (host: string) =>
    changed('/schemes/0/key', { from: 'certificate', url: { header: 'x-url' }, hosts: [host] })
  for (const host of [
    ...['sns.<region>.amazonaws.com', 'api.paypal.com', '*.example.com', 'API.Example.com', 'xn--bcher-kva.example'],
    ...[
      '*',
      '*.com',
      'com',
      '<region>.com',
      'a.<region>',
      '10.0.0.7',
      'a.0x7f',
      'a.com.',
      'a..com',
      'a.*.com',
      'ü.de',
      'a.com:80',
    ],
  ]) {
    assert.equal(faultsOf(withHost(host)).length === 0, hostPatternFault(host) === null, host)
  }
})

test('everything in a descriptor has a bound', () => {
  const unbounded: string[] = []
  const look = (schema: unknown, at: string): void => {
    if (typeof schema !== 'object' || schema === null) return
    const { type, pattern, maxLength, maxItems, maxProperties, ...rest } = Object(schema)
    const types = [type].flat()
    const isFixed = 'enum' in rest || 'const' in rest || /\{[01],\d+\}|\\d\$$/.test(pattern ?? '')
    // Of several kinds, either the members of all stand beside them, or each kind says all of its own.
    const isClosed = rest.additionalProperties === false
    if (types.includes('string') && !isFixed && maxLength === undefined) unbounded.push(at)
    if (types.includes('array') && maxItems === undefined) unbounded.push(at)
    if (types.includes('object') && !isClosed && maxProperties === undefined && !rest.discriminator) unbounded.push(at)
    for (const [key, inner] of Object.entries(schema)) {
      if (key !== 'examples' && !(key === 'oneOf' && isClosed)) look(inner, `${at}/${key}`)
    }
  }
  look(PresetBody, '')
  assert.deepEqual(unbounded, [])
})
