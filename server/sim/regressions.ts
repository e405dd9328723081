/** Seeds that broke a rule once, and what was wrong. `sim.test.ts` runs them. */
export const regressions: readonly { readonly seed: number; readonly was: string }[] = []
