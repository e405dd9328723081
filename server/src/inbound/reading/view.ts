// READING: what stands where in a received request, as presets refer to it, and what is put together of it. Nothing is
// believed or decided here; it knows no secret but the one it is handed, no clock and no source.

import type { InboundRequest } from '../../domain/inbound.ts'
import { type PayloadText, payloadOf } from '../../domain/payload-text.ts'
import type { Ref } from '../../domain/preset.ts'
import { bodyToken, readClaims } from './body-token.ts'
import { type Field, formFields, urlEncoded } from './form.ts'
import { headerValues } from './header-values.ts'
import { JsonText } from './json-text.ts'

/** What the owner of a source has set beside secrets, by name. */
export type SettingValues = Readonly<Record<string, string>>

/** Where a request came to. */
export interface Door {
  /** What the provider calls: the public URL that was set, or else the server's own for this source. */
  readonly url: string
  /** How much of the request's target is the door itself, token and all. What stands behind is the provider's. */
  readonly pathLength: number
}

/**
 * One received request, looked at by references. Everything is parsed when it is first asked for, and once; nothing that
 * cannot be read throws: it is not there.
 */
export class RequestView {
  readonly request: InboundRequest
  readonly door: Door
  /** What pointers into the body begin at: the body, or one item of it. */
  #json: JsonText | undefined
  #form: readonly Field[] | null | undefined
  #query: readonly Field[] | undefined
  #url: string | undefined
  #text: string | undefined

  constructor(request: InboundRequest, door: Door, json?: JsonText) {
    this.request = request
    this.door = door
    this.#json = json
  }

  /** All values of a header, in order, without spaces around; bytes as Latin-1. */
  header(name: string): readonly string[] {
    return headerValues(this.request.headers, name.toLowerCase()).map((value) => value.trim())
  }

  /** The body as text, for reading: what is no UTF-8 becomes replacement characters, a byte order mark is left out. */
  text(): string {
    this.#text ??= new TextDecoder().decode(this.request.body)
    return this.#text
  }

  /**
   * The body as JSON, whatever it is said to be; an item of it where this view is of one; the claims of a body that is a
   * token, which nobody has checked here.
   */
  json(): JsonText {
    this.#json ??= new JsonText(claimsOf(this.text()) ?? this.text())
    return this.#json
  }

  /** The whole body as a message keeps it. It is parsed at most once, however many look into it. */
  payload(): PayloadText {
    return payloadOf(this.request.body, (text) => {
      // What begins as JSON has no byte order mark and is no token: it is what `text` and `json` come to. And where there
      // is a view of an item, the whole is JSON.
      this.#text ??= text
      return this.json().parsed() !== null
    })
  }

  /** The text fields of a form; null: the body is no form. */
  form(): readonly Field[] | null {
    if (this.#form === undefined) {
      this.#form = formFields(this.header('content-type')[0] ?? '', this.request.body)
    }
    return this.#form
  }

  /** The parameters of the query, decoded. */
  query(): readonly Field[] {
    this.#query ??= urlEncoded(utf8Of(queryOf(this.request.target) ?? ''))
    return this.#query
  }

  /**
   * The URL as the provider knows it: the door's, with what stood behind the door in the request's target, spelled as it
   * was. The door's own query counts where the request has none.
   */
  url(): string {
    this.#url ??= joined(this.door, utf8Of(this.request.target))
    return this.#url
  }

  /** The values there, in order; none where it is not there. Headers as Latin-1, all else as text. */
  valuesAt(ref: Ref, settings: SettingValues): readonly string[] {
    if ('header' in ref) {
      const name = typeof ref.header === 'string' ? ref.header : settingOf(settings, ref.header.setting)
      const values = name === null ? [] : this.header(name)
      return ref.parameter === undefined ? values : parameters(values, ref.parameter, ref.separator ?? ',')
    }
    if ('body' in ref) {
      const texts = this.json().textsAt(ref.body)
      return ref.inner === undefined ? texts : ref.inner.reduce(innerTexts, texts)
    }
    if ('query' in ref) return named(this.query(), ref.query)
    if ('form' in ref) {
      const values = named(this.form() ?? [], ref.form)
      const { pointer } = ref
      return pointer === undefined ? values : values.flatMap((value) => new JsonText(value).textsAt(pointer))
    }
    if ('setting' in ref) {
      const value = settingOf(settings, ref.setting)
      return value === null ? [] : [value]
    }
    switch (ref.request) {
      case 'method':
        return [this.request.method]
      case 'url':
        return [this.url()]
      case 'path':
        return [pathOf(this.url())]
      case 'body':
        return [this.text()]
    }
  }

  /** A view of each item of an array of the body, into which pointers then go; null: there is no such array. */
  items(pointer: string): readonly RequestView[] | null {
    const items = this.json().items(pointer)
    return items?.map((item) => new RequestView(this.request, this.door, item)) ?? null
  }
}

const innerTexts = (texts: readonly string[], pointer: string): readonly string[] =>
  texts.flatMap((text) => new JsonText(text).textsAt(pointer))

const claimsOf = (text: string): string | null => {
  const token = bodyToken(text)
  return token && readClaims(token.claims)
}

/** An empty setting is one that was not made. */
const settingOf = (settings: SettingValues, name: string): string | null =>
  Object.hasOwn(settings, name) ? settings[name] || null : null

const named = (fields: readonly Field[], name: string): readonly string[] =>
  fields.flatMap(([field, value]) => (field === name ? [value] : []))

/** Of lists as `name=value, name=value`; a separator may have spaces around it. */
function parameters(values: readonly string[], name: string, separator: string): readonly string[] {
  const found: string[] = []
  for (const value of values) {
    for (const piece of value.split(separator)) {
      const text = piece.trim()
      if (text.startsWith(name) && text[name.length] === '=') found.push(text.slice(name.length + 1))
    }
  }
  return found
}

/** A request line may hold raw bytes above ASCII, which were read as Latin-1: mostly they are UTF-8. */
const utf8Of = (latin1: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII begins with them
  /^[\x00-\x7f]*$/.test(latin1) ? latin1 : Buffer.from(latin1, 'latin1').toString('utf8')

const queryOf = (target: string): string | null => {
  const at = target.indexOf('?')
  return at === -1 ? null : target.slice(at + 1)
}

function joined(door: Door, target: string): string {
  const [base = ''] = door.url.split('#', 1)
  const behind = target.slice(door.pathLength)
  const query = queryOf(behind)
  const path = query === null ? behind : behind.slice(0, behind.length - query.length - 1)
  const [place = '', ...own] = base.split('?')
  const start = path.startsWith('/') && place.endsWith('/') ? place.slice(0, -1) : place
  const asked = query ?? (own.length === 0 ? null : own.join('?'))
  return asked === null ? start + path : `${start}${path}?${asked}`
}

/** Path and query of a URL, spelled as they are. */
function pathOf(url: string): string {
  const authority = /^[a-z][a-z\d+.-]*:\/\/[^/?#]*/i.exec(url)?.[0] ?? ''
  const path = url.slice(authority.length)
  return path.startsWith('/') ? path : `/${path}`
}
