import { once } from 'node:events'
import type { Server, Socket } from 'node:net'
import type { TestContext } from 'node:test'

export interface Listening {
  readonly port: number
  /** TCP connections since the start. */
  readonly opened: () => number
  /** TCP connections now. */
  readonly open: () => number
  /** Resolves when no more than `most` connections are open. */
  readonly openAtMost: (most: number) => Promise<void>
}

/** Lets a server listen on a free loopback port until the test is over, and counts who comes. */
export async function listening(t: TestContext, server: Server): Promise<Listening> {
  const sockets = new Set<Socket>()
  let opened = 0
  let changed = () => {}
  server.on('connection', (socket: Socket) => {
    opened++
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => {
      sockets.delete(socket)
      changed()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server does not listen on a port')
  return {
    port: address.port,
    opened: () => opened,
    open: () => sockets.size,
    async openAtMost(most) {
      while (sockets.size > most) {
        await new Promise<void>((resolve) => {
          changed = resolve
        })
      }
    },
  }
}
