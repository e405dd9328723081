import { randomBytes } from 'node:crypto'
import { setImmediate as turn } from 'node:timers/promises'
import type { Millis } from '../../src/domain/ids.ts'
import type { World } from '../../src/ports/world.ts'
import { dice } from './dice.ts'

export interface TestWorld extends World {
  /**
   * Moves the clock, firing what falls due on the way in order of its time (of its making, where times are equal), also
   * what those timers set. Before the first, and after each, promises and sockets get a turn of the event loop.
   */
  advance(ms: Millis): Promise<void>
  /** Moves the clock at once, as for a machine that slept: what fell due on the way fires late, at the new time. */
  leap(ms: Millis): Promise<void>
  readonly pendingTimers: number
}

/** A world that stands still until told otherwise and whose dice fall the same way each time. Bytes are really random. */
export function testWorld(
  options: { readonly now?: Millis; readonly seed?: number; readonly machineNow?: () => Millis } = {},
): TestWorld {
  let now = options.now ?? Date.UTC(2026, 0, 1)
  const machineNow = options.machineNow ?? Date.now
  const random = dice(options.seed ?? 1)
  const timers = new Set<{ readonly at: Millis; readonly run: () => void }>()

  const nextDue = (until: Millis) => {
    let next: { readonly at: Millis; readonly run: () => void } | undefined
    for (const timer of timers) if (timer.at <= until && (next === undefined || timer.at < next.at)) next = timer
    return next
  }

  const advance = async (ms: Millis): Promise<void> => {
    const until = now + ms
    await turn()
    for (let timer = nextDue(until); timer !== undefined; timer = nextDue(until)) {
      timers.delete(timer)
      now = Math.max(now, timer.at)
      timer.run()
      await turn()
    }
    now = until
  }

  return {
    now: () => now,
    machineNow,
    random,
    randomBytes,
    after(delayMs, run) {
      // A clock shows whole milliseconds: a time with half of one is no time of ours, and PostgreSQL refuses it.
      const timer = { at: now + Math.max(0, Math.ceil(delayMs)), run }
      timers.add(timer)
      return { cancel: () => void timers.delete(timer) }
    },
    atTurnEnd: setImmediate,
    advance,
    leap(ms) {
      now += ms
      return advance(0)
    },
    get pendingTimers() {
      return timers.size
    },
  }
}
