import type { Millis } from '../domain/ids.ts'
import type { RoadStore } from '../ports/store.ts'
import type { Dispatcher } from './dispatch.ts'

// As many as a statement takes within a few milliseconds.
const stepRows = 1_000

/**
 * Gives everything that a stopped dispatcher still holds back to the store, due at once. By what is in memory: to ask the
 * store for all under a lease is to go through everything that waits.
 */
export async function giveBack(store: RoadStore, dispatcher: Dispatcher, now: Millis): Promise<void> {
  const held = dispatcher.leasedBefore(Number.POSITIVE_INFINITY).map(({ message, lane }) => ({
    ...{ messageId: message.id, endpointId: lane.endpointId, dueAt: now },
  }))
  for (let from = 0; from < held.length; from += stepRows)
    await store.release(dispatcher.lease, held.slice(from, from + stepRows))
}
