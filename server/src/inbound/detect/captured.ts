import { readJson } from '../../domain/read-json.ts'
import type { OutgoingRequest } from '../trigger/place.ts'

/** What is known of a request that somebody has seen: nothing of it need be there. */
export type CapturedRequest = Omit<OutgoingRequest, 'publicUrl'>

const nothing: CapturedRequest = { method: 'POST', url: '/', headers: [], body: new Uint8Array() }

/**
 * Reads a request as people paste it: a `curl` command, an HTTP message (also as `curl -v` prints it), a log entry or the
 * event of a serverless function in JSON, headers alone, or a body alone. What cannot be told apart is the body.
 */
export function readCaptured(raw: string): CapturedRequest {
  const text = raw.replace(/^\uFEFF/, '')
  if (/^\s*(\$\s*)?curl\s/.test(text)) return readCurl(text)
  const entry = readEntry(text)
  if (entry !== null) return entry
  return readMessage(text) ?? { ...nothing, body: Buffer.from(text) }
}

// Spellings of API Gateway, Cloud Functions and the usual loggers.
const members = {
  method: ['method', 'httpMethod', 'verb'],
  url: ['url', 'uri', 'path', 'rawPath', 'target'],
  headers: ['headers', 'multiValueHeaders', 'requestHeaders'],
  body: ['body', 'rawBody', 'payload', 'data'],
} as const

function readEntry(text: string): CapturedRequest | null {
  if (!text.trimStart().startsWith('{')) return null
  let entry: unknown
  try {
    entry = readJson(text)
  } catch {
    return null
  }
  const log = asObject(entry)
  const one = log === null ? null : (asObject(log.request) ?? log)
  if (one === null) return null
  const headers = headersIn(first(one, members.headers))
  if (headers === null) return null
  const method = first(one, members.method)
  const url = first(one, members.url)
  const body = first(one, members.body)
  const query = typeof one.rawQueryString === 'string' && one.rawQueryString !== '' ? `?${one.rawQueryString}` : ''
  return {
    method: typeof method === 'string' ? method : nothing.method,
    url: (typeof url === 'string' ? url : nothing.url) + query,
    headers,
    body:
      typeof body === 'string'
        ? Buffer.from(body, one.isBase64Encoded === true ? 'base64' : 'utf8')
        : body === undefined || body === null
          ? nothing.body
          : Buffer.from(JSON.stringify(body)),
  }
}

/** Name and value pairs from either spelling: an object, whose values may be lists, or a list of pairs. Null: neither. */
export function headersIn(given: unknown): CapturedRequest['headers'] | null {
  if (Array.isArray(given)) {
    const pairs = given.filter((pair): pair is [string, string] => isPair(pair))
    return pairs.length === given.length ? pairs : null
  }
  const named = asObject(given)
  if (named === null) return null
  return Object.entries(named).flatMap(([name, value]) =>
    [value].flat().map((one): [string, string] => [name, typeof one === 'string' ? one : String(one)]),
  )
}

const isPair = (given: unknown): boolean =>
  Array.isArray(given) && given.length === 2 && given.every((part) => typeof part === 'string')

const asObject = (value: unknown): Readonly<Record<string, unknown>> | null =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : null

const first = (from: Readonly<Record<string, unknown>>, names: readonly string[]): unknown =>
  names.map((name) => from[name]).find((value) => value !== undefined)

const token = /^[!#$%&'*+.^_`|~\w-]+$/ // RFC 9110, 5.6.2

/** Null: there is no header in it. */
function readMessage(text: string): CapturedRequest | null {
  // `curl -v` marks what it sends with `> `, and talks about itself in lines with `* `.
  const marked = /^> /m.test(text)
  const plain = marked
    ? text
        .split(/\r?\n/)
        .filter((line) => line.startsWith('>'))
        .map((line) => line.slice(2))
        .join('\n')
    : text
  const lines = plain.replace(/^\s+/, '').split(/(\r?\n)/)
  const requestLine = /^([A-Z]{3,10}) (\S+) HTTP\/[\d.]+$/.exec(lines[0] ?? '')
  let at = requestLine === null ? 0 : 2
  const headers: [string, string][] = []
  for (; at < lines.length && lines[at] !== ''; at += 2) {
    const line = lines[at] ?? ''
    const colon = line.indexOf(':')
    const name = line.slice(0, Math.max(0, colon))
    if (!token.test(name)) return null
    headers.push([name, line.slice(colon + 1).trim()])
  }
  if (headers.length === 0) return null
  return {
    method: requestLine?.[1] ?? nothing.method,
    url: requestLine?.[2] ?? nothing.url,
    headers,
    body: Buffer.from(lines.slice(at + 2).join('')),
  }
}

const curlOptions = {
  headers: new Set(['-H', '--header']),
  data: new Set(['-d', '--data', '--data-raw', '--data-binary', '--data-ascii', '--data-urlencode', '--json']),
  method: new Set(['-X', '--request']),
  url: new Set(['--url']),
  // Others that take a word: it is not the URL.
  passed: new Set(['-A', '--user-agent', '-u', '--user', '-o', '--output', '-b', '--cookie', '-e', '--referer', '-m']),
}

function readCurl(text: string): CapturedRequest {
  const words = shellWords(text.replace(/^\s*(\$\s*)?curl\s/, ''))
  const headers: [string, string][] = []
  const data: string[] = []
  let method: string | null = null
  let url: string | null = null
  for (let at = 0; at < words.length; at++) {
    const [option = '', ...rest] = words[at]?.startsWith('--') ? (words[at] ?? '').split('=') : [words[at] ?? '']
    const value = (): string => (rest.length > 0 ? rest.join('=') : (words[++at] ?? ''))
    if (curlOptions.headers.has(option)) {
      const [, name, told] = /^([^:]+):\s*(.*)$/s.exec(value()) ?? []
      if (name !== undefined && told !== undefined) headers.push([name, told])
    } else if (curlOptions.data.has(option)) data.push(value())
    else if (curlOptions.method.has(option)) method = value()
    else if (curlOptions.url.has(option)) url = value()
    else if (option === '-A' || option === '--user-agent') headers.push(['user-agent', value()])
    else if (curlOptions.passed.has(option)) value()
    else if (!option.startsWith('-')) url ??= option
  }
  return {
    method: method ?? (data.length > 0 ? 'POST' : 'GET'),
    url: url ?? nothing.url,
    headers,
    body: Buffer.from(data.join('&')),
  }
}

/** Words as a shell reads them: quotes of both kinds, `$'…'`, and backslashes before a character or a line's end. */
function shellWords(text: string): readonly string[] {
  const words: string[] = []
  let word: string | null = null
  const piece = /\\\r?\n|\s+|\$'((?:[^'\\]|\\.)*)'|'([^']*)'|"((?:[^"\\]|\\[\s\S])*)"|\\([\s\S])|([^\s'"\\$]+|\$)/g
  for (const [whole, escaped, single, double, backslashed, bare] of text.matchAll(piece)) {
    if (/^(\\\r?\n|\s+)$/.test(whole)) {
      if (word !== null) words.push(word)
      word = null
      continue
    }
    word ??= ''
    if (escaped !== undefined) word += unescaped(escaped)
    else if (double !== undefined) word += double.replaceAll(/\\(?:([\\"$`])|\r?\n)/g, '$1')
    else word += single ?? backslashed ?? bare ?? ''
  }
  return word === null ? words : [...words, word]
}

const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' }
const unescaped = (text: string): string =>
  text.replaceAll(/\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|([\s\S]))/g, (_, unicode, hex, other) => {
    const code: unknown = unicode ?? hex
    if (typeof code === 'string') return String.fromCharCode(Number.parseInt(code, 16))
    return escapes[String(other)] ?? String(other)
  })
