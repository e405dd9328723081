import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { eventually } from '../support/eventually.ts'
import { startTestServer, type TestServer } from '../support/server.ts'
import { refused } from './refused.ts'

let server: TestServer
before(async () => {
  server = await startTestServer()
})
after(() => server.stop())

const yaml = `
openapi: 3.1.0
info: { title: Shop, version: '1' }
webhooks:
  yaml.paid:
    post:
      description: An invoice was paid.
      tags: [billing]
      requestBody:
        content:
          application/json:
            schema: &paid
              type: object
              required: [id]
              properties: { id: { type: string } }
  yaml.refunded:
    post:
      requestBody:
        content:
          application/json:
            schema: *paid
`
const documentOf = (...names: readonly string[]) => ({
  openapi: '3.1.0',
  webhooks: Object.fromEntries(names.map((name) => [name, { post: { description: `About ${name}` } }])),
})

/** Names of the event types that are not archived, of those that begin so. */
const declared = async (prefix: string) =>
  (await server.svix.eventType.list({ limit: 250 })).data
    .map(({ name }) => name)
    .filter((name) => name.startsWith(prefix))

test('the webhooks of a YAML document become event types, and importing it again changes nothing', async () => {
  const { svix } = server
  assert.deepEqual((await svix.eventType.importOpenapi({ specRaw: yaml })).data.modified, [
    'yaml.paid',
    'yaml.refunded',
  ])
  const { description, groupName, schemas, createdAt, updatedAt } = await svix.eventType.get('yaml.paid')
  assert.deepEqual([description, groupName], ['An invoice was paid.', 'billing'])
  assert.deepEqual(schemas, { '1': { type: 'object', required: ['id'], properties: { id: { type: 'string' } } } })
  assert.deepEqual((await svix.eventType.get('yaml.refunded')).schemas, schemas)
  await server.world.advance(1_000)
  assert.deepEqual((await svix.eventType.importOpenapi({ specRaw: yaml })).data.modified, [])
  assert.deepEqual((await svix.eventType.get('yaml.paid')).updatedAt, updatedAt)
  assert.deepEqual(updatedAt, createdAt)
})

test('a dry run tells what would change and changes nothing', async () => {
  const { svix } = server
  const { data } = await svix.eventType.importOpenapi({ spec: documentOf('dry.a'), dryRun: true })
  assert.deepEqual(data, {
    modified: [],
    toModify: [
      {
        name: 'dry.a',
        description: 'About dry.a',
        schemas: null,
        deprecated: false,
        groupName: null,
        featureFlags: null,
      },
    ],
  })
  assert.deepEqual(await declared('dry.'), [])
})

test('an import brings archived ones back, keeps what the document does not say, and archives the rest when asked', async () => {
  const { svix } = server
  const schemas = { '3': { type: 'object' } }
  await svix.eventType.create({ name: 'all.a', description: 'Old', groupName: 'mine', featureFlags: ['f'], schemas })
  await svix.eventType.delete('all.a')
  await svix.eventType.create({ name: 'all.b', description: 'Not in the document' })
  const spec = documentOf('all.a')
  assert.deepEqual((await svix.eventType.importOpenapi({ spec })).data.modified, ['all.a'])
  const { archived, description, groupName, featureFlags, ...rest } = await svix.eventType.get('all.a')
  assert.deepEqual([archived, description, groupName, featureFlags], [false, 'About all.a', 'mine', ['f']])
  assert.deepEqual(rest.schemas, schemas)
  assert.deepEqual(await declared('all.'), ['all.a', 'all.b'])
  const answer = await server.fetch('/api/v1/event-type/import/openapi', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ spec, replaceAll: true }),
  })
  const { data } = (await answer.json()) as { data: { modified: string[]; archived: string[] } }
  assert.deepEqual([data.modified, data.archived.filter((name) => name.startsWith('all.'))], [[], ['all.b']])
  assert.deepEqual(await declared('all.'), ['all.a'])
  assert.equal((await svix.eventType.get('all.b')).archived, true)
})

test('a document with one fault is refused whole, and told where', async () => {
  const { svix } = server
  const spec = documentOf('part.good')
  Object.assign(spec.webhooks, { 'part.bad': { post: { requestBody: { $ref: 'other.yaml#/x' } } } })
  const { code, body } = await refused(svix.eventType.importOpenapi({ spec }))
  assert.deepEqual(
    [code, body.code, body.errors?.map(({ pointer }) => pointer)],
    [...[422, 'openapi-invalid', ['/spec/webhooks/part.bad/post/requestBody/$ref']]],
  )
  assert.deepEqual(await declared('part.'), [])
})

test('one form of the document is wanted, not none and not two', async () => {
  const { svix } = server
  for (const asked of [{}, { spec: null }, { spec: documentOf('x'), specRaw: yaml }]) {
    const { code, body } = await refused(svix.eventType.importOpenapi(asked))
    assert.deepEqual([code, body.code], [422, 'request-invalid'])
  }
})

test('text that is no document, or that multiplies itself, is refused with the reason', async () => {
  const { svix } = server
  const bomb = [
    'a0: &a0 [x]',
    ...Array.from({ length: 12 }, (_, n) => `a${n + 1}: &a${n + 1} [${`*a${n},`.repeat(9)}]`),
  ]
  const reasons: Readonly<Record<string, RegExp>> = {
    'a: [': /not YAML/,
    [bomb.join('\n')]: /cannot be read/,
    'just text': /openapi/,
    '{"openapi": "3.1.0"}': /webhooks/,
    'openapi: "3.1.0"\nx: "\\0"': /U\+0000/,
  }
  for (const [specRaw, reason] of Object.entries(reasons)) {
    const { code, body } = await refused(svix.eventType.importOpenapi({ specRaw }))
    assert.equal(code, 422)
    assert.match(body.detail ?? '', reason)
    assert.match(body.errors?.[0]?.pointer ?? '', /^\/specRaw/)
  }
})

test('a text that takes too long to read is given up, and the next one is read', async () => {
  const { svix, world } = server
  // As much as a request holds: it takes a second at least, and the clock stands at the deadline long before.
  const long = Array.from({ length: 60_000 }, (_, n) => `k${n}: 1`).join('\n')
  let answered = false
  const timers = world.pendingTimers
  const reading = refused(svix.eventType.importOpenapi({ specRaw: long })).finally(() => {
    answered = true
  })
  // Were the other read first, the clock would be at its deadline before the thread that reads it has started.
  await eventually(world, 'the long one is being read', () => world.pendingTimers > timers)
  const other = svix.eventType.importOpenapi({ specRaw: yaml })
  for (let turns = 0; !answered && turns < 1_000; turns++) {
    await server.store.ping()
    // In small steps: those that pass until the answer is here are taken from the time of the next one.
    await world.advance(200)
  }
  assert.match((await reading).body.detail ?? '', /too long/)
  await other
  assert.equal((await svix.eventType.get('yaml.paid')).archived, false)
})
