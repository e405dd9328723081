import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EndpointId } from '../../domain/ids.ts'
import type { ClaimAsk, NewMessage } from '../../ports/store.ts'
import { type OpenStore, openedEach } from './opened.ts'
import { batch, samples } from './samples.ts'

export function claimConformance(open: OpenStore): void {
  const store = openedEach(open)
  const make = samples()
  const lease = make.id('lease')
  const now = make.now()
  const ask: ClaimAsk = {
    now,
    until: now + 30_000,
    lease,
    after: '',
    visits: 100,
    share: 10,
    shares: new Map(),
    room: 100,
    bytes: 1_000_000,
  }

  /** Endpoints in order of their ids, each with messages that are due `dueIn` ms from now, left to be claimed. */
  const scene = async (dueIn: readonly (readonly number[])[], message: Partial<NewMessage> = {}) => {
    const environment = await store().environments.ensure(make.environment('default'))
    const application = make.application(environment.id)
    await store().applications.insert(application)
    const endpoints = dueIn.map(() => make.endpoint(application.id))
    for (const endpoint of endpoints) await store().endpoints.insert(endpoint)
    const deliveries = dueIn.flatMap((moments, n) =>
      moments.map((moment) => ({
        message: make.message(application.id, message),
        endpointId: endpoints[n]?.id ?? assert.fail(),
        dueAt: now + moment,
      })),
    )
    await store().road.commit(
      batch({
        lease,
        messages: deliveries.map((delivery) => delivery.message),
        deliveries: deliveries.map((d) => ({ ...d, messageId: d.message.id, lease: null })),
      }),
    )
    return { application, endpoint: (n: number) => endpoints[n] ?? assert.fail(), deliveries }
  }
  const endpointsOf = (claimed: { readonly deliveries: readonly { readonly endpointId: EndpointId }[] }) =>
    claimed.deliveries.map((delivery) => delivery.endpointId)

  test('a claimed delivery carries what is needed to send it, the payload to the last character', async () => {
    const payload = `{"a":12345678901234567890,"b":"\\ud800 🦄 \u2028 ${'é'.repeat(1000)}"}`
    const { application, endpoint, deliveries } = await scene([[0]], {
      ...{ payload, eventId: 'one', channels: ['c'], tags: ['t'], contentType: 'application/cloudevents+json' },
    })
    const claimed = await store().road.claim(ask)
    assert.deepEqual(claimed.deliveries, [
      {
        ...{ messageId: deliveries[0]?.message.id, endpointId: endpoint(0).id, applicationId: application.id },
        ...{ attempts: 0, trigger: 'scheduled', orderKey: null, message: deliveries[0]?.message },
      },
    ])
  })

  test('what is due later is left, what is due now is taken, and nothing is taken twice', async () => {
    const { deliveries } = await scene([[-5, 0, 1]])
    const claimed = await store().road.claim(ask)
    assert.deepEqual(
      claimed.deliveries.map((delivery) => delivery.messageId),
      deliveries.slice(0, 2).map((delivery) => delivery.message.id),
    )
    assert.deepEqual((await store().road.claim({ ...ask, lease: make.id('lease') })).deliveries, [])
    assert.equal((await store().road.claim({ ...ask, now: now + 1 })).deliveries.length, 1)
  })

  test('what has waited longest at an endpoint goes first', async () => {
    const { deliveries } = await scene([[-10, -30, -20]])
    const order: string[] = []
    for (let n = 0; n < 3; n++) {
      const claimed = await store().road.claim({ ...ask, share: 1 })
      order.push(...claimed.deliveries.map((delivery) => delivery.messageId))
    }
    assert.deepEqual(
      order,
      [1, 2, 0].map((n) => deliveries[n]?.message.id),
    )
  })

  test('an endpoint with a long backlog gets its share, and so does each of the others', async () => {
    const { endpoint } = await scene([Array.from({ length: 50 }, () => -1_000), [0], [0]])
    const claimed = await store().road.claim({ ...ask, share: 2 })
    assert.deepEqual(
      endpointsOf(claimed),
      [0, 0, 1, 2].map((n) => endpoint(n).id),
    )
    assert.equal(claimed.cursor, '', 'the ring has come round')
    assert.deepEqual(claimed.moreOf, [endpoint(0).id])
  })

  test('the ring goes on behind the last endpoint that had its turn', async () => {
    const { endpoint } = await scene([
      [0, 0],
      [0, 0],
      [0, 0],
    ])
    const turns: EndpointId[] = []
    let after: ClaimAsk['after'] = ''
    for (let n = 0; n < 8; n++) {
      const claimed = await store().road.claim({ ...ask, after, share: 1, room: 1 })
      turns.push(...endpointsOf(claimed))
      after = claimed.cursor
    }
    const expected = [0, 1, 2, 0, 1, 2].map((n) => endpoint(n).id)
    assert.deepEqual(turns, expected, 'each endpoint once before any has its second turn')
  })

  test('no more endpoints are visited in one call than asked for, and the next call sees the rest', async () => {
    const { endpoint } = await scene([[0], [0], [0]])
    const first = await store().road.claim({ ...ask, visits: 2 })
    assert.deepEqual(endpointsOf(first), [endpoint(0).id, endpoint(1).id])
    assert.equal(first.cursor, endpoint(1).id)
    const second = await store().road.claim({ ...ask, visits: 2, after: first.cursor })
    assert.deepEqual(endpointsOf(second), [endpoint(2).id])
    assert.equal(second.cursor, '')
  })

  test('no more is taken than there is room for', async () => {
    await scene([
      [0, 0, 0],
      [0, 0, 0],
    ])
    assert.equal((await store().road.claim({ ...ask, room: 4 })).deliveries.length, 4)
    assert.equal((await store().road.claim({ ...ask, room: 4 })).deliveries.length, 2)
  })

  test('large payloads bound a claim before its count does, and what is left is said to be left', async () => {
    const payload = `"${'x'.repeat(998)}"`
    const { endpoint } = await scene([Array<number>(40).fill(0), [0]], { payload })
    const claimed = await store().road.claim({ ...ask, share: 40, bytes: 20_000 })
    // A small step tells how large they are, the next ones are made to fit.
    assert.equal(claimed.deliveries.length, 20)
    assert.deepEqual(claimed.moreOf, [endpoint(0).id])
    assert.equal(claimed.cursor, endpoint(0).id)
    assert.equal((await store().road.claim({ ...ask, share: 40 })).deliveries.length, 21)
  })

  test('endpoints that cannot take more are passed over without being touched', async () => {
    const { endpoint } = await scene([[0], [0]])
    const claimed = await store().road.claim({ ...ask, shares: new Map([[endpoint(0).id, 0]]) })
    assert.deepEqual(endpointsOf(claimed), [endpoint(1).id])
    assert.deepEqual(claimed.passedOver, [endpoint(0).id])
    assert.deepEqual(endpointsOf(await store().road.claim(ask)), [endpoint(0).id])
  })

  test('of those passed over only what is due, and lies behind the cursor, is said to be', async () => {
    const { endpoint } = await scene([[0], [0, 0], [5_000], [0]])
    const shares = new Map([0, 2, 3].map((n) => [endpoint(n).id, 0]))
    const full = await store().road.claim({ ...ask, shares, room: 0 })
    assert.deepEqual(full.passedOver, [endpoint(0).id])
    assert.equal(full.cursor, endpoint(0).id)
    const rest = await store().road.claim({ ...ask, shares, after: full.cursor })
    assert.deepEqual(rest.passedOver, [endpoint(3).id])
    assert.equal(rest.cursor, '')
  })

  test('what waits at a paused endpoint stays until the endpoint is resumed', async () => {
    const { endpoint } = await scene([[0], [0]])
    const paused = { ...endpoint(0), pausedAt: now, revision: 2 }
    await store().endpoints.update(paused)
    assert.deepEqual(endpointsOf(await store().road.claim(ask)), [endpoint(1).id])
    await store().endpoints.update({ ...paused, pausedAt: null, revision: 3 })
    assert.deepEqual(endpointsOf(await store().road.claim(ask)), [endpoint(0).id])
  })

  test('what waits at a disabled endpoint stays until the endpoint is enabled', async () => {
    const { endpoint } = await scene([[0]])
    const disabled = { ...endpoint(0), disabledBecause: 'owner' as const, revision: 2 }
    await store().endpoints.update(disabled)
    assert.deepEqual((await store().road.claim(ask)).deliveries, [])
    assert.equal(await store().road.backlog(10), 1)
    await store().endpoints.update({ ...disabled, disabledBecause: null, revision: 3 })
    assert.equal((await store().road.claim(ask)).deliveries.length, 1)
  })

  test('what waits at a deleted endpoint is never handed out', async () => {
    const { endpoint } = await scene([[0, 0], [0]])
    await store().endpoints.delete(endpoint(0).id, now)
    assert.deepEqual(endpointsOf(await store().road.claim(ask)), [endpoint(1).id])
  })

  test('a claim says when the next delivery will be due', async () => {
    const { endpoint } = await scene([[5_000], [0, 7_000], [2_000]])
    const claimed = await store().road.claim(ask)
    assert.deepEqual(endpointsOf(claimed), [endpoint(1).id])
    assert.equal(claimed.nextDueAt, now + 2_000)
  })

  test('an empty store has nothing due, now or later', async () => {
    assert.deepEqual(await store().road.claim(ask), {
      ...{ deliveries: [], cursor: '', moreOf: [], passedOver: [], nextDueAt: null },
    })
  })

  test('deliveries of deleted endpoints are swept, no more at a time than asked', async () => {
    const { endpoint, application } = await scene([[0, 0, 0], [0]])
    await store().endpoints.delete(endpoint(0).id, now)
    assert.equal(await store().road.sweepDeleted(2), 2)
    assert.equal(await store().road.sweepDeleted(2), 1)
    assert.equal(await store().road.sweepDeleted(2), 0)
    assert.equal(await store().road.backlog(10), 1)
    await store().applications.delete(application.id, now)
    assert.equal(await store().road.sweepDeleted(10), 1, 'and those of the endpoints of a deleted application')
    assert.equal(await store().road.backlog(10), 0)
  })
}
