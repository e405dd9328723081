import assert from 'node:assert/strict'
import { test } from 'node:test'
import { embedded } from './embedded.ts'

const place = '#/webhooks/a/schema'
const cases: readonly (readonly [what: string, given: unknown, kept: unknown])[] = [
  [
    'a reference into itself leads to where it now stands',
    { $defs: { id: { type: 'string' } }, properties: { a: { $ref: '#/$defs/id' }, b: { $ref: '#' } } },
    {
      $defs: { id: { type: 'string' } },
      properties: { a: { $ref: `${place}/$defs/id` }, b: { $ref: place } },
    },
  ],
  [
    'a reference that leads elsewhere, or nowhere, is left out',
    { anyOf: [{ $ref: 'https://evil.example/x' }, { $ref: '#/components/schemas/ProblemOut' }, { $ref: '#anchor' }] },
    { anyOf: [{}, {}, {}] },
  ],
  [
    'a reference to what is no schema is left out',
    { enum: [{ type: 'string' }], properties: { a: { $ref: '#/enum/0' } } },
    { enum: [{ type: 'string' }], properties: { a: {} } },
  ],
  [
    'names are left out, and what they would be counted from',
    { $id: 'https://a.example/', $schema: 'x', $anchor: 'y', items: { $id: 'inner', $ref: '#/$defs/a' } },
    { items: {} },
  ],
  [
    'a property may be called like a keyword',
    { properties: { $ref: { type: 'string' }, $id: { type: 'integer' } } },
    { properties: { $ref: { type: 'string' }, $id: { type: 'integer' } } },
  ],
  ['values that look like references are left out', { const: { $ref: '#' }, default: [{ a: { $ref: 'x' } }] }, {}],
  [
    'patterns that do not compile are left out',
    { pattern: '(', patternProperties: { '[': true, '^a': true } },
    { patternProperties: { '^a': {} } },
  ],
  ['what is no keyword is left out', { nullable: true, 'x-a': { $ref: 'b' }, discriminator: {} }, {}],
  ['what is no schema says nothing', { items: 'string', allOf: [3], not: null }, { items: {}, allOf: [{}], not: {} }],
  [
    'true and false are written out, as not every reader knows them',
    { items: false, additionalProperties: true },
    { items: { not: {} }, additionalProperties: {} },
  ],
]

for (const [what, given, kept] of cases) test(what, () => assert.deepEqual(embedded(given, place), kept))

test('what is not even an object says nothing', () => {
  assert.deepEqual(embedded('x', place), {})
  assert.deepEqual(embedded([], place), {})
  assert.deepEqual(embedded(false, place), { not: {} })
})
