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
async function committing(t: TestContext, { commitsInFlight = 1 } = {}) {
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
  const other = make.application(environment.id)
  await store.applications.insert(other)
  const counts = await store.applications.routes(application.id)
  const version = (counts?.application ?? 0) + (counts?.environment ?? 0)

  const batches: CommitBatch[] = []
  const poison = new Set<string>()
  const refused: (string | null)[] = []
  let gate = Promise.resolve()
  let [rows, failures, downs, backs, pings] = [0, 0, 0, 0, 0]
  const commits = new GroupCommit(
    {
      ...store.road,
      commitsInFlight,
      async commit(batch) {
        batches.push(batch)
        await gate
        const ids = [...batch.messages.map(({ id }) => id), ...batch.attempts.map(({ messageId }) => messageId)]
        if (!ids.some((id) => poison.has(id))) return store.road.commit(batch)
        return { stale: new Set(), taken: new Map(), repeated: new Map(), refused: 'out of range' }
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
      recordRefused(attempt) {
        refused.push(attempt?.messageId ?? null)
      },
      commitFailed() {
        failures += 1
      },
      storeDown() {
        downs += 1
      },
      storeBack() {
        backs += 1
      },
    },
    async () => {
      await store.ping()
      pings += 1
    },
  )
  const message = (changes: Partial<NewMessage> = {}) => make.message(application.id, changes)
  return {
    commits,
    world,
    batches,
    seen: () => ({ rows, failures }),
    /** Whatever holds one of these can never be stored; what was told of so. */
    poison,
    refused,
    /** How often the store was said to be down, and back; and how often that was found out without a commit. */
    told: () => ({ downs, backs, pings }),
    message,
    publish: (one: NewMessage, orderKey: string | null = null) =>
      commits.publish({
        message: one,
        deliveries: [{ messageId: one.id, endpointId: endpoint.id, dueAt: one.acceptedAt, lease, orderKey }],
        version,
      }),
    turn: (kind: 'failing' | 'healthy') =>
      new Promise<void>((resolve) => {
        const endpointId = endpoint.id
        commits.turned(kind === 'failing' ? { kind, endpointId, since: 1 } : { kind, endpointId }, null, resolve)
      }),
    /** All in one commit. */
    publishAll: (ones: readonly NewMessage[]) =>
      commits.publishAll(
        ones.map((one) => ({ message: one, deliveries: [], version })),
        null,
      ),
    /** Another application: what is published to it, and what makes that stale. */
    other: {
      publish: () => commits.publish({ message: make.message(other.id), deliveries: [], version: 0 }),
      change: () => store.endpoints.insert(make.endpoint(other.id)),
    },
    /** Hands over the outcome of this message's only attempt. Resolves when it is on disk. */
    record: (one: NewMessage) =>
      new Promise<void>((resolve) => {
        const key = { messageId: one.id, endpointId: endpoint.id }
        commits.record(make.attempt(key), { kind: 'finish', ...key, tried: 0 }, [], resolve)
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

test('what was matched against something else than is committed is told so, and nobody else in its commit hears of it', async (t) => {
  const { publish, record, message, hold, batches, until, count, other } = await committing(t)
  const earlier = message()
  await publish(earlier)
  const letGo = hold()
  const mine = [publish(message()), publish(message())]
  const others = other.publish()
  const outcome = record(earlier)
  await until(() => batches.length === 2)
  await other.change()
  letGo()
  assert.deepEqual(await others, { kind: 'stale' })
  assert.deepEqual(await Promise.all(mine), [{ kind: 'stored' }, { kind: 'stored' }])
  await outcome
  assert.deepEqual(sizes(batches), [
    [1, 0],
    [3, 1],
    [2, 1],
  ])
  assert.deepEqual([count('message'), count('attempt')], [3, 1])
})

test('a record that can never be kept is told of and dropped, and all that rode with it is stored', async (t) => {
  const { publish, record, message, poison, refused, count, told, seen } = await committing(t)
  const messages = Array.from({ length: 40 }, () => message())
  await Promise.all(messages.map((one) => publish(one)))
  const [bad] = messages.slice(17)
  assert.ok(bad)
  poison.add(bad.id)
  const later = message()
  await Promise.all([...messages.map(record), publish(later)])
  assert.deepEqual([count('attempt'), count('message')], [39, 41])
  assert.deepEqual(refused, [bad.id])
  assert.deepEqual([told().downs, seen().failures], [0, 0], 'the store was never said to be down')
})

test('of messages in one commit only those that can never be kept are refused, with those they must stay with', async (t) => {
  const { publish, publishAll, message, poison, count } = await committing(t)
  const [alone, together] = [message(), [message(), message(), message()]]
  poison.add(alone.id).add(together[1]?.id ?? '')
  const fates = await Promise.allSettled([
    ...[publish(message()), publish(alone), publishAll(together)],
    ...[publishAll([message(), message()]), publish(message())],
  ])
  assert.deepEqual(
    fates.map(({ status }) => status),
    ['fulfilled', 'rejected', 'rejected', 'fulfilled', 'fulfilled'],
  )
  assert.equal(count('message'), 4)
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
  await world.advance(99)
  assert.equal(batches.length, tried)
  await world.advance(101)
  await Promise.all(outcomes)
  await until(() => batches.length === tried + 1)
  assert.deepEqual(
    batches.at(-1)?.attempts.map(({ messageId }) => messageId),
    [one.id, two.id],
  )
  assert.deepEqual([count('delivery'), count('attempt')], [0, 2])
})

const isRefused = (error: unknown): boolean =>
  error instanceof Problem && error.code === 'unavailable' && error.retryAfter !== null

test('from the first failure until something is written again every publish is refused at once, also what waited behind', async (t) => {
  const { commits, publish, record, message, refuse, accept, world, count, batches, hold, until, told } =
    await committing(t)
  const one = message()
  await publish(one)
  refuse()
  const letGo = hold()
  const first = assert.rejects(publish(message()), isRefused)
  await until(() => batches.length === 2)
  const behind = assert.rejects(publish(message()), isRefused)
  const outcome = record(one)
  letGo()
  await Promise.all([first, behind])
  const tried = batches.length
  for (let n = 0; n < 5; n++) {
    assert.throws(() => void publish(message()), isRefused)
    await world.advance(2_000)
    await until(() => commits.underWay === 0)
  }
  assert.ok(batches.length >= tried + 2, 'it is tried again')
  assert.ok(
    batches.slice(tried).every(({ messages, attempts }) => messages.length === 0 && attempts.length === 1),
    'with what is kept, and nothing else',
  )
  assert.deepEqual([count('message'), count('attempt')], [1, 0])
  accept()
  await world.advance(2_000)
  await outcome
  assert.deepEqual(await publish(message()), { kind: 'stored' })
  assert.deepEqual(told(), { downs: 1, backs: 1, pings: 0 })
})

test('where nothing is kept for later, the store is asked whether it takes something', async (t) => {
  const { publish, message, refuse, accept, world, told, until } = await committing(t)
  refuse()
  await assert.rejects(publish(message()), isRefused)
  accept()
  await world.advance(200)
  await until(() => told().pings === 1)
  for (let n = 0; n < 20; n++) await turn()
  assert.equal(told().backs, 0, 'a ping opens the road, but only a commit shows that commits are taken')
  assert.deepEqual(await publish(message()), { kind: 'stored' })
  assert.deepEqual(told(), { downs: 1, backs: 1, pings: 1 })
})

test('a store that does not answer at all keeps no publisher for longer than a second and a half', async (t) => {
  const { commits, publish, record, message, hold, world, count, batches, until, told } = await committing(t)
  const one = message()
  await publish(one)
  const letGo = hold()
  const first = publish(message())
  await until(() => batches.length === 2)
  await world.advance(1_000)
  const behind = publish(message())
  const outcome = record(one)
  let answered = 0
  for (const waiting of [first, behind])
    waiting.catch((error) => {
      if (isRefused(error)) answered += 1
    })
  await world.advance(499)
  assert.equal(answered, 0)
  await world.advance(1)
  assert.equal(answered, 2, 'whoever waits behind what hangs is told with it')
  assert.throws(() => void publish(message()), isRefused, 'and nobody else is made to wait')
  await world.advance(10_000)
  assert.equal(batches.length, 2, 'what hangs is not sent once more')

  letGo()
  await outcome
  assert.deepEqual(told(), { downs: 1, backs: 1, pings: 0 })
  assert.equal(count('message'), 2, 'nobody knew, and it was stored after all')
  assert.deepEqual(await publish(message()), { kind: 'stored' })
  await commits.idle()
})

test('a second commit goes beside the first only with a load that is worth it, and no more go than the store can use', async (t) => {
  const { publish, message, hold, until, batches, count } = await committing(t, { commitsInFlight: 3 })
  const letGo = hold()
  const many = (size: number) => Array.from({ length: size }, () => publish(message()))
  const waiting = many(1)
  await until(() => batches.length === 1)
  waiting.push(...many(63))
  for (let n = 0; n < 5; n++) await turn()
  assert.equal(batches.length, 1)
  waiting.push(...many(1))
  await until(() => batches.length === 2)
  waiting.push(...many(600))
  await until(() => batches.length === 3)
  for (let n = 0; n < 5; n++) await turn()
  assert.deepEqual(sizes(batches), [
    [1, 0],
    [64, 0],
    [500, 0],
  ])
  letGo()
  await Promise.all(waiting)
  assert.equal(count('message'), 665)
})

test('of what stands in an order, and of the turns of an endpoint, nothing is in two commits at once', async (t) => {
  const { publish, turn: turns, message, hold, until, batches } = await committing(t, { commitsInFlight: 3 })
  const letGo = hold()
  const [first, second] = [message(), message()]
  const waiting: Promise<unknown>[] = [publish(first, 'one'), turns('failing')]
  await until(() => batches.length === 1)
  waiting.push(publish(second, 'one'), turns('healthy'), ...Array.from({ length: 70 }, () => publish(message())))
  await until(() => batches.length === 2)
  assert.deepEqual([batches[1]?.messages.length, batches[1]?.turns.length], [70, 0], 'all others go on')
  letGo()
  await Promise.all(waiting)
  assert.deepEqual(
    batches[2]?.messages.map(({ id }) => id),
    [second.id],
  )
  assert.deepEqual(batches[2]?.turns[0]?.kind, 'healthy')
})

test('what was recorded is said to be on disk only when all of it is, whichever commit was the last', async (t) => {
  const { commits, publish, record, message, hold, until, batches, count } = await committing(t, { commitsInFlight: 3 })
  const all = Array.from({ length: 70 }, () => message())
  await Promise.all(all.map((one) => publish(one)))
  const before = batches.length
  const letGo = hold()
  void record(all[0] as NewMessage)
  await until(() => batches.length === before + 1)
  for (const one of all.slice(1)) void record(one)
  await until(() => batches.length === before + 2)
  let written = false
  const told = commits.written().then(() => {
    written = true
  })
  for (let n = 0; n < 5; n++) await turn()
  assert.equal(written, false)
  letGo()
  await told
  assert.equal(count('attempt'), 70)
  await commits.written()
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
