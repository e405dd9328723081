import { existsSync, realpathSync } from 'node:fs'
import { type DatabaseTarget, shownTarget } from '../domain/database-target.ts'
import type { Store } from '../ports/store.ts'
import { openPostgresStore, type PostgresManner } from './postgres/store.ts'
import { holdAlone } from './sqlite/alone.ts'
import { openSqliteStore } from './sqlite/store.ts'

/** A store, whatever its engine. */
export interface OpenedStore {
  readonly store: Store
  /** For people: without a password. */
  readonly shown: string
  /** Where a key file may stand; null: a database that is not a file has nothing beside it. */
  readonly beside: string | null
  close(): Promise<void>
}

/**
 * Opens the database that is meant, and makes it where there is none. `road`: deliveries are made from here, which only
 * one process may do on a file. `manner`: how PostgreSQL is dealt with. Throws with a plain word when it cannot be used.
 */
export async function openStore(
  target: DatabaseTarget,
  use: 'road' | 'command',
  manner: PostgresManner,
): Promise<OpenedStore> {
  if (target.engine === 'postgres') {
    const store = await openPostgresStore(target, manner)
    return { store, shown: shownTarget(target), beside: null, close: () => store.close() }
  }
  const path = realPath(target.path)
  const alone = use === 'road' ? holdAlone(path) : null
  try {
    const store = await openSqliteStore(path)
    return {
      ...{ store, shown: shownTarget({ engine: 'sqlite', path }), beside: path },
      async close() {
        await store.close()
        alone?.release()
      },
    }
  } catch (error) {
    alone?.release()
    throw error
  }
}

/** One name for one database, so that a link to it is not taken for another. A file that is not there yet is made by the store. */
function realPath(path: string): string {
  return existsSync(path) ? realpathSync(path) : path
}
