// DECODED: views of a received body for people to read. They are worked out when somebody looks and are never stored; what is
// verified and forwarded are the bytes, and nothing that receives may depend on these.

import type { InboundRequest } from '../../domain/inbound.ts'
import { isJson } from '../../domain/is-json.ts'
import { readJson } from '../../domain/read-json.ts'
import { headerValues } from '../reading/header-values.ts'
import { type MediaType, mediaTypeOf, textOf } from '../reading/media-type.ts'
import { type MultipartPart, partsOf } from '../reading/multipart.ts'
import { type Place, stringsIn, type Token, tokensOf } from './tokens.ts'
import { unpacked } from './unpacked.ts'

/** A body as it can be read best. `json`: its text, as it was spelled. */
export type Content =
  | { readonly kind: 'empty' | 'binary' }
  | { readonly kind: 'json' | 'xml' | 'text'; readonly text: string }
  | { readonly kind: 'form'; readonly fields: readonly (readonly [name: string, value: string])[] }
  | { readonly kind: 'multipart'; readonly parts: readonly MultipartPart[] }

export interface Decoded {
  /** Content codings that were undone. */
  readonly undone: readonly string[]
  /** Of the body after that. */
  readonly bytes: number
  readonly content: Content
  readonly tokens: readonly Token[]
  /** What was wrong with it, or could not be done: sentences. */
  readonly faults: readonly string[]
}

const mostFields = 1_000

/** All views of a request's body. Takes a tenth of a second at most, whatever the body is made of. */
export function decodedOf({ headers, body }: Pick<InboundRequest, 'headers' | 'body'>): Decoded {
  const raw = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  const codings = headerValues(headers, 'content-encoding').flatMap((value) =>
    value.split(',').map((part) => part.trim()),
  )
  const {
    body: plain,
    undone,
    fault,
  } = unpacked(
    raw,
    codings.filter((coding) => coding !== ''),
  )
  const faults: string[] = fault === null ? [] : [fault]
  const type = mediaTypeOf(headerValues(headers, 'content-type')[0] ?? '')
  // What is still packed is nothing to read.
  const content: Content = fault === null ? contentOf(plain, type, faults) : { kind: 'binary' }
  return { undone, bytes: plain.length, content, tokens: tokensOf(placesOf(headers, content)), faults }
}

function contentOf(body: Buffer, type: MediaType, faults: string[]): Content {
  if (body.length === 0) return { kind: 'empty' }
  if (type.type.startsWith('multipart/')) {
    const boundary = type.parameters.get('boundary')
    if (boundary) return { kind: 'multipart', parts: partsOf(body, boundary, faults) }
    faults.push('It says that it is multipart, but not what its boundary is.')
  }
  if (type.type === 'application/x-www-form-urlencoded') return formOf(body, type, faults)
  return textContentOf(body, type, faults)
}

function textContentOf(body: Buffer, { type, parameters }: MediaType, faults: string[]): Content {
  const opening = body.toString('latin1', 0, 200)
  const declared = /^(?:\u00ef\u00bb\u00bf)?\s*<\?xml[^>]*?encoding=["']([\w.:-]+)["']/.exec(opening)?.[1]
  const label = markOf(body) ?? parameters.get('charset') ?? declared ?? null
  const lost: string[] = []
  const text = textOf(body, label, lost)
  const isXml = /[/+]xml$/.test(type) || opening.includes('<?xml')
  const saysText = isXml || type.startsWith('text/') || /[/+]json$/.test(type)
  // Without a word from its sender, what is no proper text is no text.
  if (!saysText && (lost.length > 0 || body.includes(0))) return { kind: 'binary' }
  faults.push(...lost)
  if (isJson(text)) return { kind: 'json', text }
  if (/[/+]json$/.test(type)) faults.push('It says that it is JSON, but is not.')
  return { kind: isXml ? 'xml' : 'text', text }
}

/** What a byte order mark says, which goes before all else (WHATWG Encoding §6). */
function markOf(body: Buffer): string | null {
  if (body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf) return 'utf-8'
  if (body[0] === 0xfe && body[1] === 0xff) return 'utf-16be'
  return body[0] === 0xff && body[1] === 0xfe ? 'utf-16le' : null
}

function formOf(body: Buffer, { parameters }: MediaType, faults: string[]): Content {
  const pairs = body
    .toString('latin1')
    .split('&', mostFields * 10)
    .filter((pair) => pair !== '')
  if (pairs.length > mostFields) faults.push(`It has more than ${mostFields} fields; the others are not shown.`)
  const raw = pairs.slice(0, mostFields).map((pair) => {
    const [name = '', ...value] = pair.split('=')
    return [bytesOf(name), bytesOf(value.join('='))] as const
  })
  // PayPal names it in a field, HTML forms in `_charset_`.
  const named = raw.find(([name]) => /^_?charset_?$/.test(name.toString('latin1')))?.[1].toString('latin1')
  const label = parameters.get('charset') ?? named ?? null
  const lost: string[] = []
  const fields = raw.map(([name, value]) => [textOf(name, label, lost), textOf(value, label, lost)] as const)
  faults.push(...new Set(lost))
  return { kind: 'form', fields }
}

const bytesOf = (text: string): Buffer =>
  Buffer.from(
    text
      .replaceAll('+', ' ')
      .replaceAll(/%([0-9a-f]{2})/gi, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16))),
    'latin1',
  )

function* placesOf(headers: readonly string[], content: Content): Generator<Place> {
  for (let at = 0; at < headers.length; at += 2) {
    yield { at: `header ${headers[at]?.toLowerCase()}`, value: headers[at + 1] ?? '' }
  }
  if (content.kind === 'text') yield { at: 'body', value: content.text.trim() }
  if (content.kind === 'json') yield* stringsIn(readJson(content.text), '')
  if (content.kind === 'form') for (const [name, value] of content.fields) yield { at: `form ${name}`, value }
}
