import { setTimeout as pause } from 'node:timers/promises'
import { demand, type Hardship } from '../hardship.ts'
import { Sockets } from '../sockets.ts'

const mebibyte = 1024 * 1024
// Together what the door holds at most, to the byte.
const sizes = [24, 24, 8, 8].map((size) => size * mebibyte)

export const hoarders: Hardship = {
  name: 'hoarders',
  about: 'strangers send the public door the 64 MiB that it holds of bodies, and then nothing more',
  async goThrough(gateway) {
    const sockets = new Sockets(gateway.url)
    let most = 0
    try {
      for (const size of sizes) {
        await sockets.open(1, (socket) => {
          socket.write(`POST /in/token HTTP/1.1\r\nhost: a\r\ncontent-length: ${size + 1}\r\n\r\n`)
          socket.write(Buffer.alloc(size, 'a'))
        })
      }
      for (let left = 20; left > 0; left--) {
        await pause(200)
        most = Math.max(most, gateway.process.rssBytes)
      }
      await gateway.roadIsOpen()
      const answer = await fetch(`${gateway.url}/in/token`, { method: 'POST', body: '{}' })
      await answer.arrayBuffer()
      demand(answer.status !== 503, () => 'while strangers hold the door, nobody else is let in: 503')
      return `the door is open to others (${answer.status}); at most ${Math.round(most / mebibyte)} MiB`
    } finally {
      sockets.close()
    }
  },
}
