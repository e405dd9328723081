import type { Chance } from './chance.ts'
import type { Ending } from './cluster.ts'

/** What is done to one node, by its place among them. */
export type NodeFault =
  | { readonly kind: 'kill'; readonly downMs: number }
  | { readonly kind: 'stop'; readonly downMs: number }
  | { readonly kind: 'freeze'; readonly forMs: number }
  /** `pg_terminate_backend` of every session it has. */
  | { readonly kind: 'terminate' }
  | { readonly kind: 'cut' }
  | { readonly kind: 'refuse'; readonly forMs: number }
  | { readonly kind: 'delay'; readonly byMs: number; readonly forMs: number }
  /** `answers`: what it says still reaches the database. `thenCut`: it never learns what became of it. */
  | {
      readonly kind: 'stall'
      readonly way: 'both' | 'answers'
      readonly forMs: number
      readonly thenCut: boolean
    }

/** What is done to the database. */
export type DatabaseFault =
  | { readonly kind: 'restart'; readonly how: Exclude<Ending, 'kill'>; readonly downMs: number }
  /** `followMs`: how long the wires lead to the dead one. */
  | { readonly kind: 'fail-over'; readonly how: Exclude<Ending, 'fast'>; readonly followMs: number }

export type Fault = { readonly atMs: number } & (
  | { readonly of: 'node'; readonly node: number; readonly fault: NodeFault }
  | { readonly of: 'database'; readonly fault: DatabaseFault }
)

// A node that starts needs the better part of the machine for a moment.
const startingMs = 2_500

/**
 * What a seed does to the fleet, and when: one or two things every second, each node and the database one thing at a
 * time. `leaseMs`: some are to last longer than that.
 */
export function scriptOf(chance: Chance, nodes: number, forMs: number, leaseMs: number): readonly Fault[] {
  const script: Fault[] = []
  const busyUntil = Array.from({ length: nodes }, () => 0)
  let databaseBusyUntil = 0
  let failedOver = false
  for (let atMs = 800; atMs < forMs - 500; atMs += chance.between(400, 1_600)) {
    if (atMs >= databaseBusyUntil && chance.comesTrue(0.15)) {
      const fault = databaseFault(chance, !failedOver)
      failedOver ||= fault.kind === 'fail-over'
      databaseBusyUntil = atMs + 3_000
      script.push({ of: 'database', fault, atMs })
      continue
    }
    const node = chance.between(0, nodes - 1)
    if (atMs < (busyUntil[node] ?? 0)) continue
    const fault = nodeFault(chance, leaseMs)
    busyUntil[node] = atMs + lastsMs(fault) + 300
    script.push({ of: 'node', node, fault, atMs })
  }
  return script
}

function databaseFault(chance: Chance, mayFailOver: boolean): DatabaseFault {
  if (mayFailOver && chance.comesTrue(0.5)) {
    return { kind: 'fail-over', how: chance.of(['kill', 'immediate']), followMs: chance.between(0, 800) }
  }
  return { kind: 'restart', how: chance.of(['fast', 'immediate']), downMs: chance.between(0, 2_000) }
}

function nodeFault(chance: Chance, leaseMs: number): NodeFault {
  const briefly = (): number => chance.between(200, 2_000)
  const beyondLease = (): number => leaseMs + chance.between(300, 1_500)
  const span = (): number => (chance.comesTrue(0.6) ? beyondLease() : briefly())
  const kind = chance.of([
    'kill',
    'kill',
    'kill',
    'stop',
    'freeze',
    'freeze',
    'freeze',
    'terminate',
    'cut',
    'refuse',
    'delay',
    'stall',
    'stall',
  ])
  switch (kind) {
    case 'kill':
    case 'stop':
      return { kind, downMs: chance.between(0, 1_500) }
    case 'freeze':
      return { kind, forMs: span() }
    case 'refuse':
      return { kind, forMs: briefly() }
    case 'delay':
      return { kind, byMs: chance.between(5, 150), forMs: briefly() }
    case 'stall':
      return { kind, way: chance.of(['both', 'answers']), forMs: span(), thenCut: chance.comesTrue(0.5) }
    default:
      return { kind }
  }
}

function lastsMs(fault: NodeFault): number {
  switch (fault.kind) {
    case 'kill':
    case 'stop':
      return fault.downMs + startingMs
    case 'terminate':
    case 'cut':
      return 0
    default:
      return fault.forMs
  }
}
