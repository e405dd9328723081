// CORS: which web pages may read what their visitors' browsers are answered. https://fetch.spec.whatwg.org/#http-cors-protocol

import type { FastifyInstance } from 'fastify'

/** Pages of any origin, or of these. */
export type CrossOrigins = '*' | readonly string[]

const exposed = [
  'Allow',
  'ETag',
  'Idempotent-Replayed',
  'Link',
  'RateLimit',
  'RateLimit-Policy',
  'Retry-After',
  'X-Request-Id',
].join(', ')
const methods = 'DELETE, GET, HEAD, PATCH, POST, PUT'
// How long a browser need not ask again. The longest that all of them keep.
const maxAgeSeconds = '7200'

// Not the metrics: they need no key, so that any page could read those of the network its visitor is in.
const isShared = (url: string): boolean => url.startsWith('/api/') || url.startsWith('/openapi.json')

/**
 * Lets pages of these origins call the API. Never with the visitor's own credentials: a page shows a key or token that it
 * holds itself.
 */
export function allowOrigins(app: FastifyInstance, origins: CrossOrigins): void {
  app.addHook('onRequest', ({ url, method, headers }, reply, done) => {
    if (!isShared(url)) return done()
    if (origins !== '*') reply.header('vary', 'Origin')
    const { origin } = headers
    if (origin === undefined || (origins !== '*' && !origins.includes(origin))) return done()
    reply.header('access-control-allow-origin', origins === '*' ? '*' : origin)
    reply.header('access-control-expose-headers', exposed)
    if (method === 'OPTIONS' && headers['access-control-request-method'] !== undefined) {
      reply.header('access-control-allow-methods', methods)
      reply.header('access-control-max-age', maxAgeSeconds)
      const asked = headers['access-control-request-headers']
      // No header of a page's own is more than it could say in the body.
      if (asked !== undefined && /^[\w\-, ]{1,1024}$/.test(asked)) reply.header('access-control-allow-headers', asked)
    }
    done()
  })
}
