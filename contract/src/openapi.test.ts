import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Value } from 'typebox/value'
import { openapi, operations, problems, schemas } from './index.ts'
import type { Operation } from './operation.ts'
import { ProblemOut } from './problem.ts'

const document = JSON.parse(JSON.stringify(openapi({ version: '1.2.3', publicUrl: 'https://hooks.example' })))
const all: readonly Operation[] = Object.values(operations)
const printed = all.map((operation) => ({
  operation,
  print: document.paths[operation.path][operation.method.toLowerCase()],
}))

function* nodes(value: unknown): Generator<object> {
  if (typeof value !== 'object' || value === null) return
  yield value
  for (const inner of Object.values(value)) yield* nodes(inner)
}

test('every operation of the table is printed once, under its own id', () => {
  assert.equal(document.openapi, '3.1.0')
  assert.equal(document.jsonSchemaDialect, 'https://json-schema.org/draft/2020-12/schema')
  const ids = Object.values(document.paths).flatMap((path) =>
    Object.values(path as object).map(({ operationId }) => operationId),
  )
  assert.deepEqual(ids.toSorted(), Object.keys(operations).toSorted())
  for (const [id, { operationId }] of Object.entries(operations)) assert.equal(operationId, id)
})

/** What a reference leads to (RFC 6901). */
function lookUp(reference: string) {
  assert.match(reference, /^#\//)
  const steps = reference
    .slice(2)
    .split('/')
    .map((step) => decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~'))
  return steps.reduce((value, step) => Object(value)[step], document)
}

test('every reference in the document leads somewhere, and nothing is there that none leads to', () => {
  const references = new Set([...nodes(document)].flatMap((node) => ('$ref' in node ? [String(node.$ref)] : [])))
  assert.ok(references.size > 50)
  for (const reference of references) assert.ok(lookUp(reference), reference)
  for (const kind of ['schemas', 'responses', 'headers', 'examples']) {
    for (const name of Object.keys(document.components[kind])) {
      assert.ok(references.has(`#/components/${kind}/${name}`), `${kind} ${name}`)
    }
  }
})

test('every parameter of a path is described, and nothing else is', () => {
  for (const { operation, print } of printed) {
    const inPath = [...operation.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
    const described = print.parameters.filter((parameter: { in: string }) => parameter.in === 'path')
    assert.deepEqual(
      described.map(({ name }: { name: string }) => name),
      inPath,
      operation.operationId,
    )
  }
})

test('every operation says which problems it answers, as problem+json, each with an example that fits', () => {
  for (const { operation, print } of printed) {
    const said: string[] = []
    for (const status of Object.keys(print.responses)) {
      const { $ref } = print.responses[status]
      const { content } = $ref === undefined ? print.responses[status] : lookUp($ref)
      const { schema, examples } = content?.['application/problem+json'] ?? {}
      for (const code of schema?.properties.code.enum ?? []) {
        const { value } = lookUp(examples[code].$ref)
        assert.deepEqual([...Value.Errors(ProblemOut, value)], [], code)
        assert.deepEqual([value.code, String(value.status)], [code, status])
        said.push(code)
      }
    }
    for (const code of [...operation.problems, 'internal', 'request-invalid']) assert.ok(said.includes(code), code)
    if (operation.scope !== null) assert.ok(print.responses[401] && print.responses[403], operation.operationId)
    if (operation.body) assert.ok(print.responses[400] && print.responses[413] && print.responses[415])
  }
})

test('an operation needs a key, unless its scope is null', () => {
  for (const { operation, print } of printed) {
    assert.deepEqual(print.security, operation.scope === null ? [] : [{ bearer: [] }])
  }
  assert.deepEqual(
    all.filter(({ scope }) => scope === null).map(({ operationId }) => operationId),
    ['v1.health.get'],
  )
})

test('what only looks needs no more than read, but for credentials and the server itself; what changes never only that', () => {
  const nouns = ['v1.endpoint', 'v1.operational-webhook.endpoint', 'v1.ingest.endpoint']
  const ofEndpoints = nouns.flatMap((noun) => [`${noun}.get-secret`, `${noun}.get-headers`])
  const credentials = [...ofEndpoints, 'v1.ingest.source.captured-secrets']
  for (const { operationId, method, scope } of all) {
    if (credentials.includes(operationId)) assert.equal(scope, 'manage', operationId)
    if (operationId === 'v1.node.list') assert.equal(scope, 'admin')
    if (scope === null || scope === 'admin' || credentials.includes(operationId)) continue
    // What it looks at comes with the question.
    const looks = method === 'GET' || operationId === 'v1.ingest.detect'
    assert.equal(scope === 'read', looks, operationId)
  }
})

test('every example fits the schema it is an example of', () => {
  const withExamples = Object.entries({ ...schemas, ProblemOut }).filter(([name]) => !name.startsWith('List'))
  for (const [name, schema] of withExamples) {
    const examples: readonly unknown[] = 'examples' in schema && Array.isArray(schema.examples) ? schema.examples : []
    assert.ok(examples.length > 0, name)
    for (const example of examples) assert.deepEqual([...Value.Errors(schema, example)], [], name)
  }
})

test('both generations of a renamed field are in what goes in and in what comes out', () => {
  for (const schema of [schemas.EndpointIn, schemas.EndpointUpsertIn, schemas.EndpointPatch, schemas.EndpointOut]) {
    for (const name of ['eventTypes', 'filterTypes', 'throttleRate', 'rateLimit'])
      assert.ok(name in schema.properties, name)
  }
  for (const schema of [schemas.ApplicationIn, schemas.ApplicationPatch, schemas.ApplicationOut]) {
    for (const name of ['throttleRate', 'rateLimit']) assert.ok(name in schema.properties, name)
  }
  for (const schema of [schemas.EventTypeIn, schemas.EventTypeUpsertIn, schemas.EventTypePatch, schemas.EventTypeOut]) {
    for (const name of ['featureFlags', 'featureFlag']) assert.ok(name in schema.properties, name)
  }
})

// Found by schemathesis: the name of a schema is the value, where no mapping says otherwise.
test('every discriminator says which value leads to which schema, and that schema allows no other', () => {
  let mapped = 0
  for (const node of nodes(document)) {
    if (!('discriminator' in node) || !('oneOf' in node)) continue
    const { propertyName, mapping } = Object(node.discriminator)
    const alternatives = [node.oneOf].flat().map((one) => Object(one).$ref)
    assert.deepEqual(Object.values(mapping), alternatives)
    for (const [value, $ref] of Object.entries<string>(mapping)) {
      const { properties } = document.components.schemas[$ref.split('/').at(-1) ?? '']
      assert.equal(properties[propertyName].const, value)
      mapped += 1
    }
  }
  assert.ok(mapped > 0)
})

test('every problem says what happened and what to do, in whole sentences', () => {
  for (const [code, { status, title, happened, remedy }] of Object.entries(problems)) {
    assert.match(code, /^[a-z]+(-[a-z]+)*$/)
    assert.ok(status >= 400 && status < 600, code)
    for (const text of [happened, remedy]) assert.match(text, /^[A-Z].*\.$/, code)
    assert.doesNotMatch(title, /\.$/, code)
  }
})
