// The document as its readers get it, and what the linters of the trade say of it.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { largestBody, openapi, operationalMessages } from '@posthorn/contract'
import { createConfig, lintFromString } from '@redocly/openapi-core'
import spectral from '@stoplight/spectral-core'
import owasp from '@stoplight/spectral-owasp-ruleset'
import spectralRulesets from '@stoplight/spectral-rulesets'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import fc from 'fast-check'
import { loadSettings } from '../../src/config.ts'
import { type Fact, operationalEventTypes, wordingOf } from '../../src/domain/operational.ts'
import { startTestServer, type TestServer } from '../support/server.ts'

let server: TestServer
before(async () => {
  // As it is meant to be reached; OWASP's rules want nothing else.
  server = await startTestServer({ settings: { publicUrl: 'https://hooks.example' } })
})
after(() => server.stop())

interface PathItem {
  readonly post: {
    readonly description: string
    readonly deprecated?: boolean
    readonly parameters: readonly { readonly $ref: string }[]
    readonly requestBody: { readonly content: { readonly 'application/json': { readonly schema: unknown } } }
    readonly responses: Readonly<Record<string, unknown>>
  }
}

interface Document {
  readonly webhooks: Readonly<Record<string, PathItem>>
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly callbacks?: object }>>>>
  readonly components: { readonly callbacks: Readonly<Record<string, Readonly<Record<string, PathItem>>>> }
}

async function document(key?: string): Promise<Document> {
  const answer = await fetch(`${server.url}/openapi.json`, key ? { headers: { authorization: `Bearer ${key}` } } : {})
  assert.equal(answer.status, 200)
  return JSON.parse(await answer.text())
}

const schemaOf = (item: PathItem | undefined): unknown => item?.post.requestBody.content['application/json'].schema

/** What nobody means well: schemas that reach out of themselves, name themselves, or are none. */
const nasty: Readonly<Record<string, unknown>> = {
  'nasty.remote': { $ref: 'https://evil.example/schema.json' },
  'nasty.outside': { properties: { a: { $ref: '#/components/schemas/ProblemOut' } } },
  'nasty.named': { $id: 'https://posthorn.example/openapi.json', $anchor: 'a', $defs: { a: { $id: '#' } } },
  'nasty.broken': { type: 'foo', required: 'x', properties: 3 },
  'nasty.pattern': { pattern: '(((', patternProperties: { '(': {} } },
  'nasty.value': { const: { $ref: '#/nowhere' }, examples: [{ $ref: 'x' }] },
  'nasty.loop': { $ref: '#/$defs/a', $defs: { a: { $ref: '#/$defs/b' }, b: { anyOf: [{ $ref: '#/$defs/a' }] } } },
  'nasty/slash~tilde': true,
  'nasty.foreign': { nullable: true, discriminator: { propertyName: 'a' }, 'x-a': { $ref: 'y' } },
}

test('with a key, and only with it, the document describes the event types of that environment', async () => {
  const { svix } = server
  await svix.eventType.create({
    name: 'invoice.paid',
    description: 'An invoice was paid.',
    schemas: {
      '1': { type: 'object' },
      '10': { $defs: { id: { type: 'string' } }, properties: { id: { $ref: '#/$defs/id' } } },
      '2': { type: 'string' },
    },
  })
  await svix.eventType.create({ name: 'invoice.void', description: '', deprecated: true })
  await svix.eventType.create({ name: 'invoice.gone', description: 'Archived', archived: true })
  const open = await document()
  assert.deepEqual(Object.keys(open.webhooks), ['your-event-type', ...operationalEventTypes])
  const { webhooks } = await document(server.key)
  const paid = webhooks['invoice.paid']
  const place = '#/webhooks/invoice.paid/post/requestBody/content/application~1json/schema'
  assert.equal(paid?.post.description, 'An invoice was paid.')
  assert.deepEqual(schemaOf(paid), {
    $defs: { id: { type: 'string' } },
    properties: { id: { $ref: `${place}/$defs/id` } },
  })
  assert.deepEqual(
    paid?.post.parameters.map(({ $ref }) => $ref.split('/').at(-1)),
    ['webhook-id', 'webhook-timestamp', 'webhook-signature'],
  )
  assert.deepEqual(Object.keys(paid?.post.responses ?? {}).toSorted(), ['2XX', '410', '429', '503', 'default'])
  assert.equal(webhooks['invoice.void']?.post.deprecated, true)
  assert.deepEqual([webhooks['invoice.gone'], webhooks['your-event-type']], [undefined, undefined])
})

test('a portal token reads of what its flags show it, a wrong key of nothing', async () => {
  const { svix } = server
  await svix.eventType.create({ name: 'beta.thing', description: 'Beta', featureFlags: ['beta'] })
  await svix.application.create({ name: 'P', uid: 'p' })
  const token = async (featureFlags: string[]) =>
    (await svix.authentication.appPortalAccess('p', { featureFlags })).token
  assert.equal((await document(await token([]))).webhooks['beta.thing'], undefined)
  assert.ok((await document(await token(['beta']))).webhooks['beta.thing'])
  const stranger = await fetch(`${server.url}/openapi.json`, { headers: { authorization: 'Bearer nobody' } })
  assert.deepEqual([stranger.status, Reflect.get(Object(await stranger.json()), 'code')], [401, 'unauthenticated'])
})

test('whoever registers a URL reads there what will come to it', async () => {
  const { paths, components } = await document()
  const registering = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, { callbacks }]) => (callbacks ? [`${method} ${path}`] : [])),
  )
  assert.deepEqual(
    registering.filter((operation) => !operation.includes('operational')),
    [
      'post /api/v1/app/{app_id}/endpoint',
      'put /api/v1/app/{app_id}/endpoint/{endpoint_id}',
      'patch /api/v1/app/{app_id}/endpoint/{endpoint_id}',
    ],
  )
  for (const callback of Object.values(components.callbacks)) {
    assert.deepEqual(Object.keys(callback), ['{$request.body#/url}'])
  }
})

test('what operational webhooks carry is what the document says', () => {
  const ajv = new Ajv2020({ strict: false })
  addFormats.default(ajv, ['date-time'])
  const endpoint = { id: 'ep_1', uid: null, application: { id: 'app_1', uid: 'a' } } as const
  const since = Date.UTC(2026, 0, 1)
  const message = { id: 'msg_1', eventId: null } as const
  const lastAttempt = { id: 'atmpt_1', statusCode: 500, startedAt: since } as const
  const task = { id: 'qtask_1', status: 'finished', task: 'endpoint.recover', data: { messagesSent: 1 } }
  assert.deepEqual(Object.keys(operationalMessages), [...operationalEventTypes])
  for (const kind of operationalEventTypes) {
    const fact = { kind, endpoint, because: 'gone', failingSince: null, since, message, lastAttempt, task } as Fact
    const { eventType, payload } = wordingOf(fact)
    const validate = ajv.compile(Object(operationalMessages[eventType]?.payload))
    assert.ok(validate(JSON.parse(payload)), `${eventType}: ${JSON.stringify(validate.errors)}`)
  }
})

test('no schema of a tenant makes a reference of the document lead nowhere, or out of its own place', () => {
  const text = fc.constantFrom(
    '#',
    '#/$defs/a',
    '#/items',
    '#/properties/a/anyOf/0',
    '#/allOf/0',
    '#/components',
    'b',
    '#c',
  )
  const { schema } = fc.letrec<{ schema: unknown }>((tie) => ({
    schema: fc.oneof(
      { maxDepth: 3 },
      fc.constantFrom<unknown>(true, false, null, 'string', {}),
      fc.record(
        {
          $ref: text,
          $id: text,
          $defs: fc.dictionary(fc.constantFrom('a', '$ref', 'b/c'), tie('schema')),
          properties: fc.dictionary(fc.constantFrom('a', '$id', '__proto__'), tie('schema')),
          items: tie('schema'),
          allOf: fc.array(tie('schema'), { maxLength: 2 }),
          anyOf: fc.array(tie('schema'), { maxLength: 2 }),
          not: tie('schema'),
          default: fc.record({ $ref: text }),
        },
        { requiredKeys: [] },
      ),
    ),
  }))
  const isSchema = () => true
  const options = { version: '1.0.0', publicUrl: 'https://hooks.example' }
  let references = 0
  fc.assert(
    fc.property(fc.array(schema, { minLength: 100, maxLength: 100 }), (schemas) => {
      const eventTypes = schemas.map((schema, at) => ({ name: `a/${at}`, description: '', deprecated: false, schema }))
      const printed = JSON.parse(JSON.stringify(openapi(options, { eventTypes, isSchema })))
      for (const { name } of eventTypes) {
        const own = `#/webhooks/${name.replace('/', '~1')}/post/requestBody/content/application~1json/schema`
        for (const reference of referencesIn(pointedAt(printed, own))) {
          references++
          assert.ok(reference === own || reference.startsWith(`${own}/`), reference)
          assert.equal(typeof pointedAt(printed, reference), 'object', reference)
        }
      }
    }),
    { numRuns: 5 },
  )
  assert.ok(references > 50, `only ${references} references were seen`)
})

test('the bound the document gives for any text is the largest body an operator can allow', () => {
  const allowing = (bytes: number) => loadSettings({ env: {}, flags: { maxBody: `${bytes}B` } })
  assert.equal(allowing(largestBody).maxBody, largestBody)
  assert.throws(() => allowing(largestBody + 1))
})

const pointedAt = (root: unknown, reference: string): unknown =>
  reference
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce<unknown>((value, step) => Reflect.get(Object(value), step), root)

/** Of a schema whose properties may have any name. */
function referencesIn(schema: unknown): readonly string[] {
  if (typeof schema !== 'object' || schema === null) return []
  return Object.entries(schema).flatMap(([key, value]) => {
    if (key === '$ref') return [String(value)]
    return key === 'properties' || key === '$defs' ? Object.values(value).flatMap(referencesIn) : referencesIn(value)
  })
}

const { Spectral } = spectral

/** What the linters ask for that is not so here, or not meant: each with its reason. */
const exempt: readonly { readonly rule: RegExp; readonly at: RegExp; readonly because: string }[] = [
  { rule: /./, at: /\/examples\//, because: 'an example of a schema is no schema: nothing is read by it' },
  { rule: /./, at: /\/callbacks\//, because: 'a callback is answered by the receiver, whose limits are its own' },
  {
    rule: /cors-origin/,
    at: /\/properties\/headers$/,
    because: 'a member called headers is not the headers of an answer',
  },
  { rule: /rate-limit/, at: /^(?!.*\/callbacks\/)/, because: 'how often a key may call is not limited here' },
  {
    rule: /cors-origin/,
    at: /\/(responses\/[^/]+|components)\/headers$/,
    because: 'no answer is for pages of other origins',
  },
  { rule: /contact-properties/, at: /./, because: 'the server does not know the address of whoever operates it' },
  {
    rule: /(read-restricted|responses-401)$/,
    at: /health/,
    because: 'whether it is well is asked by machines without keys',
  },
]

const exempted = (rule: string, at: string): boolean => exempt.some((one) => one.rule.test(rule) && one.at.test(at))

async function redocly(text: string): Promise<readonly string[]> {
  const config = await createConfig({ extends: ['recommended'] })
  const found = await lintFromString({ source: text, absoluteRef: '/openapi.json', config })
  return found.map(
    ({ ruleId, severity, message, location }) => `${severity} ${ruleId} ${message} ${location[0]?.pointer}`,
  )
}

test("the document passes Redocly's recommended rules, whatever schemas an environment has", async () => {
  assert.deepEqual(await redocly(JSON.stringify(await document())), [])
  for (const [name, schema] of Object.entries(nasty)) {
    const answer = await server.fetch('/api/v1/event-type', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name: name.replace('~', '-'), description: 'Nasty', schemas: { '1': schema } }),
    })
    // Some of them may be refused when they are declared: all the better.
    assert.ok([201, 422].includes(answer.status), name)
  }
  // What is only unusual in a schema is its owner's business.
  const found = await redocly(JSON.stringify(await document(server.key)))
  assert.deepEqual(
    found.filter((each) => each.startsWith('error')),
    [],
  )
})

test("the document passes Spectral's rules and OWASP's, without errors and without warnings", async () => {
  const linter = new Spectral()
  const rules = [spectralRulesets.oas, Reflect.get(owasp, 'default') ?? owasp]
  linter.setRuleset({ extends: rules.map((rules) => [rules, 'all']) } as never)
  const found = await linter.run(JSON.stringify(await document()))
  const left = found.filter(({ code, path }) => !exempted(String(code), `/${path.join('/')}`))
  assert.deepEqual(
    left.map(({ severity, code, path, message }) => `${severity} ${code} ${path.join('/')} ${message}`),
    [],
  )
  for (const { rule, at, because } of exempt) {
    assert.ok(
      found.some(({ code, path }) => rule.test(String(code)) && at.test(`/${path.join('/')}`)),
      `no longer needed: ${because}`,
    )
  }
})
