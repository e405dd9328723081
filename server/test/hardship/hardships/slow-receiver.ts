import { setTimeout as pause } from 'node:timers/promises'
import { demand, type Hardship, scaled } from '../hardship.ts'
import type { Manner } from '../receiver.ts'

const answer = 'HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n'

/** A byte of the answer each second, without an end in time. */
const byteBySecond: Manner = ({ socket }) => {
  let at = 0
  const timer = setInterval(() => {
    socket.write(answer[at++] ?? 'a')
  }, 1_000)
  socket.once('close', () => clearInterval(timer))
}

export const slowReceiver: Hardship = {
  name: 'slow-receiver',
  about: 'a receiver answers one byte per second, and is well in the end',
  async goThrough(gateway, scale) {
    const { receiver } = gateway.troubled
    receiver.manner = byteBySecond
    for (let left = scaled(500, scale, 100); left > 0; left--) await gateway.publishTroubled()
    await gateway.until(
      () => receiver.asked >= 10,
      30_000,
      () => `only ${receiver.asked} tries`,
    )
    await gateway.roadIsOpen()
    // Longer than a try may take: none may hold its connection past its time.
    let most = 0
    for (let left = 50; left > 0; left--) {
      most = Math.max(most, receiver.open)
      await pause(100)
    }
    demand(most <= 64, () => `${most} connections to one endpoint`)
    return `at most ${most} tries held at once, of ${receiver.asked}; the other receiver was served`
  },
}
