import type { Chance } from '../faults/chance.ts'
import type { FuzzRequest, Twist } from './request.ts'

type Change = (request: FuzzRequest) => FuzzRequest

const header =
  (name: string, value: string): Change =>
  (request) => ({ ...request, headers: [...request.headers.filter(([held]) => held !== name), [name, value]] })
const besides =
  (...more: (readonly [string, string])[]): Change =>
  (request) => ({ ...request, headers: [...request.headers, ...more] })
const without =
  (name: string): Change =>
  (request) => ({ ...request, headers: request.headers.filter(([held]) => held !== name) })
const at =
  (change: (target: string) => string): Change =>
  (request) => ({ ...request, target: change(request.target) })
const by =
  (method: string): Change =>
  (request) => ({ ...request, method })
const saying =
  (body: string): Change =>
  (request) => ({ ...request, body: Buffer.from(body, 'latin1') })

const many = (count: number): readonly (readonly [string, string])[] =>
  Array.from({ length: count }, (_, n) => [`x-many-${n}`, 'v'] as const)
const all =
  (...changes: readonly Change[]): Change =>
  (request) =>
    changes.reduce((made, one) => one(made), request)

/** What HTTP is bent to. None of these keeps a caller from being answered or hung up on at once. */
const httpTwists: Readonly<Record<string, Change>> = {
  'no content type': without('content-type'),
  'text/plain': header('content-type', 'text/plain'),
  'another charset': header('content-type', 'application/json; charset=utf-16'),
  'a charset that is none': header('content-type', 'application/json; charset="'),
  'two content types': besides(['content-type', 'text/xml']),
  'a content type of nothing': header('content-type', ''),
  'a long content type': header('content-type', `application/json;${'a=b;'.repeat(2_000)}`),
  'said to be compressed': header('content-encoding', 'gzip'),
  'said to be compressed twice': header('content-encoding', 'gzip, br'),
  'no host': without('host'),
  'two hosts': besides(['host', 'b.example']),
  'a host that is none': header('host', '<>"'),
  'an unknown transfer coding': header('transfer-encoding', 'gzip'),
  'two framings': besides(['transfer-encoding', 'chunked'], ['content-length', '5']),
  'chunks that are none': all(header('transfer-encoding', 'chunked'), saying('zz\r\nx\r\n0\r\n\r\n')),
  'one chunk and its end': all(header('transfer-encoding', 'chunked'), saying('2\r\n{}\r\n0\r\n\r\n')),
  'chunks with trailers': all(header('transfer-encoding', 'chunked'), saying('2;a=b\r\n{}\r\n0\r\nx-t: 1\r\n\r\n')),
  'a length that is none': header('content-length', 'abc'),
  'a negative length': header('content-length', '-1'),
  'two lengths': besides(['content-length', '1'], ['content-length', '2']),
  'an expectation': header('expect', 'a-miracle'),
  'an upgrade': besides(['connection', 'upgrade'], ['upgrade', 'websocket']),
  'an upgrade to h2c': besides(['connection', 'upgrade, http2-settings'], ['upgrade', 'h2c'], ['http2-settings', '']),
  'large headers': besides(['x-large', 'x'.repeat(20_000)]),
  'a large one that fits': besides(['x-large', 'x'.repeat(12_000)]),
  '500 headers': besides(...many(500)),
  '3,000 headers': besides(...many(3_000)),
  'control characters in a header': besides(['x-control', 'a\x01b\x7f']),
  'bytes above ASCII in a header': besides(['x-bytes', 'é\xff\xfe']),
  'a header on two lines': besides(['x-folded', 'a\r\n b']),
  'a header without a colon': besides(['x-no\r\ncolon', '']),
  'a name with a space': besides(['x name', '1']),
  '__proto__ as a header': besides(['__proto__', '1'], ['constructor', '2']),
  'no key': without('authorization'),
  'another scheme': header('authorization', 'Basic YTpi'),
  'a key of nothing': header('authorization', 'Bearer '),
  'a long key': header('authorization', `Bearer ${'k'.repeat(8_000)}`),
  'a key with odd bytes': header('authorization', 'Bearer \xe9\x01'),
  'a token that is none': header('authorization', 'Bearer phapp_AAAA'),
  'two keys': besides(['authorization', 'Bearer x']),
  'a request id with odd bytes': besides(['x-request-id', '<script>']),
  'an Idempotency-Key of nothing': besides(['idempotency-key', '']),
  'a long Idempotency-Key': besides(['idempotency-key', 'i'.repeat(300)]),
  'the same Idempotency-Key': besides(['idempotency-key', 'same']),
  'odd bytes as Idempotency-Key': besides(['idempotency-key', '\xff"']),
  'If-Match of anything': besides(['if-match', '*']),
  'If-Match of nothing': besides(['if-match', '']),
  'If-Match that is none': besides(['if-match', 'W/"a", "b, c']),
  'a long If-None-Match': besides(['if-none-match', Array.from({ length: 900 }, (_, n) => `"${n}"`).join(', ')]),
  'a range': besides(['range', 'bytes=0-1,5-,-3']),
  'something else is accepted': besides(['accept', 'image/png;q=0']),
  'another origin': besides(['origin', 'null'], ['access-control-request-method', 'X']),
  'another method is meant': besides(['x-http-method-override', 'DELETE']),
  'forwarded by everybody': besides(['x-forwarded-for', Array(500).fill('::1').join(',')], ['forwarded', 'for="[::']),
  HEAD: by('HEAD'),
  OPTIONS: by('OPTIONS'),
  TRACE: by('TRACE'),
  CONNECT: by('CONNECT'),
  PROPFIND: by('PROPFIND'),
  'a method that is none': by('FOO'),
  'a method in small letters': by('get'),
  'a long method': by('X'.repeat(300)),
}

/** What the path is bent to. */
const pathTwists: Readonly<Record<string, Change>> = {
  'a slash at its end': at((target) => target.replace(/(\?|$)/, '/$1')),
  'two slashes': at((target) => target.replace(/\/(?=\w)/, '//')),
  'an encoded slash': at((target) => target.replace(/\/([^/]*)$/, '%2f$1')),
  'one step up': at((target) => target.replace(/\/([^/]*)$/, '/../$1')),
  'an encoded step up': at((target) => target.replace(/\/([^/]*)$/, '/%2e%2e/$1')),
  'percent and nothing': at((target) => `${target}%`),
  'percent and no digits': at((target) => `${target}%zz`),
  'an encoded NUL': at((target) => `${target}%00`),
  'half of a UTF-8 character': at((target) => `${target}%c3`),
  'an overlong slash': at((target) => `${target}%c0%af`),
  'bytes above ASCII': at((target) => `${target}é\xff`),
  'everything encoded': at((target) => target.replaceAll(/\w/g, (one) => `%${one.charCodeAt(0).toString(16)}`)),
  'encoded twice': at((target) => target.replace(/_/, '%255f')),
  'another case': at((target) => target.toUpperCase()),
  'a name of 3,000 characters': at((target) => target.replace(/\/[^/]*$/, `/${'n'.repeat(3_000)}`)),
  'a name of 1,024 characters': at((target) => target.replace(/\/[^/]*$/, `/${'n'.repeat(1_024)}`)),
  'a target of 30,000 characters': at((target) => `${target}/${'a/'.repeat(15_000)}`),
  'a space': at((target) => `${target} x`),
  'a fragment': at((target) => `${target}#x`),
  'a semicolon': at((target) => `${target};a=b`),
  'a host before it': at((target) => `http://other.example${target}`),
  'a host that is none before it': at((target) => `http://[::1${target}`),
  'an asterisk': at(() => '*'),
  nothing: at(() => ''),
  'the dots alone': at((target) => target.replace(/[^/]+$/, '.')),
  'a prototype': at((target) => target.replace(/[^/]+$/, '__proto__')),
}

const queries: readonly [string, ...string[]] = [
  ...([
    'limit=0',
    'limit=-1',
    'limit=251',
    'limit=1e3',
    'limit=99999999999999999999',
    'limit=',
    'limit=1&limit=2',
  ] as const),
  ...([
    'limit[]=1',
    'limit[a]=1',
    '__proto__[x]=1',
    'iterator=',
    'iterator=AAAA',
    'iterator=%00',
    'iterator=%ff',
  ] as const),
  ...([
    'order=sideways',
    'before=yesterday',
    'after=9999999999',
    'before=2026-01-01T00:00:00Z&after=2027-01-01T00:00:00Z',
  ] as const),
  ...([
    'status=9',
    'status=',
    'event_types=,,,',
    'channel=%00',
    'tag=%F0%9F%98%80',
    'with_content=maybe',
    '&&&',
    '=',
    '%',
  ] as const),
  ...(['%=1', 'a=%', 'unknown=1', `pad=${'q'.repeat(6_000)}`, `event_types=${'a,'.repeat(200)}`] as const),
]

const entries = <T>(table: Readonly<Record<string, T>>): [[string, T], ...[string, T][]] => {
  const [first, ...rest] = Object.entries(table)
  if (first === undefined) throw new RangeError('an empty table')
  return [first, ...rest]
}
const [ofHttp, ofPath] = [entries(httpTwists), entries(pathTwists)]

const twisted = (
  request: FuzzRequest,
  layer: Twist['layer'],
  [what, change]: readonly [string, Change],
): FuzzRequest => {
  const made = change(request)
  return { ...made, twists: [...made.twists, { layer, what }] }
}

export const twistHttp = (request: FuzzRequest, chance: Chance): FuzzRequest =>
  twisted(request, 'http', chance.of(ofHttp))

export const twistPath = (request: FuzzRequest, chance: Chance): FuzzRequest =>
  twisted(request, 'path', chance.of(ofPath))

export function twistQuery(request: FuzzRequest, chance: Chance): FuzzRequest {
  const query = chance.of(queries)
  const change = at((target) => `${target}${target.includes('?') ? '&' : '?'}${query}`)
  return twisted(request, 'query', [query.slice(0, 60), change])
}

/** The caller falls silent in the middle of its body. */
export const twistLength = (request: FuzzRequest, chance: Chance): FuzzRequest =>
  request.body === null || request.body.length < 2
    ? request
    : {
        ...request,
        sentBytes: chance.between(0, request.body.length - 1),
        twists: [...request.twists, { layer: 'http', what: 'the body breaks off' }],
      }
