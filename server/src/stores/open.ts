import { existsSync, realpathSync } from 'node:fs'
import { type DatabaseTarget, shownTarget } from '../domain/database-target.ts'
import type { Store } from '../ports/store.ts'
import type { Migrated, Schema } from './migrations.ts'
import { postgresSchema } from './postgres/schema.ts'
import { openPostgresStore, type PostgresManner } from './postgres/store.ts'
import { requireMigrated } from './schema.ts'
import { holdAlone } from './sqlite/alone.ts'
import { sqliteSchema } from './sqlite/schema.ts'
import { openSqliteStore } from './sqlite/store.ts'

/** How a database is dealt with. */
export interface StoreManner extends PostgresManner {
  /** Whether its schema is brought up to date first; if not, it has to be. */
  readonly migrates: boolean
}

/** A store, whatever its engine. */
export interface OpenedStore {
  readonly store: Store
  /** For people: without a password. */
  readonly shown: string
  /** Where a key file may stand; null: a database that is not a file has nothing beside it. */
  readonly beside: string | null
  /** No other process can make deliveries from it. */
  readonly alone: boolean
  readonly migrated: Migrated
  close(): Promise<void>
}

/**
 * Opens the database that is meant, and makes it where there is none. `road`: deliveries are made from here, which only
 * one process may do on a file. Throws with a plain word when it cannot be used.
 */
export async function openStore(
  target: DatabaseTarget,
  use: 'road' | 'command',
  manner: StoreManner,
): Promise<OpenedStore> {
  if (target.engine === 'postgres') {
    const migrated = await migratedBy(postgresSchema(target, manner.pooled), manner)
    const store = await openPostgresStore(target, manner)
    return { store, migrated, shown: shownTarget(target), beside: null, alone: false, close: () => store.close() }
  }
  const path = realPath(target.path)
  const alone = use === 'road' ? holdAlone(path) : null
  try {
    const migrated = await migratedBy(sqliteSchema(path, alone !== null), manner)
    const store = await openSqliteStore(path)
    return {
      ...{ store, migrated, shown: shownTarget({ engine: 'sqlite', path }), beside: path, alone: true },
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

async function migratedBy(schema: Schema, { migrates }: StoreManner): Promise<Migrated> {
  try {
    if (!migrates) await requireMigrated(schema)
    return await schema.migrate()
  } finally {
    await schema.close()
  }
}

/** One name for one database, so that a link to it is not taken for another. A file that is not there yet is made by the store. */
function realPath(path: string): string {
  return existsSync(path) ? realpathSync(path) : path
}
