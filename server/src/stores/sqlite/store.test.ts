import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { storeConformance } from '../conformance/store.ts'
import { openSqliteStore } from './store.ts'

storeConformance('sqlite', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'posthorn-store-'))
  const store = await openSqliteStore(join(folder, 'posthorn.db'))
  return {
    store,
    async close() {
      await store.close()
      await rm(folder, { recursive: true })
    },
  }
})
