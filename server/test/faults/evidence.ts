import type { Touch } from './audit.ts'
import type { Ledger } from './ledger.ts'
import type { Disturbance } from './mischief.ts'
import type { FleetNode, Life } from './node.ts'
import type { Request } from './receiver.ts'
import type { OwnPauses } from './slowness.ts'

/** One row of `attempt`. */
export interface StoredAttempt {
  readonly id: string
  readonly messageId: string
  readonly endpointId: string
  readonly statusCode: number
  readonly response: string
  readonly startedAt: number
}

/** Everything that is known after a round, from all sides: callers, receiver, database, processes. */
export interface Evidence {
  readonly ledger: Ledger
  readonly requests: readonly Request[]
  readonly nodes: readonly FleetNode[]
  readonly disturbances: readonly Disturbance[]
  readonly touches: readonly Touch[]
  readonly attempts: readonly StoredAttempt[]
  readonly messages: readonly { readonly id: string; readonly payload: string | null }[]
  /** Ids of endpoints by uid; deleted ones too. */
  readonly endpointIds: ReadonlyMap<string, string>
  /** Deliveries that were still there when all should have been through, as words. */
  readonly left: readonly string[]
  /** Nodes that did not take a publish when all was well again, and what they said. */
  readonly refusedAtTheEnd: readonly string[]
  /** When callers and receiver stood still. */
  readonly pauses: ReturnType<OwnPauses['stop']>
}

/** The life of that name. */
export const lifeOf = ({ nodes }: Pick<Evidence, 'nodes'>, name: string): Life | undefined =>
  nodes.flatMap(({ lives }) => lives).find((life) => life.name === name)

/** Whether something was done to the node, or to the database, within a span. */
export function disturbed(
  { disturbances }: Pick<Evidence, 'disturbances'>,
  node: string,
  from: number,
  until: number,
): boolean {
  return disturbances.some((one) => (one.node === null || one.node === node) && one.from <= until && one.until >= from)
}

export const keyOf = (messageId: string, endpointId: string): string => `${messageId} ${endpointId}`
