// What HTTP itself asks of a request before anybody looks at what it is about. RFC 9110 and 9112.

import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { Problem } from '../domain/problem.ts'

/** Why a request cannot be taken, whatever it is about; null: it can. On the fast road: looks, and makes nothing. */
export function faultOfRequest({ rawHeaders, headers, httpVersionMinor }: IncomingMessage): Problem | null {
  let hosts = 0
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]
    if (name?.length === 4 && name.toLowerCase() === 'host') hosts += 1
  }
  // RFC 9112, 3.2
  if (hosts > 1) return new Problem('request-malformed', 'The request has more than one Host header.')
  if (hosts === 0 && httpVersionMinor > 0) return new Problem('request-malformed', 'The request has no Host header.')
  // RFC 9112, 6.1: the chunks can be read, what is in them cannot.
  const coding = headers['transfer-encoding']
  if (coding !== undefined && coding.trim().toLowerCase() !== 'chunked')
    return new Problem('transfer-coding-unsupported')
  return null
}

/** Throws Problem `media-type-unsupported` where a body is compressed or not UTF-8. */
export function demandPlainBody(headers: IncomingHttpHeaders): void {
  const { 'content-encoding': encoding, 'content-type': type } = headers
  if (encoding !== undefined && encoding !== 'identity') {
    throw new Problem('media-type-unsupported', 'The body must not be compressed.')
  }
  if (type === undefined || type === 'application/json') return
  const charset = /;[ \t]*charset[ \t]*=[ \t]*"?([^";]*)/i.exec(type)?.[1]?.trim()
  if (charset !== undefined && !/^utf-?8$/i.test(charset)) {
    throw new Problem('media-type-unsupported', `The body must be in UTF-8, not '${charset}'.`)
  }
}
