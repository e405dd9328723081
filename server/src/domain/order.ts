import type { Control } from './control.ts'
import type { Message } from './message.ts'
import type { Step } from './retry.ts'

/** What follows a try, where messages behind this one may be waiting for it. */
export type OrderedStep =
  | Exclude<Step, { kind: 'retry' }>
  /** `outOfOrder`: those behind it go on. */
  | (Extract<Step, { kind: 'retry' }> & { readonly outOfOrder: boolean })
  | { readonly kind: 'park' }
  /** Somebody has canceled it, or taken its content, while it was tried. */
  | { readonly kind: 'give-up'; readonly because: 'canceled' | 'content-gone' }

const park: OrderedStep = { kind: 'park' }

/**
 * What those wait for that want an order: the key they share, or null where nobody waits. A message with a moment of
 * its own to be delivered has left the order by that.
 */
export function orderKeyOf(
  { ordering }: Pick<Control, 'ordering'>,
  { orderingKey, deliverAt }: Pick<Message, 'orderingKey' | 'deliverAt'>,
): string | null {
  if (ordering === 'none' || deliverAt !== null) return null
  return ordering === 'endpoint' ? '' : orderingKey
}

/** Fits a step into an order, as `HeadFailure` says. `again`: when a blocked head is tried once its schedule has ended. */
export function stepInOrder(
  step: Step,
  attempts: number,
  { headFailure, headAttempts }: Pick<Control, 'headFailure' | 'headAttempts'>,
  again: () => Step,
): OrderedStep {
  if (step.kind !== 'retry' && step.kind !== 'give-up') return step
  // What comes too late is not kept: nobody could send it.
  if (step.kind === 'give-up' && step.because === 'too-late') return step
  if (headFailure === 'park' && attempts >= headAttempts) return park
  const next = headFailure === 'block' && step.kind === 'give-up' && step.because === 'schedule' ? again() : step
  if (next.kind !== 'retry') return next as OrderedStep
  return { ...next, outOfOrder: headFailure === 'skip' && attempts >= headAttempts }
}
