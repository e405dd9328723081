import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { firstIdAt, type IdKind, isId, makeIds, timeOfId } from './ids.ts'

const kinds: readonly IdKind[] = ['environment', 'application', 'endpoint', 'message', 'attempt', 'key', 'lease']
/** A clock that does what clocks do: stand, jump ahead, go back. */
const clocks = fc.array(fc.integer({ min: 0, max: 4e12 }), { minLength: 1, maxLength: 200 })

function made(clock: readonly number[], bytes: (size: number) => Uint8Array = randomBytes): readonly string[] {
  let now = 0
  const newId = makeIds(() => now, bytes)
  return clock.map((moment) => {
    now = moment
    return newId('message')
  })
}

test('ids sort as text in the order they were made, whatever the clock does', () => {
  fc.assert(
    fc.property(clocks, (clock) => {
      const list = made(clock)
      assert.deepEqual(list, [...list].sort())
      assert.equal(new Set(list).size, list.length)
    }),
  )
})

test('order does not need the dice: with equal random bytes ids still differ and sort', () => {
  fc.assert(
    fc.property(clocks, (clock) => {
      const list = made(clock, (size) => new Uint8Array(size))
      assert.deepEqual(list, [...new Set(list)].sort())
    }),
  )
})

test('an id is its prefix and 27 base62 characters, for every kind and any moment', () => {
  fc.assert(
    fc.property(fc.constantFrom(...kinds), fc.integer({ min: 0, max: 4e12 }), (kind, now) => {
      const newId = makeIds(() => now, randomBytes)
      for (const id of [newId(kind), newId(kind)]) {
        assert.match(id, /^[a-z]+_[0-9A-Za-z]{27}$/)
        for (const other of kinds) assert.equal(isId(other, id), other === kind)
      }
    }),
  )
})

test('a quarter of a million ids in one millisecond stay unique and in order, beyond what the order digits hold', () => {
  const newId = makeIds(
    () => 1_700_000_000_000,
    (size) => new Uint8Array(size),
  )
  let last = ''
  let disordered = 0
  for (let n = 0; n < 250_000; n++) {
    const id = newId('message')
    if (id <= last) disordered++
    last = id
  }
  assert.equal(disordered, 0)
})

test('two processes in the same millisecond make different ids', () => {
  const clock = Array.from({ length: 1_000 }, () => 1_700_000_000_000)
  const list = [...made(clock), ...made(clock)]
  assert.equal(new Set(list).size, list.length)
})

test('every digit of the random part is used about equally often', () => {
  const counts = new Map<string, number>()
  for (const id of made(Array.from({ length: 20_000 }, () => 1_700_000_000_000))) {
    for (const digit of id.slice(-16)) counts.set(digit, (counts.get(digit) ?? 0) + 1)
  }
  const expected = (20_000 * 16) / 62
  assert.equal(counts.size, 62)
  // Six standard deviations: one false alarm in millions of runs.
  for (const [digit, count] of counts)
    assert.ok(Math.abs(count - expected) < 6 * Math.sqrt(expected), `${digit}: ${count}`)
})

test('the first id at a moment parts the ids made before it from those made at it or after', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 4e12 }), fc.nat(1_000), (moment, later) => {
      const border = firstIdAt('message', moment)
      assert.ok(isId('message', border))
      assert.ok((made([moment - 1])[0] ?? '') < border)
      assert.ok((made([moment + later])[0] ?? '') >= border)
    }),
  )
})

test('moments outside the calendar of ids are taken as its ends', () => {
  assert.equal(firstIdAt('message', -1), firstIdAt('message', 0))
  assert.ok(isId('message', firstIdAt('message', Number.MAX_SAFE_INTEGER)))
  assert.equal(firstIdAt('message', 0.5), firstIdAt('message', 1))
})

test('what only resembles an id is none: it may be the uid of a caller', () => {
  const id = makeIds(() => 1, randomBytes)('application')
  for (const text of [
    id.slice(0, -1),
    `${id}0`,
    id.slice(4),
    `ep_${id.slice(4)}`,
    `${id}\n`,
    id.replace(/.$/, '-'),
    'app_',
    '',
  ]) {
    assert.equal(isId('application', text), false, text)
  }
})

test('when an id was made can be read off it', () => {
  for (const at of [0, 1, Date.UTC(2026, 1, 3, 4, 5, 6, 7)]) {
    const newId = makeIds(
      () => at,
      (size) => new Uint8Array(size),
    )
    assert.equal(timeOfId(newId('message')), at)
  }
})
