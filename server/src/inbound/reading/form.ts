/** Name and value as they were sent, decoded. */
export type Field = readonly [name: string, value: string]

// Bodies are bounded in size, but a megabyte of `--b` is a hundred thousand parts. No form of a provider has that many.
const mostParts = 1_000

/**
 * The text fields of a form, in their order; null: it is none. Files of a multipart form are left out. What is no UTF-8 is
 * read with replacement characters, as the form parsers of receivers do.
 */
export function formFields(contentType: string, body: Uint8Array): readonly Field[] | null {
  const kind = contentType.split(';', 1)[0]?.trim().toLowerCase()
  if (kind === 'application/x-www-form-urlencoded') return urlEncoded(bytesOf(body).toString('utf8'))
  if (kind !== 'multipart/form-data') return null
  const boundary = /;\s*boundary=(?:"([^"]{1,200})"|([^\s;]{1,200}))/i.exec(contentType)
  const text = boundary?.[1] ?? boundary?.[2]
  return text === undefined ? null : multipart(bytesOf(body), text)
}

/** As a form's body and a URL's query are encoded. WHATWG URL, "application/x-www-form-urlencoded parsing". */
export const urlEncoded = (text: string): readonly Field[] => {
  // The constructor takes a leading question mark for the start of a query.
  return text === '' ? [] : [...new URLSearchParams(text.startsWith('?') ? `?${text}` : text)]
}

const bytesOf = (body: Uint8Array): Buffer => Buffer.from(body.buffer, body.byteOffset, body.byteLength)

/** RFC 7578; parts are found by their boundary alone. */
function multipart(body: Buffer, boundary: string): readonly Field[] {
  const fields: Field[] = []
  const between = Buffer.from(`\r\n--${boundary}`, 'latin1')
  const whole = Buffer.concat([Buffer.from('\r\n'), body])
  let at = whole.indexOf(between)
  for (let parts = 0; at !== -1 && parts < mostParts; parts++) {
    const start = at + between.length
    at = whole.indexOf(between, start)
    if (at === -1) break
    const field = partOf(whole.subarray(start, at))
    if (field) fields.push(field)
  }
  return fields
}

function partOf(part: Buffer): Field | null {
  const headEnd = part.indexOf('\r\n\r\n')
  if (headEnd === -1) return null
  const disposition = /^content-disposition:(.*)$/im.exec(part.subarray(0, headEnd).toString('utf8'))?.[1] ?? ''
  if (/;\s*filename\*?=/i.test(disposition)) return null
  const name = /;\s*name="([^"]*)"/i.exec(disposition)?.[1]
  return name === undefined ? null : [name, part.subarray(headEnd + 4).toString('utf8')]
}
