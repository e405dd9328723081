import type { Control } from './control.ts'
import { firstIdAt, type MessageId, type Millis } from './ids.ts'

/** What is to go of an application's messages: those whose id is smaller. Null: none yet, or never. */
export interface Retained {
  /** One by one. */
  readonly deleteBefore: MessageId | null
  /** May go together with what others had then, where all of it is past its time. Not smaller than `deleteBefore`. */
  readonly dropBefore: MessageId | null
  /** Of these the payload only. */
  readonly wipeBefore: MessageId | null
}

// What was in flight when an application was deleted ends within the longest timeout, and is still written.
const deletedGrace: Millis = 3_600_000

// Whoever keeps messages for ten times as long does not mind the tenth more after which they cost nothing to remove.
const grainsToWait = 10
// Removing begins once a minute, and the slowest of it is over in this.
const dropSlack: Millis = 3_600_000

/**
 * `deletedAt`: when the application was deleted; all its messages then go. `grain`: how much time's messages the store
 * drops together; 0: it removes each by itself.
 */
export function retained(control: Control, deletedAt: Millis | null, now: Millis, grain: Millis): Retained {
  if (deletedAt !== null) {
    const gone = now >= deletedAt + deletedGrace
    const deleteBefore = gone ? firstIdAt('message', Number.POSITIVE_INFINITY) : null
    return { deleteBefore, dropBefore: deleteBefore, wipeBefore: null }
  }
  const before = (kept: Millis): MessageId | null => (kept === 0 ? null : firstIdAt('message', now - kept))
  const { retention, payloadRetention } = control
  const waits = grain > 0 && retention >= grainsToWait * grain
  return {
    deleteBefore: before(waits ? retention + grain + dropSlack : retention),
    dropBefore: before(retention),
    // What goes as a whole needs no wiping before.
    wipeBefore: retention !== 0 && payloadRetention >= retention ? null : before(payloadRetention),
  }
}

/** What the youngest message of a dropped stretch must be older than, whatever anybody keeps: nothing of it is under way. */
const youngestDropped: Millis = 2 * 24 * 3_600_000

/** From which message on something must be kept, by all applications that have any; what is older may be dropped. */
export const keptFrom = (
  applications: readonly { readonly oldest: MessageId | null; readonly dropBefore: MessageId | null }[],
  now: Millis,
): MessageId =>
  applications.reduce<MessageId>(
    (from, { oldest, dropBefore }) => {
      if (oldest === null) return from
      const own = dropBefore !== null && dropBefore > oldest ? dropBefore : oldest
      if (own > from) return from
      return own
    },
    firstIdAt('message', now - youngestDropped),
  )

/** Whether what is left of something deleted may be removed: nothing that was in flight can still refer to it. */
export const deletedBefore = (now: Millis): Millis => now - deletedGrace
