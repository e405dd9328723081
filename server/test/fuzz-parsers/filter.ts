import { type Filter, readFilter } from '../../src/judge/filter.ts'
import { filterContext } from '../../src/judge/filter-context.ts'
import type { Chance } from '../faults/chance.ts'
import { type Fuzzer, fieldsOf, hold, inputOf } from './fuzzer.ts'
import { jsonText } from './json-maker.ts'
import { naively, payloadOf } from './naive-filter.ts'

const members = ['a', 'b', 'c', 'payload', 'length']
const texts = ['"x"', '""', '"order.paid"', '"a"', '"\\"', '"😀"', '"é"', '"\uffee"']
const ints = ['0', '1', '2', '-1', '9223372036854775807', '9007199254740993', '9007199254740993', '1.5', '1.0']
const types = ['order.paid', 'x', 'a.b.c']

/** Filters are parsed, checked and compiled once, then asked for each message: they must say what the text means. */
export const filter: Fuzzer = {
  name: 'filter',
  about: 'CEL filters over payloads: by a reading of our own of the common part of the language, worked out naively',
  words: [
    ...[
      'payload',
      'payload.a',
      'type',
      'tags',
      'channels',
      'headers',
      '&&',
      '||',
      '!',
      '==',
      '!=',
      '<',
      '>=',
      ' in ',
      '?',
      ':',
      '[',
      ']',
      '(',
      ')',
    ],
    ...[
      'has(payload.a)',
      '.size()',
      'size(',
      '.exists(x, x == 1)',
      '.all(x, x > 0)',
      '.map(x, x)',
      '.filter(x, true)',
      '.matches("(a+)+$")',
      '.contains("a")',
    ],
    ...[
      ...texts,
      ...ints,
      'true',
      'false',
      'null',
      '0u',
      'b"a"',
      "r'\\'",
      '"""',
      'int(',
      'string(',
      'bytes(',
      'timestamp("',
      'duration("1s")',
      '{}',
      '{"a":1}',
      'dyn(',
    ],
    ...[
      '.charAt(0)',
      '.split(",")',
      '.lowerAscii()',
      '.substring(1)',
      '.trim()',
      '.indexOf("a")',
      '@',
      'google.protobuf.Any{}',
      '-9223372036854775808',
      '1e400',
      '.__proto__',
    ],
  ],
  make: (chance) => inputOf(wish(chance, 3, []), jsonText(chance, 3, members), types[chance.between(0, 2)] ?? ''),
  judge: (input) => {
    const [text = '', payload = '{}', type = 'x'] = fieldsOf(input)
    const read = readFilter(text)
    const right = payloadOf(payload)
    const context = contextOf(payload, type)
    if ('failed' in context) return `payload ${context.failed}`
    // Longer ones are refused whatever they say; and the parser of the language wants the signs of `!!` side by side.
    const naive =
      right === null || text.length > 4_096 || /!\s+!/.test(text)
        ? null
        : naively(
            text,
            new Map([
              ['type', type],
              ['tags', ['x', 'order.paid']],
              ['channels', []],
              ['headers', new Map([['content-type', 'application/json']])],
              ['payload', right.value],
            ]),
          )
    if (read.kind === 'faulty') {
      const { at, message } = read.fault
      hold(
        at === null || (at >= 0 && at <= Math.max(text.length, 4096)),
        () => `the fault is at ${at} of ${text.length}`,
      )
      hold(naive === null || naive === 'failed', () => `it is refused (${message}), and comes to "${naive}"`)
      return `faulty ${message.replaceAll(/['"].*['"]|[\d']+|\b\w+ (?=is not known)/g, '').slice(0, 16)}`
    }
    const verdict = read.judge(context.value)
    hold(['yes', 'no', 'failed'].includes(verdict.kind), () => `the verdict is ${verdict.kind}`)
    hold(naive === null || naive === verdict.kind, () => `it comes to ${verdict.kind}, and means "${naive}"`)
    const shape = [...new Set(text.match(/exists|all|has|size|in|startsWith|&&|\|\||[<>]=?|[!=]=|\?|\[/g) ?? [])]
      .sort()
      .slice(0, 1)
    return `${naive === null ? 'own' : 'both'} ${verdict.kind} ${shape.join(' ')}`
  },
  // 4,096 for a filter; the payload, which may be 4 Mi, is judged in a thread that can be ended.
  longest: 1 << 12,
  // The parser of the language looks again at spaces and chains that it has passed, and notes wherever it fails what it would
  // have liked. It reads 4,096 characters at most, in a thread that is ended after 100 ms or 256 MB, and says so.
  limits: { mostMs: 300, mostBytesPerCharacter: 32_000, mayBeSquare: true },
  read: (input) => {
    const [text = '', payload = '{}'] = fieldsOf(input)
    const read: Filter = readFilter(text)
    return read.kind === 'ready' ? read.judge(filterContext(factsOf(payload, 'x'))) : read.fault
  },
  growths: [
    { before: '"', unit: '\\', behind: '"' },
    { before: '', unit: '!', behind: 'true' },
    { before: '', unit: '"""', behind: '' },
    { before: '1', unit: '+1', behind: '==1' },
    { before: 'payload', unit: '.a', behind: '==1' },
    { before: 'true', unit: '||true', behind: '' },
    { before: inputOf('payload == 1', '['), unit: '12345678901234567,', behind: '1]' },
    { before: inputOf('payload == 1', '["'), unit: '\\"', behind: '1234567890123456"]' },
    { before: inputOf('payload == 1', '1234567890123456'), unit: '-1', behind: '' },
  ],
}

const factsOf = (payload: string, eventType: string) => ({
  eventType,
  payload,
  channels: null,
  tags: ['x', 'order.paid'],
  contentType: null,
  encoding: null,
})

/** What the thread meets at once it says of the message; here it is told apart from everything else. */
function contextOf(
  payload: string,
  type: string,
): { readonly value: ReturnType<typeof filterContext> } | { readonly failed: string } {
  try {
    return { value: filterContext(factsOf(payload, type)) }
  } catch (error) {
    if (error instanceof Error && error.message.startsWith('the payload has an integer beyond 64 bits')) {
      return { failed: 'beyond 64 bits' }
    }
    throw error
  }
}

const pick = (list: readonly string[], chance: Chance): string => list[chance.between(0, list.length - 1)] ?? ''

/** A condition, mostly of sensible types. */
function wish(chance: Chance, depth: number, local: readonly string[]): string {
  const value = (): string => operand(chance, depth - 1, local)
  switch (depth <= 0 ? chance.between(5, 8) : chance.between(0, 10)) {
    case 0:
      return `${wish(chance, depth - 1, local)} && ${wish(chance, depth - 1, local)}`
    case 1:
      return `(${wish(chance, depth - 1, local)} || ${wish(chance, depth - 1, local)})`
    case 2:
      return `!(${wish(chance, depth - 1, local)})`
    case 3: {
      const name = local.includes('x') ? 'y' : 'x'
      const kind = chance.comesTrue(0.5) ? 'exists' : 'all'
      return `${operand(chance, 0, local)}.${kind}(${name}, ${wish(chance, depth - 1, [...local, name])})`
    }
    case 4:
      return `(${wish(chance, depth - 1, local)} ? ${wish(chance, depth - 1, local)} : ${wish(chance, depth - 1, local)})`
    case 5:
      return `has(payload.${pick(members, chance)}${chance.comesTrue(0.3) ? `.${pick(members, chance)}` : ''})`
    case 6:
      return `${value()} in ${chance.comesTrue(0.5) ? `[${value()}, ${value()}]` : value()}`
    case 7:
      return `${value()}.${pick(['startsWith', 'endsWith', 'contains'], chance)}(${pick(texts, chance)})`
    default:
      return `${value()} ${pick(['==', '!=', '<', '<=', '>', '>='], chance)} ${value()}`
  }
}

function operand(chance: Chance, depth: number, local: readonly string[]): string {
  switch (chance.between(0, depth <= 0 ? 5 : 8)) {
    case 0:
      return pick(texts, chance)
    case 1:
      return pick(ints, chance)
    case 2:
      return pick([...local, 'type', 'tags', 'true', 'null'], chance)
    case 3:
      return 'payload'
    case 4:
      return `payload.${pick(members, chance)}`
    case 5:
      return `payload.${pick(members, chance)}[${pick(['0', '1', '"a"'], chance)}]`
    case 6:
      return `size(${operand(chance, 0, local)})`
    case 7:
      return `(${operand(chance, 0, local)} + ${operand(chance, 0, local)})`
    default:
      return `[${operand(chance, 0, local)}, ${operand(chance, 0, local)}]`
  }
}
