import type { Millis } from './ids.ts'
import type { Refusal } from './inbound.ts'

/** How much of what one source refuses is kept, and for how long. */
export interface QuarantineLimits {
  readonly count: number
  readonly bytes: number
  readonly age: Millis
}

/**
 * Whether the sender is told that the request is stored, so that it must not be lost: it was genuine, but not what the
 * source's owner wants.
 */
export const isAcknowledged = ({ reason }: Pick<Refusal, 'reason'>): boolean => reason === 'schema-violated'

// Anybody can send what is refused, and writing each down costs a commit: twenty a second of one source tell what there is
// to tell. A larger one counts for as many as it has these, or a few of the size of the cap would be as good as a flood.
const perSecond = 20
const portion = 16 * 1024
const atOnceMs: Millis = 5_000

/** Whether one more refused request is kept, and up to when the allowance is used up then; 0 at first. */
export function allow(
  usedUpAt: Millis,
  now: Millis,
  bytes: number,
): { readonly kept: boolean; readonly usedUpAt: Millis } {
  if (usedUpAt - now > atOnceMs) return { kept: false, usedUpAt }
  const portions = Math.max(1, Math.ceil(bytes / portion))
  return { kept: true, usedUpAt: Math.max(usedUpAt, now) + (portions * 1_000) / perSecond }
}
