/**
 * Dice that fall the same way each time: a linear congruential generator modulo 2^32 with the constants of Numerical
 * Recipes. Even enough for jitter, and the same everywhere.
 */
export function dice(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}
