import { after, afterEach, before, beforeEach } from 'node:test'
import type { Store } from '../../ports/store.ts'

/** `another` opens the same database once more, as another node does. `close` closes all of them. */
export type OpenStore = () => Promise<{ readonly store: Store; another(): Promise<Store>; close(): Promise<void> }>

/** The store of the test that is running. */
export interface Opened {
  (): Store
  another(): Promise<Store>
}

function opened(open: OpenStore, opening: typeof before, closing: typeof after): Opened {
  let current: Awaited<ReturnType<OpenStore>> | null = null
  opening(async () => {
    current = await open()
  })
  closing(async () => {
    await current?.close()
    current = null
  })
  const running = () => {
    if (!current) throw new Error('no store is open outside of a test')
    return current
  }
  return Object.assign(() => running().store, { another: () => running().another() })
}

/** One store for all tests of a suite, which keep apart by environment. */
export const openedOnce = (open: OpenStore): Opened => opened(open, before, after)

/** A new store for each test: where what other tests left would be claimed. */
export const openedEach = (open: OpenStore): Opened => opened(open, beforeEach, afterEach)
