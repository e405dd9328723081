// Background tasks, asked for by the official client.

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { ApiException } from 'svix'
import { startTestServer, type TestServer } from '../support/server.ts'
import { eventually, receiver } from './receiver.ts'

let server: TestServer
before(async () => {
  // Without retries: what fails has failed for good.
  server = await startTestServer({ settings: { retrySchedule: [] } })
})
after(() => server.stop())

const since = new Date(0)
let made = 0

async function application(): Promise<string> {
  const { id } = await server.svix.application.create({ name: `Tasks ${++made}` })
  return id
}

async function code(call: Promise<unknown>): Promise<readonly [number, string | undefined]> {
  try {
    await call
  } catch (error) {
    if (error instanceof ApiException) return [error.code, (error.body as { code?: string }).code]
    throw error
  }
  throw new Error('was not refused')
}

/** What the client has no words for: it leaves out what its models do not name. */
async function ours(path: string, body: object): Promise<{ readonly id: string }> {
  const answer = await server.fetch(`/api/v1${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  const text = await answer.text()
  assert.equal(answer.status, 202, text)
  return JSON.parse(text)
}

/** The data of a task once it is finished. */
async function finished(task: { readonly id: string }): Promise<Record<string, unknown>> {
  const { data } = await eventually(
    async () => {
      await server.world.advance(100)
      return server.svix.backgroundTask.get(task.id)
    },
    ({ status }) => status === 'finished',
  )
  return data
}

/** An application whose endpoint was delivered one message, has failed on one for good, and has missed one. */
async function history(t: Parameters<typeof receiver>[0]) {
  const { svix } = server
  const app = await application()
  const at = await receiver(t)
  const publish = async (eventType: string, extra: object = {}) =>
    (await svix.message.create(app, { eventType, payload: { x: 1 }, ...extra })).id
  const missed = await publish('a.missed')
  const other = await publish('b.other')
  const { id: endpoint } = await svix.endpoint.create(app, { url: at.url, eventTypes: ['a.missed', 'a.good', 'a.bad'] })
  const good = await publish('a.good', { channels: ['c'], tags: ['t'] })
  await eventually(
    () => svix.messageAttempt.listByMsg(app, good),
    ({ data }) => data.length === 1,
  )
  at.answer(500)
  const bad = await publish('a.bad')
  await eventually(
    () => svix.messageAttempt.listAttemptedDestinations(app, bad),
    ({ data }) => data[0]?.status === 2,
  )
  at.answer(200)
  const before = at.received.length
  const sent = () => at.received.slice(before).map(({ headers }) => String(headers['webhook-id']))
  return { app, endpoint, missed, other, good, bad, sent, until: (more: number) => at.until(before + more) }
}

describe('recovering', () => {
  test('sends what has failed for good once more, and nothing else', async (t) => {
    const { app, endpoint, bad, sent, until } = await history(t)
    const task = await server.svix.endpoint.recover(app, endpoint, { since })
    assert.match(task.id, /^qtask_[0-9A-Za-z]{27}$/)
    assert.deepEqual([task.status, task.task], ['running', 'endpoint.recover'])
    const data = await finished(task)
    await until(1)
    assert.deepEqual(sent(), [bad])
    const { at, ...rest } = data
    assert.deepEqual(rest, {
      ...{ messagesSent: 1, messagesSeen: 4, messagesSkipped: {}, appId: app, endpointId: endpoint },
    })
    assert.equal(typeof at, 'string')
    const attempts = await eventually(
      () => server.svix.messageAttempt.listByMsg(app, bad, { status: 0 }),
      (page) => page.data.length === 1,
    )
    assert.equal(attempts.data[0]?.triggerType, 1, 'asked for by hand')
  })

  test('a second time finds nothing that failed', async (t) => {
    const { app, endpoint, until, bad } = await history(t)
    await finished(await server.svix.endpoint.recover(app, endpoint, { since }))
    await until(1)
    await eventually(
      () => server.svix.messageAttempt.listByMsg(app, bad, { status: 0 }),
      (page) => page.data.length === 1,
    )
    const data = await finished(await server.svix.endpoint.recover(app, endpoint, { since }))
    assert.equal(data.messagesSent, 0)
  })

  test('keeps to its span of time', async (t) => {
    const { app, endpoint, bad } = await history(t)
    const { timestamp } = await server.svix.message.get(app, bad)
    const sent = async (from: number, to: number) => {
      const span = { since: new Date(from), until: new Date(to), dryRun: true }
      return (await finished(await ours(`/app/${app}/endpoint/${endpoint}/recover`, span))).messagesCounted
    }
    const at = timestamp.getTime()
    assert.deepEqual(
      [await sent(at, at + 1), await sent(at + 1, at + 2), await sent(at - 1, at), await sent(0, at + 1)],
      [1, 0, 0, 1],
    )
    const call = server.svix.endpoint.recover(app, endpoint, { since: timestamp, until: timestamp })
    assert.deepEqual(await code(call), [422, 'request-invalid'])
  })

  test('is refused where nothing can be sent: of unknown endpoints, and of disabled ones unless it only counts', async (t) => {
    const { app, endpoint, sent } = await history(t)
    assert.deepEqual(await code(server.svix.endpoint.recover(app, 'nowhere', { since })), [404, 'not-found'])
    await server.svix.endpoint.patch(app, endpoint, { disabled: true })
    assert.deepEqual(await code(server.svix.endpoint.recover(app, endpoint, { since })), [422, 'endpoint-disabled'])
    const data = await finished(await ours(`/app/${app}/endpoint/${endpoint}/recover`, { since, dryRun: true }))
    assert.deepEqual([data.messagesCounted, data.messagesSent], [1, 0])
    assert.deepEqual(sent(), [])
  })
})
