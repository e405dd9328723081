import { setTimeout as pause } from 'node:timers/promises'
import type { Hardship } from '../hardship.ts'

const [minuteMs, hourMs] = [60_000, 3_600_000]
// In the end it stays ahead: what got its due time from a clock that was wrong is not sent before that time.
const jumps = [5 * minuteMs, -5 * minuteMs, hourMs, 0, -hourMs, 0, 26 * hourMs, 0, 27 * hourMs]

export const clockJumps: Hardship = {
  name: 'clock-jumps',
  about: "the process's clock goes ahead and back by minutes, an hour, more than a day",
  async goThrough(gateway) {
    for (const aheadMs of jumps) {
      // With deliveries under way, and some that wait for their next try; not so many that the breaker opens, which would
      // probe only minutes later, whatever the clock says.
      gateway.troubled.receiver.manner = ({ socket, take }) => {
        if (gateway.troubled.receiver.asked % 3 > 0) take()
        else socket.write('HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n')
      }
      for (let left = 20; left > 0; left--) await gateway.publishTroubled()
      gateway.process.aheadMs = aheadMs
      await gateway.process.order()
      await gateway.roadIsOpen()
      await pause(500)
    }
    return `${jumps.length} jumps, by ${[...new Set(jumps.map((ms) => Math.abs(ms) / minuteMs))].filter((min) => min > 0).join(', ')} min and back`
  },
}
