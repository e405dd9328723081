import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LeaseId } from '../../domain/ids.ts'
import type { ClaimAsk, DeliveryKey, Settlement } from '../../ports/store.ts'
import { type OpenStore, openedEach } from './opened.ts'
import { batch, samples } from './samples.ts'

export function leaseConformance(open: OpenStore, alone: boolean): void {
  const store = openedEach(open)
  const make = samples()
  const [mine, theirs] = [make.id('lease'), make.id('lease')]
  const now = make.now()
  const until = now + 30_000

  const ask = (lease: LeaseId, at: number): ClaimAsk => ({
    ...{
      now: at,
      until: at + 30_000,
      lease,
      after: '',
      visits: 10,
      share: 10,
      shares: new Map(),
      room: 10,
      bytes: 1_000_000,
    },
  })
  /** Which of these deliveries can be claimed at a moment. */
  const claimable = async (lease: LeaseId, at: number) =>
    (await store().road.claim(ask(lease, at))).deliveries.map(({ messageId }) => messageId)
  const settle = (lease: LeaseId, ...settlements: Settlement[]) => store().road.commit(batch({ lease, settlements }))

  /** Fresh deliveries to one endpoint, committed under `lease` until `until`, or left in the store. */
  const deliveries = async (count: number, lease: LeaseId | null, dueAt = until): Promise<DeliveryKey[]> => {
    const environment = await store().environments.ensure(make.environment('default'))
    const application = make.application(environment.id)
    await store().applications.insert(application)
    const endpoint = make.endpoint(application.id)
    await store().endpoints.insert(endpoint)
    const messages = Array.from({ length: count }, () => make.message(application.id))
    const keys = messages.map(({ id }) => ({ messageId: id, endpointId: endpoint.id }))
    await store().road.commit(
      batch({ lease: lease ?? mine, messages, deliveries: keys.map((key) => ({ ...key, dueAt, lease })) }),
    )
    return keys
  }
  const one = async (lease: LeaseId | null, dueAt?: number): Promise<DeliveryKey> =>
    (await deliveries(1, lease, dueAt))[0] ?? assert.fail()

  test('a delivery committed under a lease is nobody else’s until the lease lapses, and then anybody’s', async () => {
    const key = await one(mine)
    assert.deepEqual(await claimable(theirs, until - 1), [])
    assert.deepEqual(await claimable(theirs, until), [key.messageId])
  })

  test('finishing ends a delivery for good', async () => {
    const key = await one(mine)
    await settle(mine, { kind: 'finish', tried: 0, ...key })
    assert.equal(await store().road.backlog(10), 0)
    assert.deepEqual(await claimable(theirs, until * 2), [])
  })

  test('a retry gives the delivery back: due at its moment, for anyone, with its count of attempts', async () => {
    const key = await one(mine)
    await settle(mine, { kind: 'retry', tried: 0, ...key, dueAt: now + 5_000, attempts: 1 })
    assert.deepEqual(await claimable(theirs, now + 4_999), [])
    const { deliveries: claimed } = await store().road.claim(ask(theirs, now + 5_000))
    assert.deepEqual(
      claimed.map(({ messageId, attempts }) => ({ messageId, attempts })),
      [{ messageId: key.messageId, attempts: 1 }],
    )
  })

  test('a node that comes back after its lease was taken over settles nothing', async () => {
    const key = await one(mine)
    assert.deepEqual(await claimable(theirs, until), [key.messageId])
    await settle(mine, { kind: 'finish', tried: 0, ...key })
    assert.equal(await store().road.backlog(10), 1)
    await settle(mine, { kind: 'retry', tried: 0, ...key, dueAt: now, attempts: 9 })
    assert.deepEqual(await claimable(mine, until + 1), [], 'it is not due again before the second lease lapses')
    await settle(theirs, { kind: 'retry', tried: 0, ...key, dueAt: until + 2, attempts: 1 })
    const { deliveries: claimed } = await store().road.claim(ask(mine, until + 2))
    assert.deepEqual(
      claimed.map(({ attempts }) => attempts),
      [1],
      'and the one who holds it settles it',
    )
  })

  test('a node that gave a delivery back cannot settle it any more', async () => {
    const key = await one(mine)
    await store().road.release(mine, [{ ...key, dueAt: now }])
    await settle(mine, { kind: 'finish', tried: 0, ...key })
    assert.equal(await store().road.backlog(10), 1)
  })

  test('settlements of one commit touch the deliveries they name and no others', async () => {
    const [finished, retried, left] = await deliveries(3, mine)
    assert.ok(finished && retried && left)
    await settle(
      mine,
      { kind: 'finish', tried: 0, ...finished },
      { kind: 'retry', tried: 0, ...retried, dueAt: now + 1, attempts: 1 },
    )
    assert.deepEqual(await claimable(theirs, now + 1), [retried.messageId])
    assert.deepEqual(await claimable(theirs, until), [left.messageId])
  })

  test('an old try settles nothing of what others tried since, also where it is ours again', async () => {
    for (const old of [
      { kind: 'finish' } as const,
      { kind: 'retry', dueAt: until * 3, attempts: 1 } as const,
      { kind: 'park', attempts: 1 } as const,
    ]) {
      const key = await one(mine)
      assert.deepEqual(await claimable(theirs, until), [key.messageId])
      await settle(theirs, { kind: 'retry', tried: 0, ...key, dueAt: until, attempts: 1 })
      assert.deepEqual(await claimable(mine, until), [key.messageId], 'ours again, while the old try is under way')
      await settle(mine, { ...old, tried: 0, ...key })
      const { deliveries: found } = await store().road.claim(ask(theirs, until * 2))
      assert.deepEqual(
        found.map(({ messageId, attempts }) => [messageId, attempts]),
        [[key.messageId, 1]],
        old.kind,
      )
      await settle(theirs, { kind: 'finish', tried: 1, ...key })
      assert.equal(await store().road.backlog(10), 0)
    }
  })

  test('renewing holds a delivery longer, but only one that is still ours, and tells which are not', async () => {
    const [renewed, lapsed] = await deliveries(2, mine)
    assert.ok(renewed && lapsed)
    assert.deepEqual(await store().road.renew(mine, until + 1_000, [renewed]), [])
    assert.deepEqual(await store().road.renew(theirs, until + 9_000, [renewed, lapsed]), [renewed, lapsed])
    assert.deepEqual(await claimable(theirs, until), [lapsed.messageId])
    assert.deepEqual(await store().road.renew(mine, until + 1_000, [renewed, lapsed]), [lapsed])
    assert.deepEqual(await claimable(theirs, until + 1_000), [renewed.messageId])
  })

  test('what others hold of messages is told by delivery, with whose it is and until when', async () => {
    const [ours] = await deliveries(1, mine)
    const [held, notAsked] = await deliveries(2, theirs)
    const stored = await one(null)
    assert.ok(ours && held && notAsked)
    const asked = [ours, held, stored].map(({ messageId }) => messageId)
    assert.deepEqual(await store().road.heldByOthers(mine, asked), [{ ...held, lease: theirs, dueAt: until }])
  })

  test('releasing makes deliveries due at once, only those named and only ours', async () => {
    const [released, kept] = await deliveries(2, mine)
    assert.ok(released && kept)
    await store().road.release(theirs, [{ ...kept, dueAt: now }])
    await store().road.release(mine, [{ ...released, dueAt: now }])
    assert.deepEqual(await claimable(theirs, now), [released.messageId])
  })

  if (alone) {
    test('recovery makes every claimed delivery due now and leaves scheduled retries to their time', async () => {
      const claimed = [...(await deliveries(2, mine)), ...(await deliveries(1, theirs))]
      const later = await one(null, until)
      assert.equal(await store().road.recover(now), 3)
      const found = await claimable(make.id('lease'), now)
      assert.deepEqual(new Set(found), new Set(claimed.map((key) => key.messageId)))
      assert.deepEqual(await claimable(mine, until - 1), [])
      assert.ok((await claimable(mine, until)).includes(later.messageId))
    })
  } else {
    test('recovery takes nothing from other nodes: what a dead one held is due when its lease is over', async () => {
      await deliveries(2, mine)
      const [theirsToo] = await deliveries(1, theirs)
      assert.equal(await store().road.recover(now), 0)
      assert.deepEqual(await claimable(make.id('lease'), now), [])
      assert.ok((await claimable(make.id('lease'), until)).includes(theirsToo?.messageId ?? 'msg_'))
    })
  }

  test('a resend of a settled message is a new delivery, due now and marked as asked for by hand', async () => {
    const key = await one(mine)
    await settle(mine, { kind: 'finish', tried: 0, ...key })
    await store().road.resend(key)
    const { deliveries: claimed } = await store().road.claim(ask(theirs, now))
    assert.deepEqual(
      claimed.map(({ messageId, attempts, trigger }) => ({ messageId, attempts, trigger })),
      [{ messageId: key.messageId, attempts: 0, trigger: 'manual' }],
    )
  })

  test('a resend of a waiting message makes it due now and keeps its count of attempts', async () => {
    const key = await one(mine)
    await settle(mine, { kind: 'retry', tried: 0, ...key, dueAt: now + 60_000, attempts: 4 })
    await store().road.resend(key)
    assert.equal(await store().road.backlog(10), 1)
    const { deliveries: claimed } = await store().road.claim(ask(theirs, now))
    assert.deepEqual(
      claimed.map(({ messageId, attempts, trigger }) => ({ messageId, attempts, trigger })),
      [{ messageId: key.messageId, attempts: 4, trigger: 'manual' }],
    )
    await settle(theirs, { kind: 'retry', tried: 4, ...key, dueAt: now + 1, attempts: 5 })
    const [again] = (await store().road.claim(ask(mine, now + 1))).deliveries
    assert.equal(again?.trigger, 'scheduled', 'its further retries are the schedule’s')
  })

  test('a resend of what is being sent this moment takes it from nobody', async () => {
    const key = await one(mine)
    await store().road.resend(key)
    assert.deepEqual(await claimable(theirs, until - 1), [])
    await settle(mine, { kind: 'finish', tried: 0, ...key })
    assert.equal(await store().road.backlog(10), 0)
  })
}
