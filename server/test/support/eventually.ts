import { setTimeout as wait } from 'node:timers/promises'
import type { TestWorld } from './world.ts'

const patienceMs = 30_000 // of real time: only a test that fails waits that long

/** Lets sockets, threads and timers that are due do their work, the clock standing still, until `holds`. */
export async function eventually(
  world: TestWorld,
  what: string,
  holds: () => boolean | Promise<boolean>,
): Promise<void> {
  const deadline = performance.now() + patienceMs
  for (let round = 0; !(await holds()); round++) {
    if (performance.now() > deadline) throw new Error(`not within ${patienceMs / 1000} s: ${what}`)
    await world.advance(0)
    // The work is done elsewhere, by sockets and threads: after some turns of the loop, leave the core to them.
    if (round > 20) await wait(1)
  }
}
