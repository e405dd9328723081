import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { testWorld } from '../../../test/support/world.ts'
import { makeIds, type SourceId } from '../../domain/ids.ts'
import type { InboundRequest, Refusal, RefusalReason } from '../../domain/inbound.ts'
import type { Problem } from '../../domain/problem.ts'
import type { Source } from '../../domain/source.ts'
import type { QuarantineStore } from '../../ports/store.ts'
import { samples } from '../../stores/conformance/samples.ts'
import { openSqliteStore } from '../../stores/sqlite/store.ts'
import { Quarantine } from './quarantine.ts'
import { makeReverify, type Released } from './reverify.ts'

const folder = mkdtempSync(join(tmpdir(), 'posthorn-quarantine-'))
const store = await openSqliteStore(join(folder, 'test.db'))
after(async () => {
  await store.close()
  rmSync(folder, { recursive: true })
})
const make = samples()
const everything = { beyond: null, descending: false, limit: 10_000 }
const refusal = (reason: RefusalReason = 'signature-wrong'): Refusal => ({
  ...{ kind: 'refused', reason, explanation: ['Because.'] },
})

async function setting(
  limits = { count: 1_000, bytes: 1 << 24, age: 1_000 },
  keepStore: Pick<QuarantineStore, 'keep'> = store.quarantine,
) {
  const world = testWorld({ now: Date.UTC(2026, 5, 1) })
  const environment = await store.environments.ensure(make.environment('test'))
  const newSource = async (): Promise<Source> => {
    const row = make.source(environment.id)
    await store.sources.insert(row, row.id)
    return row
  }
  const outcomes: Record<string, number> = {}
  const quarantine = new Quarantine({
    ...{ store: keepStore, world, newId: makeIds(world.now, world.randomBytes), limits },
    observer: {
      quarantined(outcome) {
        outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
      },
    },
  })
  const request = (body: string | Uint8Array = '{"a":1}'): InboundRequest => ({
    ...{
      method: 'POST',
      target: '/in/t?a=1',
      headers: ['X', '1', 'x', '\u00ff'],
      peer: '10.0.0.1',
      client: '192.0.2.1',
    },
    ...{ body: Buffer.from(body), receivedAt: world.now() },
  })
  const listed = (sourceId: SourceId) => store.quarantine.list(sourceId, everything)
  return { world, source: await newSource(), newSource, quarantine, request, listed, outcomes }
}

test('a refused request is on disk when it is told to be kept, as it came', async () => {
  const { quarantine, source, request } = await setting()
  const came = request(Uint8Array.of(0xff, 0x00, 0x0a))
  const keeping = await quarantine.keep(source.id, came, refusal())
  assert.ok(keeping.kind === 'kept')
  const { body: _, ...rest } = came
  assert.deepEqual(await store.quarantine.find(source.id, keeping.id), {
    ...{ id: keeping.id, sourceId: source.id, request: { ...rest, verification: refusal() }, acknowledged: false },
    ...{
      payload: '/wAK',
      encoding: 'base64',
      bytes: 3 + Buffer.byteLength(JSON.stringify({ ...rest, verification: refusal() })),
    },
  })
})

test('what comes while one transaction is under way shares the next, in the order it came', async () => {
  const transactions: number[] = []
  const { quarantine, source, newSource, request, listed } = await setting(undefined, {
    keep: (rows, caps) => {
      transactions.push(rows.length)
      return store.quarantine.keep(rows, caps)
    },
  })
  const other = await newSource()
  const bodies = Array.from({ length: 60 }, (_, at) => `${at}`)
  const keep = (body: string) => quarantine.keep(source.id, request(body), refusal())
  const first = keep('first')
  await new Promise((resolve) => setImmediate(resolve))
  await Promise.all([first, ...bodies.map(keep), quarantine.keep(other.id, request(), refusal())])
  assert.deepEqual(transactions, [1, 61])
  const rows = await store.quarantine.oldest(source.id, '', 100, 1 << 20)
  assert.deepEqual(
    rows.map(({ payload }) => payload),
    ['first', ...bodies],
  )
  assert.equal((await listed(other.id)).length, 1)
})

test('a flood keeps a hundred at once and twenty a second after that, of each source for itself', async () => {
  const { quarantine, source, newSource, request, listed, world, outcomes } = await setting()
  const flood = (sourceId: SourceId, count = 1_000) =>
    Promise.all(Array.from({ length: count }, () => quarantine.keep(sourceId, request('{}'), refusal())))
  await flood(source.id)
  const atOnce = (await listed(source.id)).length
  assert.ok(atOnce >= 100 && atOnce <= 102, `${atOnce}`)
  assert.deepEqual(outcomes, { kept: atOnce, 'too-many': 1_000 - atOnce })
  await world.advance(1_000)
  await flood(source.id)
  assert.equal((await listed(source.id)).length, atOnce + 20)
  const other = await newSource()
  await flood(other.id, 10)
  assert.equal((await listed(other.id)).length, 10)
})

test('large requests use up the allowance of many small ones', async () => {
  const { quarantine, source, request } = await setting()
  const outcomes: string[] = []
  for (let at = 0; at < 4; at++) {
    outcomes.push((await quarantine.keep(source.id, request('x'.repeat(1 << 20)), refusal())).kind)
  }
  assert.deepEqual(outcomes, ['kept', 'kept', 'not-kept', 'not-kept'])
})

test('a request that alone is over the cap is not kept, and pushes nobody out', async () => {
  const { quarantine, source, request, listed, outcomes } = await setting({ count: 10, bytes: 2_000, age: 1_000 })
  await quarantine.keep(source.id, request('small'), refusal())
  const keeping = await quarantine.keep(source.id, request('x'.repeat(2_001)), refusal())
  assert.deepEqual(keeping, { kind: 'not-kept', because: 'too-large' })
  assert.deepEqual(outcomes, { kept: 1, 'too-large': 1 })
  assert.equal((await listed(source.id)).length, 1)
})

test('what the sender is told is stored is always kept: no flood, no cap and no size takes it', async () => {
  const { quarantine, source, request, listed } = await setting({ count: 3, bytes: 2_000, age: 1_000 })
  const promised = await quarantine.keep(source.id, request('x'.repeat(5_000)), refusal('schema-violated'))
  await Promise.all(Array.from({ length: 200 }, () => quarantine.keep(source.id, request(), refusal())))
  const again = await quarantine.keep(source.id, request(), refusal('schema-violated'))
  const ids = (await listed(source.id)).map(({ id }) => id)
  assert.ok(promised.kind === 'kept' && again.kind === 'kept')
  assert.ok(ids.includes(promised.id) && ids.includes(again.id))
  assert.equal(ids.length, 5)
})

test('where the store fails, nobody is told that it was kept, and the next is kept again', async () => {
  let broken = true
  const { quarantine, source, request, listed } = await setting(undefined, {
    keep: (rows, caps) => (broken ? Promise.reject(new Error('disk full')) : store.quarantine.keep(rows, caps)),
  })
  const unavailable = (error: Problem) => error.code === 'unavailable'
  await assert.rejects(quarantine.keep(source.id, request(), refusal('schema-violated')), unavailable)
  broken = false
  assert.equal((await quarantine.keep(source.id, request(), refusal())).kind, 'kept')
  assert.equal((await listed(source.id)).length, 1)
})

/** Releases by what the body says, and remembers in which order it was asked. */
function releasing(asked: string[], of: (body: string) => Released | Promise<Released>) {
  return async (_: Source, __: string, request: InboundRequest): Promise<Released> => {
    const body = Buffer.from(request.body).toString()
    asked.push(body)
    return of(body)
  }
}

test('a round releases what passes in the order it came, drops what was a message already, and leaves the rest', async () => {
  const { quarantine, source, request, listed, world } = await setting()
  for (const body of ['stored 1', 'refused', 'duplicate', 'stored 2']) {
    await quarantine.keep(source.id, request(body), refusal())
    await world.advance(10)
  }
  const asked: string[] = []
  const release = releasing(asked, (body) => body.split(' ')[0] as Released)
  const reverify = makeReverify({ store: store.quarantine, world, release })
  assert.deepEqual(await reverify(source, ''), { checked: 4, released: 2, duplicates: 1, remaining: 1, next: null })
  assert.deepEqual(asked, ['stored 1', 'refused', 'duplicate', 'stored 2'])
  assert.deepEqual((await listed(source.id)).length, 1)
})

test('a round over more than it has time for says where the next one goes on', async () => {
  const { quarantine, source, request, world } = await setting()
  for (let at = 0; at < 250; at++) {
    await quarantine.keep(source.id, request(`${at}`), refusal('schema-violated'))
  }
  const asked: string[] = []
  const release = releasing(asked, (body) => {
    if (body === '120') void world.leap(11_000)
    return 'refused'
  })
  const reverify = makeReverify({ store: store.quarantine, world, release })
  const first = await reverify(source, '')
  assert.deepEqual([first.checked, first.remaining], [200, 250])
  assert.ok(first.next !== null)
  const second = await reverify(source, first.next)
  assert.deepEqual([second.checked, second.next], [50, null])
  assert.deepEqual(
    asked,
    Array.from({ length: 250 }, (_, at) => `${at}`),
  )
})

test('where accepting fails, what was released before is gone from the quarantine and the rest is there', async () => {
  const { quarantine, source, request, world, listed } = await setting()
  for (const body of ['stored', 'fails', 'stored later']) await quarantine.keep(source.id, request(body), refusal())
  let broken = true
  const release = releasing([], (body) => {
    if (broken && body === 'fails') throw new Error('no')
    return 'stored'
  })
  const reverify = makeReverify({ store: store.quarantine, world, release })
  await assert.rejects(reverify(source, ''), /no/)
  assert.equal((await listed(source.id)).length, 2)
  broken = false
  assert.deepEqual(await reverify(source, ''), { checked: 2, released: 2, duplicates: 0, remaining: 0, next: null })
})

test('two rounds at once release each request once', async () => {
  const { quarantine, source, request, world } = await setting()
  for (let at = 0; at < 20; at++) await quarantine.keep(source.id, request(`${at}`), refusal())
  const asked: string[] = []
  const release = releasing(asked, async (): Promise<Released> => {
    await new Promise((resolve) => setImmediate(resolve))
    return 'stored'
  })
  const reverify = makeReverify({ store: store.quarantine, world, release })
  const [one, other] = await Promise.all([reverify(source, ''), reverify(source, '')])
  assert.deepEqual([one.released, other.released], [20, 0])
  assert.equal(asked.length, 20)
})

test('what comes while a round is under way is left to the next', async () => {
  const { quarantine, source, request, world } = await setting()
  await quarantine.keep(source.id, request('first'), refusal())
  await world.advance(1)
  const release = releasing([], async (): Promise<Released> => {
    await world.advance(1)
    await quarantine.keep(source.id, request('more'), refusal())
    return 'stored'
  })
  const reverify = makeReverify({ store: store.quarantine, world, release })
  const { released, remaining } = await reverify(source, '')
  assert.deepEqual([released, remaining], [1, 1])
})
