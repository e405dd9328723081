import { type Fault, Problem } from '../domain/problem.ts'

/**
 * Runs every check, so that a caller hears of all faults at once. One problem is thrown as it is; several become one
 * `request-invalid` with the faults of all.
 */
export function checkAll(checks: readonly (() => unknown)[]): void {
  const found: Problem[] = []
  for (const check of checks) {
    try {
      check()
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      found.push(error)
    }
  }
  const [first] = found
  if (!first) return
  if (found.length === 1) throw first
  const faults = found.flatMap((problem) => problem.faults)
  throw new Problem('request-invalid', found.map((problem) => problem.message).join(' '), faults)
}

/** Throws Problem `request-invalid` with the faults that are there. */
export function refuse(faults: readonly (Fault | null)[]): void {
  const found = faults.filter((fault) => fault !== null)
  if (found.length === 0) return
  throw new Problem('request-invalid', found.map(({ pointer, message }) => `${pointer} ${message}.`).join(' '), found)
}
