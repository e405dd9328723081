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

  const at = 1_500
  const begin = (id: string, { by = store(), fingerprint = 'print', now = at, until = at + 100 } = {}) =>
    by.answers.begin({ id, fingerprint }, now, until)

  test('who begins finds what was answered before as it was kept, with or without a body', async () => {
    const [whole, empty] = [answer('a'), answer('b', { status: 204, sealedBody: null })]
    await store().answers.keep(whole)
    await store().answers.keep(empty)
    assert.deepEqual(await begin('a', { fingerprint: 'other' }), { kind: 'answered', answer: whole })
    assert.deepEqual(await begin('b'), { kind: 'answered', answer: empty })
    assert.deepEqual(await begin('c'), { kind: 'begun' })
  })

  test('while one is answering others are told so, through whichever store; then they get its answer', async () => {
    const other = await store.another()
    assert.deepEqual(await begin('a'), { kind: 'begun' })
    assert.deepEqual(await begin('a', { by: other, fingerprint: 'other' }), { kind: 'running', fingerprint: 'print' })
    await store().answers.keep(answer('a'))
    assert.deepEqual(await begin('a', { by: other }), { kind: 'answered', answer: answer('a') })
    await store().answers.abandon('a')
    assert.deepEqual((await begin('a')).kind, 'answered', 'what was answered is not abandoned')
  })

  test('what was abandoned, or whose time is over, may be begun again', async () => {
    await begin('a', { until: at + 10 })
    assert.equal((await begin('a', { now: at + 9 })).kind, 'running')
    assert.equal((await begin('a', { now: at + 10, until: at + 20 })).kind, 'begun')
    await store().answers.abandon('a')
    assert.equal((await begin('a', { now: at + 11 })).kind, 'begun')
    await store().answers.keep(answer('b'))
    assert.equal((await begin('b', { now: 2_000 })).kind, 'begun', 'an answer is kept until its time is over')
  })

  test('of many that begin at once through several stores one does', async () => {
    const stores = [store(), await store.another(), await store.another()]
    for (let round = 0; round < 10; round++) {
      const begun = await Promise.all([...stores, ...stores].map((by) => begin(`round ${round}`, { by })))
      assert.equal(begun.filter(({ kind }) => kind === 'begun').length, 1)
    }
  })

  test('an answer takes the place of the one that was there', async () => {
    await store().answers.keep(answer('a'))
    const later = answer('a', { fingerprint: 'other', status: 200, sealedBody: null, startedAt: 3_000, until: 4_000 })
    await store().answers.keep(later)
    assert.deepEqual(await begin('a'), { kind: 'answered', answer: later })
  })

  test('what has lapsed is swept in steps, the oldest first, publish keys too; what has not stays', async () => {
    for (const [at, id] of ['a', 'b', 'c'].entries()) await store().answers.keep(answer(id, { until: 2_000 + at }))
    const message = make.message(make.id('application'))
    const publishKeys = [{ id: 'p', fingerprint: '', messageId: message.id, acceptedAt: 0, until: 1_000 }]
    await store().road.commit(batch({ lease: make.id('lease'), messages: [message], publishKeys }))
    assert.equal(await store().answers.sweepLapsed(2_001, 2), 2)
    assert.equal((await begin('b')).kind, 'answered')
    assert.equal(await store().answers.sweepLapsed(2_001, 2), 1)
    assert.equal(await store().answers.sweepLapsed(2_001, 2), 0)
    assert.equal((await begin('c')).kind, 'answered')
    assert.equal((await begin('a')).kind, 'begun')
  })
}
