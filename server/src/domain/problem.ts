import { type ProblemCode, problems } from '@posthorn/contract/problems'

/** One fault, and where in the request it is (RFC 6901 JSON Pointer; `/headers/…` and `/query/…` for the rest). */
export interface Fault {
  readonly pointer: string
  readonly message: string
}

/** A caller's mistake, or our honest "not now". One place (`api/problem.ts`) turns it into RFC 9457. */
export class Problem extends Error {
  readonly code: ProblemCode
  readonly faults: readonly Fault[]
  /** Seconds a caller should wait, for those that pass by themselves. */
  readonly retryAfter: number | null

  /** `detail` is about this occurrence, written for the caller: no internals, no secrets. */
  constructor(code: ProblemCode, detail?: string, faults: readonly Fault[] = [], retryAfter: number | null = null) {
    super(detail ?? problems[code].happened)
    this.name = 'Problem'
    this.code = code
    this.faults = faults
    this.retryAfter = retryAfter
  }

  get status(): number {
    return problems[this.code].status
  }
}
