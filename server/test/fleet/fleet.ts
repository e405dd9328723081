// FLEET: several whole servers in one process, on one PostgreSQL. Heartbeats, leases and the leader go by clocks that nobody
// can turn, the database's among them, so these tests run on real time, with leases of two seconds.

import { randomBytes } from 'node:crypto'
import type { TestContext } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import pg from 'pg'
import type { Settings } from '../../src/config.ts'
import type { Log } from '../../src/telemetry/log.ts'
import { realWorld } from '../../src/world.ts'
import { freshDatabase } from '../support/postgres.ts'
import { type Receiver, startReceiver } from '../support/receiver.ts'
import { startTestServer, type TestServer } from '../support/server.ts'
import type { TestWorld } from '../support/world.ts'

export const leaseMs = 2_000
const patienceMs = 15_000

/** Time goes by itself here. A node of which the timers stand still is one that was stopped: it beats and renews no more. */
export interface NodeWorld extends TestWorld {
  freeze(): void
}

function nodeWorld(machineNow: () => number): NodeWorld {
  let frozen = false
  return {
    ...realWorld,
    machineNow,
    after: (delayMs, run) =>
      realWorld.after(delayMs, () => {
        if (!frozen) run()
      }),
    async advance() {
      await wait(5)
    },
    async leap() {},
    get pendingTimers() {
      return 0
    },
    freeze() {
      frozen = true
    },
  }
}

export interface FleetNode extends TestServer {
  readonly world: NodeWorld
}

export interface FleetScene {
  readonly receiver: Receiver
  /** One more node. */
  node(options?: { settings?: Partial<Settings>; log?: Log; machineNow?: () => number }): Promise<FleetNode>
  rows(sql: string): Promise<readonly Record<string, unknown>[]>
  count(sql: string): Promise<number>
  until(what: string, holds: () => boolean | Promise<boolean>): Promise<void>
}

/** `through`: the way of the nodes to their database, where that is not the direct one. */
export async function fleet(
  t: TestContext,
  { through = async (url: string) => url }: { through?: (url: string) => Promise<string> } = {},
): Promise<FleetScene> {
  const database = await freshDatabase()
  const databaseUrl = await through(database.url)
  const client = new pg.Client({ connectionString: database.url })
  await client.connect()
  const receiver = await startReceiver()
  const nodes: FleetNode[] = []
  const masterKey = randomBytes(32)
  t.after(async () => {
    await receiver.close()
    await Promise.all(nodes.map((node) => node.stop()))
    await client.end()
    await database.drop()
  })
  const rows: FleetScene['rows'] = async (sql) => (await client.query(sql)).rows
  return {
    receiver,
    async node({ settings = {}, log, machineNow = Date.now } = {}) {
      const world = nodeWorld(machineNow)
      const server = await startTestServer({
        world,
        ...(log ? { log } : {}),
        databaseUrl,
        settings: {
          ...{ masterKey, leaseDuration: leaseMs, attemptTimeout: 1_000 },
          ...{ shutdownGrace: 500, shutdownDrain: 0, databaseConnections: 8 },
          ...settings,
        },
      })
      const node = { ...server, world }
      nodes.push(node)
      return node
    },
    rows,
    count: async (sql) => Number(Object.values((await rows(sql))[0] ?? {})[0]),
    async until(what, holds) {
      const deadline = performance.now() + patienceMs
      while (!(await holds())) {
        if (performance.now() > deadline) throw new Error(`not within ${patienceMs / 1_000} s: ${what}`)
        await wait(5)
      }
    },
  }
}

/** Publishes to `shop`; resolves to the status and the message's id. */
export async function publish(node: TestServer, payload = '{}', fields = ''): Promise<{ status: number; id: string }> {
  const answer = await node.fetch('/api/v1/app/shop/msg?with_content=false', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: `{"eventType":"invoice.paid","payload":${payload}${fields}}`,
  })
  return { status: answer.status, id: ((await answer.json()) as { id: string }).id }
}
