import { validateHeaderName, validateHeaderValue } from 'node:http'
import { isIP } from 'node:net'
import { MIMEType } from 'node:util'
import { readTagList } from '../../src/api/conditional.ts'
import { demandPlainBody } from '../../src/api/request-line.ts'
import { checkEndpointHeaders } from '../../src/domain/endpoint-headers.ts'
import { readIdempotencyKey } from '../../src/domain/idempotency.ts'
import { Problem } from '../../src/domain/problem.ts'
import { clientAddress } from '../../src/inbound/addresses.ts'
import { mediaTypeOf } from '../../src/inbound/reading/media-type.ts'
import { RequestView } from '../../src/inbound/reading/view.ts'
import type { Chance } from '../faults/chance.ts'
import { attempt, type Fuzzer, hold } from './fuzzer.ts'

const samples = [
  ...[
    'application/json',
    'text/html; charset="utf-8"',
    'multipart/form-data; boundary=x',
    'multipart/form-data; boundary="a\\"b"; x=y',
  ],
  ...['"etag"', 'W/"weak"', '"a", W/"b",,"c"', '*', '"a,b"', '""', 'key-1', '"key \\"1\\""', '"a\\\\b"'],
  ...[
    '192.0.2.1',
    '203.0.113.7, 192.0.2.1',
    '[2001:db8::1]:4711',
    'for=192.0.2.1;proto=https',
    'for="[2001:db8::1]:1", for=10.0.0.1',
  ],
  ...[
    'for="a\\"b,c";by=x,for=unknown',
    't=1,v1=abc',
    'v1=abc, v1 = def ,t=2',
    'x-trace: 1',
    'content-length: 0',
    'X: a\r\nY: b',
    'webhook-id: 1',
  ],
]
const pieces = [
  'application/',
  'json',
  ';',
  ',',
  '=',
  '"',
  '\\',
  ' ',
  '\t',
  'charset',
  'utf-8',
  'for',
  'W/',
  '"x"',
  '10.0.0.1',
  ':',
  '[::1]',
  'a',
  't=1',
  'v1=',
]

/** The values of headers that are more than one word: each is put to every parser of them. */
export const headers: Fuzzer = {
  name: 'headers',
  about:
    "Content-Type, If-Match, Idempotency-Key, Forwarded, signature lists, endpoint headers: by Node's readers and naive ones",
  words: [...samples, ...pieces],
  make: (chance) =>
    chance.comesTrue(0.3)
      ? pick(samples, chance)
      : Array.from({ length: chance.between(1, 9) }, () => pick(pieces, chance)).join(''),
  judge: (value) =>
    [
      judgeMediaType(value),
      judgeTags(value),
      judgeKey(value),
      judgeClient(value),
      judgeParameters(value),
      judgeSent(value),
      said(attempt(() => demandPlainBody({ 'content-type': value }), codeOf)),
    ].join(' '),
  // All headers of a request together (Node's limit).
  longest: 1 << 14,
  read: (value) => [
    mediaTypeOf(value),
    attempt(() => readTagList('If-Match', value), codeOf),
    attempt(() => readIdempotencyKey(value), codeOf),
    attempt(() => demandPlainBody({ 'content-type': value }), codeOf),
    attempt(() => checkEndpointHeaders({ x: value }, ''), codeOf),
    clientAddress('192.0.2.9', ['x-forwarded-for', value], 2),
    clientAddress('192.0.2.9', ['forwarded', value], 2),
    viewOf(value).valuesAt({ header: 'x', parameter: 'v1' }, {}),
  ],
  growths: [
    { before: 'a/b', unit: ';', behind: '' },
    { before: 'a/b', unit: '; ', behind: '' },
    { before: 'a/b;a', unit: ' ', behind: '' },
    { before: 'a/b;a="', unit: '\\"', behind: '' },
    { before: 'a/b;a="', unit: '\\', behind: '' },
    { before: 'a/b', unit: ';a="', behind: '' },
    { before: '', unit: '"a",', behind: 'x' },
    { before: '', unit: ',', behind: 'x' },
    { before: '', unit: ' ', behind: 'x' },
    { before: '"a"', unit: '\t', behind: 'x' },
    { before: '"', unit: '\\\\', behind: '' },
    { before: 'for=', unit: '"', behind: '' },
    { before: 'for="', unit: '\\', behind: '' },
    { before: '', unit: 'for=1;', behind: '' },
    { before: '', unit: ';for', behind: '' },
    { before: ';', unit: ' ', behind: 'for' },
    { before: '', unit: '"",', behind: '' },
    { before: '', unit: '1.', behind: ':1' },
  ],
}

const pick = (list: readonly string[], chance: Chance): string => list[chance.between(0, list.length - 1)] ?? ''
const codeOf = (error: unknown): string | null => (error instanceof Problem ? error.code : null)
const said = (came: { readonly value: unknown } | { readonly refused: string }): string =>
  'refused' in came ? came.refused : 'taken'

const request = { method: 'POST', target: '/in/x', peer: '192.0.2.1', client: '192.0.2.1', receivedAt: 0 }
const viewOf = (value: string): RequestView =>
  new RequestView(
    { ...request, headers: ['X', value], body: new Uint8Array() },
    { url: 'https://a.example/in/x', pathLength: 5 },
  )

function judgeMediaType(value: string): string {
  const { type, parameters } = mediaTypeOf(value)
  hold(type === type.trim().toLowerCase() && !type.includes(';'), () => `the type is "${type}"`)
  let right: MIMEType
  try {
    right = new MIMEType(value)
  } catch {
    return 'type-own'
  }
  hold(type === right.essence, () => `the type is "${type}" and means "${right.essence}"`)
  // What no header can hold: the other reader passes such a parameter over.
  if (/[^\t\x20-\x7e\x80-\xff]/.test(value)) return 'type-no-header'
  // Two readers part where quotes are left open, or something stands behind them: no boundary or charset depends on that.
  if (/"[^"]*$|"[^;]*"[^;]|\\/.test(value)) return 'type-quotes'
  // And where spaces stand around the sign between name and value, which RFC 9110 has nowhere, or behind the value: here they are left out.
  if (/\s=|=\s|\s(?:;|$)/.test(value)) return 'type-spaces'
  // Or where nothing stands behind it, unquoted: one reader then goes on to a second of that name.
  if (/=(?:;|$)/.test(value)) return 'type-empty'
  for (const [name, one] of right.params) {
    const own = parameters.get(name)
    hold(own === one, () => `"${name}" is "${own}" and means "${one}"`)
  }
  return `type-${Math.min(2, [...right.params].length)}`
}

/** If-Match by a walk from sign to sign; null: it is none. RFC 9110, 8.8.3 and 5.6.1. */
function naiveTags(text: string): readonly string[] | null {
  const tags: string[] = []
  let at = 0
  let mayFollow = true
  while (at < text.length) {
    const sign = text[at] ?? ''
    if (sign === ',') mayFollow = true
    if (sign === ',' || sign === ' ' || sign === '\t') {
      at += 1
      continue
    }
    const start = text.startsWith('W/', at) ? at + 2 : at
    const end = text.indexOf('"', start + 1)
    if (!mayFollow || text[start] !== '"' || end < 0) return null
    const tag = text.slice(start, end + 1)
    if (![...tag.slice(1, -1)].every(isTagSign)) return null
    tags.push((start > at ? 'W/' : '') + tag)
    at = end + 1
    mayFollow = false
  }
  return tags.length === 0 ? null : tags
}

const isTagSign = (sign: string): boolean => {
  const code = sign.charCodeAt(0)
  return sign.length === 1 && (code === 0x21 || (code >= 0x23 && code <= 0x7e) || (code >= 0x80 && code <= 0xff))
}

function judgeTags(value: string): string {
  const read = attempt(() => readTagList('If-Match', value), codeOf)
  if ('refused' in read) {
    hold(read.refused === 'request-malformed', () => `If-Match is refused as ${read.refused}`)
    hold(
      value.trim() !== '*' && naiveTags(value) === null,
      () => `If-Match "${value}" is refused, and is a list of tags`,
    )
    return 'tags-no'
  }
  if (read.value === '*') {
    hold(value.trim() === '*', () => `"${value}" is taken for *`)
    return 'tags-any'
  }
  const own = read.value.map(({ weak, text }) => (weak ? 'W/' : '') + text)
  hold(
    own.join(' ') === naiveTags(value)?.join(' '),
    () => `If-Match "${value}" is read as ${own} and means ${naiveTags(value)}`,
  )
  return `tags-${Math.min(2, own.length)}`
}

/** RFC 9651 §3.3.3, sign by sign; null: it is no key. */
function naiveKey(header: string): string | null {
  if (!header.startsWith('"')) return /^[\x21-\x7e]{1,255}$/.test(header) ? header : null
  let key = ''
  for (let at = 1; at < header.length; at++) {
    const sign = header[at] ?? ''
    if (sign === '"') return at === header.length - 1 && key.length >= 1 && key.length <= 255 ? key : null
    const next = header[at + 1] ?? ''
    if (sign === '\\' && next !== '"' && next !== '\\') return null
    if (sign < ' ' || sign > '~') return null
    key += sign === '\\' ? next : sign
    if (sign === '\\') at += 1
  }
  return null
}

function judgeKey(value: string): string {
  const read = attempt(() => readIdempotencyKey(value), codeOf)
  const right = naiveKey(value)
  if ('refused' in read) {
    hold(read.refused === 'idempotency-key-invalid', () => `a key is refused as ${read.refused}`)
    hold(right === null, () => `"${value}" is refused, and is the key "${right}"`)
    return 'key-no'
  }
  hold(read.value === right, () => `"${value}" is read as "${read.value}", and is the key "${right}"`)
  return value.startsWith('"') ? 'key-quoted' : 'key-bare'
}

function judgeClient(value: string): string {
  const kinds = [0, 1, 2].map((proxies) => {
    const client = clientAddress('192.0.2.9', ['X-Forwarded-For', value], proxies)
    hold(client === 'unknown' || isIP(client) !== 0, () => `the caller's address is "${client}"`)
    hold(proxies > 0 || client === '192.0.2.9', () => 'a header was believed without a proxy')
    // The last hop alone decides behind one proxy: nothing before it may be taken for it.
    const last = value.slice(value.lastIndexOf(',') + 1).trim()
    if (proxies === 1 && isIP(last) !== 0 && !last.includes('%') && client !== 'unknown') {
      hold(sameAddress(client, last), () => `"${client}" is told of "${last}"`)
    }
    hold(proxies !== 1 || isIP(last) === 0 || client !== 'unknown', () => `"${last}" is not known for an address`)
    return client === 'unknown' ? 'u' : 'a'
  })
  const forwarded = clientAddress('192.0.2.9', ['Forwarded', value], 1)
  hold(forwarded === 'unknown' || isIP(forwarded) !== 0, () => `the caller's address is "${forwarded}"`)
  return `client-${kinds.join('')}${forwarded === 'unknown' ? 'u' : 'a'}`
}

const sameAddress = (one: string, other: string): boolean =>
  one === other || new URL(`http://${bracketed(one)}`).host === new URL(`http://${bracketed(plain(other))}`).host
const bracketed = (address: string): string => (address.includes(':') ? `[${address}]` : address)
/** IPv4 in the coat of IPv6 is IPv4. */
const plain = (address: string): string => {
  const coat = /^\[::ffff:([0-9a-f]+):([0-9a-f]+)\]$/.exec(new URL(`http://${bracketed(address)}`).hostname)
  if (coat === null) return address
  const [high, low] = [Number.parseInt(coat[1] ?? '', 16), Number.parseInt(coat[2] ?? '', 16)]
  return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`
}

/** Values of a parameter in a list, as signature headers have them. */
function judgeParameters(value: string): string {
  const found = viewOf(value).valuesAt({ header: 'x', parameter: 'v1' }, {})
  const right = value
    .trim()
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one.startsWith('v1='))
    .map((one) => one.slice(3))
  hold(JSON.stringify(found) === JSON.stringify(right), () => `v1 is ${found} and means ${right}`)
  return `v1-${Math.min(2, found.length)}`
}

/** What an endpoint's owner sets must be one header, on every delivery, and none of ours. */
function judgeSent(line: string): string {
  const colon = line.indexOf(':')
  const [name, value] = colon < 0 ? ['x', line] : [line.slice(0, colon), line.slice(colon + 1)]
  const checked = attempt(() => checkEndpointHeaders({ [name]: value }, '/headers'), codeOf)
  if ('refused' in checked) {
    hold(checked.refused === 'header-reserved', () => `a header is refused as ${checked.refused}`)
    return 'header-no'
  }
  validateHeaderName(name)
  validateHeaderValue(name, value)
  hold(
    !/[\r\n\0]/.test(value) && !/^(?:webhook-|host$|content-length$|transfer-encoding$)/i.test(name),
    () => `"${line}" would be sent`,
  )
  return 'header'
}
