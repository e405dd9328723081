import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ApplicationId } from '../../domain/ids.ts'
import type { NewMessage } from '../../ports/store.ts'
import { everyMessage } from './messages.ts'
import { type OpenStore, openedEach } from './opened.ts'
import { wholeList } from './paging.ts'
import { batch, samples } from './samples.ts'

const nothingTaken = { stale: new Set(), taken: new Map(), repeated: new Map() }

export function commitConformance(open: OpenStore): void {
  const store = openedEach(open)
  const make = samples()
  const lease = make.id('lease')
  const applicationId = make.id('application')
  const endpointId = make.id('endpoint')
  const stored = async (application: ApplicationId = applicationId) =>
    (await store().messages.list(application, everyMessage, false, wholeList)).map((message) => message.id)

  test('an empty commit is no error and changes nothing', async () => {
    assert.deepEqual(await store().road.commit(batch({ lease })), nothingTaken)
    assert.equal(await store().road.backlog(10), 0)
  })

  test('messages and their deliveries are there when a commit resolves', async () => {
    const messages = [make.message(applicationId), make.message(applicationId, { eventId: 'keyed' })]
    const deliveries = messages.map(({ id }) => ({ messageId: id, endpointId, dueAt: 1, lease: null }))
    assert.deepEqual(await store().road.commit(batch({ lease, messages, deliveries })), nothingTaken)
    assert.deepEqual(
      await stored(),
      messages.map((message) => message.id),
    )
    assert.equal(await store().road.backlog(10), 2)
  })

  test('a commit that fails stores none of it', async () => {
    const known = make.message(applicationId)
    await store().road.commit(batch({ lease, messages: [known] }))
    const fresh = make.message(applicationId)
    const delivery = { messageId: fresh.id, endpointId, dueAt: 1, lease: null }
    await assert.rejects(
      store().road.commit(batch({ lease, messages: [fresh, known], deliveries: [delivery] })),
      'the id of a message is there once',
    )
    await assert.rejects(
      store().road.commit(batch({ lease, messages: [fresh], deliveries: [delivery, delivery] })),
      'a message is delivered to an endpoint once',
    )
    assert.deepEqual(await stored(), [known.id])
    assert.equal(await store().road.backlog(10), 0)
    await store().road.commit(batch({ lease, messages: [fresh], deliveries: [delivery] }))
    assert.deepEqual(await stored(), [known.id, fresh.id], 'and the store goes on')
  })

  test('an eventId is accepted once in an application: the second names the first and brings no delivery', async () => {
    const first = make.message(applicationId, { eventId: 'same' })
    const other = make.message(make.id('application'), { eventId: 'same' })
    await store().road.commit(batch({ lease, messages: [first, other] }))
    const second = make.message(applicationId, { eventId: 'same', payload: '{"another":1}' })
    const plain = make.message(applicationId)
    const result = await store().road.commit(
      batch({
        lease,
        messages: [second, plain],
        deliveries: [second, plain].map(({ id }) => ({ messageId: id, endpointId, dueAt: 1, lease: null })),
      }),
    )
    assert.deepEqual(result.taken, new Map([[second.id, first.id]]))
    assert.deepEqual(await stored(), [first.id, plain.id])
    assert.deepEqual(await stored(other.applicationId), [other.id])
    assert.equal((await store().messages.find(applicationId, 'same', true))?.payload, '{}')
    assert.equal(await store().road.backlog(10), 1)
  })

  test('an eventId repeated within one commit goes to the first of them', async () => {
    const messages = ['a', 'b', 'a', 'a', 'A'].map((eventId) => make.message(applicationId, { eventId }))
    const deliveries = messages.map(({ id }) => ({ messageId: id, endpointId, dueAt: 1, lease }))
    const { taken } = await store().road.commit(batch({ lease, messages, deliveries }))
    const [a, b, second, third, capital] = messages
    assert.ok(a && b && second && third && capital)
    assert.deepEqual(
      taken,
      new Map([
        [second.id, a.id],
        [third.id, a.id],
      ]),
    )
    assert.deepEqual(await stored(), [a.id, b.id, capital.id])
    assert.equal(await store().road.backlog(10), 3)
  })

  const keyOf = ({ id: messageId, acceptedAt }: NewMessage, id: string, fingerprint = 'same') => ({
    ...{ id, fingerprint, messageId, acceptedAt, until: acceptedAt + 1_000 },
  })

  test('a publish key is kept with its message: the second message under it is not stored, and the first is named', async () => {
    const first = make.message(applicationId)
    const publishKeys = [keyOf(first, 'key', 'print')]
    assert.deepEqual(await store().road.commit(batch({ lease, messages: [first], publishKeys })), nothingTaken)
    const again = make.message(applicationId)
    const withEventId = make.message(applicationId, { eventId: 'free' })
    const other = make.message(applicationId)
    const messages = [again, withEventId, other]
    const result = await store().road.commit(
      batch({
        ...{ lease, messages, publishKeys: [keyOf(again, 'key'), keyOf(withEventId, 'key'), keyOf(other, 'other')] },
        deliveries: messages.map(({ id }) => ({ messageId: id, endpointId, dueAt: 1, lease: null })),
      }),
    )
    const named = { messageId: first.id, acceptedAt: first.acceptedAt, fingerprint: 'print' }
    assert.deepEqual(result.repeated, new Map([again, withEventId].map(({ id }) => [id, named])))
    assert.deepEqual(await stored(), [first.id, other.id])
    assert.equal(await store().road.backlog(10), 1)
    const free = make.message(applicationId, { eventId: 'free' })
    assert.deepEqual(await store().road.commit(batch({ lease, messages: [free] })), nothingTaken)
  })

  test('a publish key used twice in one commit goes to the first of them', async () => {
    const messages = [make.message(applicationId), make.message(applicationId)]
    const [first, second] = messages
    assert.ok(first && second)
    const publishKeys = messages.map((message) => keyOf(message, 'key'))
    const { repeated } = await store().road.commit(batch({ lease, messages, publishKeys }))
    assert.equal(repeated.get(second.id)?.messageId, first.id)
    assert.deepEqual(await stored(), [first.id])
  })

  test('a publish key that has lapsed is free again', async () => {
    const first = make.message(applicationId)
    await store().road.commit(batch({ lease, messages: [first], publishKeys: [keyOf(first, 'key')] }))
    make.pass(1_000)
    const later = make.message(applicationId)
    const result = await store().road.commit(batch({ lease, messages: [later], publishKeys: [keyOf(later, 'key')] }))
    assert.deepEqual(result, nothingTaken)
    assert.deepEqual(await stored(), [first.id, later.id])
  })

  test('a message refused for its eventId leaves no publish key behind', async () => {
    const holder = make.message(applicationId, { eventId: 'taken' })
    await store().road.commit(batch({ lease, messages: [holder] }))
    const refused = make.message(applicationId, { eventId: 'taken' })
    const ask = batch({ lease, messages: [refused], publishKeys: [keyOf(refused, 'key')] })
    const told = { stale: new Set(), taken: new Map([[refused.id, holder.id]]), repeated: new Map() }
    assert.deepEqual(await store().road.commit(ask), told)
    assert.deepEqual(await store().road.commit(ask), told)
  })

  test('commits that are under way at the same time are all stored', async () => {
    const rounds = Array.from({ length: 20 }, () => Array.from({ length: 50 }, () => make.message(applicationId)))
    await Promise.all(
      rounds.map((messages) =>
        store().road.commit(
          batch({
            lease,
            messages,
            deliveries: messages.map(({ id }) => ({ messageId: id, endpointId, dueAt: 1, lease: null })),
          }),
        ),
      ),
    )
    assert.equal(await store().road.backlog(10_000), 1_000)
    assert.equal(await store().road.backlog(100), 100, 'a backlog is counted no further than asked')
    assert.deepEqual(
      await stored(),
      rounds
        .flat()
        .slice(0, wholeList.limit)
        .map((message) => message.id),
    )
  })

  test('an attempt and its settlement ride in one commit with new messages', async () => {
    const message = make.message(applicationId)
    const key = { messageId: message.id, endpointId }
    await store().road.commit(batch({ lease, messages: [message], deliveries: [{ ...key, dueAt: 1, lease }] }))
    const attempt = make.attempt(key)
    const next = make.message(applicationId)
    await store().road.commit(
      batch({
        ...{ lease, messages: [next], deliveries: [{ ...key, messageId: next.id, dueAt: 1, lease }] },
        ...{ attempts: [attempt], settlements: [{ kind: 'finish', tried: 0, ...key }] },
      }),
    )
    assert.deepEqual(await store().attempts.find(message.id, attempt.id), attempt)
    assert.equal(await store().road.backlog(10), 1)
    assert.deepEqual(await stored(), [message.id, next.id])
  })
}
