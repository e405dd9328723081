import { usualControl } from '../../src/domain/control.ts'
import type { Settlement } from '../../src/ports/store.ts'
import type { Facts, Rule, Send } from '../model.ts'
import { jitter } from '../node.ts'
import type { EndpointPlan } from '../scenario.ts'

/** What failed is tried again when its schedule says so, not before the receiver wants it, and given up only when that ends. */
export const retries = ({ scenario, storyOf, tables, canceled }: Facts): Rule => {
  const whyWrong = (plan: EndpointPlan, send: Send, settlement: Settlement): string | null => {
    const { outcome } = send
    const {
      retrySchedule = usualControl.retrySchedule,
      deliverWithin = 0,
      headAttempts = 3,
      headFailure,
    } = plan.control
    const tries = settlement.tried + 1
    if (outcome === null || outcome.kind === 'delivered')
      return settlement.kind === 'finish' ? null : 'it was delivered'
    if (settlement.kind === 'park')
      return headFailure === 'park' && tries >= headAttempts ? null : 'it is not to be parked'
    if (settlement.kind === 'finish') {
      const message = tables.messages.get(settlement.messageId)
      const mayEnd = deliverWithin > 0 || message?.expiresAt != null || canceled.has(settlement.messageId)
      const isGone = outcome.kind === 'refused' && outcome.status === 410
      return mayEnd || isGone || tries > retrySchedule.length ? null : `it is given up after ${tries} tries`
    }
    if (settlement.attempts !== tries) return `it counts ${settlement.attempts} tries`
    const delay = retrySchedule[tries - 1] ?? retrySchedule.at(-1) ?? 0
    const asked = outcome.kind === 'refused' ? (outcome.retryAfterMs ?? 0) : 0
    const wait = settlement.dueAt - (send.nodeEndedAt ?? 0)
    if (wait < Math.max(asked, delay * (1 - jitter))) return `it is tried again in ${wait} ms already`
    return wait > Math.max(asked, delay * (1 + jitter)) + 1 ? `it is tried again in ${wait} ms only` : null
  }
  return {
    name: 'retries',
    settled(row, settlement) {
      const plan = scenario.endpoints.find(({ id }) => id === row.endpointId)
      const { sends, claimedIn, addedIn } = storyOf(row)
      const send = sends.findLast(({ life, endedAt }) => life.lease === row.lease && endedAt !== null)
      // It ended without being sent.
      if (plan === undefined || send === undefined || send.startedIn < (claimedIn ?? addedIn)) return null
      const wrong = whyWrong(plan, send, settlement)
      return (
        wrong && `#${send.number} of ${row.messageId} to ${row.endpointId} came to ${settlement.kind}, but ${wrong}`
      )
    },
  }
}
