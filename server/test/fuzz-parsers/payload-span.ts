import { readMessage } from '../../src/api/rest/message-body.ts'
import { pointerTo, stepsOf } from '../../src/domain/json-pointer.ts'
import { sliceItems, slicePath, sliceValue } from '../../src/domain/payload.ts'
import { Problem } from '../../src/domain/problem.ts'
import { readJson } from '../../src/domain/read-json.ts'
import { JsonText } from '../../src/inbound/reading/json-text.ts'
import { attempt, type Fuzzer, hold } from './fuzzer.ts'
import { jsonText, jsonWords, keysMayBeEscaped } from './json-maker.ts'

const asked = ['payload', 'messages', 'a', '', '__proto__', 'pa"y']
// Printing it again, which the judge does, goes down the stack; the parser itself does not.
const deepest = 500

/** JSON is cut by spans, never printed again: each span must be exactly what JSON.parse took for the value. */
export const payloadSpan: Fuzzer = {
  name: 'payload-span',
  about:
    'cutting values out of JSON text, the publish body: by JSON.parse, with a mark set in place of what was cut out',
  words: jsonWords,
  make: (chance) =>
    chance.comesTrue(0.5)
      ? jsonText(chance, 4)
      : `{"eventType":"a.b",${chance.comesTrue(0.5) ? '"tags":["x"],' : ''}"payload":${jsonText(chance)}${chance.comesTrue(0.3) ? `,"payload" : ${jsonText(chance)}` : ''}}`,
  judge: (text) => {
    const published = attempt(() => readMessage(text), codeOf)
    const parsed = new JsonText(text).parsed()
    if (parsed === null) {
      hold('refused' in published && published.refused === 'body-malformed', () => 'what is no JSON was taken')
      return 'no JSON'
    }
    hold(!('refused' in published) || published.refused !== 'body-malformed', () => 'JSON was called malformed')
    const { value } = parsed
    hold(keysMayBeEscaped(text) || print(JSON.parse(text)) === print(value), () => 'it is read as another value')
    if (depthOf(text) > deepest) return `deep ${kindOf(value)}`
    const found = asked.map((key) => judgeMember(text, value, key))
    judgeItems(text, value)
    for (const pointer of pointersInto(value)) judgePointer(text, value, pointer)
    if (!('refused' in published) && isObject(value)) {
      const { payload, contentType } = published.value.fact
      if (contentType === null && value.transformationsParams == null) {
        hold(print(readJson(payload)) === print(value.payload), () => 'another payload was published')
        hold(text.includes(payload), () => 'the published payload is spelled otherwise')
      }
    }
    const told = 'refused' in published ? published.refused : 'published'
    const escaped = /\\u/.test(text) ? ' escaped' : ''
    const twice = (text.match(/"payload"/g) ?? []).length > 1 ? ' twice' : ''
    return `${kindOf(value)} ${found.join('')} ${told}${escaped}${twice}`
  },
  longest: 1 << 19,
  read: (text) => {
    // What is no JSON is never cut.
    if (new JsonText(text).parsed() === null) return attempt(() => readMessage(text), codeOf)
    const spans = [sliceValue(text, 'payload'), sliceItems(text), slicePath(text, ['a', '*', 'b'])]
    return [spans, attempt(() => readMessage(text), codeOf)]
  },
  growths: [
    { before: '{"payload":', unit: '[', behind: '' },
    { before: '{"payload":{},"a":"', unit: '\\"', behind: '"}' },
    { before: '{"payload":{},"a":"', unit: '\\\\', behind: '"}' },
    { before: '{"a":1', unit: ',"\\u0070ayload":{}', behind: '}' },
    { before: '{"a":[0', unit: ',{"b":[]}', behind: ']}' },
    { before: '{"a":[0', unit: ',[0]', behind: ']}' },
    { before: '{"tags":[', unit: '"a",', behind: '"b"],"payload":{}}' },
    { before: '[', unit: '  ', behind: ']' },
  ],
}

const codeOf = (error: unknown): string | null => (error instanceof Problem ? error.code : null)

function judgeMember(text: string, value: unknown, key: string): string {
  const span = sliceValue(text, key)
  if (!isObject(value) || !Object.hasOwn(value, key)) {
    hold(span === null, () => `${JSON.stringify(key)} is not there, and was found`)
    return '-'
  }
  hold(span !== null, () => `${JSON.stringify(key)} was not found`)
  const replaced: unknown = readJson(text.slice(0, span.start) + mark + text.slice(span.end))
  hold(
    print(replaced) === print(withMember(value, key)) && isObject(replaced) && replaced[key] === JSON.parse(mark),
    () => `what was cut out for ${JSON.stringify(key)} is more or less than its value`,
  )
  const cut = text.slice(span.start, span.end)
  hold(
    print(readJson(cut)) === print(value[key]) && cut.trim() === cut,
    () => `${JSON.stringify(key)} is another value`,
  )
  return '+'
}

const mark = '"\\u0001 the mark"'

/** By entries, since assigning to `__proto__` would do something else. */
const withMember = (value: Readonly<Record<string, unknown>>, key: string): unknown =>
  Object.fromEntries(Object.entries(value).map(([name, one]) => [name, name === key ? JSON.parse(mark) : one]))

function judgeItems(text: string, value: unknown): void {
  const items = sliceItems(text)
  hold((items !== null) === Array.isArray(value), () => 'what is an array, and what is not, was mistaken')
  if (items === null || !Array.isArray(value)) return
  hold(items.length === value.length, () => `${value.length} items were cut into ${items.length}`)
  for (const [at, { start, end }] of items.entries()) {
    hold(print(readJson(text.slice(start, end))) === print(value[at]), () => `item ${at} is another value`)
  }
}

function judgePointer(text: string, value: unknown, pointer: string): void {
  const right = walk(value, stepsOf(pointer) ?? [])
  const spans = slicePath(text, stepsOf(pointer) ?? [])
  const cut = spans.map(({ start, end }): unknown => readJson(text.slice(start, end)))
  hold(print(cut) === print(right), () => `"${pointer}" leads elsewhere in text than in value`)
  const texts = new JsonText(text).textsAt(pointer)
  const words = right.filter((one) => one !== null)
  hold(texts.length === words.length, () => `"${pointer}" has ${texts.length} texts of ${words.length} values`)
  for (const [at, one] of words.entries()) {
    const told: unknown = typeof one === 'string' ? texts[at] : readJson(texts[at] ?? '')
    hold(print(told) === print(one), () => `a text at "${pointer}" is not that of its value`)
  }
}

/** Where pointers could lead in it: two levels, and every item at once. */
function pointersInto(value: unknown): readonly string[] {
  const first = stepsInto(value)
  const second = first.flatMap((step) => {
    const [inner] = walk(value, [step])
    return stepsInto(inner).map((next) => pointerTo(pointerTo('', step), next))
  })
  return ['', '/nowhere', ...first.map((step) => pointerTo('', step)), ...second].slice(0, 24)
}

const stepsInto = (value: unknown): readonly string[] => {
  if (Array.isArray(value)) return ['*', '0', String(value.length)]
  return isObject(value) ? Object.keys(value) : []
}

function walk(value: unknown, [step, ...rest]: readonly string[]): readonly unknown[] {
  if (step === undefined) return [value]
  if (Array.isArray(value)) {
    if (step === '*') return value.flatMap((item: unknown) => walk(item, rest))
    return /^(0|[1-9]\d*)$/.test(step) && Number(step) < value.length ? walk(value[Number(step)], rest) : []
  }
  return isObject(value) && Object.hasOwn(value, step) ? walk(value[step], rest) : []
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const kindOf = (value: unknown): string => (value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value)
const print = (value: unknown): string => String(JSON.stringify(value))

function depthOf(text: string): number {
  let [depth, most] = [0, 0]
  for (const sign of text) {
    if (sign === '[' || sign === '{') most = Math.max(most, ++depth)
    else if (sign === ']' || sign === '}') depth -= 1
  }
  return most
}
