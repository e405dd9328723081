import { hash } from 'node:crypto'
import type { MessageId, Millis } from './ids.ts'
import { Problem } from './problem.ts'

/** How long the answer to a POST that named an `Idempotency-Key` is remembered. */
export const answersKeptMs: Millis = 12 * 60 * 60_000

/** What a POST is remembered by (who asked, where, with which key), and what must be the same when it comes again. */
export interface RepeatableAsk {
  readonly id: string
  readonly fingerprint: string
}

/** An answer as it was given; null: without a body. */
export interface Answered {
  readonly status: number
  readonly body: string | null
}

/** The publish that an `Idempotency-Key` was first used for. */
export interface FirstPublish {
  readonly messageId: MessageId
  readonly acceptedAt: Millis
  readonly fingerprint: string
}

const longestKey = 255
const bareKey = /^[\x21\x23-\x7e][\x21-\x7e]*$/
// RFC 9651 §3.3.3: a string is quoted, and a quote or backslash in it is escaped.
const quotedKey = /^"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"$/

/** The key an `Idempotency-Key` header names, quoted or bare. Throws Problem `idempotency-key-invalid`. */
export function readIdempotencyKey(header: string): string {
  const quoted = quotedKey.exec(header)?.[1]
  const key = quoted === undefined ? header : quoted.replaceAll(/\\(.)/g, '$1')
  if (key.length < 1 || key.length > longestKey || (quoted === undefined && !bareKey.test(key))) {
    throw new Problem(
      'idempotency-key-invalid',
      `An Idempotency-Key is 1 to ${longestKey} characters of visible ASCII, bare or in double quotes.`,
    )
  }
  return key
}

/** `target` is path and query as they were asked for; only the path tells one operation from another. */
export function repeatableAsk(
  callerId: string,
  method: string,
  target: string,
  key: string,
  body: Uint8Array | null,
): RepeatableAsk {
  const [path = target] = target.split('?', 1)
  const asked = Buffer.from(`${target}\n`)
  return {
    id: hash('sha256', JSON.stringify([callerId, method, path, key]), 'base64url'),
    fingerprint: hash('sha256', body ? Buffer.concat([asked, body]) : asked, 'base64url'),
  }
}

/** One of the many that an ask is about. Remembered each by itself, they are known again however few of them were done. */
export const partOfAsk = ({ id, fingerprint }: RepeatableAsk, at: number): RepeatableAsk => ({
  id: `${id}/${at}`,
  fingerprint,
})

/** Throws Problem `idempotency-key-reused` unless both asks are one and the same. */
export function demandSameAsk(first: { readonly fingerprint: string }, again: { readonly fingerprint: string }): void {
  if (first.fingerprint !== again.fingerprint) throw new Problem('idempotency-key-reused')
}
