import { Svix } from 'svix'
import { loadSettings, type Settings } from '../../src/config.ts'
import { type Running, start } from '../../src/main.ts'
import type { Fetcher } from '../../src/ports/fetcher.ts'
import type { Store } from '../../src/ports/store.ts'
import { type Log, makeLog } from '../../src/telemetry/log.ts'
import { checked } from './contract-check.ts'
import { newDatabase, settingsOn } from './database.ts'
import { type TestWorld, testWorld } from './world.ts'

export interface TestServer {
  readonly url: string
  /** An admin key of environment `default`. */
  readonly key: string
  readonly world: TestWorld
  /** The official client, pointed at this server. */
  readonly svix: Svix
  readonly store: Store
  /** Of its database, for tests that look into it or start on it again. */
  readonly databaseUrl: string
  fetch(path: string, init?: RequestInit): Promise<Response>
  /** Throws where an answer was not as the contract describes it. */
  stop(): Promise<void>
}

export interface TestServerOptions {
  readonly settings?: Partial<Settings>
  readonly world?: TestWorld
  /** A database of the test's own, which is then kept at the stop. */
  readonly databaseUrl?: string
  /** Default: silent. */
  readonly log?: Log
  /** Instead of the server's own; see `elsewhere`. */
  readonly fetcher?: Fetcher
}

export const testKey = 'test-key-of-the-default-environment'

/** The whole server as `serve` runs it, on a real database and a real socket; only time and dice are the test's. */
export async function startTestServer(options: TestServerOptions = {}): Promise<TestServer> {
  const own = options.databaseUrl === undefined ? await newDatabase() : null
  const databaseUrl = options.databaseUrl ?? own?.url ?? ''
  const world = options.world ?? testWorld()
  const settings: Settings = {
    ...loadSettings({
      env: settingsOn(databaseUrl),
      flags: {
        listen: '127.0.0.1:0',
        apiKey: testKey,
        egressAllow: '127.0.0.0/8,::1',
      },
    }),
    ...options.settings,
  }
  const log = options.log ?? makeLog({ format: 'json', level: 'silent' })
  const { made: running, breaches } = await checked<Running>(() => start(settings, world, log, options.fetcher))
  return {
    url: running.url,
    key: testKey,
    world,
    svix: new Svix(testKey, { serverUrl: running.url, retryScheduleInMs: [] }),
    store: running.store,
    databaseUrl,
    fetch: (path, init = {}) => {
      const headers = new Headers(init.headers)
      if (!headers.has('authorization')) headers.set('authorization', `Bearer ${testKey}`)
      return fetch(`${running.url}${path}`, { ...init, headers })
    },
    async stop() {
      await running.stop()
      await own?.drop()
      if (breaches.found.length > 0) {
        const shown = breaches.found.slice(0, 10).join('\n')
        throw new Error(`${breaches.found.length} answers are not as the contract describes them:\n${shown}`)
      }
    },
  }
}
