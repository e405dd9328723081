import { mediaTypeOf } from './media-type.ts'
import { partsOf } from './multipart.ts'

/** Name and value as they were sent, decoded. */
export type Field = readonly [name: string, value: string]

// Providers send some dozens. Of empty ones 3 MiB would have a million and a half, and take seconds.
const mostFields = 10_000

/**
 * The text fields of a form, in their order; null: it is none, or one of more than 10,000 fields. Files of a multipart form
 * are left out, and long texts: no provider signs them. What is no UTF-8 is read with replacement characters, as the form parsers of receivers do.
 */
export function formFields(contentType: string, body: Uint8Array): readonly Field[] | null {
  const { type, parameters } = mediaTypeOf(contentType)
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  if (type === 'application/x-www-form-urlencoded') {
    return hasTooMany(bytes) ? null : urlEncoded(bytes.toString('utf8'))
  }
  const boundary = type === 'multipart/form-data' ? parameters.get('boundary') : undefined
  if (!boundary) return null
  return partsOf(bytes, boundary, []).flatMap(({ name, filename, text }): readonly Field[] =>
    name === null || filename !== null || text === null ? [] : [[name, text]],
  )
}

function hasTooMany(bytes: Buffer): boolean {
  let fields = 1
  for (let at = bytes.indexOf('&'); at >= 0; at = bytes.indexOf('&', at + 1)) if (++fields > mostFields) return true
  return false
}

/** As a form's body and a URL's query are encoded. WHATWG URL, "application/x-www-form-urlencoded parsing". */
export const urlEncoded = (text: string): readonly Field[] => {
  // The constructor takes a leading question mark for the start of a query.
  return text === '' ? [] : [...new URLSearchParams(text.startsWith('?') ? `?${text}` : text)]
}
