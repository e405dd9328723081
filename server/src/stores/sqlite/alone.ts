import { DatabaseSync } from 'node:sqlite'
import { Unusable } from './unusable.ts'

/**
 * Claims the database for one process: two roads on one SQLite file would send everything twice. The claim is a lock on
 * a file beside it, which the operating system lets go of however the process ends. Throws when another one has it.
 */
export function holdAlone(path: string): { release(): void } {
  let lock: DatabaseSync
  try {
    lock = new DatabaseSync(`${path}.lock`)
  } catch (error) {
    throw new Unusable(
      `No file can be made beside ${path}: ${error instanceof Error ? error.message : error}. Does the folder exist?`,
    )
  }
  try {
    lock.exec('pragma locking_mode = exclusive; begin exclusive')
  } catch {
    lock.close()
    throw new Unusable(
      `Another Posthorn is running on ${path}. Stop it first, or give this one its own with POSTHORN_DATABASE.`,
    )
  }
  return { release: () => lock.close() }
}
