import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { decode, decodeExactly } from '../../src/domain/decode.ts'
import { firstIdAt, isAnyId, isId, timeOfId } from '../../src/domain/ids.ts'
import { pointerTo, stepsOf } from '../../src/domain/json-pointer.ts'
import { pageOf, searchOf } from '../../src/domain/page.ts'
import { bodyOf, payloadOf } from '../../src/domain/payload-text.ts'
import { Problem } from '../../src/domain/problem.ts'
import { readJson } from '../../src/domain/read-json.ts'
import { readSecret } from '../../src/domain/secret-text.ts'
import { tokensOf } from '../../src/inbound/decoded/tokens.ts'
import { unpacked } from '../../src/inbound/decoded/unpacked.ts'
import { bodyToken } from '../../src/inbound/reading/body-token.ts'
import { readKeySet } from '../../src/inbound/verify/key-set.ts'
import { readToken } from '../../src/inbound/verify/primitives/token.ts'
import type { Chance } from '../faults/chance.ts'
import { attempt, type Fuzzer, hold } from './fuzzer.ts'

const base64url = (text: string): string => Buffer.from(text).toString('base64url')
const id = 'msg_000abcDEF123456789012345678'
const samples = [
  ...[
    base64url(`1:after:${id}`),
    base64url('1:before:order.paid'),
    base64url('1:after:'),
    base64url('2:after:x'),
    base64url('1:after:x\n'),
  ],
  ...[
    id,
    'app_zzzzzzzzzzzzzzzzzzzzzzzzzzz',
    'ep_short',
    'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
    `whsk_${Buffer.alloc(64).toString('base64')}`,
  ],
  ...[
    `whpk_${Buffer.alloc(32, 7).toString('base64')}`,
    'deadBEEF',
    'YWJj',
    'YWJj=',
    'YWI=',
    'YWJ=',
    '/a~0b/c~1d',
    '/',
    '//',
    '~',
  ],
  ...[
    `${base64url('{"alg":"HS256"}')}.${base64url('{"sub":"a","exp":1}')}.c2ln`,
    `${base64url('{"alg":"none"}')}.${base64url('{}')}.`,
  ],
  ...[
    '{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}',
    '{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB"}]}',
  ],
  ...['{"a":1}', ' [1]', '\u00ef\u00bb\u00bf{}', 'a=b', '\u00ff\u00fe', 'tr\u0000ue', '123', '-'],
]

/** What stands for something else: ids, cursors, tokens, keys, packed bodies. Decoded and encoded again it is the same, or refused. */
export const decoders: Fuzzer = {
  name: 'decoders',
  about:
    'list iterators, ids, hex and base64, secrets, tokens, key sets, JSON pointers, packed and kept bodies: by encoding again',
  words: [
    ...samples,
    '.',
    '_',
    '=',
    '-',
    '/',
    '+',
    ':',
    'eyJ',
    'msg_',
    'whsec_',
    '1:after:',
    '"alg"',
    '"crit":["x"]',
    '"__proto__"',
    'Bearer ',
  ],
  make: (chance) => {
    const sample = samples[chance.between(0, samples.length - 1)] ?? ''
    return chance.comesTrue(0.2) ? base64url(sample) : chance.comesTrue(0.2) ? jwt(chance, sample) : sample
  },
  judge: (text) =>
    [
      ...[judgeIterator(text), judgeKeyOfRow(text), judgeId(text), judgeEncodings(text), judgeSecret(text)],
      ...[judgePointer(text), judgeTokens(text), judgeBody(text), judgePacked(text)],
    ].join(' '),
  longest: 1 << 17,
  read: (text) => {
    const body = Buffer.from(text, 'latin1')
    return [
      attempt(() => searchOf({ limit: 1, iterator: text, order: 'ascending' }), codeOf),
      ...[isAnyId(text), decode(text, 'hex'), decodeExactly(text, 'base64'), decodeExactly(text, 'base64url')],
      ...[readSecret(text), stepsOf(text), readToken(text), bodyToken(text), readKeySet(text)],
      ...[
        tokensOf([{ at: 'body', value: text }]),
        payloadOf(body),
        unpacked(body, ['gzip']),
        unpacked(body, ['deflate', 'br']),
      ],
    ]
  },
  growths: [
    { before: 'eyJ', unit: '.', behind: '' },
    { before: 'eyJ', unit: 'a', behind: '.a.a ' },
    { before: 'eyJhIjoxfQ.e30.', unit: ' ', behind: 'x' },
    { before: 'Bearer', unit: ' ', behind: 'x' },
    { before: '', unit: '=', behind: 'a' },
    { before: '', unit: 'ab', behind: '!' },
    { before: '', unit: '~', behind: '' },
    { before: '', unit: '/', behind: '' },
    { before: '{"keys":[', unit: '{"kty":"EC"},', behind: '{}]}' },
    { before: '', unit: ' ', behind: '{}' },
    { before: base64url('1:after:'), unit: 'YWFh', behind: '' },
  ],
}

const codeOf = (error: unknown): string | null => (error instanceof Problem ? error.code : null)

const jwt = (chance: Chance, inner: string): string =>
  [
    base64url(chance.comesTrue(0.8) ? '{"alg":"HS256","kid":"k"}' : inner),
    base64url(chance.comesTrue(0.5) ? JSON.stringify({ nested: inner, exp: chance.between(0, 2e9) }) : inner),
    base64url(inner),
  ].join('.')

function judgeIterator(text: string): string {
  const ask = { limit: 10, iterator: text, order: 'descending' } as const
  const read = attempt(() => searchOf(ask), codeOf)
  if ('refused' in read) {
    hold(read.refused === 'iterator-invalid', () => `an iterator is refused as ${read.refused}`)
    return 'iterator-no'
  }
  const { beyond, bearing } = read.value
  hold(base64url(`1:${bearing}:${beyond}`) === text, () => `"${text}" is taken for an iterator, and is none of ours`)
  return `iterator-${bearing}`
}

/** What a list gives out leads back to the row it was made of. Keys are ids, uids and names: visible ASCII. */
function judgeKeyOfRow(key: string): string {
  if (!/^[\x21-\x7e]{1,300}$/.test(key)) return 'row-no'
  const { iterator, prevIterator } = pageOf({ limit: 1, iterator: null, order: 'ascending' }, [key], (row) => row)
  const [on, back] = [iterator, prevIterator].map((one) => searchOf({ limit: 1, iterator: one, order: 'ascending' }))
  hold(
    on?.beyond === key && back?.beyond === key,
    () => `the way on from "${key}" leads to ${on?.beyond}, ${back?.beyond}`,
  )
  hold(on.descending === false && back?.descending === true, () => 'on is back')
  return 'row'
}

function judgeId(text: string): string {
  if (!isAnyId(text)) return 'id-no'
  hold(/^[a-z]+_[0-9A-Za-z]{27}$/.test(text), () => `"${text}" is taken for an id`)
  const at = timeOfId(text)
  hold(Number.isSafeInteger(at) && at >= 0, () => `"${text}" was made at ${at}`)
  if (isId('message', text)) {
    const first = firstIdAt('message', at)
    // Behind the last millisecond that an id can tell comes none.
    const isLast = text.startsWith('msg_zzzzzzzz')
    hold(
      first <= text && (isLast || firstIdAt('message', at + 1) > text),
      () => `"${text}" is not of the millisecond ${at}`,
    )
  }
  return 'id'
}

function judgeEncodings(text: string): string {
  return (['hex', 'base64', 'base64url'] as const)
    .map((encoding) => {
      const [loose, exact] = [decode(text, encoding), decodeExactly(text, encoding)]
      hold(exact === null || loose?.equals(exact) === true, () => `"${text}" is ${encoding} of two things`)
      const letters = { hex: /^[0-9a-f]*$/i, base64: /^[A-Za-z0-9+/]*=*$/, base64url: /^[A-Za-z0-9_-]*=*$/ }[encoding]
      hold(loose === null || letters.test(text), () => `"${text}" is taken for ${encoding}`)
      if (exact === null) return loose === null ? '-' : '~'
      const again = exact.toString(encoding).replace(/=*$/, '')
      const right = encoding === 'hex' ? text.toLowerCase() : text.replace(/=*$/, '')
      hold(again === right, () => `"${text}" is taken for ${encoding}, and is not what encodes it`)
      return '+'
    })
    .join('')
}

function judgeSecret(text: string): string {
  const read = readSecret(text)
  if (read.kind === 'bad') {
    hold(text.length < 16 || !read.fault.includes(text), () => `a fault repeats the secret: "${read.fault}"`)
    return 'secret-bad'
  }
  const bytes =
    read.kind === 'whsec'
      ? read.bytes
      : read.kind === 'whsk'
        ? Buffer.concat([read.seed, read.publicKey])
        : read.publicKey
  hold(
    text.replace(/^wh(?:sec|sk|pk)_/, '') === Buffer.from(bytes).toString('base64'),
    () => `"${text}" is another secret`,
  )
  return read.kind
}

function judgePointer(text: string): string {
  const steps = stepsOf(text)
  if (steps === null) {
    hold(text !== '' && !text.startsWith('/'), () => `"${text}" is a pointer`)
    return 'pointer-no'
  }
  hold(
    stepsOf(steps.reduce(pointerTo, ''))?.join('\n') === steps.join('\n'),
    () => `"${text}" leads elsewhere when told again`,
  )
  hold(stepsOf(pointerTo('', text))?.[0] === text, () => `"${text}" is not the step it makes`)
  return `pointer-${Math.min(2, steps.length)}`
}

/** Two readers: one whose word counts at the door, one for people. What the first takes, the second shows. */
function judgeTokens(text: string): string {
  const [strict, shown, body] = [readToken(text), tokensOf([{ at: 'body', value: text }]), bodyToken(text)]
  hold(shown.length <= 20, () => `${shown.length} tokens are shown`)
  readKeySet(text)
  if (strict === null) return `token-${shown.length > 0 ? 'shown' : 'no'}${body === null ? '' : '-body'}`
  const [head = '', claims = '', signature = '', ...more] = text.split('.')
  hold(more.length === 0 && strict.signed === `${head}.${claims}`, () => 'something else was signed')
  hold(Buffer.from(strict.signature).toString('base64url') === signature, () => 'the signature is another')
  const said = readJson(Buffer.from(claims, 'base64url').toString())
  hold(JSON.stringify(said) === JSON.stringify(strict.claims), () => 'the claims are others')
  return 'token'
}

function judgeBody(text: string): string {
  const body = Buffer.from(text, 'latin1')
  const kept = payloadOf(body)
  hold(bodyOf(kept).equals(body), () => `the body comes back as "${bodyOf(kept).toString('latin1')}"`)
  const told = body.toString('utf8')
  const utf8 = Buffer.from(told).equals(body)
  let json = utf8
  try {
    JSON.parse(told)
  } catch {
    json = false
  }
  hold((kept.encoding === null) === json, () => `a body that is ${json ? '' : 'no '}JSON is kept as ${kept.encoding}`)
  hold(!kept.payload.includes('\0') && kept.payload.isWellFormed(), () => 'what is kept cannot be')
  return String(kept.encoding)
}

const packers = [
  ['gzip', gzipSync],
  ['br', brotliCompressSync],
  ['zstd', zstdCompressSync],
  ['deflate', deflateSync],
  ['deflate', deflateRawSync],
] as const

function judgePacked(text: string): string {
  const body = Buffer.from(text, 'latin1')
  for (const coding of ['gzip', 'br', 'zstd', 'deflate']) {
    const { body: plain, fault } = unpacked(body, [coding])
    hold(plain.length <= Math.max(body.length * 200, 65_536), () => `${body.length} bytes became ${plain.length}`)
    hold(fault === null || plain === body, () => 'what could not be unpacked was changed')
  }
  // Each packer in turn, as packing costs more than all the rest.
  const [coding, pack] = packers[text.length % packers.length] ?? packers[0]
  const again = unpacked(pack(body), [coding])
  hold(again.fault === null && again.body.equals(body), () => `${coding} gives other bytes back: ${again.fault}`)
  return 'packed'
}
