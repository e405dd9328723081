// The store's own thread: the main thread never waits on a disk. One call at a time, in the order they came.

import { parentPort, workerData } from 'node:worker_threads'
import { first } from '../db.ts'
import { nouns } from '../queries/nouns.ts'
import { busyTimeoutMs, openConnection } from './connection.ts'

export interface Call {
  readonly id: number
  readonly noun: string
  readonly method: string
  readonly parameters: readonly unknown[]
}

export type Role = 'writer' | 'reader' | 'lister'

export type Reply =
  | { readonly id: number; readonly value: unknown }
  /** `passing`: it lies with the disk, or with whoever else is at the file, not with what was asked. */
  | { readonly id: number; readonly error: string; readonly passing: boolean }

const emptyLogPatienceMs = 10

const { path, role, origin } = workerData as { path: string; role: Role; origin: string }
const db = openConnection(path, role, origin)

const process = {
  ping: () => first(db, 'select 1 as one'),
  // Copies what the log holds into the database beside the running commits; resolves to the length of the log in pages.
  checkpoint: async () => (await first<{ log: number }>(db, 'pragma wal_checkpoint(passive)'))?.log ?? 0,
  // Copies the rest, of which there is little after `checkpoint`, so that the next commit starts the log anew.
  restartLog: () => db.all('pragma wal_checkpoint(restart)'),
  // Copies the rest and cuts the log to nothing, unless a reader stays in it: then everybody has waited this long, and no
  // more (sqlite.org/pragma.html#pragma_wal_checkpoint). Resolves to whether it did.
  emptyLog: async () => {
    db.database.exec(`pragma busy_timeout = ${emptyLogPatienceMs}`)
    try {
      return (await first<{ busy: number }>(db, 'pragma wal_checkpoint(truncate)'))?.busy === 0
    } finally {
      db.database.exec(`pragma busy_timeout = ${busyTimeoutMs}`)
    }
  },
}

// Busy, read-only, input or output, full, cannot be opened (sqlite.org/rescode.html; the low byte is the primary code).
const passingCodes: ReadonlySet<number> = new Set([5, 8, 10, 13, 14])

const isPassing = (error: unknown): boolean =>
  error instanceof Error && 'errcode' in error && passingCodes.has(Number(error.errcode) & 0xff)

type Method = (...parameters: readonly unknown[]) => unknown

async function answer({ id, noun, method, parameters }: Call): Promise<Reply> {
  try {
    const own = noun === 'process' ? (process as Record<string, Method>)[method] : undefined
    const value = own ? await own(...parameters) : await nouns[noun]?.[method]?.(db, ...parameters)
    return { id, value }
  } catch (error) {
    return { id, error: error instanceof Error ? error.message : String(error), passing: isPassing(error) }
  }
}

let last: Promise<void> = Promise.resolve()
parentPort?.on('message', (call: Call | 'close') => {
  last = last.then(async () => {
    if (call === 'close') {
      db.close()
      parentPort?.close()
      return
    }
    parentPort?.postMessage(await answer(call))
  })
})
