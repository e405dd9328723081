import type { Millis } from './ids.ts'

/** How the nodes of a fleet keep track of each other, in milliseconds. */
export interface FleetTimes {
  /** Between two heartbeats of a node. */
  readonly beatEvery: Millis
  /** So long after its last heartbeat a node still counts as alive. */
  readonly aliveFor: Millis
  /** So long after a heartbeat its node may send at the rate that it was told: less than others count on it. */
  readonly shareFor: Millis
  /** So long after a heartbeat the leader leads. */
  readonly leadFor: Millis
}

/**
 * A tenth of a lease, so that a dead node is known to be dead long before its work comes back, but every second at least:
 * a rate is held while its node is not heard, and nobody should wait longer for that. Three heartbeats may fail before
 * others take a node for dead; two, before it stops sending what has a rate. The one between them is the time that a
 * message may take from the decision to send it to the wire.
 */
export function fleetTimes(leaseMs: Millis): FleetTimes {
  const beatEvery = Math.min(1_000, leaseMs / 10)
  return { beatEvery, aliveFor: 3 * beatEvery, shareFor: 2 * beatEvery, leadFor: 5 * beatEvery }
}

/** One heartbeat: when it was sent and answered by the node's clock, and when it was written by the database's. */
export interface RoundTrip {
  readonly sentAt: Millis
  readonly answeredAt: Millis
  readonly writtenAt: Millis
}

/** By how much the node's clock is ahead of the database's: the median, so that one slow answer does not count. */
export function clockDifference(trips: readonly RoundTrip[]): Millis {
  const differences = trips
    .map(({ sentAt, answeredAt, writtenAt }) => (sentAt + answeredAt) / 2 - writtenAt)
    .toSorted((a, b) => a - b)
  return differences[Math.floor(differences.length / 2)] ?? 0
}

const warnFromMs: Millis = 1_000

/** `apart`: leases still hold, times in the log do not fit together. `unusable`: a lease could be over before it begins. */
export function clockVerdict(differenceMs: Millis, leaseMs: Millis): 'fine' | 'apart' | 'unusable' {
  const difference = Math.abs(differenceMs)
  if (difference > leaseMs / 4) return 'unusable'
  return difference > warnFromMs ? 'apart' : 'fine'
}

/** What a node was last told of how many share a rate, and how long that holds. */
export interface Share {
  readonly nodes: number
  readonly from: Millis
  readonly until: Millis
}

export const noShare: Share = { nodes: 1, from: Number.POSITIVE_INFINITY, until: 0 }

/**
 * After a heartbeat that was sent at `sentAt` and answered at `now`, with so many nodes alive. A node that comes to others,
 * or comes back after they may have taken it for dead, sends nothing that has a rate until each of them has heard of it
 * or stopped for want of a heartbeat of its own. Nodes are counted after the heartbeat is written: of two that come at the
 * same moment at least one sees the other.
 */
export const shareAfter = (
  before: Share,
  nodes: number,
  sentAt: Millis,
  now: Millis,
  { shareFor }: FleetTimes,
): Share => ({
  nodes,
  from: before.until > now ? before.from : nodes === 1 ? now : now + shareFor,
  until: sentAt + shareFor,
})

/** How many nodes share every rate at this moment; null: not known, so nothing that has a rate is sent. */
export const sharers = ({ nodes, from, until }: Share, now: Millis): number | null =>
  now >= from && now < until ? nodes : null
