import { Problem } from './problem.ts'

/** What is wrong with a filter, and where: the character, counted from 0; null: no one place. */
export interface FilterFault {
  readonly message: string
  readonly at: number | null
}

const longestFilter = 4_096
// A filter that people can read has three or four; what reads it goes a few frames of the stack down for each.
const deepestFilter = 32
/** `all`, `exists`, `map` … inside one another: each multiplies the work by the length of a list. */
export const deepestLoops = 2

/** What can be said against a filter by its text alone, before anybody parses it. */
export function filterTextFault(filter: string): FilterFault | null {
  if (filter.trim() === '') return { message: 'is empty', at: null }
  if (filter.length > longestFilter) return { message: `is longer than ${longestFilter} characters`, at: longestFilter }
  let depth = 0
  for (const { 0: token, index } of filter.matchAll(bracketOrText)) {
    if ('([{'.includes(token)) depth += 1
    else if (')]}'.includes(token)) depth -= 1
    if (depth > deepestFilter) return { message: `is nested more than ${deepestFilter} deep`, at: index }
  }
  return null
}

// Brackets, and whole string literals so that brackets inside them are passed over (CEL, "String and Bytes Values").
const bracketOrText = /"""(?:\\.|[^\\])*?"""|'''(?:\\.|[^\\])*?'''|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[([{\])}]/gs

/** As a caller is told it. */
export function filterProblem({ message, at }: FilterFault): Problem {
  const text = at === null ? message : `at character ${at + 1}: ${message}`
  return new Problem('filter-invalid', `filter ${text}.`, [{ pointer: '/filter', message: text }])
}
