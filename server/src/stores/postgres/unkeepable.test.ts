import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withoutPostgres } from '../../../test/support/postgres.ts'
import { postgresStores } from '../../../test/support/postgres-stores.ts'
import { batch, samples } from '../conformance/samples.ts'

test('a commit with a value that no column takes is answered as such, not as a store that is down', {
  skip: withoutPostgres,
}, async (t) => {
  const { store, close } = await postgresStores()()
  t.after(close)
  const make = samples()
  const [lease, applicationId, endpointId] = [make.id('lease'), make.id('application'), make.id('endpoint')]
  const message = make.message(applicationId)
  const delivery = { messageId: message.id, endpointId, dueAt: 1, lease }
  const { refused: none } = await store.road.commit(batch({ lease, messages: [message], deliveries: [delivery] }))
  assert.equal(none, undefined)

  const key = { messageId: message.id, endpointId }
  const record = (durationMs: number) =>
    batch({
      lease,
      attempts: [{ ...make.attempt(key), durationMs }],
      settlements: [{ kind: 'finish', ...key, tried: 0 }],
    })
  const { refused } = await store.road.commit(record(0.5))
  assert.match(refused ?? '', /0\.5/)
  assert.equal(await store.road.backlog(10), 1, 'nothing of it was stored')
  assert.equal((await store.road.commit(record(1))).refused, undefined)
  assert.equal(await store.road.backlog(10), 0)
})
