import type { Attempt } from '../domain/attempt.ts'
import type { ApplicationId, LeaseId, MessageId, Millis } from '../domain/ids.ts'
import type { CommitBatch, HealthTurn, NewDelivery, NewMessage, PublishKey, Settlement, Told } from '../ports/store.ts'
import type { WaitingMessage, WaitingRecord } from './commit-queue.ts'

/** Everything that rides in one commit. A loop, not a chain of lists: it runs for every message there is. */
export function batchOf(
  lease: LeaseId,
  now: Millis,
  messages: readonly WaitingMessage[],
  records: readonly WaitingRecord[],
): CommitBatch {
  const routes = new Map<ApplicationId, number>()
  const eventIdsUntil = new Map<MessageId, Millis>()
  const publishKeys: PublishKey[] = []
  const deliveries: NewDelivery[] = []
  const turns: HealthTurn[] = []
  const written: NewMessage[] = []
  const add = (told: Told): void => {
    written.push(...told.messages)
    deliveries.push(...told.deliveries)
  }
  for (const waiting of messages) {
    written.push(waiting.message)
    // Counts only grow: where the lowest is current, all are.
    const { applicationId } = waiting.message
    const lowest = routes.get(applicationId)
    if (lowest === undefined || waiting.version < lowest) routes.set(applicationId, waiting.version)
    for (const delivery of waiting.deliveries) deliveries.push(delivery)
    if (waiting.publishKey) publishKeys.push(waiting.publishKey)
    if (waiting.eventIdUntil !== null) eventIdsUntil.set(waiting.message.id, waiting.eventIdUntil)
  }
  let sentBefore = false
  const attempts: Attempt[] = []
  const settlements: Settlement[] = []
  for (const record of records) {
    if (record.attempt) attempts.push(record.attempt)
    if (record.settlement) settlements.push(record.settlement)
    for (const turn of record.turns) turns.push(turn)
    if (record.told) add(record.told)
    sentBefore ||= record.told !== null && record.sentBefore === true
  }
  return {
    ...{ lease, now, routes, messages: written, eventIdsUntil, publishKeys, deliveries, attempts, settlements, turns },
    sentBefore,
  }
}
