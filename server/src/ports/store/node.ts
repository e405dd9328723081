import type { Millis, NodeId } from '../../domain/ids.ts'

/** One life of a process that works on this database. */
export interface NodeLife {
  readonly id: NodeId
  /** What people call it. */
  readonly name: string
  readonly version: string
}

export interface SeenNode extends NodeLife {
  readonly startedAt: Millis
  readonly seenAt: Millis
  /** Does some chore that only one node may do. */
  readonly leads: boolean
}

/** Which nodes there are, and which of them does what only one may do. All times by the database's clock. */
export interface NodeStore {
  /** Resolves to the database's time, and how many nodes were seen within `aliveMs`: this one included. */
  beat(node: NodeLife, aliveMs: Millis): Promise<{ readonly now: Millis; readonly alive: number }>
  /** The node is gone, and leads nothing. */
  leave(id: NodeId): Promise<void>
  /** Those that were seen within `aliveMs`, by id, which is by age. */
  alive(aliveMs: Millis): Promise<readonly SeenNode[]>
  /** Forgets nodes that were not seen for so long; resolves to how many. */
  sweep(unseenMs: Millis): Promise<number>
  /** Takes the chore for `forMs` from now where it is free, over, or this node's own. Resolves to whether it is its own now. */
  lead(chore: string, id: NodeId, forMs: Millis): Promise<boolean>
  /** Leaves its chores to whoever comes first. */
  resign(id: NodeId): Promise<void>
}
