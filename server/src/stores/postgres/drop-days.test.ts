import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import pg from 'pg'
import { freshDatabase, type TestDatabase, withoutPostgres } from '../../../test/support/postgres.ts'
import { readDatabaseTarget } from '../../domain/database-target.ts'
import { firstIdAt, type MessageId } from '../../domain/ids.ts'
import type { NewMessage, Store } from '../../ports/store.ts'
import { everyMessage } from '../conformance/messages.ts'
import { wholeList } from '../conformance/paging.ts'
import { batch, samples } from '../conformance/samples.ts'
import { openPostgresStore } from './store.ts'

const day = 24 * 3_600_000

describe('days of messages', { skip: withoutPostgres }, () => {
  const make = samples()
  const lease = make.id('lease')
  let database: TestDatabase
  let store: Store
  before(async () => {
    database = await freshDatabase()
    const target = readDatabaseTarget(database.url)
    assert.ok(target.engine === 'postgres')
    store = await openPostgresStore(target, { connections: 10, pooled: false })
  })
  after(async () => {
    await store.close()
    await database.drop()
  })

  /** The tables that messages and attempts stand in, by name, but for those of the days to come. */
  async function tables(below: string): Promise<readonly string[]> {
    const client = new pg.Client(database.url)
    await client.connect()
    const { rows } = await client.query<{ relname: string }>(
      `select relname from pg_class where relkind = 'r' and relname ~ '^(message|attempt)_[0-9]{8}$' order by relname`,
    )
    await client.end()
    return rows.map(({ relname }) => relname).filter((name) => name.slice(-8) < below)
  }

  async function scene(name: string) {
    const environment = await store.environments.ensure(make.environment(name))
    const application = make.application(environment.id)
    await store.applications.insert(application)
    const endpoint = make.endpoint(application.id)
    await store.endpoints.insert(endpoint)
    const message = (changes: Partial<NewMessage> = {}) => make.message(application.id, changes)
    const waiting = ({ id }: NewMessage, orderKey: string | null = null) => ({
      ...{ messageId: id, endpointId: endpoint.id, dueAt: make.now(), lease: null, orderKey },
    })
    const stored = async (): Promise<readonly MessageId[]> =>
      (await store.messages.list(application.id, everyMessage, false, wholeList)).map(({ id }) => id)
    return { endpoint, message, waiting, stored }
  }
  const drop = (before: number) => store.retention.dropOlder(firstIdAt('message', before), make.now())

  test('a day is dropped when all of it is past its time: with attempts, what waits, and what its eventIds keep taken', async () => {
    const { endpoint, message, waiting, stored } = await scene('dropped')
    const start = make.now()
    const old = message({ eventId: 'once' })
    const oldHead = message({ orderingKey: 'k' })
    const attempt = make.attempt({ messageId: old.id, endpointId: endpoint.id })
    make.pass(day)
    const young = message({ orderingKey: 'k' })
    await store.road.commit(
      batch({
        ...{ lease, now: make.now(), messages: [old, oldHead, young], attempts: [attempt] },
        deliveries: [waiting(oldHead, 'k'), waiting(young, 'k')],
      }),
    )
    assert.deepEqual(await drop(start + day / 2), { messages: 0, attempts: 0, payloads: 0, deliveries: 0 })
    assert.deepEqual(await drop(start + day), { messages: 2, attempts: 1, payloads: 0, deliveries: 1 })
    assert.deepEqual(await stored(), [young.id])
    assert.deepEqual(await tables('20260103'), ['attempt_20260102', 'message_20260102'])
    const { deliveries } = await store.road.claim({
      ...{
        now: make.now() + 1,
        until: make.now() + 9,
        lease,
        after: '',
        visits: 9,
        share: 9,
        shares: new Map(),
        room: 9,
      },
      bytes: 1_000,
    })
    assert.deepEqual(
      deliveries.map(({ messageId }) => messageId),
      [young.id],
      'who waited behind a message of that day is the first now',
    )
    const again = message({ eventId: 'once' })
    const { taken } = await store.road.commit(batch({ lease, messages: [again] }))
    assert.equal(taken.size, 0)
  })

  test('a day of which something is being sent stays until that is over', async () => {
    const { endpoint, message, stored } = await scene('leased')
    make.pass(3 * day)
    const start = make.now()
    const sending = message()
    const delivery = { messageId: sending.id, endpointId: endpoint.id, dueAt: start + 9, lease }
    await store.road.commit(batch({ lease, messages: [sending], deliveries: [delivery] }))
    make.pass(3 * day)
    await drop(make.now())
    assert.deepEqual(await stored(), [sending.id])
    await store.road.release(lease, [{ ...delivery, dueAt: make.now() }])
    await drop(make.now())
    assert.deepEqual(await stored(), [])
  })

  test('a message of a day that nobody expected makes room for itself, and so does one of a day that was dropped', async () => {
    const { message, stored } = await scene('late')
    const old = [message(), message()]
    make.pass(400 * day)
    const young = message()
    await store.road.commit(batch({ lease, messages: [...old, young] }))
    await drop(make.now() - 300 * day)
    const late = { ...message(), id: old[1]?.id ?? 'msg_' }
    await store.road.commit(batch({ lease, messages: [late] }))
    assert.deepEqual(await stored(), [late.id, young.id])
  })
})
