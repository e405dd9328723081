import type { FilterFault } from '../domain/filter.ts'
import type { Fault } from '../domain/problem.ts'
import type { Facts, FilterVerdict, SchemaVerdict } from '../ports/judge.ts'

/** What the thread is asked. Each has one answer for each of its parts; only `filters` may have more than one. */
export type Job =
  | { readonly kind: 'filters'; readonly filters: readonly string[]; readonly facts: Facts }
  | { readonly kind: 'schema'; readonly schema: string; readonly facts: Pick<Facts, 'payload' | 'encoding'> }
  | { readonly kind: 'filter-fault'; readonly filter: string }
  | { readonly kind: 'schema-faults'; readonly schema: string }

export type Answer = FilterVerdict | SchemaVerdict | FilterFault | null | readonly Fault[]

/** `from`: the first part that is still to be answered. */
export interface Ask {
  readonly id: number
  readonly from: number
  readonly job: Job
}

/** The processor time the thread had used when it said so, in microseconds: what comes next is measured from there. */
export type Reply =
  | { readonly kind: 'ready'; readonly cpuUs: number }
  /** Something went on that is not the fault of what is judged, as reading a large payload. */
  | { readonly kind: 'working'; readonly cpuUs: number }
  | { readonly kind: 'answer'; readonly id: number; readonly answer: Answer; readonly cpuUs: number }
