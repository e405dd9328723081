// Schemas over the whole server: what is declared, what a publish is told, and when that counts.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { refused } from '../api/refused.ts'
import { openElsewhere } from '../support/database.ts'
import { type Scene, scene } from './scene.ts'

const schema = {
  type: 'object',
  required: ['id'],
  properties: { id: { type: 'string' }, total: { type: 'integer', minimum: 0 } },
}

async function settle(at: Scene, settings: object): Promise<void> {
  const answer = await at.server.fetch('/api/v1/environment/settings', {
    method: 'PATCH',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(settings),
  })
  assert.equal(answer.status, 200, await answer.text())
}

const publish = (at: Scene, payload: unknown, eventType = 'invoice.paid') =>
  at.server.svix.message.create('shop', { eventType, payload })

test('off, payloads are not looked at', async (t) => {
  const here = await scene(t)
  await here.server.svix.eventType.create({ name: 'invoice.paid', description: '', schemas: { '1': schema } })
  await publish(here, { total: 'x' })
  await here.arrived(1)
})

test('reject: a payload that does not fit is refused with all its faults, and nothing is stored', async (t) => {
  const here = await scene(t)
  await here.server.svix.eventType.create({ name: 'invoice.paid', description: '', schemas: { '1': schema } })
  await settle(here, { schemaValidation: 'reject' })
  const { code, body } = await refused(publish(here, { total: -1.5 }))
  assert.equal(code, 422)
  assert.equal(body.code, 'payload-invalid')
  assert.deepEqual(
    body.errors?.map(({ pointer }) => pointer),
    ['/payload', '/payload/total', '/payload/total'],
  )
  assert.equal(await here.disk.count('select count(*) from message'), 0)
  const { id } = await publish(here, { id: 'inv_1', total: 1 })
  await publish(here, { anything: 1 }, 'not.declared')
  await here.arrived(2)
  assert.ok(here.receiver.received.some(({ headers }) => headers['webhook-id'] === id))
})

test('warn: the message is accepted as it is, and the answer, the log and a metric say what does not fit', async (t) => {
  const here = await scene(t)
  await here.server.svix.eventType.create({ name: 'invoice.paid', description: '', schemas: { '1': schema } })
  await settle(here, { schemaValidation: 'warn' })
  const answer = await here.server.fetch('/api/v1/app/shop/msg', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"eventType":"invoice.paid","payload":{"total":1.50}}',
  })
  assert.equal(answer.status, 202)
  const { warnings } = (await answer.json()) as { warnings: readonly { pointer: string; message: string }[] }
  assert.deepEqual(
    warnings.map(({ pointer }) => pointer),
    ['/payload', '/payload/total'],
  )
  await here.arrived(1)
  assert.equal(here.receiver.received[0]?.body.toString(), '{"total":1.50}')
  assert.match(await (await here.server.fetch('/metrics')).text(), /posthorn_payload_misfits_total\{mode="warn"\} 1/)
})

test('the latest version counts, by number and not by spelling, from the moment its change is answered', async (t) => {
  const here = await scene(t)
  const { eventType } = here.server.svix
  await settle(here, { schemaValidation: 'reject' })
  await publish(here, {})
  await eventType.create({ name: 'invoice.paid', description: '', schemas: { '9': schema, '10': true } })
  await publish(here, {})
  await eventType.patch('invoice.paid', { schemas: { '9': true, '10': schema } })
  assert.equal((await refused(publish(here, {}))).body.code, 'payload-invalid')
  await eventType.upsert('invoice.paid', { description: '', schemas: { '10': schema, '11': true } })
  await publish(here, {})
  await eventType.patch('invoice.paid', { schemas: { '1': schema } })
  assert.equal((await refused(publish(here, {}))).body.code, 'payload-invalid')
  await eventType.delete('invoice.paid', { expunge: true })
  await publish(here, {})
  await settle(here, { schemaValidation: 'off' })
  await publish(here, {})
})

test('strict: event types that are not declared, or are archived, are refused', async (t) => {
  const here = await scene(t)
  const { eventType } = here.server.svix
  await settle(here, { strictEventTypes: true })
  const unknown = await refused(publish(here, {}))
  assert.deepEqual(
    [unknown.code, unknown.body.code, unknown.body.errors?.[0]?.pointer],
    [422, 'event-type-unknown', '/eventType'],
  )
  await eventType.create({ name: 'invoice.paid', description: '' })
  await publish(here, {})
  await eventType.delete('invoice.paid')
  assert.equal((await refused(publish(here, {}))).body.code, 'event-type-unknown')
})

test('of a batch, those that do not fit are refused and the others accepted', async (t) => {
  const here = await scene(t)
  await here.server.svix.eventType.create({ name: 'a', description: '', schemas: { '1': schema } })
  await settle(here, { schemaValidation: 'reject', strictEventTypes: true })
  const answer = await here.server.fetch('/api/v1/app/shop/msg/batch', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      messages: [
        { eventType: 'a', payload: { id: 'x' } },
        { eventType: 'a', payload: { total: 1 } },
        { eventType: 'b', payload: {} },
      ],
    }),
  })
  const { data } = (await answer.json()) as {
    data: readonly { status: number; problem?: { code: string; errors: readonly { pointer: string }[] } }[]
  }
  assert.deepEqual(
    data.map(({ status, problem }) => [status, problem?.code, problem?.errors[0]?.pointer]),
    [
      [202, undefined, undefined],
      [422, 'payload-invalid', '/messages/1/payload'],
      [422, 'event-type-unknown', '/messages/2/eventType'],
    ],
  )
  await here.arrived(1)
})

test('an example is held to the schema like any message', async (t) => {
  const here = await scene(t)
  const { eventType, endpoint } = here.server.svix
  const untrue = { ...schema, examples: [{ total: 1 }, { id: 'inv_1' }] }
  await eventType.create({ name: 'invoice.paid', description: '', schemas: { '1': untrue } })
  await settle(here, { schemaValidation: 'reject' })
  const example = (exampleIndex: number) =>
    endpoint.sendExample('shop', here.endpointId, { eventType: 'invoice.paid', exampleIndex })
  assert.equal((await refused(example(0))).body.code, 'payload-invalid')
  await example(1)
  await here.arrived(1)
})

test('a schema that cannot work is refused when it is declared, with a pointer into it', async (t) => {
  const here = await scene(t)
  const { eventType } = here.server.svix
  const bad = { '1': schema, '2': { properties: { a: { type: 'strin' } } } }
  const { code, body } = await refused(eventType.create({ name: 'a', description: '', schemas: bad }))
  assert.deepEqual(
    [code, body.code, body.errors?.[0]?.pointer],
    [422, 'schema-invalid', '/schemas/2/properties/a/type'],
  )
  await eventType.create({ name: 'a', description: '' })
  const remote = { '1': { $ref: 'https://elsewhere.example/schema.json' } }
  assert.equal((await refused(eventType.patch('a', { schemas: remote }))).body.code, 'schema-invalid')
  assert.equal((await refused(eventType.upsert('a', { description: '', schemas: remote }))).body.code, 'schema-invalid')
})

test('a payload whose check explodes is refused where misfits are, and noted where they are only noted', async (t) => {
  const here = await scene(t)
  const { world, svix } = here.server
  const explosive = { properties: { s: { pattern: '^(a+)+$' } } }
  await svix.eventType.create({ name: 'invoice.paid', description: '', schemas: { '1': explosive } })
  const inTime = async <Result>(asked: Promise<Result>): Promise<Result> => {
    let done = false
    const ended = asked.finally(() => {
      done = true
    })
    ended.catch(() => {})
    await here.eventually('it is answered', async () => {
      if (!done) await world.advance(10)
      return done
    })
    return ended
  }
  const payload = { s: `${'a'.repeat(60)}!` }
  await settle(here, { schemaValidation: 'reject' })
  const { body } = await inTime(refused(publish(here, payload)))
  assert.equal(body.code, 'payload-invalid')
  assert.match(body.detail ?? '', /could not be checked/)
  await settle(here, { schemaValidation: 'warn' })
  await inTime(publish(here, payload))
  await here.arrived(1)
})

test('a schema that another process declares counts within a second', async (t) => {
  const here = await scene(t)
  await settle(here, { schemaValidation: 'reject' })
  await publish(here, {})
  const other = await openElsewhere(here.server.databaseUrl)
  try {
    const [environment] = await other.store.environments.list()
    assert.ok(environment)
    const at = { createdAt: 0, updatedAt: 0, revision: 1, environmentId: environment.id }
    const said = { description: '', archived: false, deprecated: false, groupName: null, featureFlags: null }
    await other.store.eventTypes.insert({ ...at, ...said, name: 'invoice.paid', schemas: { '1': schema } })
  } finally {
    await other.close()
  }
  await here.eventually('the payload is refused', async () => {
    await here.server.world.advance(1_000)
    return publish(here, {}).then(
      () => false,
      () => true,
    )
  })
})
