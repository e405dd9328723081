import { isAnyId } from './ids.ts'
import type { Fault } from './problem.ts'

const shape = /^[a-zA-Z0-9\-_.]{1,256}$/

/**
 * What is wrong with a name of the caller's own (`uid`, `eventId`), null if nothing. A name that looks like an id of ours
 * is refused: in a path it would hide whatever really has that id.
 */
export function uidFault(uid: string, pointer: string): Fault | null {
  if (!shape.test(uid)) return { pointer, message: 'must be 1 to 256 characters of a–z, A–Z, 0–9, "-", "_" and "."' }
  // In a URL these are not names but directions: `/endpoint/..` is the application above it.
  if (uid === '.' || uid === '..') return { pointer, message: 'must be a name, not "." or ".."' }
  if (isAnyId(uid)) return { pointer, message: 'must not look like an id given out here' }
  return null
}

/**
 * The uid of what is replaced. The name it was addressed by is not lost by leaving it out: sent again, the replacement
 * would then create a second one.
 */
export const uidAfterReplace = (
  held: string | null,
  wished: string | null | undefined,
  addressedBy: string,
): string | null => (wished === undefined || (wished === null && held === addressedBy) ? held : wished)
