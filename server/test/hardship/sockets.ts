import { connect, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'

/** Many bare connections to one listener. */
export class Sockets {
  readonly #sockets = new Set<Socket>()
  readonly #port: number
  /** Those that could be opened, ever. */
  opened = 0
  failed = 0
  heardBytes = 0

  constructor(url: string) {
    this.#port = Number(new URL(url).port)
  }

  /** Opens so many more; `begin` says what each begins with. Resolves when each is open or cannot be. */
  async open(count: number, begin: (socket: Socket) => void = () => {}): Promise<void> {
    // A few at a time: the queue of a listener is no longer than 511.
    for (let left = count; left > 0; left -= 200) {
      await Promise.all(Array.from({ length: Math.min(200, left) }, () => this.#openOne(begin)))
    }
  }

  #openOne(begin: (socket: Socket) => void): Promise<void> {
    return new Promise((resolve) => {
      const socket = connect(this.#port, '127.0.0.1')
      this.#sockets.add(socket)
      socket.on('data', (chunk: Buffer) => {
        this.heardBytes += chunk.length
      })
      socket.once('connect', () => {
        this.opened += 1
        begin(socket)
        resolve()
      })
      socket.on('error', () => {
        if (socket.connecting) this.failed += 1
      })
      socket.once('close', () => {
        this.#sockets.delete(socket)
        resolve()
      })
    })
  }

  get left(): number {
    return this.#sockets.size
  }

  /** Says these bytes on each, over and over, until all are closed by the other side or the time is over. */
  async drip(next: () => string, everyMs: number, withinMs: number): Promise<void> {
    for (const until = performance.now() + withinMs; this.left > 0 && performance.now() < until; await pause(everyMs)) {
      for (const socket of this.#sockets) socket.write(next())
    }
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy()
  }
}
