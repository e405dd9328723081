import type { Socket } from 'node:net'
import { Client, type Dispatcher } from 'undici'
import type { Opening, OpeningAsk } from './opening.ts'
import type { Unreachable } from './unreachable.ts'

/** Opens a socket for a connection of this origin; see `openSocket`. */
export type Open = (
  ask: Pick<OpeningAsk, 'hostname' | 'port' | 'secure'>,
  done: (error: Unreachable | null, socket: Socket | null) => void,
) => Opening

/**
 * One keep-alive connection that carries one try at a time. It opens its socket when the first try needs it, and again
 * after the receiver has closed it.
 */
export class Connection {
  /** Answers read from the socket as it is now: with one or more it is a reused one, which may have died unnoticed. */
  answers = 0
  readonly #client: Client
  #opening: Opening | null = null

  /** `onLost` is called whenever the socket is gone. */
  constructor(origin: string, open: Open, onLost: (connection: Connection) => void) {
    this.#client = new Client(origin, {
      pipelining: 1,
      allowH2: false,
      // The whole try has one deadline, kept by the try itself.
      headersTimeout: 0,
      bodyTimeout: 0,
      maxHeaderSize: 16 * 1024, // bytes
      // 4 s: shorter than what common servers keep an idle connection without announcing it (Node 5 s, nginx 75 s); an
      // announced time counts instead, up to a minute.
      keepAliveTimeout: 4000,
      keepAliveMaxTimeout: 60_000,
      connect: ({ hostname, port, protocol }, callback) => {
        this.answers = 0
        const secure = protocol === 'https:'
        this.#opening = open(
          { hostname, port: port === '' ? (secure ? 443 : 80) : Number(port), secure },
          (error, socket) => {
            this.#opening = null
            if (socket !== null) callback(null, socket)
            else if (error !== null) callback(error, null)
          },
        )
      },
    })
    this.#client.on('disconnect', () => onLost(this))
  }

  dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): void {
    this.#client.dispatch(options, handler)
  }

  /** Ends it at once, whatever it is doing. */
  async destroy(): Promise<void> {
    this.#opening?.abort()
    this.#opening = null
    await this.#client.destroy()
  }
}
