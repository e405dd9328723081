import assert from 'node:assert/strict'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { MessageId } from '../../domain/ids.ts'
import { batch, samples } from '../conformance/samples.ts'
import { openSqliteStore } from './store.ts'

// 5,000 messages with an attempt each, as many again, and so on: what is removed must make room for what comes.
const messages = 5_000
const perCommit = 500

test('the file does not grow as long as retention removes as much as is published', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'posthorn-size-'))
  const path = join(folder, 'size.db')
  const store = await openSqliteStore(path)
  t.after(async () => {
    await store.close()
    await rm(folder, { recursive: true })
  })
  const make = samples()
  const lease = make.id('lease')
  const environment = await store.environments.ensure(make.environment('e'))
  const application = make.application(environment.id)
  const endpoint = make.endpoint(application.id)
  await store.applications.insert(application)
  await store.endpoints.insert(endpoint)
  const payload = JSON.stringify({ text: 'x'.repeat(300) })

  const publish = async (): Promise<number> => {
    for (let n = 0; n < messages; n += perCommit) {
      const some = Array.from({ length: perCommit }, () =>
        make.message(application.id, { payload, eventId: make.id('key') }),
      )
      const attempts = some.map(({ id }) => make.attempt({ messageId: id, endpointId: endpoint.id }))
      await store.road.commit(batch({ lease, messages: some, attempts }))
    }
    // What is in the log is copied into the file.
    await store.expunge.forGood()
    return (await stat(path)).size
  }
  const remove = async (): Promise<number> => {
    let removed = 0
    for (let above: MessageId | '' | null = ''; above !== null; ) {
      const step = await store.retention.deleteMessages(application.id, above, 'msg_z', make.now())
      removed += step.removed.messages
      above = step.last
    }
    return removed
  }

  const first = await publish()
  for (const _ of [1, 2]) {
    assert.equal(await remove(), messages)
    const again = await publish()
    assert.ok(again <= first * 1.02, `${first} bytes, then ${again}`)
  }
})
