import { isJson } from '../../domain/is-json.ts'
import { stepsOf } from '../../domain/json-pointer.ts'
import { slicePath } from '../../domain/payload.ts'
import type { Ref } from '../../domain/preset.ts'
import { bodyToken, readClaims } from '../reading/body-token.ts'
import type { SettingValues } from '../reading/view.ts'

/** A request as a provider would send it, before it is on the wire. */
export interface OutgoingRequest {
  readonly method: string
  /** What the provider has registered. */
  readonly publicUrl: string
  /** What stands behind that: rest of the path and query, as they are spelled. Usually nothing. */
  readonly url: string
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body: Uint8Array
}

type Rewrite = (former: string) => string

/**
 * Writes a value where a `Ref` points, and leaves every other byte as it was; `rewrite` is given what stood there, or the
 * empty text. Headers and parameters are added where there are none; several are made one. Null: it cannot stand there.
 */
export function place(
  request: OutgoingRequest,
  ref: Ref,
  rewrite: Rewrite,
  settings: SettingValues = {},
): OutgoingRequest | null {
  if ('header' in ref) {
    const name = typeof ref.header === 'string' ? ref.header : settings[ref.header.setting]
    if (name === undefined) return null
    const { parameter, separator = ',' } = ref
    return withHeader(request, name, (value) =>
      parameter === undefined ? rewrite(value) : withParameter(value, parameter, separator, rewrite),
    )
  }
  if ('query' in ref) {
    const [base = '', query] = request.url.split(/\?(.*)/s, 2)
    const pairs = withPair(query === undefined ? [] : query.split('&'), ref.query, rewrite)
    return { ...request, url: `${base}?${pairs.join('&')}` }
  }
  if ('form' in ref) {
    const { form, pointer } = ref
    const pairs = Buffer.from(request.body).toString('latin1').split('&')
    if (!pairs.some((pair) => nameOf(pair) === form)) return null
    const changed = withPair(pairs, form, (value) => {
      if (pointer === undefined) return rewrite(value)
      return (withMembers(Buffer.from(value), pointer, rewrite) ?? Buffer.from(value)).toString('utf8')
    })
    return { ...request, body: Buffer.from(changed.join('&'), 'latin1') }
  }
  if ('body' in ref) {
    const body = withClaims(request.body, (json) => withInner(json, [ref.body, ...(ref.inner ?? [])], rewrite))
    return body === null ? null : { ...request, body }
  }
  if ('request' in ref && ref.request === 'body') {
    return { ...request, body: Buffer.from(rewrite(Buffer.from(request.body).toString('utf8'))) }
  }
  return null
}

function withHeader(request: OutgoingRequest, name: string, rewrite: Rewrite): OutgoingRequest {
  const same = ([other]: readonly [string, string]): boolean => other.toLowerCase() === name.toLowerCase()
  const at = request.headers.findIndex(same)
  const former = request.headers[at]
  if (former === undefined) return { ...request, headers: [...request.headers, [name, rewrite('')]] }
  const headers = request.headers.flatMap((header, index) =>
    index === at ? ([[header[0], rewrite(header[1])]] as const) : same(header) ? [] : [header],
  )
  return { ...request, headers }
}

/** The first parameter of that name keeps its place and the spaces before it; others of that name go. */
function withParameter(list: string, name: string, separator: string, rewrite: Rewrite): string {
  const parts = list === '' ? [] : list.split(separator)
  const isIt = (part: string): boolean => part.trimStart().startsWith(`${name}=`)
  const at = parts.findIndex(isIt)
  const former = parts[at]
  if (former === undefined) return [...parts, `${name}=${rewrite('')}`].join(separator)
  const from = former.indexOf('=') + 1
  const changed = former.slice(0, from) + rewrite(former.slice(from))
  return parts.flatMap((part, index) => (index === at ? [changed] : isIt(part) ? [] : [part])).join(separator)
}

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return text
  }
}
const nameOf = (pair: string): string => decoded(pair.split('=', 1)[0] ?? '')

function withPair(pairs: readonly string[], name: string, rewrite: Rewrite): readonly string[] {
  const at = pairs.findIndex((pair) => nameOf(pair) === name)
  const former = pairs[at]
  if (former === undefined) return [...pairs, `${encodeURIComponent(name)}=${encodeURIComponent(rewrite(''))}`]
  const from = former.indexOf('=') + 1
  const value = from === 0 ? '' : decoded(former.slice(from))
  const changed = `${from === 0 ? `${former}=` : former.slice(0, from)}${encodeURIComponent(rewrite(value))}`
  return pairs.flatMap((pair, index) => (index === at ? [changed] : nameOf(pair) === name ? [] : [pair]))
}

/** Of a body that is itself a token, the claims are changed; its signature is then wrong. */
function withClaims(body: Uint8Array, change: (json: Uint8Array) => Buffer | null): Buffer | null {
  const token = bodyToken(Buffer.from(body).toString('latin1'))
  if (token === null) return change(body)
  const claims = change(Buffer.from(readClaims(token.claims)))
  return claims && Buffer.from(`${token.header}.${claims.toString('base64url')}.${token.signature}`)
}

/** Each pointer goes into the JSON text that the one before has led to. */
function withInner(json: Uint8Array, [pointer = '', ...inner]: readonly string[], rewrite: Rewrite): Buffer | null {
  if (inner.length === 0) return withMembers(json, pointer, rewrite)
  return withMembers(json, pointer, (text) => withInner(Buffer.from(text), inner, rewrite)?.toString('utf8') ?? text)
}

/** Null: the body is no JSON, or nothing stands there. Members that are numbers stay numbers. */
function withMembers(body: Uint8Array, pointer: string, rewrite: Rewrite): Buffer | null {
  // Latin-1, so that bytes which are no UTF-8 stay as they are; what has a meaning in JSON is ASCII.
  const text = Buffer.from(body).toString('latin1')
  const spans = isJson(new TextDecoder().decode(body)) ? slicePath(text, (stepsOf(pointer) ?? []).map(latin1)) : []
  if (spans.length === 0) return null
  const pieces: string[] = []
  let at = 0
  for (const { start, end } of spans) {
    const spelled = text.slice(start, end)
    const former: unknown = spelled.startsWith('"') ? JSON.parse(utf8(spelled)) : utf8(spelled)
    const value = rewrite(String(former))
    const printed = number.test(spelled) && number.test(value) ? value : JSON.stringify(value)
    pieces.push(text.slice(at, start), latin1(printed))
    at = end
  }
  return Buffer.from(pieces.join('') + text.slice(at), 'latin1')
}

const number = /^-?(0|[1-9]\d*)(\.\d+)?$/
const utf8 = (text: string): string => Buffer.from(text, 'latin1').toString('utf8')
const latin1 = (text: string): string => Buffer.from(text).toString('latin1')
