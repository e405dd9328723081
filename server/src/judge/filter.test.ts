import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { readFilter } from './filter.ts'
import { filterContext } from './filter-context.ts'

const facts = { eventType: 'invoice.paid', channels: ['eu', 'vip'], tags: ['q3'], contentType: null }

function judged(filter: string, payload: unknown) {
  const read = readFilter(filter)
  assert.ok(read.kind === 'ready', `${filter}: ${read.kind === 'faulty' ? read.fault.message : ''}`)
  return read.judge(
    filterContext({ ...facts, payload: typeof payload === 'string' ? payload : JSON.stringify(payload) }),
  )
}

function fault(filter: string) {
  const read = readFilter(filter)
  assert.equal(read.kind, 'faulty', filter)
  return read.kind === 'faulty' ? read.fault : { message: '', at: null }
}

test('a filter sees type, channels, tags, headers and every part of the payload', () => {
  const payload = {
    total: 250,
    currency: 'EUR',
    lines: [{ sku: 'a' }, { sku: 'b', n: 2 }],
    buyer: { vip: true, note: null },
  }
  for (const filter of [
    'type == "invoice.paid" && type.startsWith("invoice.")',
    '"eu" in channels && !("us" in channels) && tags == ["q3"]',
    'headers["content-type"] == "application/json"',
    'payload.total > 100 && payload.currency in ["EUR", "USD"]',
    'payload.lines.exists(line, line.sku == "b") && payload.lines.size() == 2',
    'payload.lines.all(line, has(line.sku)) && payload.lines[1].n == 2',
    'payload.buyer.vip && payload.buyer.note == null && !has(payload.buyer.name)',
    'payload.currency.matches("^E[A-Z]+$") && payload.currency.lowerAscii() == "eur"',
    'payload.lines.map(line, line.sku) == ["a", "b"] && payload.exists(name, name == "total")',
  ]) {
    assert.deepEqual(judged(filter, payload), { kind: 'yes' }, filter)
    assert.deepEqual(judged(`!(${filter})`, payload), { kind: 'no' }, filter)
  }
})

test('whole numbers are exact up to 64 bits, where JSON.parse alone would round them', () => {
  const payload =
    '{"id":12345678901234567,"most":18446744073709551615,"text":"12345678901234568","list":[9007199254740993]}'
  assert.deepEqual(judged('payload.id == 12345678901234567', payload), { kind: 'yes' })
  assert.deepEqual(judged('payload.id == 12345678901234568', payload), { kind: 'no' })
  assert.deepEqual(judged('payload.most == 18446744073709551615u', payload), { kind: 'yes' })
  assert.deepEqual(judged('payload.text == "12345678901234568"', payload), { kind: 'yes' })
  assert.deepEqual(judged('payload.list[0] == 9007199254740993', payload), { kind: 'yes' })
})

test('a number beyond 64 bits is an error where it is looked at, not a number near it', () => {
  const payload = '{"huge":123456789012345678901234567890,"small":1}'
  const verdict = judged('payload.huge > 5', payload)
  assert.ok(verdict.kind === 'failed' && verdict.reason.includes('beyond 64 bits'))
  assert.deepEqual(judged('payload.small == 1', payload), { kind: 'yes' })
})

test('whole and broken numbers compare with one another; to reckon with both, one says double()', () => {
  assert.deepEqual(judged('payload.a > 1 && payload.a == 1.5 && payload.b == 2.0', { a: 1.5, b: 2 }), { kind: 'yes' })
  assert.equal(judged('payload.a * 2 > 2', { a: 1.5 }).kind, 'failed')
  assert.deepEqual(judged('double(payload.b) * 1.5 == 3.0', { b: 2 }), { kind: 'yes' })
})

test('whole and broken numbers are ordered exactly, however near they are', () => {
  for (const filter of [
    '9007199254740993 > 9007199254740992.0 && 9007199254740992.0 < 9007199254740993',
    '!(9223372036854775808.0 <= 9223372036854775807) && 9223372036854775807 <= 9223372036854775808.0',
    '18446744073709551615u < 18446744073709551616.0 && 18446744073709551616.0 >= 18446744073709551615u',
    '!(1 < 1.0) && 1 <= 1.0 && 1u >= 1.0 && !(2.0 > 2u)',
  ])
    assert.deepEqual(judged(filter, {}), { kind: 'yes' }, filter)
})

test('texts are ordered by code points, as in other languages of CEL, and not by the halves that JavaScript has of them', () => {
  const texts = ['', 'a', 'ab', 'b', '\ud800', '\uffee', '\uffee!', '😀', '😀!', '😁']
  for (const [at, a] of texts.entries()) {
    for (const [other, b] of texts.entries()) {
      const seen = ['<', '<=', '>', '>='].map((sign) => judged(`payload.a ${sign} payload.b`, { a, b }).kind)
      const right = [at < other, at <= other, at > other, at >= other].map((holds) => (holds ? 'yes' : 'no'))
      assert.deepEqual(seen, right, `"${a}", "${b}"`)
    }
  }
})

test('what cannot be worked out for a message says why, and is neither yes nor no', () => {
  for (const [filter, why] of [
    ['payload.missing > 1', /missing/],
    ['payload.text > 1', /overload/],
    ['payload.text', /neither true nor false/],
    ['payload.text.matches(payload.bad)', /regexp/],
  ] as const) {
    const verdict = judged(filter, { text: 'x', bad: '(' })
    assert.ok(verdict.kind === 'failed' && why.test(verdict.reason), JSON.stringify(verdict))
  }
})

test('members that are called like parts of JavaScript are only members', () => {
  const payload = '{"__proto__":{"admin":true},"constructor":1}'
  assert.deepEqual(judged('payload.__proto__.admin && payload.constructor == 1', payload), { kind: 'yes' })
  for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
    assert.deepEqual(judged(`has(payload.${name})`, {}), { kind: 'no' }, name)
    assert.deepEqual(judged(`"${name}" in payload`, {}), { kind: 'no' }, name)
  }
})

test('a body that is not JSON is a text to a filter', () => {
  assert.deepEqual(judged('payload.contains("<feed")', '<feed/>'), { kind: 'yes' })
})

test('the base64 of bytes is a text to a filter, also where it could be read as a number', () => {
  for (const encoding of ['base64', 'text'] as const) {
    const { payload } = filterContext({ ...facts, payload: '1234', encoding })
    assert.equal(payload, '1234')
  }
  assert.equal(filterContext({ ...facts, payload: '1234', encoding: null }).payload, 1234n)
  for (const payload of ['0900719925474099', '{"":0547409254740993}', '{3372036854775808:1}'])
    assert.equal(filterContext({ ...facts, payload, encoding: null }).payload, payload, 'is no JSON, but a text')
})

test('a filter that can never work is refused with the place and the reason', () => {
  for (const [filter, at, why] of [
    ['payload.total >', 14, /found >/],
    ['totl > 1', 0, /totl is not known here/],
    ['payload.x.nope() == 1', 9, /no function nope/],
    ['"a" == type && type.matches("(?=a)")', 19, /invalid or unsupported/],
    ['1 + 1', null, /must be true or false/],
    ['"text"', null, /is of type string/],
    ['payload.items.map(x, x.id)', null, /is of type list/],
    ['true ? 1 : 2', null, /is of type int/],
    ['google.protobuf.Int32Value{value: 1} == 1', 0, /cannot be made here/],
    ['', null, /empty/],
    [`${'('.repeat(40)}true${')'.repeat(40)}`, 32, /more than 32 deep/],
    [`type == "${'x'.repeat(4_100)}"`, 4_096, /longer than 4096/],
  ] as const) {
    const found = fault(filter)
    assert.match(found.message, why, filter)
    assert.equal(found.at, at, `${filter}: ${found.message}`)
  }
})

test('lists may be walked through inside one another twice, one after the other as often as one likes', () => {
  const inside = (depth: number): string => (depth === 0 ? 'true' : `payload.l.all(x${depth}, ${inside(depth - 1)})`)
  assert.equal(readFilter(inside(2)).kind, 'ready')
  assert.match(fault(inside(3)).message, /inside one another/)
  assert.equal(readFilter('payload.l.map(a, a).map(b, b).map(c, c).exists(d, d == 1)').kind, 'ready')
})

test('what makes much out of little is not there: a single huge value would end the process, not the thread', () => {
  for (const filter of [
    'payload.s.replace("a", payload.s) == ""',
    '[payload.s].join(payload.s) == ""',
    '"%s".format([payload.s]) == ""',
  ]) {
    assert.match(fault(filter).message, /no function/, filter)
  }
  const doubled = Array.from({ length: 30 }, () => 'payload.s').join(' + ')
  const verdict = judged(`(${doubled}).size() > 0`, { s: 'x'.repeat(100_000) })
  assert.ok(verdict.kind === 'failed' && verdict.reason.includes('more than 1048576'), JSON.stringify(verdict))
  assert.equal(judged('bytes(payload.s).size() > 0', { s: 'x'.repeat(5_000) }).kind, 'failed')
  assert.equal(judged('bytes(payload.s) == b"\\xc3\\xbf"', { s: 'ÿ' }).kind, 'yes')
})

test('the examples of the guide are filters, and do what they look like', () => {
  const guide = readFileSync(new URL('../../../docs/filters.md', import.meta.url), 'utf8')
  const examples =
    guide
      .match(/```cel\n(.*?)```/s)?.[1]
      ?.trim()
      .split('\n') ?? []
  const payload = {
    ...{
      total: 100,
      currency: 'CHF',
      customer: { vip: true },
      email: 'Ann@ACME.example',
      paidAt: '2026-05-01T00:00:00Z',
    },
    lines: [{ sku: 'book-1', quantity: 1 }],
  }
  assert.equal(examples.length, 8)
  for (const filter of examples) assert.deepEqual(judged(filter, payload), { kind: 'yes' }, filter)
})
