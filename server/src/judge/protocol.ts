import type { FilterFault } from '../domain/filter.ts'
import type { Fault } from '../domain/problem.ts'
import type { Facts, FilterVerdict, SchemaVerdict } from '../ports/judge.ts'

/** What the thread is asked. Each has one answer for each of its parts; only `filters` may have more than one. */
export type Job =
  | { readonly kind: 'filters'; readonly filters: readonly string[]; readonly facts: Facts }
  | { readonly kind: 'schema'; readonly schema: string; readonly facts: Pick<Facts, 'payload' | 'encoding'> }
  | { readonly kind: 'filter-fault'; readonly filter: string }
  | { readonly kind: 'schema-faults'; readonly schema: string }

/** How many answers a job has. */
export const partsOf = (job: Job): number => (job.kind === 'filters' ? job.filters.length : 1)

export type Answer = FilterVerdict | SchemaVerdict | FilterFault | null | readonly Fault[]

/** `from`: the first part that is still to be answered. `asker`: who else waits is to have a turn between two of his. */
export interface Ask {
  readonly id: number
  readonly asker: string
  readonly from: number
  readonly job: Job
}

/** The processor time the thread had used when it said so, in microseconds: what comes next is measured from there. */
export type Reply =
  | { readonly kind: 'ready'; readonly cpuUs: number }
  /** It is at this one now; and what went on before, as reading its payload, is not the fault of what is judged. */
  | { readonly kind: 'working'; readonly id: number; readonly cpuUs: number }
  | { readonly kind: 'answer'; readonly id: number; readonly answer: Answer; readonly cpuUs: number }
