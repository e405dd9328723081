import type { LeaseId, Millis, NodeId } from './ids.ts'

// Clocks may differ by a second before anybody is warned of it: whose lease ends sooner than that may have lost it already.
const clocksMs: Millis = 1_000

/** Whether what is leased until then may still be sent: not if another node could hold it by now. */
export const mayStillSend = (leasedUntil: Millis, now: Millis, leaseMs: Millis): boolean =>
  leasedUntil - now > Math.min(clocksMs, leaseMs / 4)

/** The lease under which a node holds deliveries: who sees it knows whom to ask. */
export const leaseOf = (node: NodeId): LeaseId => `lease_${node.slice('node_'.length)}`

/** Whose lease it is. */
export const nodeOf = (lease: LeaseId): NodeId => `node_${lease.slice('lease_'.length)}`
