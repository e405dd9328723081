import { describe } from 'node:test'
import { freshDatabase, withoutPostgres } from '../../../test/support/postgres.ts'
import { type DatabaseTarget, readDatabaseTarget } from '../../domain/database-target.ts'
import { storeConformance } from '../conformance/store.ts'
import { openPostgresStore } from './store.ts'

const open = (target: DatabaseTarget) => {
  if (target.engine !== 'postgres') throw new Error('the tests were given another engine')
  return openPostgresStore(target, { connections: 10, pooled: false })
}

describe('on PostgreSQL', { skip: withoutPostgres }, () => {
  storeConformance('postgres', false, async () => {
    const database = await freshDatabase()
    const target = readDatabaseTarget(database.url)
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
  })
})
