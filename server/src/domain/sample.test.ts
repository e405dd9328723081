import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import fc from 'fast-check'
import { sampleOf } from './sample.ts'

const ajv = new Ajv2020({ allErrors: true, strict: false, validateFormats: true })
addFormats.default(ajv)

/** Ajv is the judge of whether what was made up fits. */
function assertFits(schema: object | boolean): void {
  const sample = sampleOf(schema)
  assert.notEqual(sample, undefined, `no sample for ${JSON.stringify(schema)}`)
  const validate = ajv.compile(schema)
  assert.ok(
    validate(sample),
    `${JSON.stringify(sample)} does not fit ${JSON.stringify(schema)}: ${JSON.stringify(validate.errors)}`,
  )
}

const invoice = {
  $defs: { money: { type: 'object', required: ['amount'], properties: { amount: { type: 'integer', minimum: 0 } } } },
  type: 'object',
  required: ['id', 'total'],
  properties: {
    id: { type: 'string', pattern: '^inv_[0-9]{4,}$' },
    total: { $ref: '#/$defs/money' },
    paidAt: { type: 'string', format: 'date-time' },
    state: { enum: ['paid', 'open'] },
    note: { type: ['null', 'string'] },
    lines: { type: 'array', items: { type: 'object', properties: { sku: { type: 'string' } } } },
  },
}

test('a sample shows every property, in the order of the schema, and is the same each time', () => {
  assert.deepEqual(sampleOf(invoice), {
    id: 'inv_0000',
    total: { amount: 1 },
    paidAt: '2026-01-01T09:00:00Z',
    state: 'paid',
    note: 'text',
    lines: [{ sku: 'text' }],
  })
  assert.equal(JSON.stringify(sampleOf(invoice)), JSON.stringify(sampleOf(structuredClone(invoice))))
  assert.deepEqual(Object.keys(sampleOf(invoice) as object), Object.keys(invoice.properties))
})

test('what the author of a schema shows is taken before anything is made up', () => {
  const properties = {
    a: { type: 'string', examples: ['shown', 'second'] },
    b: { type: 'integer', default: 7 },
    c: { type: 'string', example: 'of OpenAPI' },
    d: { type: 'string', default: 12 },
  }
  assert.deepEqual(sampleOf({ properties }), { a: 'shown', b: 7, c: 'of OpenAPI', d: 'text' })
})

const fitting: Readonly<Record<string, object | boolean>> = {
  'nothing said': true,
  'an empty schema': {},
  constant: { const: { a: [null] } },
  bounds: { type: 'object', properties: { a: { type: 'integer', exclusiveMinimum: 41, maximum: 42 } } },
  'bounds between integers': { type: 'number', exclusiveMinimum: 0, exclusiveMaximum: 0.001 },
  'bounds below zero': { type: 'integer', maximum: -17 },
  'multiples of parts': { type: 'number', multipleOf: 0.1, minimum: 0.25 },
  'multiples of two numbers': { type: 'integer', allOf: [{ multipleOf: 6 }, { multipleOf: 4 }], minimum: 13 },
  'long texts': { type: 'string', minLength: 40, maxLength: 41 },
  'no text': { type: 'string', maxLength: 0 },
  'unique items': { type: 'array', uniqueItems: true, minItems: 4, items: { type: 'string', format: 'uuid' } },
  'unique objects': {
    ...{ type: 'array', uniqueItems: true, minItems: 3 },
    items: { type: 'object', required: ['kind', 'n'], properties: { kind: { const: 'x' }, n: { type: 'integer' } } },
  },
  tuples: { type: 'array', prefixItems: [{ type: 'integer' }, { type: 'null' }], items: false },
  'what must be contained': { type: 'array', contains: { const: 'x' }, items: { type: 'string' } },
  'parts of allOf': {
    allOf: [
      { type: 'object', required: ['a'], properties: { a: { type: 'string', minLength: 9 } } },
      { properties: { a: { maxLength: 9 }, b: { type: 'boolean' } }, required: ['b'] },
    ],
  },
  'a first branch that contradicts': {
    type: 'object',
    anyOf: [{ type: 'array' }, { required: ['a'], properties: { a: false } }, { required: ['b'] }],
  },
  'told apart by a property': {
    oneOf: ['a', 'b'].map((kind) => ({ type: 'object', required: ['kind'], properties: { kind: { const: kind } } })),
  },
  'nothing but the listed': {
    ...{ type: 'object', additionalProperties: false, minProperties: 2 },
    properties: { a: { type: 'string' }, b: { type: 'integer' } },
  },
  'as many as are wanted': { type: 'object', minProperties: 3, additionalProperties: { type: 'integer' } },
  'no more than may be': { type: 'object', maxProperties: 1, properties: { a: {}, b: {}, c: {} }, required: ['b'] },
  'what hangs together': { properties: { a: { type: 'string' } }, dependentRequired: { a: ['b'], c: ['d'] } },
  'a tree': {
    ...{ type: 'object', required: ['name'] },
    properties: { name: { type: 'string' }, children: { type: 'array', items: { $ref: '#' } }, left: { $ref: '#' } },
  },
  'a circle that null ends': {
    $defs: {
      node: { required: ['next'], properties: { next: { anyOf: [{ $ref: '#/$defs/node' }, { type: 'null' }] } } },
    },
    $ref: '#/$defs/node',
  },
  'an anchor': {
    $ref: '#here',
    $defs: { a: { $anchor: 'here', type: 'object', properties: { x: { type: 'null' } } } },
  },
  'names of prototypes': JSON.parse(
    '{"type":"object","required":["__proto__","constructor"],"properties":{"__proto__":{"type":"integer"}}}',
  ),
}

for (const [what, schema] of Object.entries(fitting)) {
  test(`a sample fits: ${what}`, () => assertFits(schema))
}

for (const format of [
  ...['date-time', 'date', 'time', 'duration', 'email', 'hostname', 'ipv4', 'ipv6', 'uri', 'uri-reference', 'uuid'],
  ...['uri-template', 'json-pointer', 'relative-json-pointer', 'regex'],
]) {
  test(`a sample of format ${format} is one, and several are different ones`, () => {
    assertFits({ type: 'array', uniqueItems: true, minItems: 3, items: { type: 'string', format } })
  })
}

for (const pattern of [
  ...[
    '^[A-Z]{2}-\\d{3,}$',
    '^(a|b)+c?$',
    '^[^a-z]\\w\\S\\s$',
    '^\\p{Lu}\\p{Ll}+$',
    '\\x41\\u0042\\u{43}',
    '^[\\w.+-]+@x\\.y$',
  ],
  ...['^(?:ab){2}(?<name>c)*$', 'x*', '^.{12}$', '^[-a]$', '^[\\]]$'],
]) {
  test(`a sample of pattern ${pattern} matches it`, () => {
    assertFits({ type: 'string', pattern })
    assertFits({ type: 'array', items: { type: 'string', pattern }, minItems: 1 })
  })
}

test('a pattern that can grow grows to the length that is asked for', () => {
  assertFits({ type: 'string', pattern: '^[a-f]+$', minLength: 30, maxLength: 31 })
})

for (const [what, schema] of Object.entries({
  never: false,
  'a circle without end': { required: ['a'], properties: { a: { $ref: '#' } } },
  'a reference to itself': { $ref: '#' },
  'types that exclude each other': { type: 'string', allOf: [{ type: 'integer' }] },
  'bounds that exclude each other': { type: 'integer', minimum: 3, maximum: 2 },
})) {
  test(`there is no sample where nothing fits: ${what}`, () => assert.equal(sampleOf(schema), undefined))
}

test('a schema that multiplies itself ends', () => {
  const $defs = Object.fromEntries(
    Array.from({ length: 40 }, (_, n) => {
      const next = { $ref: `#/$defs/d${n + 1}` }
      return [
        `d${n}`,
        { anyOf: [{ allOf: [next, next, { type: 'null' }] }, { properties: { a: next, b: next, c: next } }] },
      ]
    }),
  )
  const began = performance.now()
  sampleOf({ $ref: '#/$defs/d0', $defs })
  sampleOf({
    type: 'array',
    minItems: 100,
    uniqueItems: true,
    items: { type: 'number', multipleOf: 0.001, maximum: 0.1 },
  })
  sampleOf({ allOf: Array.from({ length: 20_000 }, () => ({ type: 'object' })) })
  sampleOf({ type: 'string', pattern: '((a{999}){999}){999}', minLength: 5 })
  assert.ok(performance.now() - began < 5_000, `${performance.now() - began} ms`)
})

/** Schemas of what samples look at, each with a value that fits. */
const schemas = fc.letrec<{ schema: object }>((tie) => ({
  schema: fc.oneof(
    { maxDepth: 4, depthIdentifier: 'schema' },
    fc.constantFrom({ type: 'boolean' }, { type: 'null' }, { const: 'x' }, { enum: [3, 'y', null] }, {}),
    fc.record({ type: fc.constant('string'), minLength: fc.nat(40) }),
    fc.tuple(fc.nat(20), fc.nat(20)).map(([a, b]) => ({ type: 'string', minLength: a, maxLength: a + b })),
    fc.constantFrom('uuid', 'date', 'email', 'uri', 'ipv6').map((format) => ({ type: 'string', format })),
    fc.tuple(fc.integer(), fc.nat(1_000)).map(([a, b]) => ({ type: 'integer', minimum: a, maximum: a + b })),
    fc.tuple(fc.integer({ min: -99, max: 99 }), fc.integer({ min: 1, max: 9 })).map(([minimum, multipleOf]) => ({
      ...{ type: 'integer', minimum, multipleOf },
    })),
    fc.record({ type: fc.constant('array'), items: tie('schema'), minItems: fc.nat(3) }),
    fc.record({ type: fc.constant('array'), prefixItems: fc.array(tie('schema'), { minLength: 1, maxLength: 3 }) }),
    fc.record({
      type: fc.constant('object'),
      properties: fc.dictionary(fc.constantFrom('a', 'b', 'c', '__proto__'), tie('schema')),
      required: fc.uniqueArray(fc.constantFrom('a', 'b', 'd')),
    }),
    fc.array(tie('schema'), { minLength: 1, maxLength: 3 }).map((anyOf) => ({ anyOf })),
    fc.array(tie('schema'), { minLength: 1, maxLength: 2 }).map((both) => ({
      ...{ type: 'object', allOf: both.map((one, n) => ({ type: 'object', properties: { [`p${n}`]: one } })) },
    })),
  ),
}))

test('whatever is put together of these parts, its sample fits', () => {
  fc.assert(
    fc.property(schemas.schema, (schema) => assertFits(schema)),
    { numRuns: 300 },
  )
})
