import { demand, type Hardship, scaled } from '../hardship.ts'
import { Sockets } from '../sockets.ts'

// A minute for a request, and Node looks every 30 s for those that are over it.
const cutWithinMs = 120_000
// Every listener has one port here: callers of the API and third parties come to it.
const beginnings = {
  'headers of the API': 'POST /api/v1/app/shop/msg HTTP/1.1\r\nhost: a\r\nx-a: ',
  'headers of the door': 'POST /in/token HTTP/1.1\r\nhost: a\r\nx-a: ',
  'a body of the API':
    'POST /api/v1/app/shop/msg HTTP/1.1\r\nhost: a\r\nauthorization: Bearer key-of-the-hardship-run\r\ncontent-type: application/json\r\ncontent-length: 100000\r\n\r\n{',
  'a body of the door': 'POST /in/token HTTP/1.1\r\nhost: a\r\ncontent-length: 100000\r\n\r\n{',
}

export const slowSenders: Hardship = {
  name: 'slow-senders',
  about: 'slowloris: requests that come a byte at a time, headers and bodies, to the API and to the public door',
  async goThrough(gateway, scale) {
    const each = scaled(250, scale, 50)
    const groups = Object.entries(beginnings).map(([what, text]) => ({ what, text, sockets: new Sockets(gateway.url) }))
    try {
      for (const { text, sockets } of groups) await sockets.open(each, (socket) => void socket.write(text))
      const dripping = Promise.all(groups.map(({ sockets }) => sockets.drip(() => 'a', 1_000, cutWithinMs)))
      await gateway.roadIsOpen()
      // A short run looks only whether the road stays open; that they are cut takes more than a minute.
      if (scale < 1) return `${each * groups.length} at once, and the road open with them`
      const startedAt = performance.now()
      await dripping
      for (const { what, sockets } of groups)
        demand(
          sockets.left === 0,
          () => `${sockets.left} that send ${what} are still there after ${cutWithinMs / 1000} s`,
        )
      return `${each * groups.length} at once, the road open with them; all cut after ${Math.round((performance.now() - startedAt) / 1000)} s`
    } finally {
      for (const { sockets } of groups) sockets.close()
    }
  },
}
