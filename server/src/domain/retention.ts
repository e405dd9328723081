import type { Control } from './control.ts'
import { firstIdAt, type MessageId, type Millis } from './ids.ts'

/** What is to go of an application's messages: those whose id is smaller. Null: none yet, or never. */
export interface Retained {
  readonly deleteBefore: MessageId | null
  /** Of these the payload only. */
  readonly wipeBefore: MessageId | null
}

// What was in flight when an application was deleted ends within the longest timeout, and is still written.
const deletedGrace: Millis = 3_600_000

/** `deletedAt`: when the application was deleted; all its messages then go. */
export function retained(control: Control, deletedAt: Millis | null, now: Millis): Retained {
  if (deletedAt !== null) {
    const gone = now >= deletedAt + deletedGrace
    return { deleteBefore: gone ? firstIdAt('message', Number.POSITIVE_INFINITY) : null, wipeBefore: null }
  }
  const before = (kept: Millis): MessageId | null => (kept === 0 ? null : firstIdAt('message', now - kept))
  const { retention, payloadRetention } = control
  return {
    deleteBefore: before(retention),
    // What goes as a whole needs no wiping before.
    wipeBefore: retention !== 0 && payloadRetention >= retention ? null : before(payloadRetention),
  }
}

/** Whether what is left of something deleted may be removed: nothing that was in flight can still refer to it. */
export const deletedBefore = (now: Millis): Millis => now - deletedGrace
