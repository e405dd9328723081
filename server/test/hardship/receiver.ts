import type { AddressInfo } from 'node:net'
import { createServer, type Server, type Socket } from 'node:net'
import type { Books } from './books.ts'

/** A whole request, of a gateway that keeps connections open. */
export interface Asked {
  readonly socket: Socket
  /** Takes it: it is in the books, and answered 204. */
  take(): void
  /** Takes it, and leaves the answer to the caller. */
  note(): void
}

export type Manner = (asked: Asked) => void

export const kindly: Manner = ({ take }) => take()

const headEnd = Buffer.from('\r\n\r\n')

/** A receiver on a bare socket, so that it can answer as no server would. */
export class Receiver {
  readonly url: string
  /** How it answers from now on. */
  manner: Manner = kindly
  readonly #server: Server
  readonly #sockets: Set<Socket>
  asked = 0

  private constructor(server: Server, sockets: Set<Socket>) {
    this.#server = server
    this.#sockets = sockets
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  static async listen(books: Books): Promise<Receiver> {
    const sockets = new Set<Socket>()
    let receiver: Receiver | null = null
    const server = createServer((socket) => {
      sockets.add(socket)
      socket.on('close', () => sockets.delete(socket))
      socket.on('error', () => {})
      let held: Buffer = Buffer.alloc(0)
      socket.on('data', (chunk: Buffer) => {
        held = held.length === 0 ? chunk : Buffer.concat([held, chunk])
        for (;;) {
          const end = held.indexOf(headEnd)
          if (end < 0) return
          const head = held.toString('latin1', 0, end)
          const length = Number(headerOf(head, 'content-length'))
          if (held.length < end + 4 + length) return
          const body = held.subarray(end + 4, end + 4 + length)
          held = held.subarray(end + 4 + length)
          if (receiver) receiver.#hear(socket, head, body, books)
        }
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    receiver = new Receiver(server, sockets)
    return receiver
  }

  #hear(socket: Socket, head: string, body: Uint8Array, books: Books): void {
    this.asked += 1
    const [id, life] = [headerOf(head, 'webhook-id'), /life-\d+/.exec(headerOf(head, 'user-agent'))?.[0] ?? '']
    const note = (): void => books.arrive(id, body, life)
    const take = (): void => {
      note()
      socket.write('HTTP/1.1 204 No Content\r\n\r\n')
    }
    this.manner({ socket, take, note })
  }

  /** Ends every connection, and whatever was being answered on it. */
  hangUp(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  get open(): number {
    return this.#sockets.size
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    this.hangUp()
    await closed
  }
}

const headerOf = (head: string, name: string): string =>
  new RegExp(`\r\n${name}: *([^\r\n]*)`, 'i').exec(head)?.[1] ?? ''
