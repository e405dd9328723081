import type { Socket } from 'node:net'
import type pg from 'pg'

/** The database cannot be reached now, does not answer, or has no connection free. */
export class Unreachable extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause })
    this.name = 'Unreachable'
  }
}

/** What PostgreSQL says went wrong, by SQLSTATE (postgresql.org/docs/current/errcodes-appendix.html). */
export const sqlState = (error: unknown): string | null =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null

// What pg says of a connection that ended under a statement; it gives these no code.
const lostTexts = /^(Connection terminated|Client has encountered a connection error|timeout expired)/

/** It was not what was asked: the database, or the way to it, could not be had (SQLSTATE classes 08, 53 and 57, or no answer). */
export function isUnavailable(error: unknown): boolean {
  if (error instanceof Unreachable) return true
  const state = sqlState(error)
  if (state !== null) return /^(08|53|57|25006$|E[A-Z]{4,}$)/.test(state)
  return error instanceof Error && lostTexts.test(error.message)
}

/** The connection is as good as before: it was the statement that could not be had (data, constraints, locks, syntax). */
export const isTheStatements = (error: unknown): boolean => /^(22|23|40|42)/.test(sqlState(causeOf(error)) ?? '')

/** The connection, and not the statement, was at fault: nobody knows what became of it. */
export const isLost = (error: unknown): boolean => /^(08|57)/.test(sqlState(error) ?? '08')

const causeOf = (error: unknown): unknown =>
  error instanceof Error && sqlState(error) === null && error.cause !== undefined ? error.cause : error

const sockets = new WeakMap<pg.ClientBase, Socket>()

export const goesOver = (client: pg.ClientBase, socket: Socket): void => {
  sockets.set(client, socket)
}

/** Ends a connection at once, whoever waits for an answer over it: they are told that it was lost. */
export const cutOff = (client: pg.ClientBase): void => {
  sockets.get(client)?.destroy()
}
