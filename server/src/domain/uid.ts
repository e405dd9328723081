import { type IdKind, isId } from './ids.ts'
import type { Fault } from './problem.ts'

const shape = /^[a-zA-Z0-9\-_.]{1,256}$/
const kinds: readonly IdKind[] = ['environment', 'application', 'endpoint', 'message', 'attempt', 'key', 'lease']

/**
 * What is wrong with a name of the caller's own (`uid`, `eventId`), null if nothing. A name that looks like an id of ours
 * is refused: in a path it would hide whatever really has that id.
 */
export function uidFault(uid: string, pointer: string): Fault | null {
  if (!shape.test(uid)) return { pointer, message: 'must be 1 to 256 characters of a–z, A–Z, 0–9, "-", "_" and "."' }
  // In a URL these are not names but directions: `/endpoint/..` is the application above it.
  if (uid === '.' || uid === '..') return { pointer, message: 'must be a name, not "." or ".."' }
  if (kinds.some((kind) => isId(kind, uid))) return { pointer, message: 'must not look like an id given out here' }
  return null
}
