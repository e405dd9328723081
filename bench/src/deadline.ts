import { setTimeout as wait } from 'node:timers/promises'

/** Asks again and again until the answer is true. Throws when it is not within `limitMs`: nothing here waits for ever. */
export async function until(
  what: string,
  limitMs: number,
  everyMs: number,
  ask: () => Promise<boolean>,
): Promise<void> {
  const end = performance.now() + limitMs
  while (!(await ask())) {
    if (performance.now() > end) throw new Error(`${what}: not within ${limitMs / 1000} s`)
    await wait(everyMs)
  }
}
