import { type EgressAllow, isNamed } from '../../domain/egress.ts'
import type { UnreachableReason } from '../../domain/outcome.ts'
import type { Fetched, Fetcher, FetchRequest } from '../../ports/fetcher.ts'
import type { World } from '../../ports/world.ts'
import { Connection, type Open } from './connection.ts'
import { makeGuard } from './guard.ts'
import type { Resolve } from './look-ups.ts'
import { openSocket } from './opening.ts'
import { failureOf } from './unreachable.ts'

export interface FetcherOptions {
  readonly allow: EgressAllow
  readonly world: World
  readonly userAgent: string
  /** Default: the system's resolver. */
  readonly resolve?: Resolve
}

/**
 * Makes the fetcher. Each request has a connection of its own, which is closed after it: what is fetched is kept by whoever
 * asked, so the next request to the same host is minutes or days away.
 */
export function createFetcher(options: FetcherOptions): Fetcher {
  const { allow, world } = options
  const guard = makeGuard(allow, options.resolve)
  const open: Open = (ask, done) => openSocket(guard, world, { ...ask, session: null, onSession() {} }, done)
  const underWay = new Set<(reason: UnreachableReason, detail: string) => void>()
  let closed = false

  const get = (request: FetchRequest, url: URL): Promise<Fetched> =>
    new Promise((resolve) => {
      const chunks: Buffer[] = []
      let bytes = 0
      let status = 0
      let header = (_name: string): string | null => null
      const connection = new Connection(url.origin, open, () => {})

      const finish = (fetched: Fetched) => {
        if (!underWay.delete(giveUp)) return
        deadline.cancel()
        void connection.destroy()
        resolve(fetched)
      }
      const giveUp = (reason: UnreachableReason, detail: string) => finish({ kind: 'unreachable', reason, detail })
      underWay.add(giveUp)
      const deadline = world.after(request.timeoutMs, () =>
        giveUp('timeout', `${url.host} did not give a whole answer within ${request.timeoutMs / 1000} s`),
      )

      const headers = ['accept', '*/*', 'accept-encoding', 'identity', 'user-agent', options.userAgent]
      connection.dispatch(
        {
          method: request.method ?? 'GET',
          path: `${url.pathname}${url.search}`,
          headers: [...headers, ...(request.headers ?? [])],
        },
        {
          onRequestStart() {},
          onResponseStart(_controller, code, received) {
            status = code // an informational one is overwritten by the one that follows
            header = (name) => {
              const value = received[name]
              return (typeof value === 'string' ? value : value?.[0]) ?? null
            }
          },
          onResponseData(_controller, chunk) {
            bytes += chunk.length
            if (bytes <= request.mostBytes) chunks.push(chunk)
            else giveUp('protocol', `the answer of ${url.host} is longer than ${request.mostBytes} bytes`)
          },
          onResponseEnd() {
            const body = Buffer.concat(chunks)
            const contentType = header('content-type')
            finish({ kind: 'answered', status, contentType, cacheControl: header('cache-control'), body })
          },
          onResponseError(_controller, error) {
            const { reason, detail } = failureOf(error)
            giveUp(reason, detail.replace('the receiver', url.host))
          },
        },
      )
    })

  return {
    async fetch(request) {
      if (closed) return { kind: 'unreachable', reason: 'connect', detail: 'Posthorn is stopping' }
      const url = URL.parse(request.url)
      if (url === null || (url.protocol !== 'https:' && !(url.protocol === 'http:' && isNamed(allow, url.hostname)))) {
        const detail = 'the URL does not begin with https://, and POSTHORN_EGRESS_ALLOW does not name its host'
        return { kind: 'unreachable', reason: 'blocked', detail }
      }
      return get(request, url)
    },

    async close() {
      closed = true
      for (const giveUp of [...underWay]) giveUp('connect', 'Posthorn is stopping')
    },
  }
}
