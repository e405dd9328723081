import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { testWorld } from '../../test/support/world.ts'
import { Problem } from '../domain/problem.ts'
import type { CommitBatch, NewMessage } from '../ports/store.ts'
import { samples } from '../stores/conformance/samples.ts'
import { openSqliteStore } from '../stores/sqlite/store.ts'
import { GroupCommit } from './group-commit.ts'

/** A group commit on a real store. What it commits is noted, and a commit can be kept from beginning. */
async function committing(t: TestContext) {
  const path = join(mkdtempSync(join(tmpdir(), 'posthorn-commit-')), 'commit.db')
  const store = await openSqliteStore(path)
  const disk = new DatabaseSync(path)
  t.after(async () => {
    await store.close()
    disk.close()
    rmSync(join(path, '..'), { recursive: true })
  })
  const [make, world, lease] = [samples(), testWorld(), samples().id('lease')]
  const environment = await store.environments.ensure(make.environment('default'))
  const application = make.application(environment.id)
  await store.applications.insert(application)
  const endpoint = make.endpoint(application.id)
  await store.endpoints.insert(endpoint)

  const batches: CommitBatch[] = []
  let gate = Promise.resolve()
  let [rows, failures] = [0, 0]
  const commits = new GroupCommit(
    {
      ...store.road,
      async commit(batch) {
        batches.push(batch)
        await gate
        return store.road.commit(batch)
      },
    },
    world,
    lease,
    {
      ...{ accepted() {}, attempted() {}, turned() {}, slowed() {} },
      committed(count) {
        rows += count
      },
      removed() {},
      retentionFailed() {},
      commitFailed() {
        failures += 1
      },
    },
  )
  const message = (changes: Partial<NewMessage> = {}) => make.message(application.id, changes)
  return {
    commits,
    world,
    batches,
    seen: () => ({ rows, failures }),
    message,
    publish: (one: NewMessage) =>
      commits.publish({
        message: one,
        deliveries: [{ messageId: one.id, endpointId: endpoint.id, dueAt: one.acceptedAt, lease }],
      }),
    /** Hands over the outcome of this message's only attempt. Resolves when it is on disk. */
    record: (one: NewMessage) =>
      new Promise<void>((resolve) => {
        const key = { messageId: one.id, endpointId: endpoint.id }
        commits.record(make.attempt(key), { kind: 'finish', ...key }, [], resolve)
      }),
    count: (table: 'message' | 'delivery' | 'attempt') =>
      Number(disk.prepare(`select count(*) as rows from ${table}`).get()?.rows),
    refuse: () =>
      disk.exec(`create trigger refuse before insert on message begin select raise(abort, 'full'); end;
                 create trigger refuse_too before insert on attempt begin select raise(abort, 'full'); end`),
    accept: () => disk.exec('drop trigger refuse; drop trigger refuse_too'),
    /** Keeps commits from beginning, until the function it returns is called. */
    hold(): () => void {
      let letGo = (): void => {}
      gate = new Promise<void>((resolve) => {
        letGo = resolve
      })
      return letGo
    },
    async until(holds: () => boolean) {
      while (!holds()) await turn()
    },
  }
}

const sizes = (batches: readonly CommitBatch[]) =>
  batches.map(({ messages, attempts }) => [messages.length, attempts.length])

test('everything that arrives while a commit is under way rides in the next one, messages and outcomes together', async (t) => {
  const { publish, record, message, hold, batches, until, count, seen } = await committing(t)
  const letGo = hold()
  const earlier = message()
  const first = publish(earlier)
  await until(() => batches.length === 1)
  const others = Array.from({ length: 20 }, () => publish(message()))
  const outcome = record(earlier)
  await turn()
  await turn()
  assert.deepEqual(sizes(batches), [[1, 0]], 'one commit at a time')
  letGo()
  await Promise.all([first, ...others, outcome])
  assert.deepEqual(sizes(batches), [
    [1, 0],
    [20, 1],
  ])
  assert.deepEqual([count('message'), count('delivery'), count('attempt')], [21, 20, 1])
  assert.equal(seen().rows, 22)
})

test('what arrives in one turn of the event loop rides in one commit', async (t) => {
  const { publish, message, batches } = await committing(t)
  await Promise.all(Array.from({ length: 100 }, () => publish(message())))
  assert.deepEqual(sizes(batches), [[100, 0]])
})

test('a promise resolves only when what it promises is on the disk', async (t) => {
  const { publish, message, count, hold, until, batches } = await committing(t)
  const letGo = hold()
  let promised = false
  const published = publish(message()).then(() => {
    promised = true
  })
  await until(() => batches.length === 1)
  for (let n = 0; n < 5; n++) await turn()
  assert.equal(promised, false)
  letGo()
  await published
  assert.equal(count('message'), 1)
})

test('no commit is so large that all in it wait for long: the rest rides in the next', async (t) => {
  const { publish, message, batches, count } = await committing(t)
  await Promise.all(Array.from({ length: 1_200 }, () => publish(message())))
  assert.deepEqual(sizes(batches), [
    [500, 0],
    [500, 0],
    [200, 0],
  ])
  assert.equal(count('message'), 1_200)
})

test('a commit that fails tells its callers at once and keeps its outcomes, in their order, for the next', async (t) => {
  const { publish, record, message, batches, count, refuse, accept, world, seen, until } = await committing(t)
  const [one, two] = [message(), message()]
  await Promise.all([publish(one), publish(two)])
  refuse()
  const outcomes = [record(one), record(two)]
  await assert.rejects(publish(message()), (error) => error instanceof Problem && error.code === 'unavailable')
  assert.deepEqual(seen(), { rows: 2, failures: 1 })
  assert.deepEqual([count('message'), count('attempt')], [2, 0])
  const tried = batches.length
  for (let n = 0; n < 5; n++) await turn()
  assert.equal(batches.length, tried, 'a store that refuses is left alone for a moment')

  accept()
  await world.advance(249)
  assert.equal(batches.length, tried)
  await world.advance(1)
  await Promise.all(outcomes)
  await until(() => batches.length === tried + 1)
  assert.deepEqual(
    batches.at(-1)?.attempts.map(({ messageId }) => messageId),
    [one.id, two.id],
  )
  assert.deepEqual([count('delivery'), count('attempt')], [0, 2])
})

test('a caller who comes while the store rests is taken along by the next try', async (t) => {
  const { publish, message, refuse, accept, world, count } = await committing(t)
  refuse()
  await assert.rejects(publish(message()))
  accept()
  const late = publish(message())
  await world.advance(250)
  assert.deepEqual(await late, { kind: 'stored' })
  assert.equal(count('message'), 1)
})

test('more waiting than memory is for is refused with a word, and taken again when there is room', async (t) => {
  const { publish, message, hold, until, batches } = await committing(t)
  const letGo = hold()
  const first = publish(message())
  await until(() => batches.length === 1)
  const big = 'x'.repeat(6 * 1024 * 1024)
  const waiting = [1, 2, 3].map(() => publish(message({ payload: big })))
  assert.throws(
    () => void publish(message()),
    (error) => error instanceof Problem && error.code === 'unavailable' && error.retryAfter !== null,
  )
  letGo()
  await Promise.all([first, ...waiting])
  assert.deepEqual(await publish(message()), { kind: 'stored' })
})

test('an eventId that was told before resolves to the first message, all others in the commit are stored', async (t) => {
  const { publish, message, count } = await committing(t)
  const first = message({ eventId: 'one' })
  const told = await Promise.all([publish(first), publish(message({ eventId: 'one' })), publish(message())])
  assert.deepEqual(told, [{ kind: 'stored' }, { kind: 'event-id-taken', by: first.id }, { kind: 'stored' }])
  assert.deepEqual([count('message'), count('delivery')], [2, 2])
})

test('idle means that all that was handed over is on the disk', async (t) => {
  const { commits, publish, record, message, count } = await committing(t)
  await commits.idle()
  const one = message()
  await publish(one)
  void record(one)
  await commits.idle()
  assert.equal(count('attempt'), 1)
})

test('once closed it writes nothing more, and does not keep anybody waiting for it', async (t) => {
  const { commits, publish, record, message, count, refuse, accept, world } = await committing(t)
  const one = message()
  await publish(one)
  refuse()
  void record(one)
  await assert.rejects(publish(message()))
  commits.close()
  accept()
  void record(one)
  await world.advance(1_000)
  await commits.idle()
  assert.equal(count('attempt'), 0)
})
