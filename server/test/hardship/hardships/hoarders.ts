import { setTimeout as pause } from 'node:timers/promises'
import { demand, type Hardship } from '../hardship.ts'
import { Sockets } from '../sockets.ts'

const mebibyte = 1024 * 1024
const body = Buffer.alloc(24 * mebibyte, 'a')

export const hoarders: Hardship = {
  name: 'hoarders',
  about: 'strangers send the public door 24 of 25 MiB, of which it holds 64, and then nothing more',
  async goThrough(gateway) {
    const sockets = new Sockets(gateway.url)
    const largest = { rss: 0 }
    try {
      await sockets.open(20, (socket) => {
        socket.write(`POST /in/token HTTP/1.1\r\nhost: a\r\ncontent-length: ${25 * mebibyte}\r\n\r\n`)
        socket.write(body)
      })
      for (let left = 20; left > 0; left--) {
        await pause(200)
        largest.rss = Math.max(largest.rss, gateway.process.rssBytes)
      }
      await gateway.roadIsOpen()
      const answer = await fetch(`${gateway.url}/in/token`, { method: 'POST', body: '{}' })
      await answer.arrayBuffer()
      demand(answer.status !== 503, () => 'while strangers hold the door, nobody else is let in: 503')
      return `the door answers others ${answer.status}; at most ${Math.round(largest.rss / mebibyte)} MiB`
    } finally {
      sockets.close()
    }
  },
}
