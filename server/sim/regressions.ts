/** Seeds that broke a rule once, and what was wrong. `sim.test.ts` runs them. Who changes what a seed draws looks for others. */
export const regressions: readonly { readonly seed: number; readonly was: string }[] = [
  {
    seed: 38,
    was: 'the rate of an application was forgotten at the moment it allowed the next, and saved up once more',
  },
  { seed: 185, was: 'the claimer went round in a circle while memory was full' },
  { seed: 300, was: 'a stop ended the renewal of leases before the requests' },
  { seed: 20455, was: 'a breaker that opened while the endpoint was changed was open in the store for good' },
  { seed: 1488, was: 'a node that had slept sent what was canceled while the others took it for dead' },
  { seed: 6755, was: 'a lease that was renewed with a third of it left was over for a node with another clock' },
  { seed: 30487, was: 'a breaker that opened while the store was away was stored after it had closed again' },
]
