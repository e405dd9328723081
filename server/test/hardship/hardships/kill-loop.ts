import { setTimeout as pause } from 'node:timers/promises'
import { type Hardship, scaled } from '../hardship.ts'

export const killLoop: Hardship = {
  name: 'kill-loop',
  about: 'SIGKILL under load, again and again',
  async goThrough(gateway, scale) {
    const kills = scaled(20, scale, 3)
    for (let count = 0; count < kills; count++) {
      await gateway.roadIsOpen(20)
      // Never at the same moment of what it is doing.
      await pause(Math.random() * 300)
      await gateway.kill()
      await gateway.start()
    }
    return `${kills} kills`
  },
}
