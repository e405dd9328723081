// A request's body as the text that a message keeps, and back, byte for byte: bodies travel to the store inside JSON rows,
// which is fastest, and the payload of nearly all is JSON anyway.

import { isUtf8 } from 'node:buffer'
import type { PayloadEncoding } from './inbound.ts'
import { isJson } from './is-json.ts'
import type { Message } from './message.ts'

/** A payload with how its text stands for bytes. */
export interface PayloadText {
  readonly payload: string
  readonly encoding: PayloadEncoding
}

/**
 * The text under which a body is kept. Null as `encoding` promises that the text is JSON, spelled as it came; a byte order
 * mark is part of a body, so JSON behind one is `text` (RFC 8259 §8.1). A NUL makes it `base64`: PostgreSQL keeps none in a text.
 * `parses`: whether a text that may be JSON is, where somebody has parsed it or is going to.
 */
export function payloadOf(body: Uint8Array, parses: (text: string) => boolean = isJson): PayloadText {
  const bytes = asBuffer(body)
  if (!isUtf8(bytes) || bytes.includes(0)) return { payload: bytes.toString('base64'), encoding: 'base64' }
  const payload = bytes.toString('utf8')
  return { payload, encoding: beginsAsJson.test(payload) && parses(payload) ? null : 'text' }
}

/** The bytes that a kept payload stands for. */
export const bodyOf = ({ payload, encoding }: PayloadText): Buffer =>
  Buffer.from(payload, encoding === 'base64' ? 'base64' : 'utf8')

/**
 * Whether the text of a message's payload can be set into JSON as it is. What was published under a content type of its own
 * need not be JSON; of what came to a source, the encoding tells.
 */
export const isJsonText = ({
  contentType,
  encoding,
  request,
}: Pick<Message, 'contentType' | 'encoding' | 'request'>): boolean =>
  encoding === null && (contentType === null || request !== null)

const asBuffer = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)

// What begins otherwise is no JSON (RFC 8259 §2, §3): a form or XML need not be parsed to be told so.
const beginsAsJson = /^[ \t\n\r]*[{["\dtfn-]/
