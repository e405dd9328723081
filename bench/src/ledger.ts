import { setTimeout as wait } from 'node:timers/promises'
import type { Gateway } from './gateway.ts'
import type { CountingReceiver, Receiver } from './receiver.ts'
import { whole } from './table.ts'

// Counts must agree: what the gateway says it accepted, what it says it delivered, what the receiver says it got.

/** The gateway's own counts since it started. */
export interface Counts {
  readonly accepted: number
  readonly delivered: number
  /** Attempts that were refused or reached nobody. */
  readonly failedAttempts: number
}

export async function countsOf(gateway: Gateway): Promise<Counts> {
  const metrics = await gateway.metrics()
  const attempts = metrics.sum('posthorn_attempts_total')
  const delivered = metrics.sum('posthorn_attempts_total', { outcome: 'delivered' })
  return { accepted: metrics.sum('posthorn_messages_accepted_total'), delivered, failedAttempts: attempts - delivered }
}

const drainWithinMs = 120_000

interface Drain {
  /** Accepted messages that have nowhere to go. */
  readonly undeliverable?: number
  /** To how many endpoints each of the others goes. */
  readonly copies?: number
}

/**
 * Waits until everything accepted is delivered; resolves to the seconds it took, or null when it did not happen within
 * two minutes.
 */
export async function drained(gateway: Gateway, { undeliverable = 0, copies = 1 }: Drain = {}): Promise<number | null> {
  const start = performance.now()
  let before = -1
  while (performance.now() - start < drainWithinMs) {
    const { accepted, delivered } = await countsOf(gateway)
    // Twice the same: calls that were under way when the generator left are counted by then.
    if (accepted === before && delivered >= (accepted - undeliverable) * copies)
      return (performance.now() - start) / 1000
    before = accepted
    await wait(25)
  }
  return null
}

/** Compares counts after a drain. `receivedBefore`: the receiver's count when this gateway started. `copies` as above. */
export async function countFaults(
  gateway: Gateway,
  receiver: Receiver,
  receivedBefore: number,
  copies = 1,
): Promise<readonly string[]> {
  const { accepted } = await countsOf(gateway)
  const expected = accepted * copies
  const received = (await receiver.received()) - receivedBefore
  if (received < expected) return [`${whole(expected - received)} of ${whole(expected)} deliveries lost`]
  if (received > expected)
    return [`${whole(received - expected)} deliveries more than the ${whole(expected)} of the messages accepted`]
  return []
}

/** What a comparison of ids found. */
export interface Audit {
  readonly accepted: number
  readonly lost: number
  readonly doubled: number
  /** Arrived, but their 202 was not read: the generator had hung up. */
  readonly unread: number
  readonly faults: readonly string[]
}

/** Compares ids after a drain. `mayBeUnread`: calls that can have been under way when the generator hung up. */
export async function audit(receiver: CountingReceiver, ids: readonly string[], mayBeUnread: number): Promise<Audit> {
  const { missing, unexpected } = await receiver.compare(ids)
  const { doubled, nameless } = await receiver.seen()
  const faults: string[] = []
  if (missing > 0) faults.push(`${whole(missing)} of ${whole(ids.length)} accepted messages never arrived`)
  if (doubled > 0) faults.push(`${whole(doubled)} messages arrived more than once`)
  if (nameless > 0) faults.push(`${whole(nameless)} deliveries came without an id`)
  if (unexpected > mayBeUnread) faults.push(`${whole(unexpected)} messages arrived that nobody was told were accepted`)
  return { accepted: ids.length, lost: missing, doubled, unread: unexpected, faults }
}
