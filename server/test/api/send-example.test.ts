import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startTestServer, type TestServer } from '../support/server.ts'
import { receiver } from './receiver.ts'
import { refused } from './refused.ts'

let server: TestServer
let made = 0
before(async () => {
  server = await startTestServer()
})
after(() => server.stop())

/** An application, and an endpoint of it that wants nothing but what nobody publishes. */
async function scene(url: string): Promise<{ readonly app: string; readonly endpoint: string }> {
  const { id: app } = await server.svix.application.create({ name: `Test ${++made}` })
  const { id: endpoint } = await server.svix.endpoint.create(app, { url, eventTypes: ['other'], channels: ['none'] })
  return { app, endpoint }
}

test('an example goes to one endpoint alone, whatever it wants, as a message like any other', async (t) => {
  const { svix } = server
  const [to, besides] = [await receiver(t), await receiver(t)]
  const { app, endpoint } = await scene(to.url)
  await svix.endpoint.create(app, { url: besides.url })
  const schema = { type: 'object', required: ['id'], properties: { id: { type: 'string', pattern: '^inv_\\d+$' } } }
  await svix.eventType.create({ name: 'example.made-up', description: '', schemas: { '1': schema } })
  const message = await svix.endpoint.sendExample(app, endpoint, { eventType: 'example.made-up' })
  assert.deepEqual(message.payload, { id: 'inv_0' })
  await to.until(1)
  assert.equal(to.received[0]?.headers['webhook-id'], message.id)
  assert.equal(to.received[0]?.body, '{"id":"inv_0"}')
  // A message to all comes behind it: by then the example would have arrived here, too.
  await svix.message.create(app, { eventType: 'later', payload: {} })
  await besides.until(1)
  assert.notEqual(besides.received[0]?.headers['webhook-id'], message.id)
  assert.equal((await svix.message.get(app, message.id)).eventType, 'example.made-up')
})

test('examples of the latest schema are sent as they stand there, chosen by their place', async (t) => {
  const { svix } = server
  const { url } = await receiver(t)
  const { app, endpoint } = await scene(url)
  const eventType = 'example.shown'
  await svix.eventType.create({
    ...{ name: eventType, description: '' },
    schemas: { '2': { examples: [{ n: 2 }] }, '10': { type: 'object', examples: [{ n: 10 }, { n: 11 }] } },
  })
  const sent = async (exampleIndex?: number) =>
    (await svix.endpoint.sendExample(app, endpoint, { eventType, ...(exampleIndex !== undefined && { exampleIndex }) }))
      .payload
  assert.deepEqual([await sent(), await sent(0), await sent(1)], [{ n: 10 }, { n: 10 }, { n: 11 }])
  const { code, body } = await refused(sent(2))
  assert.deepEqual([code, body.errors?.map(({ pointer }) => pointer)], [422, ['/exampleIndex']])
})

test('an event type without a schema has a plain example; what cannot have one is refused, and nothing is stored', async (t) => {
  const { svix } = server
  const { url } = await receiver(t)
  const { app, endpoint } = await scene(url)
  await svix.eventType.create({ name: 'example.plain', description: '' })
  const { payload } = await svix.endpoint.sendExample(app, endpoint, { eventType: 'example.plain' })
  assert.deepEqual(payload, { type: 'example.plain', timestamp: '2026-01-01T00:00:00.000Z', data: {} })
  await svix.eventType.create({
    name: 'example.never',
    description: '',
    schemas: { '1': { type: 'object', not: {}, allOf: [false] } },
  })
  await svix.eventType.create({ name: 'example.archived', description: '', archived: true })
  const codeOf = async (eventType: string) => {
    const { code, body } = await refused(svix.endpoint.sendExample(app, endpoint, { eventType }))
    return [code, body.code]
  }
  assert.deepEqual(await codeOf('example.never'), [422, 'example-missing'])
  assert.deepEqual(await codeOf('example.archived'), [422, 'event-type-unknown'])
  assert.deepEqual(await codeOf('example.undeclared'), [422, 'event-type-unknown'])
  await svix.endpoint.patch(app, endpoint, { disabled: true })
  assert.deepEqual(await codeOf('example.plain'), [422, 'endpoint-disabled'])
  assert.equal((await svix.message.list(app)).data.length, 1)
})
