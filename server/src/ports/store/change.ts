import type { ChangeScope } from '../../domain/change.ts'
import type { Millis } from '../../domain/ids.ts'

/** Where the count of changes stands, and what is to be read anew. */
export interface Changes {
  readonly number: number
  /** See `changedOf`. Null: too many, or nobody can tell any more: everything. */
  readonly scopes: readonly string[] | null
}

/** What others have changed of that which nodes keep in memory. */
export interface ChangeStore {
  /**
   * What was changed after this number, but by whoever opened this store, who knows. Null: as whoever begins, with
   * nothing in memory yet.
   */
  since(number: number | null): Promise<Changes>
  /** Tells all other nodes, where nothing else is to be written. */
  note(scope: ChangeScope): Promise<void>
  /** Forgets changes that are older than this, by the database's clock; resolves to how many. */
  sweep(olderThanMs: Millis): Promise<number>
}
