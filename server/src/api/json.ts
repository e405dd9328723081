import { pointerTo } from '../domain/json-pointer.ts'
import { type Fault, Problem } from '../domain/problem.ts'
import { readJson } from '../domain/read-json.ts'

const utf8 = new TextDecoder('utf-8', { fatal: true })

// Beyond what a JSON Schema of people needs, and far below where printing it again would exhaust the stack.
const mostDepth = 64

/** The text of a body. Throws Problem `body-malformed`. */
export function textOf(body: unknown): string {
  if (!(body instanceof Uint8Array) || body.length === 0)
    throw new Problem('body-malformed', 'The request has no body.')
  try {
    return utf8.decode(body)
  } catch {
    throw new Problem('body-malformed', 'The body is not valid UTF-8.')
  }
}

/** Throws Problem `body-malformed`, which says where reading stopped. */
export function parseJson(text: string): unknown {
  try {
    return readJson(text)
  } catch (error) {
    throw new Problem(
      'body-malformed',
      `The body is not JSON: ${error instanceof Error ? error.message : 'unreadable'}`,
    )
  }
}

/** What is wrong with a text that is to be kept: stores and receivers differ on NUL and on halves of surrogate pairs. */
export function textFault(text: string, pointer: string): Fault | null {
  if (text.includes('\0')) return { pointer, message: 'must not contain U+0000' }
  if (!text.isWellFormed()) return { pointer, message: 'must be well-formed Unicode' }
  return null
}

/** What no value that is to be kept may hold, wherever it stands. Without recursion, as the caller chooses the depth. */
export function keepingFaults(value: unknown): readonly Fault[] {
  const faults: Fault[] = []
  const left: { readonly value: unknown; readonly pointer: string; readonly depth: number }[] = [
    { value, pointer: '', depth: 0 },
  ]
  for (let at = left.pop(); at !== undefined; at = left.pop()) {
    const { value, pointer, depth } = at
    if (typeof value === 'string') {
      const fault = textFault(value, pointer)
      if (fault) faults.push(fault)
    }
    if (typeof value !== 'object' || value === null) continue
    if (depth === mostDepth) {
      return [
        ...faults,
        { pointer: pointer.slice(0, 256), message: `must not be nested deeper than ${mostDepth} levels` },
      ]
    }
    for (const [key, inner] of Object.entries(value)) {
      const place = pointerTo(pointer, key)
      const fault = textFault(key, place)
      if (fault) faults.push({ pointer, message: 'must not have keys with U+0000 or half surrogate pairs' })
      left.push({ value: inner, pointer: place, depth: depth + 1 })
    }
  }
  return faults
}
