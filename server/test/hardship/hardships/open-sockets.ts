import { demand, type Hardship, scaled } from '../hardship.ts'
import { Sockets } from '../sockets.ts'

export const openSockets: Hardship = {
  name: 'open-sockets',
  about: '5,000 connections are opened and say nothing',
  async goThrough(gateway, scale) {
    const count = scaled(5_000, scale, 1_000)
    const sockets = new Sockets(gateway.url)
    try {
      await sockets.open(count)
      demand(sockets.failed === 0, () => `${sockets.failed} of ${count} could not be opened`)
      await gateway.roadIsOpen()
      return `${sockets.left} open at once, and the road with them`
    } finally {
      sockets.close()
    }
  },
}
