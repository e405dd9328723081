import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SourceId } from '../../domain/ids.ts'
import type { Duplicate, ReceivedRequest } from '../../domain/inbound.ts'
import type { NewMessage } from '../../ports/store.ts'
import { type OpenStore, openedOnce } from './opened.ts'
import { pagesThrough, wholeList } from './paging.ts'
import { batch, samples } from './samples.ts'

const every = { eventTypes: null, before: null, after: null } as const

export function receivedConformance(open: OpenStore): void {
  const store = openedOnce(open)
  const make = samples()
  const lease = make.id('lease')
  const commit = (...messages: NewMessage[]) => store().road.commit(batch({ lease, messages }))
  const request = (): ReceivedRequest => ({
    ...{ method: 'PUT', target: '/in/t?a=%2F', headers: ['A', '\u00ff', 'a', '"'], peer: '::1', client: '192.0.2.1' },
    ...{ receivedAt: make.now(), verification: { kind: 'verified', scheme: 'v1', secret: null } },
  })
  const message = (sourceId: SourceId, changes: Partial<NewMessage> = {}) =>
    make.message(sourceId, { request: request(), ...changes })

  test('a received message comes back with its request, by id and by eventId; a list leaves payloads out', async () => {
    const sourceId = make.id('source')
    const one = message(sourceId, { eventId: 'evt_1', payload: 'a=1', encoding: 'text', contentType: 'text/plain' })
    await commit(one)
    const found = { message: one, bytes: 3, duplicates: 0, duplicate: null }
    assert.deepEqual(await store().received.find(sourceId, one.id), found)
    assert.deepEqual(await store().received.find(sourceId, 'evt_1'), found)
    assert.deepEqual(await store().received.list(sourceId, every, wholeList), [
      { ...found, message: { ...one, payload: null } },
    ])
    assert.equal(await store().received.find(make.id('source'), one.id), null)
    assert.equal(await store().received.find(make.id('source'), 'evt_1'), null)
  })

  test('the size told is that of the bytes that came, however they are kept', async () => {
    const sourceId = make.id('source')
    const bodies = ['', 'Zoë 🚚', ...[1, 2, 3, 4, 300].map((length) => new Uint8Array(length).fill(0xff))]
    for (const body of bodies) {
      const [payload, encoding] =
        typeof body === 'string' ? [body, 'text' as const] : [Buffer.from(body).toString('base64'), 'base64' as const]
      await commit(message(sourceId, { payload, encoding }))
    }
    assert.deepEqual(
      (await store().received.list(sourceId, every, wholeList)).map(({ bytes }) => bytes),
      [0, 9, 1, 2, 3, 4, 300],
    )
  })

  test('repetitions are counted, the latest is kept, and of a removed payload there is no size', async () => {
    const sourceId = make.id('source')
    const latest: Duplicate = { receivedAt: make.now(), peer: '::2', retryNumber: '2', retryReason: null }
    const one = message(sourceId, { eventId: 'evt_1' })
    await commit(one)
    const repeat = (retryNumber: string) =>
      message(sourceId, { eventId: 'evt_1', asDuplicate: { ...latest, retryNumber } })
    await commit(repeat('0'))
    await commit(repeat('1'), repeat('2'))
    const found = await store().received.find(sourceId, one.id)
    assert.deepEqual([found?.duplicates, found?.duplicate], [3, latest])
    const ending = { ended: 'canceled', response: '', at: make.now(), id: make.id('attempt') } as const
    await store().expunge.messages(sourceId, [one.id], ending)
    const bare = await store().received.find(sourceId, one.id)
    assert.deepEqual([bare?.bytes, bare?.message.request, bare?.duplicates], [null, null, 3])
  })

  test('an eventId that is free again leads to the latest message that has it', async () => {
    const sourceId = make.id('source')
    const [first, second] = [message(sourceId, { eventId: 'evt_1' }), message(sourceId, { eventId: 'evt_1' })]
    const eventIdsUntil = new Map([[first.id, second.acceptedAt]])
    await store().road.commit(batch({ lease, messages: [first], eventIdsUntil }))
    await commit(second)
    assert.equal((await store().received.find(sourceId, 'evt_1'))?.message.id, second.id)
    assert.equal((await store().received.find(sourceId, first.id))?.message.id, first.id)
  })

  test('a list can be walked in pages of any size, within a span of time, and by event type', async () => {
    const sourceId = make.id('source')
    const rows = ['a', 'b', 'a', 'c', 'a'].map((eventType) => message(sourceId, { eventType }))
    await commit(...rows)
    const ids = rows.map(({ id }) => id)
    await pagesThrough(
      (search) => store().received.list(sourceId, every, search),
      (row) => row.message.id,
      ids,
    )
    const listed = async (filter: Partial<typeof every> | object) =>
      (await store().received.list(sourceId, { ...every, ...filter }, wholeList)).map((row) => row.message.id)
    assert.deepEqual(await listed({ eventTypes: ['a', 'c'] }), [ids[0], ids[2], ids[3], ids[4]])
    const [, second, , fourth] = rows
    assert.deepEqual(await listed({ after: second?.acceptedAt, before: fourth?.acceptedAt }), [ids[2]])
  })
}
