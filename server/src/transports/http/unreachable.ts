import { keptText } from '../../domain/kept-text.ts'
import type { UnreachableReason } from '../../domain/outcome.ts'

/** A failure we met ourselves on the way to a receiver, already in the words of an outcome. */
export class Unreachable extends Error {
  readonly reason: UnreachableReason

  /** `detail` is for people: no stack, no secrets. */
  constructor(reason: UnreachableReason, detail: string) {
    super(detail)
    this.name = 'Unreachable'
    this.reason = reason
  }
}

export interface Failure {
  readonly reason: UnreachableReason
  readonly detail: string
}

const longestDetail = 300 // characters; some messages of OpenSSL go on

/** What an error of an open connection means. Errors before that come as `Unreachable`, since only the opener knows how far it got. */
export function failureOf(error: Error): Failure {
  if (error instanceof Unreachable) return { reason: error.reason, detail: error.message }
  const code = codeOf(error)
  if (code === 'ECONNRESET' || code === 'EPIPE') return reset('the receiver reset the connection')
  if (code === 'ETIMEDOUT') return reset('the receiver stopped answering')
  // A response that ends short of its declared length, or inside a chunk, when the connection closes.
  const parserSays = error.name === 'HTTPParserError' ? error.message : null // its code is `undefined` in undici 8.12
  if (code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH' || parserSays?.includes('EOF')) {
    return reset('the receiver closed the connection before the end of its answer')
  }
  if (code === 'UND_ERR_SOCKET') {
    // undici says "bad response" and "bad upgrade" of an answer nobody asked for, anything else of a closed connection.
    return error.message.startsWith('bad ')
      ? protocol(`the answer is not one to this request (${error.message})`)
      : reset('the receiver closed the connection without a whole answer')
  }
  if (code === 'UND_ERR_HEADERS_OVERFLOW') return protocol('the headers of the answer are larger than 16 KiB')
  if (parserSays !== null)
    return protocol(`the answer is not HTTP/1.1: ${/\((.*)\)/.exec(parserSays)?.[1] ?? 'unknown fault'}`)
  if (code === 'UND_ERR_INVALID_ARG' || code === 'UND_ERR_NOT_SUPPORTED') {
    return protocol(`the request cannot be sent: ${error.message}`)
  }
  if (/^ERR_(?:SSL|TLS)_/.test(code)) return { reason: 'tls', detail: `TLS failed: ${inShort(error)}` }
  return reset(`the connection failed: ${inShort(error)}`)
}

const reset = (detail: string): Failure => ({ reason: 'reset', detail })
const protocol = (detail: string): Failure => ({ reason: 'protocol', detail: detail.slice(0, longestDetail) })

const connectPhrases: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'refused the connection',
  ECONNRESET: 'reset the connection while it was being opened',
  EHOSTUNREACH: 'has no route to it',
  ENETUNREACH: 'is on a network that cannot be reached',
  ETIMEDOUT: 'did not answer',
}

/** Opening a TCP connection failed, to one address or (an AggregateError) to each of several. */
export function connectFailure(error: Error, where: string, port: number): Unreachable {
  const tries = error instanceof AggregateError ? error.errors.filter((one) => one instanceof Error) : [error]
  const details = tries.map((one) => {
    const address = 'address' in one && typeof one.address === 'string' ? one.address : where
    const code = codeOf(one)
    return `${address.includes(':') ? `[${address}]` : address}:${port} ${connectPhrases[code] ?? `cannot be connected to (${code})`}`
  })
  const detail = [...new Set(details)].join('; ').slice(0, longestDetail)
  return new Unreachable(tries.some((one) => codeOf(one) !== 'ETIMEDOUT') ? 'connect' : 'timeout', detail)
}

/** The connection stood, but TLS on it did not come about. */
export const tlsFailure = (error: Error, hostname: string): Unreachable =>
  new Unreachable('tls', `TLS with ${hostname} failed: ${inShort(error)}`)

/** The host name could not be resolved. */
export function dnsFailure(error: unknown, hostname: string): Unreachable {
  const code = error instanceof Error ? codeOf(error) : ''
  if (code === 'ENOTFOUND' || code === 'ENODATA') return new Unreachable('dns', `there is no host ${hostname}`)
  if (code === 'EAI_AGAIN' || code === 'ETIMEOUT')
    return new Unreachable('dns', `the name server did not answer for ${hostname}`)
  return new Unreachable('dns', `${hostname} could not be resolved${code === '' ? '' : ` (${code})`}`)
}

const codeOf = (error: Error): string => ('code' in error && typeof error.code === 'string' ? error.code : '')

// OpenSSL's own messages carry thread ids and source files ("…:error:0A00010B:SSL routines:…"); its code says the same.
// Node's advice about its own flags ("; if the root CA …") is not for the owner of an endpoint.
function inShort(error: Error): string {
  const code = codeOf(error)
  const words = error.message.includes(':error:') ? '' : error.message.split(/\n|; if /, 1)[0]?.trim()
  // A name out of a certificate may be of any characters, and the cut may go through one.
  const short = keptText([words, code === '' ? '' : `(${code})`].filter(Boolean).join(' ').slice(0, longestDetail))
  return short || 'for an unknown reason'
}
