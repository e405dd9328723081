import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Application } from '../../domain/application.ts'
import type { Attempt } from '../../domain/attempt.ts'
import type { Endpoint } from '../../domain/endpoint.ts'
import { type EnvironmentId, firstIdAt, type MessageId } from '../../domain/ids.ts'
import { notBegun, type Standing, type Task } from '../../domain/task.ts'
import type { TaskStep } from '../../ports/store.ts'
import { type OpenStore, openedEach } from './opened.ts'
import { batch, samples } from './samples.ts'

const every: readonly Standing[] = ['never', 'waiting', 'delivered', 'failed', 'canceled']

export function tasksConformance(open: OpenStore): void {
  const store = openedEach(open)
  const make = samples()
  const lease = make.id('lease')

  const task = (environmentId: EnvironmentId, changes: Partial<Task> = {}): Task => ({
    ...{ id: make.id('task'), environmentId, applicationId: null, ask: { kind: 'event-type-usage' } },
    ...{ status: 'running', progress: notBegun, rate: 1_000 },
    ...{ createdAt: make.now(), updatedAt: make.now(), revision: 1 },
    ...changes,
  })
  const stepOf = ({ id, revision }: Task, changes: Partial<TaskStep> = {}): TaskStep => ({
    ...{ id, revision, at: make.now(), status: 'running', progress: notBegun, deliveries: null, results: [] },
    ...changes,
  })
  let made = 0
  const environment = async (): Promise<EnvironmentId> =>
    (await store().environments.ensure(make.environment(`environment ${++made}`))).id
  const begun = async (changes: Partial<Task> = {}): Promise<Task> => {
    const row = task(await environment(), changes)
    await store().tasks.insert(row)
    return row
  }
  const scene = async (): Promise<{ readonly application: Application; readonly endpoint: Endpoint }> => {
    const environment = await store().environments.ensure(make.environment('default'))
    const application = make.application(environment.id)
    await store().applications.insert(application)
    const endpoint = make.endpoint(application.id)
    await store().endpoints.insert(endpoint)
    return { application, endpoint }
  }
  type At = Awaited<ReturnType<typeof scene>>
  const waits = { dueAt: make.now() + 60_000, lease: null }

  /** One message for each list of attempts, oldest first; `waits`: and a delivery. */
  const messages = async (
    { application, endpoint }: At,
    ...histories: readonly { readonly attempts?: readonly Partial<Attempt>[]; readonly waits?: boolean }[]
  ): Promise<readonly MessageId[]> => {
    const rows = histories.map((history) => ({ history, message: make.message(application.id) }))
    const keyOf = (messageId: MessageId) => ({ messageId, endpointId: endpoint.id })
    await store().road.commit(
      batch({
        lease,
        messages: rows.map(({ message }) => message),
        deliveries: rows.flatMap(({ history, message }) =>
          history.waits ? [{ ...keyOf(message.id), dueAt: waits.dueAt, lease: null }] : [],
        ),
        attempts: rows.flatMap(({ history, message }) =>
          (history.attempts ?? []).map((changes) => make.attempt(keyOf(message.id), changes)),
        ),
      }),
    )
    return rows.map(({ message }) => message.id)
  }
  const look = (
    { application, endpoint }: At,
    ask: { readonly after?: string; readonly limit?: number; readonly standings?: readonly Standing[] } = {},
  ) =>
    store().tasks.look({
      ...{ applicationId: application.id, endpointId: endpoint.id, after: '', limit: 100, standings: every },
      below: firstIdAt('message', make.now() + 1),
      ...ask,
    })
  const waiting = async ({ endpoint }: At): Promise<number> => {
    const span = { since: 0, until: make.now() + 1 }
    const { pending, sending } = await store().tallies.waiting(endpoint.id, span, null, 1_000)
    return pending + sending
  }
  const delivery = (messageId: MessageId, lastAttemptId: TaskDelivery['lastAttemptId'] = '') => ({
    ...{ messageId, lastAttemptId, dueAt: make.now(), orderKey: null },
  })
  type TaskDelivery = NonNullable<TaskStep['deliveries']>['rows'][number]

  test('a task comes back as it was made, to its own environment alone', async () => {
    const row = await begun({
      applicationId: make.id('application'),
      progress: { ...notBegun, skipped: { waiting: 2 } },
    })
    assert.deepEqual(await store().tasks.find(row.environmentId, row.id), row)
    assert.equal(await store().tasks.find(make.id('environment'), row.id), null)
    assert.deepEqual(await store().tasks.find(row.environmentId, row.id, row.applicationId), row)
    assert.equal(await store().tasks.find(row.environmentId, row.id, make.id('application')), null)
    const all = { statuses: null, kind: null }
    const page = { beyond: null, descending: false, limit: 10 }
    assert.deepEqual(await store().tasks.list(row.environmentId, all, page), [row])
    assert.deepEqual(await store().tasks.list(make.id('environment'), all, page), [])
  })

  test('lists are by id and filtered by statuses and kind', async () => {
    const environmentId = await environment()
    const rows = [
      task(environmentId),
      task(environmentId, { status: 'failed', ask: { kind: 'expunge', until: 1 } }),
      task(environmentId, { status: 'canceled' }),
    ]
    for (const row of rows) await store().tasks.insert(row)
    const ids = async (filter: Partial<Parameters<ReturnType<typeof store>['tasks']['list']>[1]>) =>
      (
        await store().tasks.list(
          environmentId,
          { statuses: null, kind: null, ...filter },
          { beyond: null, descending: true, limit: 10 },
        )
      ).map(({ id }) => rows.findIndex((row) => row.id === id))
    assert.deepEqual(await ids({}), [2, 1, 0])
    assert.deepEqual(await ids({ statuses: ['failed', 'canceled'] }), [2, 1])
    assert.deepEqual(await ids({ kind: 'expunge' }), [1])
    assert.deepEqual(await ids({ kind: 'expunge', statuses: ['running'] }), [])
  })

  test('only what runs is handed to who runs it, oldest first', async () => {
    const first = await begun()
    const second = await begun()
    await begun({ status: 'finished' })
    assert.deepEqual(
      (await store().tasks.running(10)).map(({ id }) => id),
      [first.id, second.id],
    )
    assert.deepEqual(await store().tasks.running(1), [first])
  })

  test('a step that was decided on an older state of the task does nothing at all', async () => {
    const at = await scene()
    const [one, two] = await messages(at, {}, {})
    assert.ok(one && two)
    const row = await begun()
    const send = (messageId: MessageId) => ({
      deliveries: { endpointId: at.endpoint.id, rows: [delivery(messageId)] },
      results: [{ place: messageId, json: '{}' }],
    })
    const advanced = await store().tasks.advance(stepOf(row, send(one)))
    assert.equal(advanced?.revision, 2)
    assert.equal(await store().tasks.advance(stepOf(row, send(two))), null)
    assert.equal(await waiting(at), 1)
    assert.equal((await store().tasks.results(row.id)).length, 1)
  })

  test('a task that was canceled, or is over, takes no step more; cancelling it again changes nothing', async () => {
    const row = await begun()
    assert.equal(await store().tasks.cancel(row.id, 77), true)
    const canceled = await store().tasks.find(row.environmentId, row.id)
    assert.deepEqual([canceled?.status, canceled?.updatedAt], ['canceled', 77])
    assert.equal(await store().tasks.advance(stepOf(canceled ?? row)), null)
    assert.equal(await store().tasks.cancel(row.id, 99), false)
    assert.deepEqual(await store().tasks.find(row.environmentId, row.id), canceled)
    const over = await begun()
    const finished = await store().tasks.advance(stepOf(over, { status: 'finished' }))
    assert.equal(finished?.status, 'finished')
    assert.equal(await store().tasks.cancel(over.id, 99), false)
  })

  test('a message that waits, or was tried since the look, is not added, and is counted so', async () => {
    const at = await scene()
    const [fresh, queued, tried] = await messages(at, {}, { waits: true }, { attempts: [{ succeeded: true }] })
    assert.ok(fresh && queued && tried)
    const row = await begun()
    const rows = [fresh, queued, tried].map((id) => delivery(id))
    const advanced = await store().tasks.advance(stepOf(row, { deliveries: { endpointId: at.endpoint.id, rows } }))
    assert.deepEqual([advanced?.progress.done, advanced?.progress.skipped], [1, { waiting: 2 }])
    assert.equal(await waiting(at), 2)
    const { found } = await look(at)
    assert.deepEqual(
      found.map(({ standing }) => standing),
      ['waiting', 'waiting', 'delivered'],
    )
    // Looked at after its attempt, it may be sent again.
    const last = found[2]?.lastAttemptId ?? ''
    const again = { deliveries: { endpointId: at.endpoint.id, rows: [delivery(tried, last)] } }
    assert.equal((await store().tasks.advance(stepOf(advanced ?? row, again)))?.progress.done, 1)
  })

  test('what is added is due, fresh, asked for by hand, and behind those of its order that are older', async () => {
    const at = await scene()
    const [one, two, three] = await messages(at, {}, {}, {})
    assert.ok(one && two && three)
    const rows = [{ ...delivery(two), orderKey: 'k' }, { ...delivery(one), orderKey: 'k' }, delivery(three)]
    await store().tasks.advance(stepOf(await begun(), { deliveries: { endpointId: at.endpoint.id, rows } }))
    const { deliveries } = await store().road.claim({
      ...{ now: make.now(), until: make.now() + 1_000, lease, after: '', visits: 10, share: 10, shares: new Map() },
      ...{ room: 10, bytes: 1_000 },
    })
    assert.deepEqual(
      deliveries
        .map(({ messageId, attempts, trigger }) => ({ messageId, attempts, trigger }))
        .toSorted((a, b) => (a.messageId < b.messageId ? -1 : 1)),
      [one, three].map((messageId) => ({ messageId, attempts: 0, trigger: 'manual' })),
    )
  })

  test('a look tells where each message stands by its last attempt, and only of the standings asked for', async () => {
    const at = await scene()
    const failure = { succeeded: false, statusCode: 503 }
    const ids = await messages(
      at,
      {},
      { waits: true, attempts: [failure] },
      { attempts: [failure, { succeeded: true }] },
      { attempts: [{ succeeded: true }, failure] },
      { attempts: [failure, { succeeded: false, statusCode: 0, ended: 'canceled' }] },
      { attempts: [{ succeeded: false, statusCode: 0, ended: 'expired' }] },
    )
    const standings = ['never', 'waiting', 'delivered', 'failed', 'canceled', 'failed']
    const { found, looked, last } = await look(at)
    assert.deepEqual(
      found.map(({ messageId, standing }) => [messageId, standing]),
      ids.map((id, index) => [id, standings[index]]),
    )
    assert.deepEqual([looked, last], [6, ids.at(-1)])
    const failed = await look(at, { standings: ['failed'] })
    assert.deepEqual(
      [failed.looked, failed.found.map(({ place, statusCode }) => [place, statusCode])],
      [
        6,
        [
          [4, 503],
          [6, 0],
        ],
      ],
    )
    const other = { ...at, endpoint: make.endpoint(at.application.id) }
    assert.deepEqual(new Set((await look(other)).found.map(({ standing }) => standing)), new Set(['never']))
  })

  test('looks go on where the one before ended, and end at their bound', async () => {
    const at = await scene()
    const ids = await messages(at, {}, {}, {}, {}, {})
    await messages(await scene(), {})
    const first = await look(at, { limit: 2 })
    const second = await look(at, { limit: 2, after: first.last ?? '' })
    const third = await look(at, { limit: 2, after: second.last ?? '' })
    assert.deepEqual(
      [first, second, third].flatMap(({ found }) => found.map(({ messageId }) => messageId)),
      ids,
    )
    assert.deepEqual([first.looked, second.looked, third.looked], [2, 2, 1])
    assert.equal((await look(at, { after: ids.at(-1) ?? '' })).last, null)
  })

  test('a look knows what the message is, and whether its content is still there', async () => {
    const at = await scene()
    const shape = { eventType: 'user/made', channels: ['c'], tags: ['t"x'], orderingKey: 'k' }
    const times = { deliverAt: make.now() + 9, expiresAt: make.now() + 99 }
    const message = make.message(at.application.id, { ...shape, ...times })
    await store().road.commit(batch({ lease, messages: [message] }))
    const [seen] = (await look(at)).found
    assert.deepEqual(seen, {
      ...{ ...shape, ...times, messageId: message.id, acceptedAt: message.acceptedAt, standing: 'never' },
      ...{ lastAttemptId: '', statusCode: null, place: 1, hasContent: true },
    })
    await store().expunge.messages(at.application.id, [message.id], {
      ...{ ended: 'canceled', response: '', at: make.now(), id: make.id('attempt') },
    })
    assert.equal((await look(at)).found[0]?.hasContent, false)
  })

  test('attempts are counted by application, deleted endpoints included, in any number of parts', async () => {
    const at = await scene()
    const second = make.endpoint(at.application.id)
    await store().endpoints.insert(second)
    await messages(at, { attempts: [{}, {}, {}] }, { attempts: [{}] })
    await messages({ ...at, endpoint: second }, { attempts: [{}, {}] })
    await messages(await scene(), { attempts: [{}] })
    await store().endpoints.delete(second.id, make.now())
    const until = make.now() + 1
    for (const limit of [1, 2, 3, 100]) {
      let counted = 0
      let parts = 0
      for (let from = null; ; parts++) {
        const part = await store().tasks.countAttempts(at.application.id, from, 0, until, limit)
        assert.ok(part.counted <= limit)
        counted += part.counted
        if (part.next === null) break
        from = part.next
      }
      assert.equal(counted, 6)
      assert.ok(limit === 100 || parts >= 2, `${parts} parts`)
    }
    const before = await store().tasks.countAttempts(at.application.id, null, 0, 1, 100)
    assert.deepEqual(before, { counted: 0, next: null })
  })

  test('applications come by id, with those that are gone left out, and only those named', async () => {
    const { application: one } = await scene()
    const two = make.application(one.environmentId, { uid: 'two' })
    const gone = make.application(one.environmentId)
    for (const row of [two, gone]) await store().applications.insert(row)
    await store().applications.delete(gone.id, make.now())
    const page = await store().tasks.applications(one.environmentId, '', null, 10)
    assert.deepEqual(page.slice(-2), [
      { id: one.id, uid: null },
      { id: two.id, uid: 'two' },
    ])
    assert.deepEqual(await store().tasks.applications(one.environmentId, one.id, null, 10), [
      { id: two.id, uid: 'two' },
    ])
    const named = [two.id, gone.id, make.id('application')]
    assert.deepEqual(await store().tasks.applications(one.environmentId, '', named, 10), [{ id: two.id, uid: 'two' }])
  })

  test('tasks that are over are forgotten with what they found, in steps; what runs never is', async () => {
    const old = [await begun(), await begun(), await begun()]
    for (const row of old.slice(0, 2)) {
      const results = [{ place: 'a', json: '{}' }]
      await store().tasks.advance(stepOf(row, { status: 'finished', results }))
    }
    const before = make.now() + 1
    make.pass(10)
    const young = await begun({ status: 'failed' })
    assert.equal(await store().tasks.forget(before, 1), 1)
    assert.equal(await store().tasks.forget(before, 10), 1)
    assert.equal(await store().tasks.forget(before, 10), 0)
    const left = await Promise.all([...old, young].map((row) => store().tasks.find(row.environmentId, row.id)))
    assert.deepEqual(
      left.map((row) => row !== null),
      [false, false, true, true],
    )
    assert.deepEqual(await store().tasks.results(old[0]?.id ?? young.id), [])
  })

  test('the messages of an endpoint are tallied once each, by where they stand, in any number of parts', async () => {
    const at = await scene()
    const failure = { succeeded: false, statusCode: 503 }
    await messages(
      at,
      { attempts: [failure, { succeeded: true }] },
      { attempts: [{ succeeded: true }, { succeeded: true }] },
      { attempts: [{ succeeded: true }, failure] },
      { attempts: [{ succeeded: false, ended: 'canceled' }] },
      { waits: true },
      { waits: true, attempts: [failure] },
    )
    const from = make.now() + 1
    await messages(at, { attempts: [failure] }, { waits: true })
    const tally = async (span: { since: number; until: number }, limit: number) => {
      const sum = { delivered: 0, failed: 0, canceled: 0, waiting: 0 }
      for (let after: Awaited<ReturnType<typeof part>>['next'] | '' = ''; after !== null; ) {
        const counts = await part(after)
        sum.delivered += counts.delivered
        sum.failed += counts.failed
        sum.canceled += counts.canceled
        after = counts.next
      }
      for (let after: Awaited<ReturnType<typeof queue>>['next'] = null; ; ) {
        const { pending, sending, next } = await queue(after)
        sum.waiting += pending + sending
        if (next === null) return sum
        after = next
      }
      function part(after: Parameters<ReturnType<typeof store>['tallies']['settled']>[2]) {
        return store().tallies.settled(at.endpoint.id, span, after, limit)
      }
      function queue(after: Parameters<ReturnType<typeof store>['tallies']['waiting']>[2]) {
        return store().tallies.waiting(at.endpoint.id, span, after, limit)
      }
    }
    for (const limit of [1, 2, 100]) {
      const all = await tally({ since: 0, until: make.now() + 1 }, limit)
      assert.deepEqual(all, { delivered: 2, failed: 2, canceled: 1, waiting: 3 }, `${limit} at a time`)
    }
    const late = await tally({ since: from, until: make.now() + 1 }, 100)
    assert.deepEqual(late, { delivered: 0, failed: 1, canceled: 0, waiting: 1 })
    const early = await tally({ since: 0, until: from }, 100)
    assert.deepEqual(early, { delivered: 2, failed: 1, canceled: 1, waiting: 2 })
  })
}
