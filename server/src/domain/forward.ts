import type { ForwardSignature } from './control.ts'
import type { ReceivedRequest } from './inbound.ts'

/** What goes with a forwarded request beside the headers it came with: flat, as they. */
export interface Added {
  /** What Posthorn says of it. Nobody else may: what came under these names is dropped. */
  readonly own: readonly string[]
  readonly signature: () => readonly string[]
  /** Unless it came with one. */
  readonly trace: () => readonly string[]
  /** What the endpoint's owner wants sent, in the place of what came under the same names. */
  readonly extra: readonly string[]
}

// What is between two neighbours only (RFC 9110 §7.6.1), and what the next hop works out anew.
const ofThisHop: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])
// Whatever stands between: CGI and WSGI read `Posthorn_Verification` and `Posthorn-Verification` under one name.
const isOwn = (name: string): boolean => /^posthorn[-_.]/.test(name)
const signatureNames: ReadonlySet<string> = new Set(['webhook-id', 'webhook-timestamp', 'webhook-signature'])

/** The headers of a received request as they go on: in their order, with repeats, in the case they came in. */
export function forwardedHeaders(
  { headers }: Pick<ReceivedRequest, 'headers'>,
  wanted: ForwardSignature,
  { own, signature, trace, extra }: Added,
): string[] {
  const names = headers.filter((_, at) => at % 2 === 0).map((name) => name.toLowerCase())
  const dropped = new Set(ofThisHop)
  for (const [at, name] of names.entries()) {
    if (name !== 'connection') continue
    for (const option of (headers[at * 2 + 1] ?? '').split(',')) dropped.add(option.trim().toLowerCase())
  }
  for (let at = 0; at < extra.length; at += 2) dropped.add((extra[at] ?? '').toLowerCase())
  if (wanted === 'replace') for (const name of signatureNames) dropped.add(name)
  const sign = wanted === 'replace' || (wanted === 'add' && !names.some((name) => signatureNames.has(name)))

  const sent: string[] = []
  for (const [at, name] of names.entries()) {
    if (dropped.has(name) || isOwn(name)) continue
    sent.push(headers[at * 2] ?? '', headers[at * 2 + 1] ?? '')
  }
  sent.push(...own)
  if (sign) sent.push(...signature())
  if (!names.includes('traceparent')) sent.push(...trace())
  sent.push(...extra)
  return sent
}
