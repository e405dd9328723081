import { pointerTo } from '../../domain/json-pointer.ts'
import { readJson } from '../../domain/read-json.ts'

/** A JSON Web Token (RFC 7519) that a request brings along, taken apart. Nothing says that its signature is right. */
export interface Token {
  /** Where it stands: `header …`, `body`, `form …` or a JSON Pointer into the body; one inside another behind an arrow. */
  readonly at: string
  /** JSON text, as it was spelled. */
  readonly header: string
  /** JSON text; null: it is encrypted, or no JSON. */
  readonly payload: string | null
}

/** A value that may be one, and where it stands. */
export interface Place {
  readonly at: string
  readonly value: string
}

const mostTokens = 20
const longest = 256 * 1024
const deepest = 3
const mostValues = 10_000
const shape = /^(?:Bearer\s+)?([\w-]{8,})\.([\w-]*)\.([\w-]*)(?:\.[\w-]*\.[\w-]*)?$/i

/** Those of `places` that are tokens, and the tokens inside of them. */
export function tokensOf(places: Iterable<Place>, depth = 1): readonly Token[] {
  const tokens: Token[] = []
  for (const { at, value } of places) {
    if (tokens.length >= mostTokens) break
    const token = read(at, value)
    if (token === null) continue
    tokens.push(token)
    if (token.payload === null || depth === deepest) continue
    const inner = stringsIn(readJson(token.payload), '')
    tokens.push(...tokensOf(placesBehind(at, inner), depth + 1))
  }
  return tokens.slice(0, mostTokens)
}

function* placesBehind(at: string, places: Iterable<Place>): Generator<Place> {
  for (const place of places) yield { at: `${at} → ${place.at}`, value: place.value }
}

function read(at: string, value: string): Token | null {
  if (value.length > longest) return null
  const [, first = '', second = ''] = shape.exec(value) ?? []
  const header = jsonOf(first)
  if (header === null) return null
  const said: unknown = readJson(header)
  if (typeof said !== 'object' || said === null || !('alg' in said)) return null
  return { at, header, payload: 'enc' in said ? null : jsonOf(second) }
}

function jsonOf(segment: string): string | null {
  const text = Buffer.from(segment, 'base64url').toString('utf8')
  try {
    readJson(text)
    return text
  } catch {
    return null
  }
}

/** Every string of a JSON value, by its pointer. Without recursion: it is as deep as its sender likes. */
export function* stringsIn(value: unknown, at: string): Generator<Place> {
  const waiting: { readonly value: unknown; readonly at: string }[] = [{ value, at }]
  for (let seen = 0; seen < mostValues; seen++) {
    const next = waiting[seen]
    if (next === undefined) return
    if (typeof next.value === 'string') yield { at: next.at || '/', value: next.value }
    else if (Array.isArray(next.value)) {
      for (const [index, member] of next.value.slice(0, mostValues - waiting.length).entries()) {
        waiting.push({ value: member, at: pointerTo(next.at, index) })
      }
    } else if (typeof next.value === 'object' && next.value !== null) {
      for (const name of Object.keys(next.value).slice(0, mostValues - waiting.length)) {
        const member: unknown = Reflect.get(next.value, name)
        waiting.push({ value: member, at: pointerTo(next.at, name) })
      }
    }
  }
}
