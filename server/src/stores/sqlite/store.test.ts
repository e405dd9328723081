import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { storeConformance } from '../conformance/store.ts'
import { openSqliteStore } from './store.ts'

storeConformance('sqlite', true, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'posthorn-store-'))
  const open = () => openSqliteStore(join(folder, 'posthorn.db'))
  const store = await open()
  const opened = [store]
  return {
    store,
    async another() {
      const another = await open()
      opened.push(another)
      return another
    },
    async close() {
      for (const one of opened) await one.close()
      await rm(folder, { recursive: true })
    },
  }
})
