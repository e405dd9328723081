import type { EndpointId } from '../../src/domain/ids.ts'
import type { ClaimAsk, Claimed, ClaimedDelivery } from '../../src/ports/store.ts'
import type { Row } from './queue.ts'
import type { Tables } from './tables.ts'

/** One claim, as `stores/queries/claim.ts`, but in one moment. */
export function claim(tables: Tables, ask: ClaimAsk): Claimed {
  const { queue } = tables
  const ring = queue.endpoints.filter((id) => id > ask.after)
  const visited = ring.slice(0, ask.visits)
  const deliveries: ClaimedDelivery[] = []
  const moreOf: EndpointId[] = []
  const passedOver: EndpointId[] = []
  const had: EndpointId[] = []
  let bytes = ask.bytes
  for (const endpointId of visited) {
    const share = ask.shares.get(endpointId) ?? ask.share
    const due = queue.dueOf(endpointId, ask.now)
    if (share === 0) {
      if (due.length > 0) passedOver.push(endpointId)
    } else if (due.length > 0) {
      const left = Math.min(share, ask.room - deliveries.length)
      if (left <= 0 || bytes <= 0) break
      const picked = isHeldBack(tables, endpointId) ? [] : due.slice(0, left)
      const taken = picked.flatMap((row) => {
        if (bytes <= 0) return []
        const delivery = claimedOf(tables, row)
        bytes -= delivery.message.payload.length
        queue.claim(row, ask.lease, ask.until)
        return [delivery]
      })
      deliveries.push(...taken)
      if (taken.length < picked.length || taken.length >= left) moreOf.push(endpointId)
    }
    had.push(endpointId)
  }
  const isRound = had.length === ring.length
  return {
    deliveries,
    cursor: isRound ? '' : (had.at(-1) ?? ask.after),
    moreOf,
    passedOver,
    nextDueAt: nextDueOf(tables, had, ask.now),
  }
}

function claimedOf(tables: Tables, { messageId, endpointId, attempts, trigger, orderKey }: Row): ClaimedDelivery {
  const message = tables.messages.get(messageId)
  if (message === undefined) throw new Error(`the delivery of ${messageId} has no message`)
  const { applicationId } = message
  return { messageId, endpointId, applicationId, attempts, trigger, orderKey, message }
}

/** Disabled, or paused. */
function isHeldBack(tables: Tables, endpointId: EndpointId): boolean {
  const endpoint = tables.endpoints.get(endpointId)
  return endpoint !== undefined && (endpoint.disabledBecause !== null || endpoint.pausedAt !== null)
}

function nextDueOf(tables: Tables, endpointIds: readonly EndpointId[], now: number): number | null {
  let next = Number.POSITIVE_INFINITY
  for (const id of endpointIds) {
    for (const { dueAt } of tables.queue.ofEndpoint(id)) if (dueAt > now) next = Math.min(next, dueAt)
  }
  return next === Number.POSITIVE_INFINITY ? null : next
}
