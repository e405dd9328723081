import { after, describe } from 'node:test'
import { type Pooler, poolerRequired, startPgBouncer, withoutPooler } from '../../../test/support/pgbouncer.ts'
import { postgresStores } from '../../../test/support/postgres-stores.ts'
import { eventTypesConformance } from '../conformance/event-types.ts'
import { routesConformance } from '../conformance/routes.ts'
import { storeConformance } from '../conformance/store.ts'

describe('on PostgreSQL, through PgBouncer', { skip: withoutPooler }, () => {
  let pooler: Promise<Pooler> | null = null
  after(async () => (await pooler)?.stop())

  const openThrough = postgresStores(async (url) => {
    pooler ??= startPgBouncer(url, { size: 3 })
    return (await pooler).through(url)
  })

  // The whole suite takes as long again as without a pooler: CI has the time. Here what has failed behind one.
  if (poolerRequired) storeConformance('postgres', false, openThrough)
  else {
    describe('routes', () => routesConformance(openThrough))
    describe('event types', () => eventTypesConformance(openThrough))
  }
})
