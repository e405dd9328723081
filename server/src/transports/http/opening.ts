import { isIP, type LookupFunction, connect as openTcp, type Socket } from 'node:net'
import { connect as openTls, type TLSSocket } from 'node:tls'
import type { World } from '../../ports/world.ts'
import type { Guard } from './guard.ts'
import { connectFailure, tlsFailure, Unreachable } from './unreachable.ts'

// Resolving, connecting and TLS together. A receiver that cannot be connected to in this time will not answer in the rest
// of a longer timeout either.
const longestMs = 10_000

export interface OpeningAsk {
  readonly hostname: string
  readonly port: number
  readonly secure: boolean
  /** Of an earlier connection to the same origin, to shorten the handshake. */
  readonly session: Buffer | null
  readonly onSession: (session: Buffer) => void
}

/** A connection being opened. Its socket is destroyed when it is called off; `done` is then not called. */
export interface Opening {
  abort(): void
}

/**
 * Opens a connection to addresses the guard has passed, and to no others: the socket's own lookup is replaced by one that
 * knows just these, so that there is no second resolution whose answer could differ. `done` is called once, with a
 * connected socket (TLS verified against `hostname`) or with `Unreachable`.
 */
export function openSocket(
  guard: Guard,
  world: World,
  ask: OpeningAsk,
  done: (error: Unreachable | null, socket: Socket | TLSSocket | null) => void,
): Opening {
  let socket: Socket | TLSSocket | null = null
  let over = false

  const finish = (error: Unreachable | null) => {
    if (over) return
    over = true
    timer.cancel()
    if (error !== null) socket?.destroy()
    done(error, error === null ? socket : null)
  }

  const timer = world.after(longestMs, () => {
    finish(new Unreachable('timeout', `no connection to ${ask.hostname} port ${ask.port} within ${longestMs / 1000} s`))
  })

  const dial = (addresses: readonly string[]) => {
    if (over) return
    let connected = false
    const tcp = {
      host: ask.hostname,
      port: ask.port,
      lookup: pinned(addresses),
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: 60_000, // ms
    }
    if (ask.secure) {
      // RFC 6066 §3: server names are sent without the final dot, and never for addresses.
      const servername = isIP(ask.hostname) === 0 ? ask.hostname.replace(/\.$/, '') : ''
      const secured = openTls({
        ...tcp,
        servername,
        ALPNProtocols: ['http/1.1'],
        ...(ask.session === null ? {} : { session: ask.session }),
      })
      secured.on('session', ask.onSession).once('secureConnect', () => finish(null))
      secured.once('connect', () => {
        connected = true
      })
      socket = secured
    } else {
      socket = openTcp(tcp)
      socket.once('connect', () => finish(null))
    }
    // Stays for the socket's life: after `done` its errors are its new owner's, who listens as well.
    socket.on('error', (error) => {
      if (!over) finish(connected ? tlsFailure(error, ask.hostname) : connectFailure(error, ask.hostname, ask.port))
    })
  }

  guard(ask.hostname).then(dial, finish)

  return {
    abort() {
      if (over) return
      over = true
      timer.cancel()
      socket?.destroy()
    },
  }
}

// A literal host is never looked up by a socket; the guard has judged just that.
const pinned =
  (addresses: readonly string[]): LookupFunction =>
  (_hostname, options, callback) => {
    const found = addresses.map((address) => ({ address, family: isIP(address) }))
    const [first] = found
    if (options.all) callback(null, found)
    else callback(null, first?.address ?? '', first?.family)
  }
