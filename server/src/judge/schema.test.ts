import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readSchema, schemaFaults } from './schema.ts'

function judged(schema: unknown, value: unknown) {
  const read = readSchema(JSON.stringify(schema))
  assert.ok(read.kind === 'ready', JSON.stringify(read))
  return read.judge(value)
}

const fits = (schema: unknown, value: unknown) =>
  assert.equal(judged(schema, value).kind, 'fits', JSON.stringify([schema, value]))
const misfits = (schema: unknown, value: unknown) =>
  assert.equal(judged(schema, value).kind, 'misfits', JSON.stringify([schema, value]))

// [schema, a value that fits, a value that does not]. `undefined`: there is none.
const cases: readonly (readonly [unknown, unknown, unknown])[] = [
  [true, 1, undefined],
  [false, undefined, 1],
  [{ type: 'integer' }, 1.0, 1.5],
  [{ type: ['string', 'null'] }, null, 1],
  [{ enum: ['a', { b: [1] }] }, { b: [1] }, 'b'],
  [{ const: { a: 1 } }, { a: 1 }, { a: 2 }],
  [{ multipleOf: 0.01 }, 4.35, 4.355],
  [{ minimum: 1, exclusiveMaximum: 3 }, 1, 3],
  [{ maximum: 3, exclusiveMinimum: 1 }, 3, 1],
  [{ minLength: 2, maxLength: 2 }, '💩💩', 'x'],
  [{ pattern: '^inv_\\p{L}+$' }, 'inv_é', 'inv_1'],
  [{ format: 'date-time' }, '2026-01-01T00:00:00Z', 'yesterday'],
  [{ format: 'email' }, 'a@b.example', 'a.b'],
  [{ format: 'uuid' }, '2eb8aa08-aa98-11ea-b4aa-73b441d16380', '2eb8'],
  [{ format: 'nobody-knows' }, 'x', undefined],
  [{ minItems: 1, maxItems: 2 }, [1], []],
  [{ uniqueItems: true }, [1, '1'], [{ a: 1 }, { a: 1 }]],
  [{ prefixItems: [{ type: 'string' }], items: false }, ['a'], ['a', 1]],
  [{ contains: { const: 1 }, minContains: 2, maxContains: 2 }, [1, 0, 1], [1, 1, 1]],
  [
    { required: ['a'], minProperties: 2, maxProperties: 2 },
    { a: 1, b: 2 },
    { b: 1, c: 2 },
  ],
  [{ properties: { a: false }, patternProperties: { '^s': { type: 'string' } } }, { s: 'x' }, { sx: 1 }],
  [{ properties: { a: true }, additionalProperties: false }, { a: 1 }, { b: 1 }],
  [{ propertyNames: { maxLength: 1 } }, { a: 1 }, { ab: 1 }],
  [{ dependentRequired: { a: ['b'] } }, { a: 1, b: 1 }, { a: 1 }],
  [{ dependentSchemas: { a: { required: ['b'] } } }, { b: 1 }, { a: 1 }],
  [{ allOf: [{ type: 'number' }, { minimum: 2 }] }, 2, 1],
  [{ anyOf: [{ type: 'string' }, { type: 'null' }] }, null, 1],
  [{ oneOf: [{ multipleOf: 2 }, { multipleOf: 3 }] }, 2, 6],
  [{ not: { type: 'string' } }, 1, 'a'],
  [
    JSON.parse('{"if":{"required":["a"]},"then":{"required":["b"]},"else":{"required":["c"]}}'),
    { a: 1, b: 1 },
    { a: 1 },
  ],
  [{ allOf: [{ properties: { a: true } }], unevaluatedProperties: false }, { a: 1 }, { b: 1 }],
  [{ prefixItems: [true], unevaluatedItems: false }, [1], [1, 2]],
  [{ $ref: '#/$defs/a~1b', $defs: { 'a/b': { type: 'string' } } }, 'x', 1],
  [{ $ref: '#n', $defs: { a: { $anchor: 'n', type: 'string' } } }, 'x', 1],
  [{ $id: 'https://a.example/s', $ref: 't', $defs: { t: { $id: 't', type: 'string' } } }, 'x', 1],
  [{ properties: { next: { $ref: '#' } }, additionalProperties: false }, { next: { next: {} } }, { next: { x: 1 } }],
  [
    { $schema: 'http://json-schema.org/draft-07/schema#', items: [{ type: 'string' }], additionalItems: false },
    ['a'],
    ['a', 1],
  ],
  [{ $schema: 'https://json-schema.org/draft/2020-12/schema', type: 'object' }, {}, []],
]

test('each keyword lets through what it should and stops the rest', () => {
  for (const [schema, good, bad] of cases) {
    if (good !== undefined) fits(schema, good)
    if (bad !== undefined) misfits(schema, bad)
    assert.deepEqual(schemaFaults(JSON.stringify(schema)), [], JSON.stringify(schema))
  }
})

test('all faults are told at once, each at its place in the payload', () => {
  const schema = {
    required: ['id'],
    properties: { total: { type: 'integer' }, lines: { items: { required: ['sku'] } }, 'a/b~ü': { type: 'string' } },
  }
  const verdict = judged(schema, { total: '1', lines: [{ sku: 1 }, {}], 'a/b~ü': 1 })
  assert.ok(verdict.kind === 'misfits')
  assert.deepEqual(
    verdict.faults.map(({ pointer }) => pointer),
    ['', '/total', '/lines/1', '/a~1b~0ü'],
  )
})

test('a fault reads on from the place that it is about', () => {
  const said: readonly (readonly [schema: unknown, value: unknown, fault: string])[] = [
    [{ required: ['id'] }, {}, 'has no member "id"'],
    [{ type: ['string', 'null'] }, 1, 'must be of type "string", "null", not "number"'],
    [{ const: 'a' }, 'b', 'must be "a"'],
    [{ enum: ['a', 1] }, 'b', 'must be one of ["a",1]'],
    [{ maxLength: 1 }, 'ab', 'is too long (2 > 1)'],
    [{ not: {} }, 1, 'matched "not" schema'],
  ]
  for (const [schema, value, fault] of said) {
    const verdict = judged(schema, value)
    assert.ok(verdict.kind === 'misfits')
    assert.equal(verdict.faults[0]?.message, fault)
  }
})

test('what is only for people is not taken for a schema', () => {
  fits(
    {
      type: 'object',
      example: { $id: 7, $ref: 'nowhere', type: 'string' },
      examples: [{ $ref: '#/no' }],
      'x-y': { $ref: 1 },
    },
    {},
  )
  fits({ properties: { $ref: { type: 'string' }, enum: { type: 'string' } } }, { $ref: 'x', enum: 'y' })
})

test('names of JavaScript are only names in a schema and in a payload', () => {
  const schema: unknown = JSON.parse(
    '{"properties":{"__proto__":{"type":"string"},"constructor":{"type":"string"}},"required":["__proto__"]}',
  )
  fits(schema, JSON.parse('{"__proto__":"x","constructor":"y"}'))
  misfits(schema, JSON.parse('{"__proto__":1}'))
  misfits(schema, {})
  for (const format of ['__proto__', 'constructor', 'toString']) fits({ format }, 'x')
})

test('a schema that cannot work is refused with pointers to what is wrong', () => {
  for (const [schema, pointer, why] of [
    [{ type: 'strin' }, '/type', /string/],
    [{ properties: { a: { required: 'b' } } }, '/properties/a/required', /array/],
    [{ properties: { a: 5 } }, '/properties/a', /must be a schema/],
    [{ properties: { a: { pattern: '(' } } }, '/properties/a/pattern', /regular expression/],
    [{ patternProperties: { '[': {} } }, '/patternProperties/[', /regular expression/],
    [{ $ref: 'https://elsewhere.example/schema' }, '/$ref', /leads nowhere/],
    [{ allOf: [{ $ref: '#/$defs/gone' }] }, '/allOf/0/$ref', /leads nowhere/],
    [{ $ref: 'file:///etc/passwd' }, '/$ref', /leads nowhere/],
    [{ $ref: '#' }, '', /without end/],
    [{ $dynamicRef: '#node' }, '/$dynamicRef', /not supported/],
    [{ $schema: 'http://json-schema.org/draft-04/schema#' }, '/$schema', /2020-12 or draft-07/],
    ['text', '', /must be a JSON Schema/],
  ] as const) {
    const [first] = schemaFaults(JSON.stringify(schema))
    assert.equal(first?.pointer, pointer, JSON.stringify(schema))
    assert.match(first?.message ?? '', why, JSON.stringify(schema))
  }
})

test('too large and too deep schemas are refused before anybody works with them', () => {
  const deep = (levels: number): unknown => (levels === 0 ? {} : { allOf: [deep(levels - 1)] })
  assert.match(schemaFaults(JSON.stringify(deep(400)))[0]?.message ?? '', /64 deep/)
  assert.match(schemaFaults(JSON.stringify({ enum: ['x'.repeat(300_000)] }))[0]?.message ?? '', /larger/)
})
