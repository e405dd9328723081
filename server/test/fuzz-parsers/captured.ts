import { headersIn, readCaptured } from '../../src/inbound/detect/captured.ts'
import type { Chance } from '../faults/chance.ts'
import { type Fuzzer, hold } from './fuzzer.ts'

const headers = [
  ['content-type', 'application/json'],
  ['x-signature', 't=1,v1=\'a"b\\c$d`e'],
  ['x-empty', ''],
] as const
const bodies = ['', '{"a":1}', "it's", 'a\\b', '"$HOME" `id` \\\n', 'x\r\ny', '-d', 'é']
const urls = ['https://a.example/x?y=1', '/in/token', 'http://[::1]:80/']

/** Requests as people paste them. What was written down by the rules of a shell, of HTTP or of JSON is read as it was. */
export const captured: Fuzzer = {
  name: 'captured',
  about: 'pasted curl commands, HTTP messages, log entries: by writing one down and reading it again',
  words: [
    "curl -X POST 'https://a.example' -H 'a: b' -d '{}'",
    ...urls,
    ...bodies,
    "$'",
    "'",
    '"',
    '\\',
    '--json',
    '-H',
    'POST /x HTTP/1.1',
    '> ',
    '* ',
    '\\x41',
    '\\u00e9',
    '\n',
    '{"headers":{',
    ' ',
  ],
  make: (chance) => {
    const kind = chance.between(0, 2)
    return kind === 0 ? curlOf(chance) : kind === 1 ? messageOf(chance) : JSON.stringify(entryOf(chance))
  },
  judge: (text) => {
    const read = readCaptured(text)
    hold(typeof read.method === 'string' && typeof read.url === 'string', () => 'it has no method or URL')
    hold(
      read.headers.every((pair) => pair.length === 2 && pair.every((part) => typeof part === 'string')),
      () => 'a header is no pair',
    )
    const body = Buffer.from(read.body).toString('utf8')
    const { method, url } = read
    // Nobody can write down a header without a name, and what begins with a dash is an option.
    const tellable =
      read.headers.every(([name, value]) => /^[\w-]+$/.test(name) && value === value.trimStart()) && /^[^-]/.test(url)
    const whole = [method, url, body, ...read.headers.flat()].every((one) => one.isWellFormed() && !one.includes('\0'))
    for (const quote of tellable && whole ? quotes : []) {
      const again = curl(quote, method, url, read.headers, body)
      const kept = readCaptured(again)
      hold(
        kept.method === method && kept.url === url,
        () => `${JSON.stringify(again)} asks for "${kept.method} ${kept.url}"`,
      )
      hold(Buffer.from(kept.body).equals(Buffer.from(body)), () => `${JSON.stringify(again)} has another body`)
      hold(
        JSON.stringify(kept.headers) === JSON.stringify(read.headers),
        () => `${JSON.stringify(again)} has other headers`,
      )
    }
    const kind = /^\s*(\$\s*)?curl\s/.test(text) ? 'curl' : text.trimStart().startsWith('{') ? 'entry' : 'message'
    return `${kind} ${Math.min(3, read.headers.length)} ${body === '' ? 'empty' : 'body'} ${read.url === '/' ? '' : 'url'} ${['GET', 'POST'].includes(read.method) ? read.method : 'other'}`
  },
  longest: 1 << 16,
  read: (text) => [readCaptured(text), headersIn([[text, text]])],
  growths: [
    { before: 'curl ', unit: ' ', behind: '' },
    { before: 'curl ', unit: "'", behind: '' },
    { before: 'curl ', unit: '"', behind: '' },
    { before: 'curl "', unit: '\\', behind: '' },
    { before: "curl $'", unit: '\\', behind: '' },
    { before: 'curl ', unit: '\\"', behind: '' },
    { before: 'curl ', unit: "$'a", behind: '' },
    { before: 'curl "', unit: '\\"', behind: '' },
    { before: "curl $'", unit: "\\'", behind: '' },
    { before: '', unit: '> a: b\n', behind: '' },
    { before: '', unit: 'a: b\r\n', behind: '' },
    { before: '', unit: '\n', behind: 'x' },
    { before: '', unit: ' ', behind: 'x' },
    { before: 'curl -H "', unit: 'a', behind: '"' },
  ],
}

const pick = <One>(list: readonly One[], chance: Chance): One => list[chance.between(0, list.length - 1)] as One

type Quote = (text: string) => string

/** Each of the ways in which a shell takes a text as it is. */
const quotes: readonly [Quote, Quote, Quote] = [
  (text) => `'${text.replaceAll("'", "'\\''")}'`,
  (text) => `"${text.replaceAll(/[\\"$`]/g, '\\$&')}"`,
  (text) => `$'${text.replaceAll(/[\\']/g, '\\$&').replaceAll('\n', '\\n').replaceAll('\r', '\\r')}'`,
]

const curl = (
  quote: Quote,
  method: string,
  url: string,
  pairs: readonly (readonly [string, string])[],
  body: string,
): string =>
  [
    `curl -X ${quote(method)} ${quote(url)}`,
    ...pairs.map(([name, value]) => `-H ${quote(`${name}: ${value}`)}`),
    ...(body === '' ? [] : [`--data-raw ${quote(body)}`]),
  ].join(' \\\n  ')

const curlOf = (chance: Chance): string =>
  curl(pick(quotes, chance), 'POST', pick(urls, chance), headers.slice(chance.between(0, 2)), pick(bodies, chance))
const messageOf = (chance: Chance): string =>
  `${chance.comesTrue(0.7) ? `POST ${pick(urls, chance)} HTTP/1.1\r\n` : ''}${headers.map((pair) => pair.join(': ')).join('\r\n')}\r\n\r\n${pick(bodies, chance)}`
const entryOf = (chance: Chance): unknown => ({
  httpMethod: 'POST',
  path: pick(urls, chance),
  headers: chance.comesTrue(0.5) ? Object.fromEntries(headers) : headers,
  body: chance.comesTrue(0.5) ? pick(bodies, chance) : { a: 1 },
})
