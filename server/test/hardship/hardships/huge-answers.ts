import { demand, type Hardship, scaled } from '../hardship.ts'
import type { Asked } from '../receiver.ts'

const mebibyte = 1024 * 1024
const chunk = Buffer.alloc(mebibyte, 'a')
const length = 100 * mebibyte

export const hugeAnswers: Hardship = {
  name: 'huge-answers',
  about: 'a receiver answers each delivery with 100 MB',
  async goThrough(gateway, scale) {
    const { receiver } = gateway.troubled
    let sent = 0
    let whole = 0
    receiver.manner = ({ socket, note }: Asked): void => {
      // It says 200 with its first bytes, and so it has taken it.
      note()
      socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${length}\r\n\r\n`)
      let left = length
      const more = (): void => {
        while (left > 0 && !socket.destroyed) {
          left -= chunk.length
          sent += chunk.length
          if (!socket.write(chunk)) return void socket.once('drain', more)
        }
        if (left <= 0) whole += 1
      }
      more()
    }
    const count = scaled(200, scale, 50)
    let most = 0
    for (let left = count; left > 0; left--) {
      await gateway.publishTroubled()
      most = Math.max(most, gateway.process.rssBytes)
    }
    await gateway.until(
      () => receiver.asked >= count,
      60_000,
      () => `only ${receiver.asked} of ${count} tries`,
    )
    await gateway.roadIsOpen()
    demand(whole === 0, () => `${whole} answers of 100 MB were read to their end`)
    return `${Math.round(sent / mebibyte)} MiB of ${(count * length) / mebibyte} were sent; at most ${Math.round(most / mebibyte)} MiB in memory`
  },
}
