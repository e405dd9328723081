import { SchemaError } from '../stores/migrations.ts'
import { MoveError } from '../stores/move/side.ts'
import { Unreachable } from '../stores/postgres/lost.ts'
import { Unusable } from '../stores/sqlite/unusable.ts'
import { exitCodes, type Io } from './command.ts'

const told = [SchemaError, MoveError, Unreachable, Unusable]

/**
 * Runs what works on a database, and says in one line, with exit code 1, when that cannot be used as it is. `shown`: which one, for
 * people.
 */
export async function onDatabase(command: string, shown: string, io: Io, work: () => Promise<number>): Promise<number> {
  try {
    return await work()
  } catch (error) {
    const why = whyUnusable(error, shown)
    if (why === null) throw error
    io.stderr.write(`posthorn ${command}: ${why}\n`)
    return exitCodes.checkFailed
  }
}

function whyUnusable(error: unknown, shown: string): string | null {
  if (!(error instanceof Error)) return null
  if (told.some((kind) => error instanceof kind)) return error.message
  // Of the engine itself: it is no database, or not ours to read.
  return 'code' in error && error.code === 'ERR_SQLITE_ERROR' ? `${shown} cannot be used: ${error.message}` : null
}
