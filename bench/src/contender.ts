import { fileURLToPath } from 'node:url'
import { request } from 'undici'
import { type Child, freePort, startChild } from './child.ts'
import { type Databases, type Engine, engineNames } from './database.ts'
import { startGateway, type Target } from './gateway.ts'
import { type Fsync, startRedis } from './peer/redis.ts'
import { usageOf } from './usage.ts'
import { makeFolder } from './workspace.ts'

/** One of those that do the same job: it takes messages over HTTP and delivers them, signed, to one receiver. */
export interface Running extends AsyncDisposable {
  readonly target: Target
  /** Of its own processes so far, and of those of what it keeps its messages in. */
  cpuMs(): { readonly own: number; readonly store: number }
  peakRssBytes(): number
  /** Ends its own processes as a crash does, and starts them again, with the store as it is. */
  crash(): Promise<void>
}

export interface Contender {
  readonly name: string
  /** Whether it needs no half minute to see that a process of its own is gone. */
  readonly recoversAtOnce: boolean
  start(receiverUrl: string): Promise<Running>
}

/** What a life of a process has used is gone with it: of those that have ended, it is added up. */
function processes(start: () => Promise<readonly Child[]>) {
  let children: readonly Child[] = []
  let [spentMs, peak] = [0, 0]
  const sum = (pick: (usage: { cpuMs: number; peakRssBytes: number }) => number) =>
    children.reduce((total, { pid }) => {
      const usage = usageOf(pid)
      return total + (usage === null ? Number.NaN : pick(usage))
    }, 0)
  const begin = async () => {
    children = await start()
  }
  return {
    begin,
    cpuMs: () => spentMs + sum((usage) => usage.cpuMs),
    peakRssBytes: () =>
      Math.max(
        peak,
        sum((usage) => usage.peakRssBytes),
      ),
    async crash() {
      spentMs += sum((usage) => usage.cpuMs)
      peak = Math.max(
        peak,
        sum((usage) => usage.peakRssBytes),
      )
      await Promise.all(children.map((child) => child.kill()))
      await begin()
    },
    async stop() {
      await Promise.all(children.map((child) => child.stop()))
    },
  }
}

/** The gateway itself. */
export const posthorn = (databases: Databases, engine: Engine): Contender => ({
  name: `Posthorn, ${engineNames[engine]}`,
  recoversAtOnce: true,
  async start(receiverUrl) {
    const database = await databases.fresh(engine)
    const port = await freePort()
    const gateways: AsyncDisposable[] = []
    let target: Target | null = null
    const own = processes(async () => {
      const gateway = await startGateway(database, { port })
      gateways.push(gateway)
      target ??= await gateway.addApplication('bench', receiverUrl)
      return [gateway.child]
    })
    await own.begin()
    if (target === null) throw new Error('no application was made')
    return {
      ...own,
      target,
      cpuMs: () => ({ own: own.cpuMs(), store: database.cpuMs() ?? Number.NaN }),
      async [Symbol.asyncDispose]() {
        for (const gateway of gateways) await gateway[Symbol.asyncDispose]()
        await database[Symbol.asyncDispose]()
      },
    }
  },
})

const apiKey = 'peer-bench-key'

/** A peer as two processes: who takes messages does not wait for who sends them. */
async function startPeer(
  script: string,
  receiverUrl: string,
  storeArgument: string,
  store: { cpuMs(): number | null } & AsyncDisposable,
): Promise<Running> {
  const folder = makeFolder('peer')
  const port = await freePort()
  const url = `http://127.0.0.1:${port}/publish`
  const startRole = (role: 'api' | 'worker') =>
    startChild({
      name: `peer-${role}`,
      command: process.execPath,
      args: [
        fileURLToPath(new URL(`./peer/${script}.ts`, import.meta.url)),
        ...[role, String(port), apiKey, receiverUrl, storeArgument],
      ],
      env: { NODE_ENV: 'production' },
      folder: folder.path,
      ...(role === 'worker'
        ? {}
        : {
            ready: async () => {
              const answer = await request(url)
              await answer.body.dump()
              return answer.statusCode === 204
            },
          }),
    })
  // One after the other: the first makes the tables.
  const own = processes(async () => [await startRole('api'), await startRole('worker')])
  await own.begin()
  return {
    ...own,
    target: { url, apiKey },
    cpuMs: () => ({ own: own.cpuMs(), store: store.cpuMs() ?? Number.NaN }),
    async [Symbol.asyncDispose]() {
      await own.stop()
      await store[Symbol.asyncDispose]()
      folder.remove()
    },
  }
}

export const bullmq = (fsync: Fsync): Contender => ({
  name: `BullMQ, Redis fsync ${fsync}`,
  recoversAtOnce: false,
  async start(receiverUrl) {
    const redis = await startRedis(fsync)
    return await startPeer('bullmq', receiverUrl, String(redis.port), redis)
  },
})

export const pgBoss = (databases: Databases): Contender => ({
  name: 'pg-boss, PostgreSQL',
  recoversAtOnce: false,
  async start(receiverUrl) {
    const database = await databases.fresh('postgres')
    return await startPeer('pg-boss', receiverUrl, database.url, database)
  },
})
