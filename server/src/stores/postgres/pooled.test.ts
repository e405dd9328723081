import { after, describe } from 'node:test'
import { type Pooler, poolerRequired, startPgBouncer, withoutPooler } from '../../../test/support/pgbouncer.ts'
import { freshDatabase } from '../../../test/support/postgres.ts'
import { type DatabaseTarget, readDatabaseTarget } from '../../domain/database-target.ts'
import { eventTypesConformance } from '../conformance/event-types.ts'
import type { OpenStore } from '../conformance/opened.ts'
import { routesConformance } from '../conformance/routes.ts'
import { storeConformance } from '../conformance/store.ts'
import { openPostgresStore } from './store.ts'

const open = (target: DatabaseTarget) => {
  if (target.engine !== 'postgres') throw new Error('the tests were given another engine')
  return openPostgresStore(target, { connections: 10, pooled: true })
}

describe('on PostgreSQL, through PgBouncer', { skip: withoutPooler }, () => {
  let pooler: Promise<Pooler> | null = null
  after(async () => (await pooler)?.stop())

  const openThrough: OpenStore = async () => {
    const database = await freshDatabase()
    pooler ??= startPgBouncer(database.url, { size: 3 })
    const target = readDatabaseTarget((await pooler).through(database.url))
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

  // The whole suite takes as long again as without a pooler: CI has the time. Here what has failed behind one.
  if (poolerRequired) storeConformance('postgres', false, openThrough)
  else {
    describe('routes', () => routesConformance(openThrough))
    describe('event types', () => eventTypesConformance(openThrough))
  }
})
