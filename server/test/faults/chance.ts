import { createHash } from 'node:crypto'
import { dice } from '../support/dice.ts'

/** Choices that a seed repeats. Each who chooses has his own: how often one was asked must not change what another gets. */
export interface Chance {
  /** Uniform in [0, 1). */
  random(): number
  /** A whole number, both ends included. */
  between(least: number, most: number): number
  /** Whether something comes true that does so in that share of cases. */
  comesTrue(share: number): boolean
  of<const T>(list: readonly [T, ...T[]]): T
}

/** The choices of `who` under `seed`. */
export function chanceOf(seed: number, who: string): Chance {
  const start = createHash('sha256').update(`${seed} ${who}`).digest().readUInt32LE(0)
  const random = dice(start)
  const between = (least: number, most: number): number => least + Math.floor(random() * (most - least + 1))
  return {
    random,
    between,
    comesTrue: (share) => random() < share,
    of: (list) => list[between(0, list.length - 1)] ?? list[0],
  }
}
