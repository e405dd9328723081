import { createHash, createHmac } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { pointerTo } from '../../domain/json-pointer.ts'
import type { Part, Ref } from '../../domain/preset.ts'
import type { RequestView, SettingValues } from './view.ts'

/** A run of what is signed: text stands for its UTF-8. */
export type Piece = string | Uint8Array

/** What a template may speak of beside the request. */
export interface Surroundings {
  readonly settings: SettingValues
  /** The spelling of the URL to take; undefined: as it was set. */
  readonly url?: string | undefined
  /** The bytes of the secret that is being tried. Without one, parts that need a secret are not there. */
  readonly secret?: Uint8Array | undefined
}

/** What the parts come to, in order; null when one of them is not there. Bodies are passed on as they are, never decoded. */
export function piecesOf(parts: readonly Part[], view: RequestView, around: Surroundings): readonly Piece[] | null {
  const pieces: Piece[] = []
  for (const part of parts) {
    const piece = pieceOf(part, view, around)
    if (piece === null) return null
    const last = pieces.at(-1)
    // Each piece is a call out of JavaScript, which costs more than joining two texts.
    if (typeof piece === 'string' && typeof last === 'string') pieces[pieces.length - 1] = last + piece
    else pieces.push(piece)
  }
  return pieces
}

/** The same as one. */
export function bytesOf(parts: readonly Part[], view: RequestView, around: Surroundings): Buffer | null {
  const pieces = piecesOf(parts, view, around)
  return pieces && Buffer.concat(pieces.map((piece) => (typeof piece === 'string' ? Buffer.from(piece) : piece)))
}

/** The bytes of a value as it stood: headers were read as Latin-1, so that no byte is lost. */
export const bytesAt = (ref: Ref, value: string): Buffer => Buffer.from(value, 'header' in ref ? 'latin1' : 'utf8')

function pieceOf(part: Part, view: RequestView, around: Surroundings): Piece | null {
  if (typeof part === 'string') return part
  if ('optional' in part) return refPiece(part.optional, view, around) ?? ''
  if ('hash' in part) {
    const pieces = piecesOf(part.of, view, around)
    return pieces && feed(createHash(part.hash), pieces).digest(part.encoding)
  }
  if ('hmac' in part) {
    const pieces = piecesOf(part.of, view, around)
    return pieces && around.secret ? feed(createHmac(part.hmac, around.secret), pieces).digest(part.encoding) : null
  }
  if ('crc32' in part) return String(crc32(view.request.body))
  if ('secret' in part) return around.secret ?? null
  if ('sortedForm' in part) return sortedForm(view)
  if ('fields' in part) return fieldLines(part.fields, view)
  if ('headersNamedBy' in part) return namedHeaders(part.headersNamedBy, part.join, view)
  return refPiece(part, view, around)
}

/** Puts every piece into a hash, MAC or verification. */
export function feed<T extends { update(data: Piece): unknown }>(into: T, pieces: readonly Piece[]): T {
  for (const piece of pieces) into.update(piece)
  return into
}

function refPiece(ref: Ref, view: RequestView, around: Surroundings): Piece | null {
  if ('request' in ref && ref.request === 'body') return view.request.body
  if ('request' in ref && ref.request === 'url' && around.url !== undefined) return around.url
  const value = view.valuesAt(ref, around.settings)[0]
  return value === undefined ? null : 'header' in ref ? headerPiece(value) : value
}

/** ASCII is the same in both; only what goes beyond it must become bytes. */
const headerPiece = (value: string): Piece => {
  for (let at = 0; at < value.length; at++) if (value.charCodeAt(at) > 0x7f) return Buffer.from(value, 'latin1')
  return value
}

/**
 * Name and value of each field, by name. An empty body is an empty form; any other body that is no such form is not there:
 * a signature over the form alone would say nothing about it. Twilio, "Validating requests"; its SDK drops repeated values.
 */
function sortedForm(view: RequestView): string | null {
  if (view.request.body.length === 0) return ''
  const kind = view.header('content-type')[0] ?? ''
  if (!/^application\/x-www-form-urlencoded\s*(?:;|$)/i.test(kind)) return null
  const values = new Map<string, Set<string>>()
  for (const [name, value] of view.form() ?? []) {
    const known = values.get(name)
    if (known) known.add(value)
    else values.set(name, new Set([value]))
  }
  let text = ''
  for (const name of [...values.keys()].sort()) {
    for (const value of [...(values.get(name) ?? [])].sort()) text += name + value
  }
  return text
}

function fieldLines(names: readonly string[], view: RequestView): string {
  let lines = ''
  for (const name of names) {
    const [value] = view.json().textsAt(pointerTo('', name))
    if (value !== undefined) lines += `${name}\n${value}\n`
  }
  return lines
}

function namedHeaders(header: string, join: string, view: RequestView): Piece | null {
  const [list] = view.header(header)
  if (list === undefined) return null
  const lines: string[] = []
  for (const name of list.split(',').map((text) => text.trim().toLowerCase())) {
    const [value, ...others] = new Set(view.header(name))
    if (value === undefined || others.length > 0) return null
    lines.push(`${name}:${value}`)
  }
  return headerPiece(lines.join(join))
}
