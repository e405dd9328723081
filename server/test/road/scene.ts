// ROAD: the engine over the whole server — real database, real sockets, the test's own clock.

import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { type ApplicationId, type EndpointId, makeIds } from '../../src/domain/ids.ts'
import { type Database, newDatabase, openDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'
import { nothingUnanswered, quiet } from '../support/quiet.ts'
import { type Receiver, startReceiver } from '../support/receiver.ts'
import { startTestServer, type TestServer, type TestServerOptions } from '../support/server.ts'

export interface Scene {
  /** After a restart another one. */
  readonly server: TestServer
  /** What is kept, over a connection of its own. */
  readonly disk: Database
  /** Where the application `shop` has its endpoint. */
  readonly receiver: Receiver
  readonly endpointId: string
  /** Publishes to `shop`, asserts the 202 and resolves to the message's id. `payload` is sent as it is spelled. */
  publish(payload?: string): Promise<string>
  /** As `server.publish`, to another application. */
  publishTo(app: string, payload?: string): Promise<string>
  /** Puts messages of `app`, waiting for this endpoint, into the store past the road: what it finds there at a start. */
  stored(app: string, endpointId: string, count: number): Promise<readonly string[]>
  /** One more receiver. */
  startReceiver(): Promise<Receiver>
  /** Lets everything but the clock go on until `holds`. */
  eventually(what: string, holds: () => boolean | Promise<boolean>): Promise<void>
  /** Lets everything but the clock go on until this many requests have come to the receiver in all. */
  arrived(count: number, at?: Receiver): Promise<void>
  /** Resolves when this many attempts in all are on disk, and the server knows. */
  recorded(attempts: number): Promise<void>
  /** Lets whatever is due now happen, so that what has not happened then is not due. */
  quiet(): Promise<void>
  /** Stops the server and starts one on what it has left on the disk, in the same world. */
  restart(): Promise<void>
  /** The second half of a restart whose first try failed. */
  start(): Promise<void>
  /** When the only delivery there is falls due. */
  dueAt(): Promise<number>
}

/** Stops it, its clock going on: what is in flight ends with the grace at the latest. */
export async function stopped(server: TestServer): Promise<void> {
  let over = false
  const stopping = server.stop().finally(() => {
    over = true
  })
  await eventually(server.world, 'the server has stopped', async () => {
    if (!over) await server.world.advance(100)
    return over
  })
  await stopping
}

/** A server with one application, `shop`, and one endpoint at a receiver. Gone when the test is over. */
export async function scene(
  t: TestContext,
  options: TestServerOptions & { readonly endpoint?: { secret?: string; headers?: Record<string, string> } } = {},
): Promise<Scene> {
  const { url: databaseUrl, drop } = await newDatabase()
  let server = await startTestServer({ ...options, databaseUrl })
  const { world } = server
  const receivers = [await startReceiver()]
  const [receiver = assert.fail()] = receivers
  const disk = openDatabase(databaseUrl)
  t.after(async () => {
    // A stop waits for what is in flight: first let go of it. What does not end then, ends with the grace.
    await Promise.all(receivers.map((one) => one.close()))
    await stopped(server)
    await disk.close()
    await drop()
  })
  await server.svix.application.create({ name: 'Shop', uid: 'shop' })
  const { id } = await server.svix.endpoint.create('shop', { url: `${receiver.url}/hook`, ...options.endpoint })

  const publishTo = async (app: string, payload = '{}'): Promise<string> => {
    const answer = await server.fetch(`/api/v1/app/${app}/msg?with_content=false`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: `{"eventType":"invoice.paid","payload":${payload}}`,
    })
    const text = await answer.text()
    assert.equal(answer.status, 202, text)
    return (JSON.parse(text) as { id: string }).id
  }
  const start = async (): Promise<void> => {
    server = await startTestServer({ ...options, databaseUrl, world })
  }
  const until = (what: string, holds: () => boolean | Promise<boolean>) => eventually(world, what, holds)
  return {
    get server() {
      return server
    },
    disk,
    receiver,
    endpointId: id,
    publish: (payload) => publishTo('shop', payload),
    publishTo,
    async stored(app, endpoint, count) {
      const { id: applicationId } = await server.svix.application.get(app)
      const newId = makeIds(world.now, world.randomBytes)
      const messages = Array.from({ length: count }, (_, n) => ({
        ...{ id: newId('message'), applicationId: applicationId as ApplicationId, eventType: 'invoice.paid' },
        ...{
          eventId: null,
          channels: null,
          tags: null,
          contentType: null,
          payload: `{"n":${n}}`,
          acceptedAt: world.now(),
        },
        ...{ orderingKey: null, deliverAt: null, expiresAt: null, encoding: null, request: null },
      }))
      await server.store.road.commit({
        lease: newId('lease'),
        now: world.now(),
        messages,
        deliveries: messages.map((message) => ({
          ...{ messageId: message.id, endpointId: endpoint as EndpointId, dueAt: world.now(), lease: null },
        })),
        ...{ attempts: [], settlements: [], turns: [] },
      })
      return messages.map((message) => message.id)
    },
    async startReceiver() {
      const another = await startReceiver()
      receivers.push(another)
      return another
    },
    eventually: until,
    arrived: (count, at = receiver) => until(`${count} requests`, () => at.received.length >= count),
    recorded: (attempts) =>
      until(
        `${attempts} attempts recorded`,
        async () => (await disk.count('select count(*) from attempt')) >= attempts && nothingUnanswered(),
      ),
    quiet: () => quiet(world, server.store),
    async restart() {
      await server.stop()
      await start()
    },
    start,
    async dueAt() {
      const [only, ...others] = await disk.rows('select due_at from delivery')
      assert.ok(only && others.length === 0, 'there is one delivery')
      return Number(only.due_at)
    },
  }
}
