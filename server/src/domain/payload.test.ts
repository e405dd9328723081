import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { sliceItems, slicePayload, sliceValue } from './payload.ts'

// Any of the basic plane and one beyond; fast-check's own `binary` takes a second to get ready.
const anyCharacter = fc.oneof(
  fc.integer({ min: 0, max: 0xd7ff }).map((code) => String.fromCharCode(code)),
  fc.constant('🌎'),
)

/** JSON as callers may spell it: every form the grammar allows, not only the one JSON.stringify prints. */
const space = fc.string({ unit: fc.constantFrom(' ', '\n', '\r', '\t'), maxLength: 3 })

const character = fc.oneof(
  fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    ' ',
    '\\"',
    '\\\\',
    '\\/',
    '\\n',
    '\\u0041',
    '\\u0022',
    '\\u005c',
    '\\ud83c\\udf0e',
    '\\ud800',
  ),
  fc.constantFrom('a', 'é', '🌎', '\u2028', '\u007f', "'", '/'),
  fc.constantFrom('payload', '"payload":1'.replaceAll('"', '\\"')),
)
const stringText = fc.string({ unit: character, maxLength: 8 }).map((text) => `"${text}"`)
const numberText = fc.oneof(
  fc.constantFrom(
    '1.0',
    '1e3',
    '-0',
    '0.10',
    '1E+02',
    '12345678901234567890',
    '-9223372036854775808',
    '1e-400',
    '3.14159265358979323846',
  ),
  fc.integer().map(String),
)
const scalarText = fc.oneof(stringText, numberText, fc.constantFrom('true', 'false', 'null'))

const spaced = (text: fc.Arbitrary<string>) => fc.tuple(space, text, space).map((parts) => parts.join(''))
const memberText = (value: fc.Arbitrary<string>, key: fc.Arbitrary<string> = stringText) =>
  fc.tuple(space, key, space, value).map(([before, name, after, text]) => `${before}${name}${after}:${text}`)
const enclosed = (open: string, close: string, items: fc.Arbitrary<string>) =>
  fc.tuple(space, fc.array(items, { maxLength: 4 })).map(([empty, texts]) => open + (texts.join(',') || empty) + close)

const { value: valueText, object: objectText } = fc.letrec<{ value: string; array: string; object: string }>((tie) => ({
  value: fc.oneof({ maxDepth: 4, depthSize: 'small' }, scalarText, tie('array'), tie('object')),
  array: enclosed('[', ']', spaced(tie('value'))),
  object: enclosed('{', '}', memberText(spaced(tie('value')))),
}))

/** `payload` with any of its letters escaped, in either case of hexadecimal. */
const payloadKey = fc
  .array(fc.constantFrom('plain', 'lower', 'upper'), { minLength: 7, maxLength: 7 })
  .map((spellings) => {
    const letters = spellings.map((spelling, at) => {
      const letter = 'payload'.charAt(at)
      const hex = letter.charCodeAt(0).toString(16).padStart(4, '0')
      return spelling === 'plain' ? letter : `\\u${spelling === 'lower' ? hex : hex.toUpperCase()}`
    })
    return `"${letters.join('')}"`
  })
const nearlyPayload = fc.constantFrom(
  '"Payload"',
  '"payloads"',
  '"pay\\u006c"',
  '"payload\\u0000"',
  '"\\"payload\\""',
  '""',
  '"\\\\payload"',
  '"__proto__"',
)
const otherKey = fc.oneof(nearlyPayload, stringText).filter((text) => JSON.parse(text) !== 'payload')

const bodies = fc.record({
  outside: fc.tuple(space, space),
  before: fc.array(fc.oneof(memberText(spaced(valueText), otherKey), memberText(spaced(valueText), payloadKey)), {
    maxLength: 4,
  }),
  key: payloadKey,
  around: fc.tuple(space, space, space, space),
  payload: valueText,
  after: fc.array(memberText(spaced(valueText), otherKey), { maxLength: 4 }),
})

test('the payload is cut out byte for byte as it was written, whatever surrounds it and however often its key appears', () => {
  fc.assert(
    fc.property(bodies, ({ outside, before, key, around, payload, after }) => {
      const member = `${around[0]}${key}${around[1]}:${around[2]}${payload}${around[3]}`
      const text = `${outside[0]}{${[...before, member, ...after].join(',')}}${outside[1]}`
      const parsed: unknown = JSON.parse(text) // the generator speaks JSON
      const span = slicePayload(text)
      assert.ok(span !== null, text)
      const slice = text.slice(span.start, span.end)
      assert.equal(slice, payload)
      assert.deepEqual(JSON.parse(slice), (parsed as { payload: unknown }).payload)
    }),
    { numRuns: 1_000 },
  )
})

test('an object without the key has no payload, though nested objects and strings may mention it', () => {
  fc.assert(
    fc.property(fc.array(memberText(spaced(valueText), otherKey), { maxLength: 5 }), (members) => {
      assert.equal(slicePayload(`{${members.join(',')}}`), null)
    }),
    { numRuns: 500 },
  )
  assert.equal(slicePayload('{"a":{"payload":1},"b":"\\"payload\\":1","c":["payload"]}'), null)
})

test('any key can be asked for, also one that is itself full of quotes, backslashes and escapes', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.string({ unit: anyCharacter, maxLength: 6 }), { minLength: 1, maxLength: 6 }),
      objectText,
      (keys, value) => {
        const text = `{${keys.map((key, at) => `${JSON.stringify(key)}:[${at},${value}]`).join(',')}}`
        for (const [at, key] of keys.entries()) {
          const span = sliceValue(text, key)
          assert.equal(span && text.slice(span.start, span.end), `[${at},${value}]`)
        }
      },
    ),
    { numRuns: 500 },
  )
})

test('a key is compared by what it says, not by how it is spelled', () => {
  // Spelled a, backslash, b, the key in the text says a and a backspace.
  assert.equal(sliceValue('{"a\\b":1}', 'a\\b'), null)
  assert.deepEqual(sliceValue('{"a\\b":1}', 'a\b'), { start: 7, end: 8 })
  assert.deepEqual(sliceValue('{"a\\\\b":1}', 'a\\b'), { start: 8, end: 9 })
})

test('number spelling, duplicate keys, escapes and spacing inside the payload stay as they are', () => {
  const payload = '{ "id":12345678901234567890,\t"n":1.0, "e":1e3,"e":1E3, "s":"\\u0041\\/" }'
  const text = `{"eventType":"a.b","payload" :\r\n ${payload} ,"eventId":null}`
  const span = slicePayload(text)
  assert.equal(span && text.slice(span.start, span.end), payload)
})

test('what is not an object has no payload', () => {
  for (const text of ['[]', '1', '"payload"', 'null', ' [{"payload":1}] ', ''])
    assert.equal(slicePayload(text), null, text)
})

test('the items of any array are cut out as JSON.parse finds them, spelled as they were', () => {
  const space = fc.constantFrom('', ' ', '\t', '\r\n')
  const item = fc.tuple(
    fc.oneof(
      fc.jsonValue().map((value) => JSON.stringify(value)),
      fc.constantFrom('1.0', '"]"', '"\\\\\\""', '[[],{"a":"}"}]'),
    ),
    space,
    space,
  )
  fc.assert(
    fc.property(fc.array(item, { maxLength: 6 }), space, (items, around) => {
      const text = `${around}[${items.map(([value, before, after]) => before + value + after).join(',')}]${around}`
      const spans = sliceItems(text)
      const texts = spans?.map(({ start, end }) => text.slice(start, end))
      assert.deepEqual(
        texts,
        items.map(([value]) => value),
      )
      assert.deepEqual(
        texts?.map((each) => JSON.parse(each)),
        JSON.parse(text),
      )
    }),
    { numRuns: 500 },
  )
})

test('an array of nothing has no items, and what is no array has none to cut', () => {
  assert.deepEqual(sliceItems(' [ ] '), [])
  for (const text of ['{}', '1', '"[1]"', 'null', '']) assert.equal(sliceItems(text), null, text)
})

test('text that is not JSON ends the search instead of running on for ever', () => {
  fc.assert(
    fc.property(
      bodies,
      fc.nat(),
      fc.string({ unit: fc.constantFrom('{', '}', '"', '\\', ',', ':', 'p', ' '), maxLength: 5 }),
      (body, at, noise) => {
        const text = `{${body.before.join(',')},${body.key}:${body.payload}}`
        const cut = at % text.length
        const broken = text.slice(0, cut) + noise
        try {
          const span = slicePayload(broken)
          assert.ok(span === null || (span.start <= span.end && span.end <= broken.length))
        } catch (error) {
          assert.ok(error instanceof SyntaxError, 'a key with a broken escape is the only thing that is read')
        }
      },
    ),
  )
})

test('work grows with the length of the text, not with its square', () => {
  // Each would take minutes if a search went back to the start or on to the end for every key, string or backslash.
  const many = 100_000
  const texts = [
    `{${'"a-key-longer-than-payload":"x",'.repeat(many)}"payload":1}`,
    `{"a":[${'"\\\\\\\\\\"",'.repeat(many)}0],"payload":1}`,
    `{"a":"${'\\\\'.repeat(many)}","payload":1}`,
    `{"a":"${'\\"'.repeat(many)}","payload":1}`,
    `{"a":${'['.repeat(1_000)}${']'.repeat(1_000)},"payload":1}`,
  ]
  for (const text of texts) assert.deepEqual(slicePayload(text), { start: text.length - 2, end: text.length - 1 })
})
