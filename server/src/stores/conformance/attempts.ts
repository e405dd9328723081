import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Attempt } from '../../domain/attempt.ts'
import type { Endpoint } from '../../domain/endpoint.ts'
import type { EndpointId, MessageId } from '../../domain/ids.ts'
import type { AttemptFilter, CommitBatch, NewMessage } from '../../ports/store.ts'
import { everyMessage } from './messages.ts'
import { type OpenStore, openedOnce } from './opened.ts'
import { pagesThrough, wholeList } from './paging.ts'
import { batch, samples } from './samples.ts'

const everyAttempt = { ...everyMessage, settled: null, statusCodeClass: null, endpointId: null } as const

export function attemptsConformance(open: OpenStore): void {
  const store = openedOnce(open)
  const make = samples()
  const lease = make.id('lease')
  const commit = (parts: Partial<CommitBatch>) => store().road.commit(batch({ lease, ...parts }))

  /** An application with some endpoints and messages, stored. */
  const scene = async (endpointCount: number, messages: readonly Partial<NewMessage>[]) => {
    const environment = await store().environments.ensure(make.environment('default'))
    const application = make.application(environment.id)
    await store().applications.insert(application)
    const endpoints = Array.from({ length: endpointCount }, () => make.endpoint(application.id))
    for (const endpoint of endpoints) await store().endpoints.insert(endpoint)
    const rows = messages.map((changes) => make.message(application.id, changes))
    await commit({ messages: rows })
    const endpoint = (n: number): Endpoint => endpoints[n] ?? assert.fail()
    const message = (n: number): NewMessage => rows[n] ?? assert.fail()
    const key = (m: number, e: number): { messageId: MessageId; endpointId: EndpointId } => ({
      ...{ messageId: message(m).id, endpointId: endpoint(e).id },
    })
    return { endpoint, message, key }
  }
  const idsOf = (attempts: readonly Attempt[]) => attempts.map((attempt) => attempt.id)

  test('an attempt comes back as it was made, but only for its own message', async () => {
    const { key, message } = await scene(1, [{}, {}])
    const attempt = make.attempt(key(0, 0), {
      ...{ succeeded: false, trigger: 'manual' as const, url: 'https://x.example/?a="b"', statusCode: 503 },
      ...{ durationMs: 14_999, response: 'Ünavailable \u2028 "now" 🚧\n\u0001\ufffd', responseCut: true },
    })
    await commit({ attempts: [attempt] })
    assert.deepEqual(await store().attempts.find(message(0).id, attempt.id), attempt)
    assert.equal(await store().attempts.find(message(1).id, attempt.id), null)
    assert.equal(await store().attempts.find(message(0).id, make.id('attempt')), null)
  })

  describe('by endpoint', () => {
    test('go both ways, page by page, each with its message and without the payload', async () => {
      const { key, message } = await scene(2, [{}, { tags: ['t'] }])
      const attempts = [key(0, 0), key(1, 0), key(0, 0), key(1, 0)].map((at) => make.attempt(at))
      await commit({ attempts: [...attempts, make.attempt(key(0, 1))] })
      await pagesThrough(
        (search) => store().attempts.listByEndpoint(key(0, 0).endpointId, everyAttempt, search),
        (row) => row.attempt.id,
        idsOf(attempts),
      )
      const listed = await store().attempts.listByEndpoint(key(0, 0).endpointId, everyAttempt, wholeList)
      const expected = attempts.map((attempt, n) => ({ attempt, message: { ...message(n % 2), payload: null } }))
      assert.deepEqual(listed, expected)
    })

    test('an attempt whose message is not there any more is still listed', async () => {
      const { endpoint } = await scene(1, [])
      const attempt = make.attempt({ messageId: make.id('message'), endpointId: endpoint(0).id })
      await commit({ attempts: [attempt] })
      const listed = await store().attempts.listByEndpoint(endpoint(0).id, everyAttempt, wholeList)
      assert.deepEqual(listed, [{ attempt, message: null }])
    })

    test('are filtered by outcome, status class, time, and what their messages say', async () => {
      const { key } = await scene(1, [
        { channels: ['c'], eventType: 'a' },
        { tags: ['t'], eventType: 'b' },
      ])
      const statuses = [0, 100, 199, 200, 302, 404, 500, 599]
      const attempts = statuses.map((statusCode, n) => {
        make.pass(1_000)
        return make.attempt(key(n % 2, 0), { statusCode, succeeded: statusCode === 200 })
      })
      await commit({ attempts })
      const listed = async (filter: Partial<AttemptFilter>, places: number[]) => {
        const expected = places.map((n) => attempts[n]?.id ?? assert.fail())
        const list = (search: typeof wholeList) =>
          store().attempts.listByEndpoint(key(0, 0).endpointId, { ...everyAttempt, ...filter }, search)
        const found = (await list(wholeList)).map((row) => row.attempt.id)
        assert.deepEqual(found, expected, JSON.stringify(filter))
        const back = (await list({ ...wholeList, descending: true })).map((row) => row.attempt.id)
        assert.deepEqual(back, expected.toReversed(), JSON.stringify(filter))
      }
      await listed({ settled: 'delivered' }, [3])
      await listed({ settled: 'failed' }, [0, 1, 2, 4, 5, 6, 7])
      await listed({ statusCodeClass: 0 }, [0])
      await listed({ statusCodeClass: 100 }, [1, 2])
      await listed({ statusCodeClass: 300 }, [4])
      await listed({ statusCodeClass: 500 }, [6, 7])
      await listed({ statusCodeClass: 500, settled: 'delivered' }, [])
      await listed({ channel: 'c' }, [0, 2, 4, 6])
      await listed({ tag: 't', settled: 'failed' }, [1, 5, 7])
      await listed({ eventTypes: ['b'] }, [1, 3, 5, 7])
      await listed({ eventTypes: [] }, [])
      await listed({ after: attempts[2]?.startedAt ?? null, before: attempts[5]?.startedAt ?? null }, [3, 4])
      await listed({ endpointId: key(0, 0).endpointId, after: attempts[5]?.startedAt ?? null }, [6, 7])
      await listed({ endpointId: make.id('endpoint') }, [])
    })
  })

  describe('by message', () => {
    test('go both ways, page by page, over all endpoints, deleted ones too', async () => {
      const { key, endpoint } = await scene(2, [{}, {}])
      const attempts = [key(0, 0), key(0, 1), key(0, 0)].map((at) => make.attempt(at))
      await commit({ attempts: [...attempts, make.attempt(key(1, 0))] })
      await store().endpoints.delete(endpoint(1).id, make.now())
      const list = (search: typeof wholeList) =>
        store().attempts.listByMessage(key(0, 0).messageId, everyAttempt, search)
      await pagesThrough(list, (row) => row.id, idsOf(attempts))
      assert.deepEqual(await list(wholeList), attempts)
    })

    test('are filtered by endpoint, outcome, status class, time, and what the message says', async () => {
      const { key } = await scene(2, [{ channels: ['c'], tags: ['t'], eventType: 'a' }])
      const attempts = [
        make.attempt(key(0, 0), { succeeded: false, statusCode: 0 }),
        make.attempt(key(0, 1), { succeeded: false, statusCode: 500 }),
        make.attempt(key(0, 0), { statusCode: 204 }),
      ]
      await commit({ attempts })
      const listed = async (filter: Partial<AttemptFilter>, places: number[]) => {
        const expected = places.map((n) => attempts[n]?.id ?? assert.fail())
        await pagesThrough(
          (search) => store().attempts.listByMessage(key(0, 0).messageId, { ...everyAttempt, ...filter }, search),
          (row) => row.id,
          expected,
        )
      }
      await listed({ endpointId: key(0, 0).endpointId }, [0, 2])
      await listed({ settled: 'failed' }, [0, 1])
      await listed({ statusCodeClass: 0 }, [0])
      await listed({ statusCodeClass: 200, channel: 'c', tag: 't', eventTypes: ['a'] }, [2])
      await listed({ channel: 'd' }, [])
      await listed({ eventTypes: ['b'] }, [])
    })
  })

  describe('destinations', () => {
    test('are the endpoints a message was sent to or waits for, with where it stands at each', async () => {
      const { key, endpoint } = await scene(6, [{}, {}])
      await commit({
        deliveries: [
          { ...key(0, 0), dueAt: 7_000, lease: null },
          { ...key(0, 1), dueAt: 1_000, lease },
          { ...key(1, 5), dueAt: 1_000, lease },
        ],
        attempts: [
          make.attempt(key(0, 1), { succeeded: false }),
          make.attempt(key(0, 2), { succeeded: false }),
          make.attempt(key(0, 2), { succeeded: true }),
          make.attempt(key(0, 3), { succeeded: true }),
          make.attempt(key(0, 3), { succeeded: false, trigger: 'manual' }),
        ],
        settlements: [{ kind: 'retry', tried: 0, ...key(0, 1), dueAt: 9_000, attempts: 1 }],
      })
      const list = (search: typeof wholeList) => store().attempts.destinations(key(0, 0).messageId, search)
      assert.deepEqual(await list(wholeList), [
        { endpoint: endpoint(0), state: { kind: 'waiting', attempts: 0, dueAt: 7_000, held: null, lease: null } },
        { endpoint: endpoint(1), state: { kind: 'waiting', attempts: 1, dueAt: 9_000, held: null, lease: null } },
        { endpoint: endpoint(2), state: { kind: 'delivered' } },
        { endpoint: endpoint(3), state: { kind: 'failed' } },
      ])
      const ids = [0, 1, 2, 3].map((n) => endpoint(n).id)
      await pagesThrough(list, (row) => row.endpoint.id, ids)
    })

    test('show a deleted endpoint for what it was sent, and not for what was still waiting for it', async () => {
      const { key, endpoint } = await scene(2, [{}])
      await commit({
        deliveries: [key(0, 0), key(0, 1)].map((at) => ({ ...at, dueAt: 1, lease: null })),
        attempts: [make.attempt(key(0, 0), { succeeded: false })],
      })
      for (const n of [0, 1]) await store().endpoints.delete(endpoint(n).id, make.now())
      const listed = await store().attempts.destinations(key(0, 0).messageId, wholeList)
      assert.deepEqual(listed, [{ endpoint: endpoint(0), state: { kind: 'failed' } }])
      await store().road.sweepDeleted(10)
      assert.deepEqual(await store().attempts.destinations(key(0, 0).messageId, wholeList), listed)
    })
  })

  describe('attempted messages', () => {
    const everyState = { ...everyMessage, state: null } as const

    test('are listed once each, in the order of their latest attempts, which are their cursors', async () => {
      const { key, message } = await scene(2, [{ payload: '{"n":0}' }, {}, {}, {}])
      const [first, second, third, again] = [key(0, 0), key(1, 0), key(2, 0), key(0, 0)].map((at, n) =>
        make.attempt(at, { succeeded: n !== 2 }),
      )
      assert.ok(first && second && third && again)
      await commit({ attempts: [first, second, third, again, make.attempt(key(1, 1)), make.attempt(key(3, 1))] })
      const list = (search: typeof wholeList, withPayload = false) =>
        store().attempts.attemptedMessages(key(0, 0).endpointId, everyState, withPayload, search)
      await pagesThrough(list, (row) => row.cursor, [second.id, third.id, again.id])
      assert.deepEqual(
        (await list(wholeList)).map((row) => [row.message.id, row.state.kind]),
        [
          [message(1).id, 'delivered'],
          [message(2).id, 'failed'],
          [message(0).id, 'delivered'],
        ],
      )
      const newest = await list({ ...wholeList, descending: true, limit: 1 }, true)
      assert.deepEqual(newest, [{ message: message(0), state: { kind: 'delivered' }, cursor: again.id }])
    })

    test('a message that waits for another try is waiting, whatever its last attempt said', async () => {
      const { key } = await scene(1, [{}, {}])
      await commit({
        deliveries: [{ ...key(0, 0), dueAt: 1, lease }],
        attempts: [make.attempt(key(0, 0), { succeeded: false }), make.attempt(key(1, 0), { succeeded: false })],
        settlements: [{ kind: 'retry', tried: 0, ...key(0, 0), dueAt: 5_000, attempts: 3 }],
      })
      const states = async (state: 'waiting' | 'delivered' | 'failed' | null) => {
        const filter = { ...everyMessage, state }
        const rows = await store().attempts.attemptedMessages(key(0, 0).endpointId, filter, false, wholeList)
        return rows.map((row) => row.state)
      }
      const waiting = { kind: 'waiting', attempts: 3, dueAt: 5_000, held: null, lease: null }
      assert.deepEqual(await states(null), [waiting, { kind: 'failed' }])
      assert.deepEqual(await states('waiting'), [waiting])
      assert.deepEqual(await states('failed'), [{ kind: 'failed' }])
      assert.deepEqual(await states('delivered'), [])
    })

    test('those waiting include the never attempted and come in the order they are due, page by page', async () => {
      const { key, message } = await scene(2, [{ payload: '{"n":0}' }, {}, {}, {}, {}, {}])
      const due = [3_000, 1_000, 2_000, 1_000, 4_000]
      await commit({
        deliveries: [
          ...due.map((dueAt, n) => ({ ...key(n, 0), dueAt, lease: n === 4 ? lease : null })),
          { ...key(5, 1), dueAt: 1_000, lease: null },
        ],
        attempts: [make.attempt(key(4, 0), { succeeded: false }), make.attempt(key(5, 0))],
        settlements: [{ kind: 'retry', tried: 0, ...key(4, 0), dueAt: 500, attempts: 1 }],
      })
      const filter = { ...everyMessage, state: 'waiting' } as const
      const list = (search: typeof wholeList) =>
        store().attempts.attemptedMessages(key(0, 0).endpointId, filter, true, search)
      const rows = await list(wholeList)
      assert.deepEqual(
        rows.map((row) => row.message.id),
        [4, 1, 3, 2, 0].map((n) => message(n).id),
      )
      assert.deepEqual(rows.at(-1)?.message, message(0))
      assert.deepEqual(rows.at(-1)?.state, { kind: 'waiting', attempts: 0, dueAt: 3_000, held: null, lease: null })
      await pagesThrough(
        list,
        (row) => row.cursor,
        rows.map((row) => row.cursor),
      )
    })

    test('are filtered by what the messages say and when they were accepted, waiting ones too', async () => {
      const { key, message } = await scene(1, [
        { channels: ['c'], eventType: 'a' },
        { tags: ['t'], eventType: 'b' },
        { channels: ['c'], eventType: 'b' },
        { channels: ['c'], eventType: 'c' },
      ])
      await commit({
        deliveries: [2, 3].map((n) => ({ ...key(n, 0), dueAt: n, lease: null })),
        attempts: [0, 1, 2].map((n) => make.attempt(key(n, 0))),
      })
      const listed = async (
        filter: Partial<Parameters<ReturnType<typeof store>['attempts']['attemptedMessages']>[1]>,
      ) => {
        const whole = { ...everyState, ...filter }
        const rows = await store().attempts.attemptedMessages(key(0, 0).endpointId, whole, false, wholeList)
        return rows.map((row) => [0, 1, 2, 3].findIndex((n) => message(n).id === row.message.id))
      }
      assert.deepEqual(await listed({ channel: 'c' }), [0, 2])
      assert.deepEqual(await listed({ tag: 't', state: 'delivered' }), [1])
      assert.deepEqual(await listed({ eventTypes: ['b', 'c'] }), [1, 2])
      assert.deepEqual(await listed({ eventTypes: ['b', 'c'], state: 'waiting' }), [2, 3])
      assert.deepEqual(await listed({ channel: 'd', state: 'waiting' }), [])
      assert.deepEqual(await listed({ after: message(0).acceptedAt }), [1, 2])
      assert.deepEqual(await listed({ before: message(3).acceptedAt, state: 'waiting' }), [2])
    })

    test('a cursor of the other list starts from the end instead of failing', async () => {
      const { key } = await scene(1, [{}])
      const attempt = make.attempt(key(0, 0))
      await commit({ attempts: [attempt], deliveries: [{ ...key(0, 0), dueAt: 1, lease: null }] })
      const rows = await store().attempts.attemptedMessages(
        key(0, 0).endpointId,
        { ...everyMessage, state: 'waiting' },
        false,
        { ...wholeList, beyond: attempt.id },
      )
      assert.equal(rows.length, 1)
    })
  })
}
