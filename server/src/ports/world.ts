// PORTS: types only. What the engine and the slow road need from outside, said in their words.

import type { Millis } from '../domain/ids.ts'

/** A timer that can be called off; calling off one that has fired does nothing. */
export interface Timer {
  cancel(): void
}

/** Time and dice. The only place where the engine meets them, so that tests can drive both. */
export interface World {
  now(): Millis
  /** The clock of the machine, which is `now` but in tests: what is compared with other machines' clocks. */
  machineNow(): Millis
  /** Uniform in [0, 1). */
  random(): number
  /** Cryptographically strong. */
  randomBytes(size: number): Uint8Array
  after(delayMs: Millis, run: () => void): Timer
  /** Once everything that arrived together has been looked at: at the end of this turn of the event loop. */
  atTurnEnd(run: () => void): void
}
