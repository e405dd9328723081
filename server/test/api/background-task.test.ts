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

describe('replaying what was missed', () => {
  test('sends what the filters of today let through and was never sent, and only once', async (t) => {
    const { svix } = server
    const app = await application()
    const at = await receiver(t)
    const publish = async (eventType: string, channels?: string[]) =>
      (await svix.message.create(app, { eventType, payload: {}, ...(channels && { channels }) })).id
    const first = await publish('order.paid', ['eu'])
    await publish('order.paid', ['us'])
    await publish('user.made', ['eu'])
    const second = await publish('order.sent', ['eu', 'us'])
    const endpoint = await svix.endpoint.create(app, { url: at.url, eventTypes: ['order.*'], channels: ['eu'] })
    const known = await publish('order.paid', ['eu'])
    await at.until(1)
    const task = await svix.endpoint.replayMissing(app, endpoint.id, { since })
    assert.equal(task.task, 'endpoint.replay')
    const data = await finished(task)
    await at.until(3)
    assert.deepEqual([data.messagesSent, data.messagesSeen], [2, 5])
    assert.deepEqual(
      at.received.map(({ headers }) => headers['webhook-id']).toSorted(),
      [known, first, second].toSorted(),
    )
    const again = await finished(await svix.endpoint.replayMissing(app, endpoint.id, { since }))
    assert.equal(again.messagesSent, 0, 'what was sent once is missing no more')
  })

  test('asks the filter of the endpoint, of what its content is', async (t) => {
    const { svix } = server
    const app = await application()
    const at = await receiver(t)
    const publish = async (total: number) =>
      (await svix.message.create(app, { eventType: 'order.paid', payload: { total } })).id
    const ids = [await publish(5), await publish(500), await publish(7), await publish(700)]
    const created = await server.fetch(`/api/v1/app/${app}/endpoint`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ url: at.url, filter: 'payload.total > 100' }),
    })
    const endpoint: { id: string } = JSON.parse(await created.text())
    const data = await finished(await svix.endpoint.replayMissing(app, endpoint.id, { since }))
    assert.deepEqual([data.messagesSent, data.messagesSeen], [2, 4])
    await at.until(2)
    assert.deepEqual(
      at.received.map(({ headers }) => headers['webhook-id']),
      [ids[1], ids[3]],
    )
  })

  test('counts what has no content any more as skipped', async (t) => {
    const { svix } = server
    const app = await application()
    const at = await receiver(t)
    const { id } = await svix.message.create(app, { eventType: 'a', payload: {} })
    await svix.message.create(app, { eventType: 'a', payload: {} })
    await svix.message.expungeContent(app, id)
    const endpoint = await svix.endpoint.create(app, { url: at.url })
    const data = await finished(await svix.endpoint.replayMissing(app, endpoint.id, { since }))
    assert.deepEqual([data.messagesSent, data.messagesSkipped], [1, { contentGone: 1 }])
  })
})

describe('replaying in bulk', () => {
  test('sends what was sent before, delivered or not, and what the filters pick of it', async (t) => {
    const { app, endpoint, good, bad, sent, until } = await history(t)
    const replay = async (wish: object) => {
      const answer = await ours(`/app/${app}/endpoint/${endpoint}/bulk-replay`, { since, dryRun: true, ...wish })
      return (await finished(answer)).messagesCounted
    }
    assert.equal(await replay({}), 2)
    assert.equal(await replay({ status: 0 }), 1)
    assert.equal(await replay({ status: 2 }), 1)
    assert.equal(await replay({ status: 4 }), 0)
    assert.equal(await replay({ statusCodeClass: 500 }), 1)
    assert.equal(await replay({ statusCodeClass: 400 }), 0)
    assert.equal(await replay({ channel: 'c' }), 1)
    assert.equal(await replay({ channel: 'C' }), 0)
    assert.equal(await replay({ tag: 't', eventTypes: ['a.good'] }), 1)
    assert.equal(await replay({ eventTypes: ['a.bad'], status: 0 }), 0)
    const task = await server.svix.endpoint.bulkReplay(app, endpoint, { since })
    assert.equal(task.task, 'endpoint.bulk-replay')
    await finished(task)
    await until(2)
    assert.deepEqual(sent().toSorted(), [good, bad].toSorted())
  })
})

describe('statistics', () => {
  test('an endpoint counts each message once, by where it stands, of the span asked for', async (t) => {
    const { app, endpoint, good } = await history(t)
    const { svix, world } = server
    const none = { success: 0, pending: 0, sending: 0, fail: 0, canceled: 0 }
    assert.deepEqual(await svix.endpoint.getStats(app, endpoint), { ...none, success: 1, fail: 1 })
    // Sent again it has two attempts, and is one message still.
    await svix.messageAttempt.resend(app, good, endpoint)
    await eventually(
      () => svix.messageAttempt.listByMsg(app, good),
      ({ data }) => data.length === 2,
    )
    assert.deepEqual(await svix.endpoint.getStats(app, endpoint, { since }), { ...none, success: 1, fail: 1 })
    const later = { since: new Date(world.now() + 1_000), until: new Date(world.now() + 2_000) }
    assert.deepEqual(await svix.endpoint.getStats(app, endpoint, later), none)
    const turned = svix.endpoint.getStats(app, endpoint, { since: later.until, until: later.since })
    assert.deepEqual(await code(turned), [422, 'request-invalid'])
  })

  test('an environment finds out which event types its applications ask for', async () => {
    const { svix } = server
    const [all, some, none] = [await application(), await application(), await application()]
    const url = 'http://127.0.0.1:9/'
    await svix.endpoint.create(all, { url })
    await svix.endpoint.create(all, { url, eventTypes: ['z', 'a'] })
    await svix.endpoint.create(some, { url, eventTypes: ['user.*', 'a'] })
    await svix.endpoint.create(some, { url, eventTypes: ['a'] })
    const gone = await svix.endpoint.create(some, { url })
    await svix.endpoint.delete(some, gone.id)
    const task = await svix.statistics.aggregateEventTypes()
    assert.equal(task.task, 'event-type.aggregate')
    const { event_types } = await finished(task)
    assert.ok(Array.isArray(event_types))
    assert.deepEqual(
      event_types.filter(({ appId }) => [all, some, none].includes(appId)),
      [
        { appId: all, explicitlySubscribedEventTypes: ['a', 'z'], hasCatchAllEndpoint: true },
        { appId: some, explicitlySubscribedEventTypes: ['a', 'user.*'], hasCatchAllEndpoint: false },
        { appId: none, explicitlySubscribedEventTypes: [], hasCatchAllEndpoint: false },
      ],
    )
  })

  test('an environment counts what was sent for each application, and says which of those named are not there', async (t) => {
    const { app } = await history(t)
    const { svix, world } = server
    const { id: quiet } = await svix.application.create({ name: 'Quiet', uid: 'quiet' })
    const until = new Date(world.now() + 1_000)
    const task = await svix.statistics.aggregateAppStats({ since, until, appIds: [app, 'quiet', 'nobody'] })
    assert.deepEqual([task.task, task.unresolvedAppIds], ['application.stats', ['nobody']])
    assert.deepEqual((await finished(task)).appStats, [
      { messageDestinations: 2, appId: app, appUid: null },
      { messageDestinations: 0, appId: quiet, appUid: 'quiet' },
    ])
    const every = await finished(await svix.statistics.aggregateAppStats({ since, until }))
    assert.ok(Array.isArray(every.appStats) && every.appStats.length > 2)
    const before = await finished(await svix.statistics.aggregateAppStats({ since, until: new Date(1), appIds: [app] }))
    assert.deepEqual(before.appStats, [{ messageDestinations: 0, appId: app, appUid: null }])
    const nobody = svix.statistics.aggregateAppStats({ since, until, appIds: ['nobody'] })
    assert.deepEqual(await code(nobody), [422, 'request-invalid'])
  })
})

describe('expunging all content of an application', () => {
  test('takes the payload of every message and keeps the messages', async (t) => {
    const { app, endpoint, good, missed } = await history(t)
    const task = await server.svix.message.expungeAllContents(app)
    assert.equal(task.task, 'application.purge_content')
    const data = await finished(task)
    assert.deepEqual([data.messagesPurged, data.messagesSeen], [4, 4])
    for (const id of [good, missed]) {
      assert.deepEqual((await server.svix.message.get(app, id, { withContent: true })).payload, {})
    }
    assert.deepEqual(await code(server.svix.messageAttempt.resend(app, good, endpoint)), [422, 'content-gone'])
    assert.equal((await finished(await server.svix.message.expungeAllContents(app))).messagesPurged, 0)
  })
})

describe('tasks', () => {
  test('are listed by status and type, without what they have found, newest first', async (t) => {
    const { app, endpoint } = await history(t)
    const { svix } = server
    const first = await svix.endpoint.recover(app, endpoint, { since })
    const second = await svix.statistics.aggregateEventTypes()
    await finished(first)
    await finished(second)
    const { data } = await svix.backgroundTask.list({ limit: 2 })
    assert.deepEqual(
      data.map(({ id }) => id),
      [second.id, first.id],
    )
    assert.deepEqual(Object.keys(data[0]?.data ?? {}), ['applicationsSeen'])
    const ids = async (options: object) => (await svix.backgroundTask.list(options)).data.map(({ id }) => id)
    assert.equal((await ids({ task: 'endpoint.recover', limit: 1 }))[0], first.id)
    assert.deepEqual(await ids({ task: 'message.broadcast' }), [])
    assert.deepEqual(await ids({ status: 'running' }), [])
    const page = await svix.backgroundTask.list({ limit: 1 })
    assert.deepEqual(await ids({ limit: 1, iterator: page.iterator }), [first.id])
  })

  test('are found by their id alone', async () => {
    assert.deepEqual(await code(server.svix.backgroundTask.get('qtask_nothing')), [404, 'not-found'])
    assert.deepEqual(await code(server.svix.backgroundTask.get(`qtask_${'0'.repeat(27)}`)), [404, 'not-found'])
  })
})
