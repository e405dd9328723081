import type { Trigger } from './attempt.ts'
import type { Millis } from './ids.ts'
import type { Message } from './message.ts'

/**
 * From when a message is not sent any more: as its publisher said, or `deliverWithin` (0: never) after it was due. What
 * somebody asks for by hand is due now, however old it is.
 */
export function expiresAt(
  message: Pick<Message, 'acceptedAt' | 'deliverAt' | 'expiresAt'>,
  deliverWithin: Millis,
  trigger: Trigger,
): Millis {
  const byEndpoint =
    deliverWithin === 0 || trigger === 'manual'
      ? Number.POSITIVE_INFINITY
      : (message.deliverAt ?? message.acceptedAt) + deliverWithin
  return Math.min(message.expiresAt ?? Number.POSITIVE_INFINITY, byEndpoint)
}
