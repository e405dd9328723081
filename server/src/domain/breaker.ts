import type { Control } from './control.ts'
import type { Millis } from './ids.ts'

/**
 * Whether deliveries to an endpoint are held back as a whole, because most of them fail. Held deliveries stay where they
 * are and use up no tries; a probe now and then finds out when the receiver is back.
 */
export type Breaker =
  /** Sends as usual. Tries are counted from the first failure on: one that never fails costs nothing. */
  | { readonly kind: 'closed'; readonly tries: number; readonly failures: number }
  | { readonly kind: 'open'; readonly since: Millis; readonly probeAt: Millis; readonly wait: Millis }
  /** The probe is under way. */
  | { readonly kind: 'probing'; readonly since: Millis; readonly wait: Millis }
  /** The probe was good; what was held goes out, ever faster. */
  | {
      readonly kind: 'draining'
      readonly since: Millis
      readonly from: Millis
      readonly tries: number
      readonly failures: number
    }

export type BreakerPolicy = Pick<Control, 'breaker' | 'breakerFailureRate' | 'breakerProbe' | 'breakerDrainRate'>

// Few failures say little; many tries ago says little about now: when this many are counted, all count half.
const fewestTries = 20
const mostTries = 50
const fewestDraining = 5
const longestProbeWait: Millis = 300_000
const doublingMs: Millis = 5_000
/** Deliveries a second at which a draining endpoint has shown that it is well. */
const wellAgainRate = 1_000

export const closed: Breaker = { kind: 'closed', tries: 0, failures: 0 }

/**
 * One that is open by what the store says: probed at once. Where the breaker is switched off nothing is held, but it is
 * not closed before a try has written that down.
 */
export const reopened = (since: Millis, policy: BreakerPolicy): Breaker =>
  policy.breaker
    ? { kind: 'open', since, probeAt: 0, wait: policy.breakerProbe }
    : { kind: 'draining', since, from: 0, tries: 0, failures: 0 }

/**
 * What it found out counts no longer. That it opened may be on its way to the store, so it holds nothing, and closes where a
 * try, or time, writes that down.
 */
export const unlearned = (breaker: Breaker): Breaker =>
  breaker.kind === 'closed' ? closed : { kind: 'draining', since: breaker.since, from: 0, tries: 0, failures: 0 }

/** Follows one try. `probe`: it was the one sent to find out. */
export function afterTry(
  breaker: Breaker,
  succeeded: boolean,
  probe: boolean,
  now: Millis,
  policy: BreakerPolicy,
): Breaker {
  if (!policy.breaker) return breaker.kind === 'closed' ? breaker : closed
  switch (breaker.kind) {
    case 'closed': {
      if (succeeded && breaker.failures === 0) return breaker
      const { tries, failures } = counted(breaker, succeeded)
      // Never by a success: an endpoint that has just come back has many failures behind it.
      return !succeeded && tries >= fewestTries && failures / tries >= policy.breakerFailureRate
        ? { kind: 'open', since: now, probeAt: now + policy.breakerProbe, wait: policy.breakerProbe }
        : { kind: 'closed', tries, failures }
    }
    case 'open':
      // An answer to what was sent before it opened.
      return breaker
    case 'probing': {
      if (!probe) return breaker
      if (succeeded) return { kind: 'draining', since: breaker.since, from: now, tries: 0, failures: 0 }
      const wait = Math.min(longestProbeWait, breaker.wait * 2)
      return { kind: 'open', since: breaker.since, probeAt: now + wait, wait }
    }
    case 'draining': {
      const { tries, failures } = counted(breaker, succeeded)
      if (!succeeded && tries >= fewestDraining && failures / tries >= policy.breakerFailureRate) {
        return { kind: 'open', since: breaker.since, probeAt: now + policy.breakerProbe, wait: policy.breakerProbe }
      }
      const rate = drainRate(breaker.from, now, policy)
      return rate === null ? closed : { ...breaker, tries, failures }
    }
  }
}

/** The probe is being sent. */
export const probing = (breaker: Breaker): Breaker =>
  breaker.kind === 'open' ? { kind: 'probing', since: breaker.since, wait: breaker.wait } : breaker

/** A probe that was not sent after all, or whose answer nobody waits for any more. */
export const unprobed = (breaker: Breaker, now: Millis): Breaker =>
  breaker.kind === 'probing' ? { kind: 'open', since: breaker.since, probeAt: now, wait: breaker.wait } : breaker

/** Deliveries a second while draining; null: as many as ever. */
export function drainRate(from: Millis, now: Millis, policy: BreakerPolicy): number | null {
  const rate = policy.breakerDrainRate * 2 ** Math.floor(Math.max(0, now - from) / doublingMs)
  return rate >= wellAgainRate ? null : rate
}

function counted(
  { tries, failures }: { readonly tries: number; readonly failures: number },
  succeeded: boolean,
): { readonly tries: number; readonly failures: number } {
  const now = { tries: tries + 1, failures: failures + (succeeded ? 0 : 1) }
  return now.tries < mostTries ? now : { tries: Math.floor(now.tries / 2), failures: Math.floor(now.failures / 2) }
}
