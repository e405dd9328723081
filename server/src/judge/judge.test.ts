import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { testWorld } from '../../test/support/world.ts'
import type { Problem } from '../domain/problem.ts'
import type { FilterVerdict, Judge } from '../ports/judge.ts'
import { realWorld } from '../world.ts'
import { longestJudged, makeJudge } from './judge.ts'

// The clock of the machine: what is held here is that nothing takes for ever, and who has to wait for whom.
const judge = makeJudge(realWorld)
after(() => judge.close())

const facts = { eventType: 'invoice.paid', channels: null, tags: null, contentType: null }
const numbers = (length: number): string => JSON.stringify({ l: Array.from({ length }, (_, index) => index), s: 'a' })
// Nine million rounds; an ordinary filter takes a thousandth of the time one is given.
const endless = (mark: string): string => `payload.l.all(a, payload.l.all(b, a + b >= 0)) || type == "${mark}"`
const ordinary = 'payload.l.size() > 5 && type.startsWith("invoice.")'

async function verdict(filter: string, payload: string, by: Judge = judge, asker = 'a'): Promise<FilterVerdict> {
  const [only] = await by.filter(asker, [filter], { ...facts, payload })
  assert.ok(only)
  return only
}

test('a filter that goes on for ever is given up, and those that waited behind it are asked again', async () => {
  const payload = numbers(3_000)
  const [hung, together, behind] = await Promise.all([
    verdict(endless('hung'), payload),
    judge.filter('a', [ordinary, endless('together'), ordinary], { ...facts, payload }),
    verdict(ordinary, payload),
  ])
  assert.equal(hung.kind, 'too-costly')
  assert.deepEqual(
    together.map(({ kind }) => kind),
    ['yes', 'too-costly', 'yes'],
  )
  assert.deepEqual(behind, { kind: 'yes' })
})

test('the main thread goes on meanwhile', async () => {
  const judging = verdict(endless('meanwhile'), numbers(3_000))
  let turns = 0
  let done = false
  judging.finally(() => {
    done = true
  })
  while (!done) {
    await turn()
    turns += 1
  }
  assert.equal((await judging).kind, 'too-costly')
  // Blocked for the tenth of a second that it takes at least, there would be a handful.
  assert.ok(turns > 50, `${turns} turns`)
})

test('a regular expression of a schema that explodes is given up like anything else', async () => {
  const schema = JSON.stringify({ properties: { s: { pattern: '^(a+)+$' } } })
  const payload = JSON.stringify({ s: `${'a'.repeat(60)}!` })
  assert.equal((await judge.schema('a', schema, { payload, contentType: null })).kind, 'too-costly')
})

test('a filter that piles up memory is given up, and the process lives on', async () => {
  const hoard = 'payload.l.map(a, payload.l.map(b, [a, b, payload.s + "x", [a, b, a, b]])).size() < 0'
  const found = await verdict(hoard, numbers(3_000))
  assert.notEqual(found.kind, 'yes')
  assert.deepEqual(await verdict(ordinary, numbers(10)), { kind: 'yes' })
})

test('schemas that branch without end, huge enums and deep payloads come to an end', async () => {
  const branch = (levels: number): unknown =>
    levels === 0 ? { $ref: '#/$defs/leaf' } : { anyOf: [branch(levels - 1), branch(levels - 1)] }
  const wide = JSON.stringify({ items: branch(10), $defs: { leaf: { type: 'string' } } })
  const rounds = JSON.stringify({
    $ref: '#/$defs/a',
    $defs: {
      a: { anyOf: [{ properties: { n: { $ref: '#/$defs/a' } }, required: ['n'] }, { $ref: '#/$defs/b' }] },
      b: { allOf: [{ $ref: '#/$defs/a' }] },
    },
  })
  const enums = JSON.stringify({
    additionalProperties: { enum: Array.from({ length: 20_000 }, (_, index) => `value ${index}`) },
  })
  const deep = `{"n":${'['.repeat(50_000)}1${']'.repeat(50_000)}}`
  for (const [schema, payload] of [
    [wide, JSON.stringify(Array.from({ length: 50_000 }, (_, index) => index))],
    [rounds, '{"n":{"n":{"n":{}}}}'],
    [enums, JSON.stringify(Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`k${index}`, index])))],
    [JSON.stringify({ properties: { n: { items: { $ref: '#/properties/n' } } } }), deep],
  ] as const) {
    const found = await judge.schema('a', schema, { payload, contentType: null })
    assert.notEqual(found.kind, 'fits', schema.slice(0, 60))
  }
  assert.notEqual((await verdict('payload.n[0][0][0] == 1', deep)).kind, 'yes')
})

test('the base64 of bytes fits no schema, also where it could be read as a number', async () => {
  const about = async (encoding: 'text' | 'base64' | null) =>
    (await judge.schema('a', '{"type":"integer"}', { payload: '1234', contentType: null, encoding })).kind
  assert.deepEqual([await about('base64'), await about('text'), await about(null)], ['misfits', 'misfits', 'fits'])
})

test('a payload of a megabyte is judged, one beyond what fits is not', async () => {
  const items = Array.from({ length: 40_000 }, (_, id) => ({ id, name: `item ${id}` }))
  const payload = JSON.stringify({ items, total: 1 })
  assert.ok(payload.length > 1 << 20)
  assert.deepEqual(await verdict('payload.items[39999].id == 39999 && payload.total == 1', payload), { kind: 'yes' })
  const tooLong = await verdict('true', JSON.stringify({ s: 'x'.repeat(longestJudged) }))
  assert.ok(tooLong.kind === 'failed' && tooLong.reason.includes('longer than'))
})

test('who asks for hours of work holds up nobody else for longer than one turn', async () => {
  const shared = makeJudge(realWorld)
  const payload = numbers(382)
  const costly = Array.from({ length: 40 }, (_, nth) => endless(`${nth}`))
  let done = 0
  const asked = Array.from({ length: 20 }, () =>
    shared.filter('a', costly, { ...facts, payload }).then(
      () => {
        done += 1
      },
      () => {},
    ),
  )
  assert.deepEqual(await verdict(ordinary, payload, shared, 'b'), { kind: 'yes' })
  assert.equal(done, 0)
  assert.deepEqual(await verdict(ordinary, payload, shared, 'c'), { kind: 'yes' })
  assert.equal(done, 0)
  await shared.close()
  await Promise.all(asked)
})

test('who was too costly twice is not asked for a while, and after that is', async () => {
  const world = testWorld()
  const patient = makeJudge(world)
  const payload = numbers(3_000)
  // Time must pass for it to be noticed, and it passes here only when the test says so.
  const hung = async (): Promise<FilterVerdict> => {
    const asked = verdict(endless('again'), payload, patient)
    let found: FilterVerdict | null = null
    asked.then((verdict) => {
      found = verdict
    })
    while (found === null) await world.advance(10)
    return found
  }
  try {
    for (let time = 0; time < 2; time++) assert.equal((await hung()).kind, 'too-costly')
    const unasked = await verdict(endless('again'), payload, patient)
    assert.ok(unasked.kind === 'too-costly' && unasked.reason.includes('not tried before'), JSON.stringify(unasked))
    await world.advance(1_000)
    assert.deepEqual(await verdict(endless('again'), numbers(3), patient), { kind: 'yes' })
    assert.deepEqual(await verdict(endless('again'), numbers(3), patient), { kind: 'yes' })
  } finally {
    await patient.close()
  }
})

test('time that the thread did not use is not held against it, however the clock runs', async () => {
  const world = testWorld()
  const patient = makeJudge(world)
  try {
    await verdict(ordinary, numbers(10), patient)
    const payload = numbers(100_000)
    const asked = Promise.all(Array.from({ length: 10 }, () => verdict(ordinary, payload, patient)))
    let done = false
    asked.finally(() => {
      done = true
    })
    while (!done) await world.leap(60_000)
    assert.ok((await asked).every(({ kind }) => kind === 'yes'))
  } finally {
    await patient.close()
  }
})

test('more than can wait is refused with 503, and nothing of what waits is lost', async () => {
  const busy = makeJudge(realWorld)
  try {
    const times = (count: number, asker: string) =>
      Array.from({ length: count }, () => verdict('true', '{}', busy, asker))
    const refused = (asker: string) =>
      assert.rejects(verdict('true', '{}', busy, asker), (error: Problem) => error.code === 'unavailable')
    const asked = times(5_000, 'a')
    await refused('a')
    // Half of the room is kept for others.
    asked.push(...times(4_000, 'b'), ...times(1_000, 'c'))
    await refused('d')
    assert.ok((await Promise.all(asked)).every(({ kind }) => kind === 'yes'))
    assert.deepEqual(await verdict('true', '{}', busy), { kind: 'yes' })
  } finally {
    await busy.close()
  }
})

test('what waits when it is closed is answered 503', async () => {
  const closing = makeJudge(realWorld)
  const asked = verdict('true', '{}', closing)
  await Promise.all([assert.rejects(asked, (error: Problem) => error.code === 'unavailable'), closing.close()])
  await assert.rejects(verdict('true', '{}', closing), (error: Problem) => error.code === 'unavailable')
})

test('a filter that takes too long to read is refused, not waited for', async () => {
  const fault = await judge.filterFault('a', `payload${'.a'.repeat(2_040)} == 1`)
  assert.ok(fault === null || fault.message.includes('more time'), JSON.stringify(fault))
  assert.equal((await judge.filterFault('a', 'totl > 1'))?.at, 0)
})
