import { demand, type Hardship, scaled } from '../hardship.ts'
import type { Manner } from '../receiver.ts'
import { Sockets } from '../sockets.ts'

const line = `x-more: ${'a'.repeat(1_000)}\r\n`

/** Headers without an end, as fast as they are read. */
const endlessly: Manner = ({ socket }) => {
  socket.write('HTTP/1.1 200 OK\r\n')
  const more = (): void => {
    while (!socket.destroyed) if (!socket.write(line)) return void socket.once('drain', more)
  }
  more()
}

/** Who goes on sending may not get to read it: the connection is reset under him. Who stops, having said too much, does. */
async function tellsWhy(
  url: string,
  until: (over: () => boolean, otherwise: () => string) => Promise<unknown>,
): Promise<void> {
  const sockets = new Sockets(url)
  try {
    await sockets.open(1, (socket) => socket.write(`POST /in/token HTTP/1.1\r\nhost: a\r\n${line.repeat(20)}`))
    await until(
      () => sockets.left === 0,
      () => 'a caller with 20 kB of headers is left without a word',
    )
    demand(sockets.heardBytes > 0, () => 'a caller with 20 kB of headers was not told why')
  } finally {
    sockets.close()
  }
}

export const endlessHeaders: Hardship = {
  name: 'endless-headers',
  about: 'receivers answer, and callers ask, with headers that do not end',
  async goThrough(gateway, scale) {
    const { receiver } = gateway.troubled
    receiver.manner = endlessly
    const count = scaled(200, scale, 50)
    for (let left = count; left > 0; left--) await gateway.publishTroubled()
    const sockets = new Sockets(gateway.url)
    try {
      await sockets.open(count, (socket) => {
        socket.write('POST /in/token HTTP/1.1\r\nhost: a\r\n')
        const more = (): void => {
          while (!socket.destroyed) if (!socket.write(line)) return void socket.once('drain', more)
        }
        more()
      })
      await gateway.until(
        () => sockets.left === 0,
        30_000,
        () => `${sockets.left} callers still send headers`,
      )
    } finally {
      sockets.close()
    }
    await tellsWhy(gateway.url, (over, otherwise) => gateway.until(over, 30_000, otherwise))
    await gateway.until(
      () => receiver.asked >= 20,
      30_000,
      () => `only ${receiver.asked} tries`,
    )
    await gateway.roadIsOpen()
    return `${receiver.asked} answers and ${count} requests were cut off`
  },
}
