import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { type DescribedEventType, describedEventTypes } from './openapi-webhooks.ts'
import { Problem } from './problem.ts'

const ajv = new Ajv2020({ strict: true, strictTypes: false, strictTuples: false, validateFormats: false })

const post = (schema: unknown, operation: object = {}) => ({
  post: { requestBody: { content: { 'application/json': { schema } } }, ...operation },
})
const oas31 = (webhooks: object, components: object = {}) => ({ openapi: '3.1.0', webhooks, components })
const oas30 = (webhooks: object, components: object = {}) => ({
  ...{ openapi: '3.0.3', 'x-webhooks': webhooks, components },
})

/** The only event type of a document. */
function only(document: unknown): DescribedEventType {
  const [described, ...others] = describedEventTypes(document, '/spec')
  assert.ok(described && others.length === 0)
  return described
}

/** Ajv, in strict mode, is the judge of whether what was written is a schema of 2020-12, and of what it lets through. */
function judged(document: unknown): (value: unknown) => boolean {
  const { schema } = only(document)
  const validate = ajv.compile(schema as object)
  return (value) => validate(value) as boolean
}

const faultsOf = (document: unknown): readonly string[] => {
  try {
    describedEventTypes(document, '/spec')
  } catch (error) {
    if (error instanceof Problem && error.code === 'openapi-invalid') return error.faults.map(({ pointer }) => pointer)
    throw error
  }
  assert.fail('was read')
}

test('a webhook says name, description, group, flags and whether it is deprecated', () => {
  const operation = {
    description: 'Paid',
    deprecated: true,
    tags: ['billing', 'other'],
    'x-svix-feature-flags': ['a', 'b'],
  }
  assert.deepEqual(only(oas31({ 'invoice.paid': post({ type: 'object' }, operation) })), {
    ...{ name: 'invoice.paid', description: 'Paid', deprecated: true, groupName: 'billing' },
    ...{ featureFlags: ['a', 'b'], schema: { type: 'object' } },
  })
  const own = { summary: 'Short', 'x-svix-group-name': 'own', 'x-svix-feature-flag': 'one', tags: ['t'] }
  const { description, groupName, featureFlags, deprecated } = only(oas31({ a: post({}, own) }))
  assert.deepEqual([description, groupName, featureFlags, deprecated], ['Short', 'own', ['one'], false])
})

test('what a document does not say is null, and no JSON body is no schema', () => {
  const nothing = { name: 'a', description: null, deprecated: false, groupName: null, featureFlags: null, schema: null }
  assert.deepEqual(only(oas31({ a: { post: {} } })), nothing)
  const xml = { requestBody: { content: { 'application/xml': { schema: { type: 'object' } } } } }
  assert.deepEqual(only(oas31({ a: { post: xml } })), nothing)
  const vendor = { requestBody: { content: { 'application/cloudevents+json; charset=utf-8': { schema: {} } } } }
  assert.deepEqual(only(oas31({ a: { post: vendor } })).schema, {})
})

test('a key that cannot be a name gives way to the operationId', () => {
  assert.equal(only(oas31({ 'Invoice was paid': post({}, { operationId: 'invoice.paid' }) })).name, 'invoice.paid')
  assert.equal(only(oas31({ 'invoice.paid': post({}, { operationId: 'onInvoicePaid' }) })).name, 'invoice.paid')
  assert.deepEqual(faultsOf(oas31({ 'two words/x': post({}), '..': post({}, { operationId: '..' }) })), [
    ...['/spec/webhooks/two words~1x', '/spec/webhooks/..', '/spec/webhooks'],
  ])
})

test('a schema brings along what it refers to, once, and circles stay references', () => {
  const schemas = {
    Order: {
      ...{ type: 'object', required: ['buyer', 'parent'] },
      properties: {
        buyer: { $ref: '#/components/schemas/Person' },
        seller: { $ref: '#/components/schemas/Person' },
        parent: { anyOf: [{ $ref: '#/components/schemas/Order' }, { type: 'null' }] },
      },
    },
    Person: {
      type: 'object',
      properties: { friend: { $ref: '#/components/schemas/Person' }, age: { type: 'integer' } },
    },
    Unused: { type: 'string' },
  }
  const document = oas31({ a: post({ $ref: '#/components/schemas/Order' }) }, { schemas })
  const { schema } = only(document)
  assert.deepEqual(Object.keys((schema as { $defs: object }).$defs), ['Person'])
  assert.doesNotMatch(JSON.stringify(schema), /components/)
  const fits = judged(document)
  assert.equal(fits({ buyer: { friend: { age: 1 } }, parent: { buyer: {}, parent: null } }), true)
  assert.equal(fits({ buyer: { friend: { friend: { age: 'x' } } }, parent: null }), false)
  assert.equal(fits({ buyer: {}, parent: { buyer: {}, parent: 3 } }), false)
})

test('two places of one name are two definitions, and a place within a schema is one too', () => {
  const components = {
    schemas: { Id: { type: 'integer' }, Thing: { type: 'object', properties: { Id: { type: 'string' } } } },
  }
  const fits = judged(
    oas31(
      {
        a: post({
          prefixItems: [{ $ref: '#/components/schemas/Id' }, { $ref: '#/components/schemas/Thing/properties/Id' }],
        }),
      },
      components,
    ),
  )
  assert.deepEqual([fits([1, 'a']), fits([1, 2]), fits(['a', 'a'])], [true, false, false])
})

test('what OpenAPI 3.0 spells in its own way is spelled as in 2020-12', () => {
  const properties = {
    note: { type: 'string', nullable: true, example: 'Hello' },
    share: { type: 'number', minimum: 0, exclusiveMinimum: true, maximum: 1, exclusiveMaximum: false },
    buyer: { $ref: '#/components/schemas/Person', description: 'is not looked at here', nullable: true },
  }
  const document = oas30(
    { a: post({ type: 'object', properties, discriminator: { propertyName: 'note' }, xml: {}, 'x-own': 1 }) },
    { schemas: { Person: { type: 'object', nullable: false, externalDocs: { url: 'https://a.example' } } } },
  )
  assert.deepEqual(only(document).schema, {
    type: 'object',
    properties: {
      note: { type: ['string', 'null'], examples: ['Hello'] },
      share: { type: 'number', exclusiveMinimum: 0, maximum: 1 },
      buyer: { $ref: '#/$defs/Person' },
    },
    $defs: { Person: { type: 'object' } },
  })
  const fits = judged(document)
  assert.deepEqual([fits({ note: null, share: 1 }), fits({ share: 0 }), fits({ buyer: null })], [true, false, false])
})

test('data that looks like a schema stays as it is', () => {
  const data = { $ref: '#/nowhere', nullable: true, 'x-a': 1, $id: 'kept' }
  const schema = {
    ...{ enum: [data], const: data, default: data, examples: [data] },
    properties: { $ref: { type: 'string' }, nullable: { type: 'integer' }, $id: {} },
  }
  assert.deepEqual(only(oas31({ a: post({ $id: 'https://a.example/x', $schema: 'any', ...schema }) })).schema, schema)
})

test('examples beside the body become examples of its schema, where it has none', () => {
  const body = (media: object) =>
    oas31(
      { a: { post: { requestBody: { content: { 'application/json': media } } } } },
      {
        examples: { there: { value: { n: 2 } } },
      },
    )
  const examples = {
    here: { value: { n: 1 } },
    there: { $ref: '#/components/examples/there' },
    gone: { externalValue: 'x' },
  }
  assert.deepEqual(only(body({ schema: { type: 'object' }, examples })).schema, {
    ...{ type: 'object', examples: [{ n: 1 }, { n: 2 }] },
  })
  assert.deepEqual(only(body({ schema: {}, example: { n: 3 } })).schema, { examples: [{ n: 3 }] })
  assert.deepEqual(only(body({ schema: { examples: [4] }, example: { n: 3 } })).schema, { examples: [4] })
})

test('webhooks, operations and bodies may be references, too', () => {
  const components = {
    pathItems: { Paid: { post: { requestBody: { $ref: '#/components/requestBodies/Paid' } } } },
    requestBodies: { Paid: { content: { 'application/json': { schema: { type: 'array' } } } } },
  }
  assert.deepEqual(only(oas31({ a: { $ref: '#/components/pathItems/Paid' } }, components)).schema, { type: 'array' })
})

for (const [what, [document, pointers]] of Object.entries({
  'not an object': [[], ['/spec/openapi']],
  'Swagger 2': [{ swagger: '2.0', webhooks: {} }, ['/spec/openapi']],
  'no webhooks': [{ openapi: '3.1.0' }, ['/spec/webhooks']],
  'webhooks in a list': [{ openapi: '3.1.0', webhooks: [] }, ['/spec/webhooks', '/spec/webhooks']],
  'a webhook without an operation': [oas31({ a: {} }), ['/spec/webhooks/a', '/spec/webhooks']],
  'a reference to elsewhere': [
    oas31({ a: post({ properties: { 'x/y': { $ref: 'https://a.example/schema.json' } } }) }),
    ['/spec/webhooks/a/post/requestBody/content/application~1json/schema/properties/x~1y/$ref'],
  ],
  'a reference to nothing': [
    oas31({ a: post({ $ref: '#/components/schemas/Gone' }) }),
    ['/spec/webhooks/a/post/requestBody/content/application~1json/schema/$ref'],
  ],
  'references that lead only to each other': [
    oas31({ a: { $ref: '#/components/a' } }, { a: { $ref: '#/components/b' }, b: { $ref: '#/components/a' } }),
    ['/spec/components/b/$ref', '/spec/webhooks'],
  ],
  'a reference to what an object inherits': [
    oas31({ a: { $ref: '#/constructor' } }),
    ['/spec/webhooks/a/$ref', '/spec/webhooks'],
  ],
  'an anchor': [
    oas31({ a: post({ $anchor: 'here' }) }),
    ['/spec/webhooks/a/post/requestBody/content/application~1json/schema/$anchor'],
  ],
  'a schema that is none': [
    oas31({ a: post({ items: 'x' }) }),
    ['/spec/webhooks/a/post/requestBody/content/application~1json/schema/items'],
  ],
} as const)) {
  test(`refused, with its place: ${what}`, () => assert.deepEqual(faultsOf(document), pointers))
}

test('a document in which everything refers to everything ends, with a fault', () => {
  const names = Array.from({ length: 300 }, (_, n) => `S${n}`)
  const properties = Object.fromEntries(names.map((name) => [name, { $ref: `#/components/schemas/${name}` }]))
  const schemas = Object.fromEntries(names.map((name) => [name, { properties }]))
  const webhooks = Object.fromEntries(names.map((name) => [name, post({ $ref: `#/components/schemas/${name}` })]))
  const faults = faultsOf(oas31(webhooks, { schemas }))
  assert.ok(faults.length > 0)
})
