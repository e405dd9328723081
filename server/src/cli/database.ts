import { SchemaError } from '../stores/migrations.ts'
import { MoveError } from '../stores/move/side.ts'
import { Unreachable } from '../stores/postgres/lost.ts'
import { exitCodes, type Io } from './command.ts'

const unusable = [SchemaError, MoveError, Unreachable]

/** Runs what works on a database, and says in one line, with exit code 1, when that cannot be used as it is. */
export async function onDatabase(command: string, io: Io, work: () => Promise<number>): Promise<number> {
  try {
    return await work()
  } catch (error) {
    if (!unusable.some((kind) => error instanceof kind) || !(error instanceof Error)) throw error
    io.stderr.write(`posthorn ${command}: ${error.message}\n`)
    return exitCodes.checkFailed
  }
}
