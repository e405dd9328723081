import { Problem } from '../domain/problem.ts'
import type { WriteResult } from '../ports/store.ts'

// Each lost round means somebody else's change got through; five in a row is a caller at war with another.
const rounds = 5

/**
 * Reads, decides and writes until nobody came in between. `attempt` resolves to `stale` when it is to be repeated.
 * Throws Problem `changed-meanwhile`.
 */
export async function untilFresh<Result>(attempt: () => Promise<Result | 'stale'>): Promise<Result> {
  for (let round = 0; round < rounds; round++) {
    const result = await attempt()
    if (result !== 'stale') return result
  }
  throw new Problem('changed-meanwhile')
}

/**
 * Waits for a write of what nodes keep in memory. Where it fails nobody knows whether it was stored, its answer may have been
 * lost; and no node is told of what it wrote itself. So it reads anew in any case.
 */
export async function stored<Result>(write: Promise<Result>, readAnew: () => void): Promise<Result> {
  try {
    return await write
  } catch (error) {
    readAnew()
    throw error
  }
}

/**
 * Looks whether what is there is what the caller wants to change; rejects if not. Asked after the row was read: if the
 * write finds the same row, nobody came between the looking and the writing.
 */
export type Expectation = () => Promise<void>

export const expectNothing: Expectation = async () => {}

/** What a write that names a uid came to: the row, `stale`, or Problem `uid-taken`. */
export function written<Row extends { readonly uid: string | null }>(result: WriteResult, row: Row): Row | 'stale' {
  if (result === 'stale') return 'stale'
  if (result === 'done') return row
  throw new Problem('uid-taken', `uid '${row.uid}' is in use.`, [{ pointer: '/uid', message: 'is in use' }])
}
