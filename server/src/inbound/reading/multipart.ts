import { mediaTypeOf, textOf } from './media-type.ts'

/** One part of a multipart body. */
export interface MultipartPart {
  readonly name: string | null
  readonly filename: string | null
  readonly contentType: string | null
  readonly bytes: number
  /** Null: it is no text, or a long one. */
  readonly text: string | null
}

const mostParts = 100
const longestText = 16 * 1024
const longestHeader = 16 * 1024
const lineEnd = Buffer.from('\r\n')
const headerEnd = Buffer.from('\r\n\r\n')

/** The parts of a multipart body (RFC 2046 §5.1); `faults` gets a sentence where it is not as it should be. */
export function partsOf(body: Buffer, boundary: string, faults: string[]): readonly MultipartPart[] {
  const delimiter = Buffer.from(`\r\n--${boundary}`)
  // A delimiter takes the line end before it along; the first may have none.
  const data = Buffer.concat([lineEnd, body])
  const parts: MultipartPart[] = []
  let at = nextDelimiter(data, delimiter, 0)
  if (at < 0) faults.push(`Its boundary ${boundary} is nowhere in it.`)
  while (at >= 0) {
    const behind = at + delimiter.length
    if (data.toString('latin1', behind, behind + 2) === '--') return parts
    const start = data.indexOf(lineEnd, behind)
    const next = start < 0 ? -1 : nextDelimiter(data, delimiter, start)
    if (start >= 0) {
      if (parts.length === mostParts) {
        faults.push(`It has more than ${mostParts} parts; the others are not shown.`)
        return parts
      }
      parts.push(partOf(data.subarray(start, next < 0 ? data.length : next)))
    }
    if (next < 0) faults.push('It ends without its closing boundary: it may be cut off.')
    at = next
  }
  return parts
}

/** Behind a boundary comes the end of its line, or what closes the body; else it is one that only begins like it. */
function nextDelimiter(data: Buffer, delimiter: Buffer, from: number): number {
  for (let at = data.indexOf(delimiter, from); at >= 0; at = data.indexOf(delimiter, at + 1)) {
    if (/^(?:--|[ \t]*(?:\r\n|$))/.test(data.toString('latin1', at + delimiter.length, at + delimiter.length + 80)))
      return at
  }
  return -1
}

/** `section` begins with the line end of the boundary's own line. */
function partOf(section: Buffer): MultipartPart {
  const end = section.indexOf(headerEnd)
  const split = end >= 0 && end <= longestHeader
  const headers = split ? section.toString('utf8', 0, end) : ''
  const content = section.subarray(split ? end + headerEnd.length : lineEnd.length)
  const contentType = headerOf(headers, 'content-type')
  const { parameters } = mediaTypeOf(headerOf(headers, 'content-disposition') ?? '')
  return {
    name: parameters.get('name') ?? null,
    filename: extended(parameters.get('filename*')) ?? parameters.get('filename') ?? null,
    contentType,
    bytes: content.length,
    text: shortText(content, contentType),
  }
}

const headerOf = (headers: string, name: string): string | null =>
  new RegExp(`(?:^|\\r\\n)${name}:[ \\t]*(.*(?:\\r\\n[ \\t].*)*)`, 'i').exec(headers)?.[1]?.trim() ?? null

/** RFC 8187: `UTF-8''na%C3%AFve.txt`. */
function extended(value: string | undefined): string | null {
  const encoded = /^utf-8'[^']*'(.*)$/i.exec(value ?? '')?.[1]
  try {
    return encoded === undefined ? null : decodeURIComponent(encoded)
  } catch {
    return null
  }
}

function shortText(content: Buffer, contentType: string | null): string | null {
  const { type, parameters } = mediaTypeOf(contentType ?? 'text/plain')
  if (content.length > longestText || content.includes(0)) return null
  const faults: string[] = []
  const text = textOf(content, parameters.get('charset') ?? null, faults)
  return faults.length === 0 && !/^(?:image|audio|video|font)\//.test(type) ? text : null
}
