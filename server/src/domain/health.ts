import type { Millis } from './ids.ts'

/** What an attempt's end means for its endpoint's health. `none`: nothing turned, so there is nothing to write. */
export type HealthDecision =
  | { readonly kind: 'none' }
  | { readonly kind: 'failing'; readonly since: Millis }
  | { readonly kind: 'healthy' }
  | { readonly kind: 'disable'; readonly because: 'failing' }

const none: HealthDecision = { kind: 'none' }
const healthy: HealthDecision = { kind: 'healthy' }
const disable: HealthDecision = { kind: 'disable', because: 'failing' }

/**
 * Decides whether an endpoint turns. `failingSince` is the first failure since the last success (null: none), `limitMs`
 * how long nothing but failures is borne. Only an attempt disables: an endpoint that nobody writes to is left alone, and
 * a failure that comes long after the first, with no success in between, ends it.
 */
export function healthAfter(
  failingSince: Millis | null,
  succeeded: boolean,
  now: Millis,
  limitMs: Millis,
): HealthDecision {
  if (succeeded) return failingSince === null ? none : healthy
  if (failingSince === null) return { kind: 'failing', since: now }
  return now - failingSince >= limitMs ? disable : none
}
