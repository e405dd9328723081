import { describe } from 'node:test'
import { withoutPostgres } from '../../../test/support/postgres.ts'
import { postgresStores } from '../../../test/support/postgres-stores.ts'
import { storeConformance } from '../conformance/store.ts'

describe('on PostgreSQL', { skip: withoutPostgres }, () => {
  storeConformance('postgres', false, postgresStores())
})
