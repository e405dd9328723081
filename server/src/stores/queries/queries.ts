// QUERIES: the SQL, once, in what both engines speak, beside the function that runs it. One file per noun; each exports
// its store's methods as functions of a connection, so that whoever owns the connection can call them by name.
// Knows tables and rows; decides nothing about what they mean.

import type { Db } from '../db.ts'

/** A store's methods as functions of a connection. */
export type Queries<S> = {
  readonly [K in keyof S]: S[K] extends (...args: infer A) => infer R ? (db: Db, ...args: A) => R : never
}
