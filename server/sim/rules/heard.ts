import type { Millis } from '../../src/domain/ids.ts'
import type { Life } from '../life.ts'
import type { Facts, Ruling } from '../model.ts'

// What is promised: a second after a pause, a disable or a delete no node begins a request. Also of whoever was told that
// nobody knows whether it was stored.
const noticedWithinMs: Millis = 1_000

/**
 * Whether a node must know by now what somebody said of an endpoint: it was told, it began its life afterwards, or it has
 * had the time to ask and nothing went wrong meanwhile.
 */
export function hasHeard({ heard, timeline }: Facts, life: Life, ruling: Ruling, by: Millis): boolean {
  if (life.bornAt > ruling.at) return true
  const since = Math.max(ruling.at, life.troubledAt)
  if (by - since > noticedWithinMs) return true
  if (by < timeline.now) return false
  if (life === ruling.by) return ruling.toldAt !== null && !ruling.inDoubt && by > ruling.toldAt
  return (heard.get(life) ?? 0) >= ruling.number
}
