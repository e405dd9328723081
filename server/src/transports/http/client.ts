// HTTP: sends deliveries, fast, and only where the egress guard lets them. It must not know what a
// message, an endpoint or a retry is. A try (try.ts) goes to an origin (origin.ts), which gives it a connection
// (connection.ts), which opens its socket (opening.ts) to addresses the guard (guard.ts) has passed.

import type { Dispatcher } from 'undici'
import type { EgressAllow } from '../../domain/egress.ts'
import type { Outcome } from '../../domain/outcome.ts'
import type { OutgoingRequest, Transport } from '../../ports/transport.ts'
import type { World } from '../../ports/world.ts'
import { makeGuard } from './guard.ts'
import type { Resolve } from './look-ups.ts'
import { Origin } from './origin.ts'
import { Try } from './try.ts'

export interface HttpTransportOptions {
  readonly allow: EgressAllow
  readonly world: World
  readonly maxConnectionsPerOrigin: number
  /** Default: the system's resolver. */
  readonly resolve?: Resolve
}

// Origins without a try that are remembered with their idle connections and TLS session, latest used last.
const mostIdleOrigins = 512
// URLs whose parts are remembered. Parsing one costs about as much as signing a small message.
const mostTargets = 8192

interface Target {
  readonly origin: string
  readonly path: string
}

/**
 * Makes the HTTP transport. `send` never rejects; redirects are not followed; a try is over after its `timeoutMs`
 * whatever the receiver, the network or the name server does.
 */
export function createHttpTransport(options: HttpTransportOptions): Transport {
  const { world } = options
  const guard = makeGuard(options.allow, options.resolve)
  const origins = new Map<string, Origin>()
  const idle = new Set<Origin>()
  const targets = new Map<string, Target>()
  let closed = false

  const targetOf = (url: string): Target | null => {
    const known = targets.get(url)
    if (known !== undefined) return known
    const parsed = URL.parse(url)
    if (parsed === null || (parsed.protocol !== 'http:' && parsed.protocol !== 'https:')) return null
    const target = { origin: parsed.origin, path: `${parsed.pathname}${parsed.search}` }
    if (targets.size >= mostTargets) targets.clear()
    targets.set(url, target)
    return target
  }

  const originOf = (name: string): Origin => {
    let origin = origins.get(name)
    if (origin === undefined) {
      origin = new Origin(name, options.maxConnectionsPerOrigin, guard, world)
      origins.set(name, origin)
    }
    idle.delete(origin)
    return origin
  }

  const rest = (origin: Origin) => {
    if (origin.busy) return
    idle.add(origin)
    if (idle.size <= mostIdleOrigins) return
    const [oldest] = idle
    if (oldest === undefined) return
    idle.delete(oldest)
    origins.delete(oldest.name)
    void oldest.close()
  }

  return {
    send(request: OutgoingRequest, onFirstByte?: () => void): Promise<Outcome> {
      const target = closed ? null : targetOf(request.url)
      if (target === null) {
        const reason = closed ? 'connect' : 'protocol'
        const detail = closed ? 'Posthorn is stopping' : 'the URL is not an http or https URL'
        return Promise.resolve({ kind: 'unreachable', reason, detail, durationMs: 0 })
      }
      return new Promise((resolve) => {
        const origin = originOf(target.origin)
        const done = (outcome: Outcome) => {
          rest(origin)
          resolve(outcome)
        }
        const { method, headers, body } = request
        const wire = { method: method as Dispatcher.HttpMethod, path: target.path, headers: headers.slice(), body }
        origin.start(new Try(origin, wire, request.timeoutMs, world, onFirstByte, done))
      })
    },

    async close() {
      closed = true
      await Promise.all([...origins.values()].map((origin) => origin.close()))
    },
  }
}
