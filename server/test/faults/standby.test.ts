import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { readDatabaseTarget } from '../../src/domain/database-target.ts'
import { openPostgresStore } from '../../src/stores/postgres/store.ts'
import { withoutPostgres } from '../support/postgres.ts'
import { findPostgres, serverUser } from '../support/postgres-server.ts'
import { Cluster } from './cluster.ts'

test('a repeated publish is not vouched for by a commit that its standby never got', {
  skip: withoutPostgres,
}, async (t) => {
  const found = findPostgres()
  if ('missing' in found) return t.skip(found.missing)
  const cluster = await Cluster.start(found.bin, serverUser())
  t.after(() => cluster.stop())
  const target = readDatabaseTarget(`postgres://postgres@127.0.0.1:${cluster.primaryPort}/postgres`)
  if (target.engine !== 'postgres') throw new Error('the tests were given another engine')
  const store = await openPostgresStore(target, { connections: 10, pooled: false })
  try {
    const now = Date.now()
    const publish = (messageId: `msg_${string}`) =>
      store.road.commit({
        ...{ lease: 'lease_1', now, messages: [], deliveries: [], attempts: [], settlements: [], turns: [] },
        publishKeys: [{ id: 'ask', fingerprint: 'the same', messageId, acceptedAt: now, until: now + 60_000 }],
      })
    await cluster.loseStandby()
    await assert.rejects(publish('msg_1'))
    // Its session ends while it waits for the standby, and from then on others see what it did.
    const waiting = "select pg_terminate_backend(pid) from pg_stat_activity where wait_event = 'SyncRep'"
    const seen = 'select message_id from idempotency_key'
    while ((await cluster.ask('postgres', seen)).length === 0) {
      await cluster.ask('postgres', waiting)
      await pause(20)
    }
    await assert.rejects(publish('msg_2'))

    // Its operator does without.
    await cluster.ask('postgres', "alter system set synchronous_standby_names = ''")
    await cluster.ask('postgres', 'select pg_reload_conf()')
    for (;;) {
      const result = await publish('msg_2').catch(() => null)
      if (result === null) continue
      assert.equal(result.repeated.get('msg_2')?.messageId, 'msg_1')
      break
    }
  } finally {
    await store.close()
  }
})
