import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Endpoint } from '../../domain/endpoint.ts'
import type { EndpointId, EnvironmentId, LeaseId, MessageId, Millis } from '../../domain/ids.ts'
import { notBegun } from '../../domain/task.ts'
import type { ClaimAsk, Ending, NewMessage, Settlement } from '../../ports/store.ts'
import { type OpenStore, openedEach } from './opened.ts'
import { batch, samples } from './samples.ts'

export function orderConformance(open: OpenStore, alone: boolean): void {
  const store = openedEach(open)
  const make = samples()
  const [mine, theirs] = [make.id('lease'), make.id('lease')]
  const now = make.now()
  const leaseMs = 30_000

  const ask = (lease: LeaseId, at: Millis): ClaimAsk => ({
    ...{ now: at, until: at + leaseMs, lease, after: '', visits: 10, share: 50, shares: new Map(), room: 50 },
    bytes: 1_000_000,
  })
  const claim = async (at = now, lease = mine) => (await store().road.claim(ask(lease, at))).deliveries
  const ids = (rows: readonly { readonly messageId: MessageId }[]) => rows.map(({ messageId }) => messageId)
  const claimable = async (at = now, lease = mine) => ids(await claim(at, lease))
  const settle = (...settlements: Settlement[]) => store().road.commit(batch({ lease: mine, now, settlements }))

  const scene = async (endpointCount = 1) => {
    const environment = await store().environments.ensure(make.environment('default'))
    const application = make.application(environment.id)
    await store().applications.insert(application)
    const endpoints = Array.from({ length: endpointCount }, () => make.endpoint(application.id))
    for (const endpoint of endpoints) await store().endpoints.insert(endpoint)
    const endpoint = (n: number): Endpoint => endpoints[n] ?? assert.fail()
    /** One commit with messages of these keys for one endpoint. */
    const publish = async (keys: readonly (string | null)[], to = endpoint(0).id) => {
      const messages = keys.map((orderingKey) => make.message(application.id, { orderingKey }))
      const deliveries = messages.map(({ id, orderingKey }) => ({
        ...{ messageId: id, endpointId: to, dueAt: now, lease: null, orderKey: orderingKey },
      }))
      await store().road.commit(batch({ lease: mine, now, messages, deliveries }))
      return messages.map(({ id }) => id)
    }
    const key = (messageId: MessageId | undefined, orderKey: string | null, n = 0) => ({
      messageId: messageId ?? assert.fail(),
      endpointId: endpoint(n).id,
      orderKey,
    })
    return { application, endpoint, publish, key }
  }

  test('of messages that want an order only the first can be claimed; each that is finished lets the next go', async () => {
    const { publish, key } = await scene()
    const [first, second, third] = await publish(['a', 'a', 'a'])
    for (const head of [first, second, third]) {
      assert.deepEqual(await claimable(), [head])
      assert.deepEqual(await claimable(), [], 'and nobody behind it while it is under way')
      await settle({ kind: 'finish', tried: 0, ...key(head, 'a') })
    }
    assert.equal(await store().road.backlog(10), 0)
  })

  test('the order is that of the message ids, also where one commit brings several and the next brings more', async () => {
    const { publish, key } = await scene()
    const all = [...(await publish(['a', 'a'])), ...(await publish(['a'])), ...(await publish(['a', 'a']))]
    const seen: MessageId[] = []
    for (let n = 0; n < all.length; n++) {
      const [head, ...others] = await claimable()
      assert.equal(others.length, 0)
      seen.push(head ?? assert.fail())
      await settle({ kind: 'finish', tried: 0, ...key(head, 'a') })
    }
    assert.deepEqual(seen, all.toSorted())
  })

  test('one node ends the first of an order while another brings one more: the next goes on, whoever is faster', async () => {
    const { application, endpoint, publish, key } = await scene()
    const other = await store.another()
    for (let round = 0; round < 20; round++) {
      const orderKey = `round ${round}`
      const [first] = await publish([orderKey])
      await claim()
      const next = make.message(application.id, { orderingKey: orderKey })
      const deliveries = [{ messageId: next.id, endpointId: endpoint(0).id, dueAt: now, lease: null, orderKey }]
      await Promise.all([
        settle({ kind: 'finish', tried: 0, ...key(first, orderKey) }),
        other.road.commit(batch({ lease: theirs, now, messages: [next], deliveries })),
      ])
      assert.deepEqual(await claimable(), [next.id])
      await settle({ kind: 'finish', tried: 0, ...key(next.id, orderKey) })
    }
  })

  test('what a node with a slower clock brings waits for what is under way, though its id comes before it', async () => {
    const { application, endpoint, publish, key } = await scene()
    const earlier = make.message(application.id, { orderingKey: 'a' })
    const [underWay, behind] = await publish(['a', 'a'])
    assert.deepEqual(await claimable(), [underWay])
    const deliveries = [{ messageId: earlier.id, endpointId: endpoint(0).id, dueAt: now, lease: null, orderKey: 'a' }]
    await store().road.commit(batch({ lease: theirs, now, messages: [earlier], deliveries }))
    assert.deepEqual(await claimable(), [])
    await settle({ kind: 'finish', tried: 0, ...key(underWay, 'a') })
    assert.deepEqual(await claimable(), [earlier.id])
    await settle({ kind: 'finish', tried: 0, ...key(earlier.id, 'a') })
    assert.deepEqual(await claimable(), [behind])
  })

  test('what comes late goes before a head that waits for its next try, which never comes beside it', async () => {
    const { application, endpoint, publish, key } = await scene()
    const earlier = make.message(application.id, { orderingKey: 'a' })
    const [head] = await publish(['a'])
    await claim()
    await settle({ kind: 'retry', tried: 0, dueAt: now + 5_000, attempts: 1, ...key(head, 'a') })
    const deliveries = [{ messageId: earlier.id, endpointId: endpoint(0).id, dueAt: now, lease: null, orderKey: 'a' }]
    await store().road.commit(batch({ lease: theirs, now, messages: [earlier], deliveries }))
    assert.deepEqual(await claimable(), [earlier.id])
    assert.deepEqual(await claimable(now + 5_000), [])
    await settle({ kind: 'finish', tried: 0, ...key(earlier.id, 'a') })
    assert.deepEqual(await claimable(now + 5_000), [head])
  })

  test('a head that nobody holds goes back behind what comes late, also where a clock that is ahead let it go', async () => {
    const { application, endpoint, key } = await scene()
    const [earlier, later] = [1, 2].map(() => make.message(application.id, { orderingKey: 'a' }))
    const bring = async (message: NewMessage | undefined, at: Millis) => {
      const messages = [message ?? assert.fail()]
      const deliveries = messages.map(({ id }) => ({
        ...{ messageId: id, endpointId: endpoint(0).id, dueAt: at, lease: null, orderKey: 'a' },
      }))
      await store().road.commit(batch({ lease: theirs, now: at, messages, deliveries }))
    }
    await bring(later, now + 200)
    await bring(earlier, now)
    assert.deepEqual(await claimable(now + 200), [earlier?.id])
    await settle({ kind: 'finish', tried: 0, ...key(earlier?.id, 'a') })
    assert.deepEqual(await claimable(now + 200), [later?.id])
  })

  test('orders with other keys, orders of other endpoints, and what is in no order wait for none of it', async () => {
    const { endpoint, publish, key } = await scene(2)
    const [a1, a2, b1, plain] = await publish(['a', 'a', 'b', null])
    const [other1, other2] = await publish(['a', 'a'], endpoint(1).id)
    assert.deepEqual(new Set(await claimable()), new Set([a1, b1, plain, other1]))
    await settle({ kind: 'finish', tried: 0, ...key(a1, 'a') })
    assert.deepEqual(await claimable(), [a2])
    await settle({ kind: 'finish', tried: 0, ...key(other1, 'a', 1) })
    assert.deepEqual(await claimable(), [other2])
  })

  test('orders that many heads leave in one commit each go on', async () => {
    const { publish, key } = await scene()
    const keys = Array.from({ length: 20 }, (_, n) => `k${n}`)
    const firsts = await publish(keys)
    const seconds = await publish(keys)
    assert.deepEqual(new Set(await claimable()), new Set(firsts))
    await settle(...firsts.map((id, n) => ({ kind: 'finish' as const, tried: 0, ...key(id, keys[n] ?? '') })))
    assert.deepEqual(new Set(await claimable()), new Set(seconds))
  })

  test('a message that comes in the commit which finishes the one before it is due at once', async () => {
    const { application, endpoint, publish, key } = await scene()
    const [first] = await publish(['a'])
    await claim()
    const next = make.message(application.id, { orderingKey: 'a' })
    await store().road.commit(
      batch({
        ...{ lease: mine, now, messages: [next], settlements: [{ kind: 'finish', tried: 0, ...key(first, 'a') }] },
        deliveries: [{ messageId: next.id, endpointId: endpoint(0).id, dueAt: now, lease: null, orderKey: 'a' }],
      }),
    )
    assert.deepEqual(await claimable(), [next.id])
  })

  test('a head that is to be tried again keeps its place: nobody behind it is due, before its try or while it is made', async () => {
    const { publish, key } = await scene()
    const [first, second] = await publish(['a', 'a'])
    await claim()
    await settle({ kind: 'retry', tried: 0, ...key(first, 'a'), dueAt: now + 5_000, attempts: 1 })
    assert.deepEqual(await claimable(now + 4_999), [])
    assert.deepEqual(
      (await claim(now + 5_000)).map(({ messageId, attempts, orderKey }) => ({ messageId, attempts, orderKey })),
      [{ messageId: first, attempts: 1, orderKey: 'a' }],
    )
    assert.deepEqual(await claimable(now + 5_000), [])
    await settle({ kind: 'finish', tried: 1, ...key(first, 'a') })
    assert.deepEqual(await claimable(now + 5_000), [second])
  })

  test('a retry out of order lets the next go in the same commit, and holds nobody up any more', async () => {
    const { publish, key } = await scene()
    const [first, second, third] = await publish(['a', 'a', 'a'])
    await claim()
    await settle({ kind: 'retry', tried: 0, ...key(first, 'a'), dueAt: now + 5_000, attempts: 3, outOfOrder: true })
    assert.deepEqual(await claimable(), [second])
    const [again] = await claim(now + 5_000)
    assert.deepEqual([again?.messageId, again?.orderKey], [first, null])
    await settle({ kind: 'finish', tried: 0, ...key(second, 'a') })
    assert.deepEqual(await claimable(now + 5_000), [third])
  })

  test('a parked head is never due, lets the next go, and is due at once when somebody resends it', async () => {
    const { endpoint, publish, key } = await scene()
    const [first, second, third] = await publish(['a', 'a', 'a'])
    await claim()
    await settle({ kind: 'park', tried: 0, ...key(first, 'a'), attempts: 3 })
    const century = 100 * 365 * 86_400_000
    assert.deepEqual(await claimable(now + century), [second])
    const page = { beyond: null, descending: false, limit: 10 }
    const [at] = await store().attempts.destinations(first ?? assert.fail(), page)
    assert.ok(at?.state.kind === 'waiting')
    assert.deepEqual([at.state.held, at.state.attempts], ['parked', 3])
    await store().road.resend({ messageId: first ?? assert.fail(), endpointId: endpoint(0).id })
    const [resent, ...others] = await claim()
    assert.deepEqual([resent?.messageId, resent?.trigger, resent?.orderKey], [first, 'manual', null])
    assert.equal(others.length, 0)
    await settle({ kind: 'finish', tried: 0, ...key(second, 'a') })
    assert.deepEqual(await claimable(), [third])
  })

  test('one behind that is resent goes at once, past the others, and does not let them go', async () => {
    const { endpoint, publish, key } = await scene()
    const [first, second, third] = await publish(['a', 'a', 'a'])
    await claim()
    await store().road.resend({ messageId: third ?? assert.fail(), endpointId: endpoint(0).id })
    assert.deepEqual(await claimable(), [third])
    await settle({ kind: 'finish', tried: 0, ...key(third, 'a') })
    assert.deepEqual(await claimable(), [], 'the first is still under way')
    await settle({ kind: 'finish', tried: 0, ...key(first, 'a') })
    assert.deepEqual(await claimable(), [second])
  })

  test('whoever comes late with an old lease neither finishes a head nor lets the next go', async () => {
    const { publish, key } = await scene()
    const [first] = await publish(['a', 'a'])
    await claim()
    assert.deepEqual(await claimable(now + leaseMs, theirs), [first])
    await settle({ kind: 'finish', tried: 0, ...key(first, 'a') })
    await settle({ kind: 'park', tried: 0, ...key(first, 'a'), attempts: 3 })
    assert.deepEqual(await claimable(now + leaseMs), [])
    assert.deepEqual(await claimable(now + 2 * leaseMs), [first])
  })

  if (alone) {
    test('recovery gives back the head, and no one else: what was under way goes before what waited behind it', async () => {
      const { publish } = await scene()
      const [first] = await publish(['a', 'a'])
      await claim()
      assert.equal(await store().road.recover(now), 1)
      assert.deepEqual(await claimable(), [first])
    })
  }

  const replay = async (environmentId: EnvironmentId, endpointId: EndpointId, ids: readonly MessageId[]) => {
    const task = {
      ...{ id: make.id('task'), environmentId, applicationId: null, ask: { kind: 'event-type-usage' } as const },
      ...({ status: 'running', progress: notBegun, rate: 1_000, createdAt: now, updatedAt: now, revision: 1 } as const),
    }
    await store().tasks.insert(task)
    const rows = ids.map((messageId) => ({ messageId, dueAt: now, orderKey: 'a', lastAttemptId: '' as const }))
    const { id, revision, status, progress } = task
    await store().tasks.advance({
      ...{ id, revision, at: now, status, progress, deliveries: { endpointId, rows }, results: [] },
    })
  }

  const ended = (messageId: MessageId | undefined, endpointId: EndpointId) =>
    make.attempt(
      { messageId: messageId ?? assert.fail(), endpointId },
      { succeeded: false, ended: 'canceled', statusCode: 0 },
    )

  test('ending takes what waits, also what is behind or parked, writes down why, and lets the next go', async () => {
    const { endpoint, publish, key } = await scene()
    const [parked, second, third, fourth] = await publish(['a', 'a', 'a', 'a'])
    await claim()
    await settle({ kind: 'park', tried: 0, ...key(parked, 'a'), attempts: 1 })
    const attempts = [parked, second, third].map((id) => ended(id, endpoint(0).id))
    assert.equal(await store().road.end(attempts, now), 3)
    assert.deepEqual(await claimable(), [fourth])
    for (const attempt of attempts) {
      assert.deepEqual(await store().attempts.find(attempt.messageId, attempt.id), attempt)
    }
  })

  test('ending leaves what is under way alone, and writes down nothing of it', async () => {
    const { endpoint, publish } = await scene()
    const [first] = await publish(['a', 'a'])
    await claim()
    const attempt = ended(first, endpoint(0).id)
    assert.equal(await store().road.end([attempt], now), 0)
    assert.equal(await store().attempts.find(attempt.messageId, attempt.id), null)
    assert.deepEqual(await claimable(), [])
    assert.deepEqual(await claimable(now + leaseMs), [first])
  })

  const ending = (): Ending => ({ ended: 'canceled', response: 'gone', at: now, id: make.id('attempt') })

  test('removing a head, whoever removes it, lets the next go: content, retention, and payloads whose time is over', async () => {
    const removals: Record<string, (message: NewMessage, before: MessageId) => Promise<unknown>> = {
      expunge: (message) => store().expunge.messages(message.applicationId, [message.id], ending()),
      retention: (message, before) => store().retention.deleteMessages(message.applicationId, '', before, now),
      'payload retention': (message, before) => store().retention.wipePayloads(message.applicationId, before, ending()),
    }
    for (const [what, remove] of Object.entries(removals)) {
      const { application, endpoint, publish } = await scene()
      const message = make.message(application.id, { orderingKey: 'a' })
      await store().road.commit(
        batch({
          ...{ lease: mine, now, messages: [message] },
          deliveries: [{ messageId: message.id, endpointId: endpoint(0).id, dueAt: now, lease: null, orderKey: 'a' }],
        }),
      )
      const [second] = await publish(['a'])
      await remove(message, second ?? assert.fail())
      assert.deepEqual(await claimable(), [second], what)
    }
  })

  test('a payload that is gone by its own time, at the head, lets the next go', async () => {
    const { application, endpoint, publish } = await scene()
    const message = make.message(application.id, { orderingKey: 'a', payloadUntil: now - 1 })
    await store().road.commit(
      batch({
        ...{ lease: mine, now, messages: [message] },
        deliveries: [{ messageId: message.id, endpointId: endpoint(0).id, dueAt: now, lease: null, orderKey: 'a' }],
      }),
    )
    const [second] = await publish(['a'])
    await store().retention.wipeLapsed(ending())
    assert.deepEqual(await claimable(), [second])
  })

  test('heads with nothing left to send are thrown away one after the other by the claim that finds them', async () => {
    const { endpoint, publish } = await scene()
    const deliveries = Array.from({ length: 3 }, () => ({
      ...{ messageId: make.id('message'), endpointId: endpoint(0).id, dueAt: now, lease: null, orderKey: 'a' },
    }))
    await store().road.commit(batch({ lease: mine, now, deliveries }))
    const [last] = await publish(['a'])
    assert.deepEqual(await claimable(), [last])
    assert.equal(await store().road.backlog(10), 1)
  })

  test('what is replayed stands in the order by its age: before what came later, and never beside its like', async () => {
    const { application, endpoint, publish, key } = await scene()
    const old = await publish(['a', 'a'])
    for (const id of old) {
      await claim()
      await settle({ kind: 'finish', tried: 0, ...key(id, 'a') })
    }
    const young = await publish(['a', 'a'])
    await claim()
    await settle({ kind: 'retry', tried: 0, ...key(young[0], 'a'), dueAt: now + 5_000, attempts: 1 })
    await replay(application.environmentId, endpoint(0).id, old)
    for (const head of old) {
      assert.deepEqual(await claimable(), [head])
      await settle({ kind: 'finish', tried: 0, ...key(head, 'a') })
    }
    assert.deepEqual(await claimable(now + 5_000), [young[0]])
  })

  test('a parked message that is replayed is looked for as what its last attempt was, and takes its place in the order', async () => {
    const { application, endpoint, publish, key } = await scene()
    const [parked, waiting] = await publish(['a', 'a'])
    await claim()
    await settle({ kind: 'park', tried: 0, ...key(parked, 'a'), attempts: 3 })
    await claim()
    await settle({ kind: 'retry', tried: 0, ...key(waiting, 'a'), dueAt: now + 5_000, attempts: 1 })
    const { found } = await store().tasks.look({
      ...{ applicationId: application.id, endpointId: endpoint(0).id, after: '', below: 'msg_~', limit: 10 },
      standings: ['never', 'waiting', 'failed'],
    })
    assert.deepEqual(
      found.map(({ messageId, standing }) => [messageId, standing]),
      [
        [parked, 'never'],
        [waiting, 'waiting'],
      ],
    )
    await replay(application.environmentId, endpoint(0).id, [parked ?? assert.fail(), waiting ?? assert.fail()])
    const claimed = await claim()
    assert.deepEqual(
      claimed.map(({ messageId, attempts, trigger, orderKey }) => [messageId, attempts, trigger, orderKey]),
      [[parked, 0, 'manual', 'a']],
    )
    assert.deepEqual(await claimable(now + 4_999), [], 'what waits for its retry is left as it is')
  })
}
