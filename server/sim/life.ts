import type { LeaseId, Millis, NodeId } from '../src/domain/ids.ts'
import type { Owner } from './timeline.ts'

/** One life of a simulated node, as model and store see it. */
export interface Life extends Owner {
  /** Of its place in the fleet, and of how many lives there were before: `b2`. */
  readonly name: string
  readonly place: number
  /** Known when it has joined. */
  nodeId: NodeId | null
  lease: LeaseId | null
  dead: boolean
  asleepUntil: Millis
  /** By how much its clock is ahead of the store's. */
  clock: Millis
  readonly bornAt: Millis
  /** The store did not do, or not answer, what it was asked, or slowly; or this node slept. */
  troubledAt: Millis
  /** It is going: what it still hears of receivers it does not write down. */
  closed: boolean
  /** Deliveries that it has in memory; null: it is still starting. */
  holds: (() => number) | null
}
