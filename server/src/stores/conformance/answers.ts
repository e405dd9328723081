import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KeptAnswer } from '../../ports/store.ts'
import { type OpenStore, openedEach } from './opened.ts'
import { batch, samples } from './samples.ts'

export function answersConformance(open: OpenStore): void {
  const store = openedEach(open)
  const make = samples()
  const answer = (id: string, changes: Partial<KeptAnswer> = {}): KeptAnswer => ({
    ...{ id, fingerprint: 'print', status: 201, sealedBody: 's1.body', startedAt: 1_000, until: 2_000 },
    ...changes,
  })

  test('an answer is found again as it was kept, with or without a body', async () => {
    const [whole, empty] = [answer('a'), answer('b', { status: 204, sealedBody: null })]
    await store().answers.keep(whole)
    await store().answers.keep(empty)
    assert.deepEqual(await store().answers.find('a'), whole)
    assert.deepEqual(await store().answers.find('b'), empty)
    assert.equal(await store().answers.find('c'), null)
  })

  test('an answer takes the place of the one that was there', async () => {
    await store().answers.keep(answer('a'))
    const later = answer('a', { fingerprint: 'other', status: 200, sealedBody: null, startedAt: 3_000, until: 4_000 })
    await store().answers.keep(later)
    assert.deepEqual(await store().answers.find('a'), later)
  })

  test('what has lapsed is swept in steps, the oldest first, publish keys too; what has not stays', async () => {
    for (const [at, id] of ['a', 'b', 'c'].entries()) await store().answers.keep(answer(id, { until: 2_000 + at }))
    const message = make.message(make.id('application'))
    const publishKeys = [{ id: 'p', fingerprint: '', messageId: message.id, acceptedAt: 0, until: 1_000 }]
    await store().road.commit(batch({ lease: make.id('lease'), messages: [message], publishKeys }))
    assert.equal(await store().answers.sweepLapsed(2_001, 2), 2)
    assert.equal(await store().answers.find('a'), null)
    assert.ok(await store().answers.find('b'))
    assert.equal(await store().answers.sweepLapsed(2_001, 2), 1)
    assert.equal(await store().answers.sweepLapsed(2_001, 2), 0)
    assert.ok(await store().answers.find('c'))
  })
}
