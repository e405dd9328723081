import { type DatabaseTarget, readDatabaseTarget } from '../../src/domain/database-target.ts'
import type { OpenStore } from '../../src/stores/conformance/opened.ts'
import { openPostgresStore } from '../../src/stores/postgres/store.ts'
import { freshDatabase } from './postgres.ts'

/** Stores on databases of their own. `through` leads to one by another way than the server's own door: a pooler. */
export function postgresStores(through?: (url: string) => Promise<string>): OpenStore {
  const open = (target: DatabaseTarget) => {
    if (target.engine !== 'postgres') throw new Error('the tests were given another engine')
    return openPostgresStore(target, { connections: 10, pooled: through !== undefined })
  }
  return async () => {
    const database = await freshDatabase()
    const target = readDatabaseTarget((await through?.(database.url)) ?? database.url)
    const store = await open(target)
    const opened = [store]
    return {
      store,
      async another() {
        const another = await open(target)
        opened.push(another)
        return another
      },
      async close() {
        for (const one of opened) await one.close()
        await database.drop()
      },
    }
  }
}
