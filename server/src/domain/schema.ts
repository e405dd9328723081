import type { Fault } from './problem.ts'

export const largestSchema = 256 * 1024
const deepestSchema = 64

/** What can be said against a declared schema before anybody works with it. Pointers begin with `at`. */
export function schemaShapeFaults(schema: unknown, at: string): readonly Fault[] {
  if (typeof schema === 'boolean') return []
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema)) {
    return [{ pointer: at, message: 'must be a JSON Schema: an object, or true or false' }]
  }
  if (deeperThan(schema, deepestSchema)) {
    return [{ pointer: at, message: `is nested more than ${deepestSchema} deep` }]
  }
  const size = JSON.stringify(schema).length
  if (size > largestSchema) return [{ pointer: at, message: `is larger than ${largestSchema} characters` }]
  return []
}

function deeperThan(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (depth === 0) return true
  return Object.values(value).some((part) => deeperThan(part, depth - 1))
}
