import { randomBytes } from 'node:crypto'
import type { World } from './ports/world.ts'

/** The clock, the dice and the timers of the machine. A timer does not keep the process alive: the listener does. */
export const realWorld: World = {
  now: Date.now,
  machineNow: Date.now,
  random: Math.random,
  randomBytes,
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs).unref()
    return { cancel: () => clearTimeout(timer) }
  },
  atTurnEnd: setImmediate,
}
